// SPDX-License-Identifier: Apache-2.0
// Which interrupts are pending, which are taken, and where (ISA manual vol. II, "Machine Interrupt (mip and
// mie) Registers", and "Hypervisor Interrupt (hvip, hip, and hie) Registers").
#include "target/riscv/trap/interrupts.h"

#include "target/riscv/csr/row.h"
#include "target/riscv/hart.h"
#include "target/riscv/trap/entry.h"
#include "target/riscv/trap/trap.h"

namespace gstage::riscv {

namespace {

/// Decreasing priority, the same at every level.
struct Interrupt {
  InterruptBit bit;
  const char* name;
};
constexpr Interrupt kByPriority[] = {
    {kMei, "machine external interrupt"},
    {kMsi, "machine software interrupt"},
    {kMti, "machine timer interrupt"},
    {kSei, "supervisor external interrupt"},
    {kSsi, "supervisor software interrupt"},
    {kSti, "supervisor timer interrupt"},
    {kSgei, "supervisor guest external interrupt"},
    {kVsei, "virtual supervisor external interrupt"},
    {kVssi, "virtual supervisor software interrupt"},
    {kVsti, "virtual supervisor timer interrupt"},
};

InterruptBit first_of(std::uint64_t pending) {
  for (const Interrupt& interrupt : kByPriority)
    if ((pending & interrupt_bit(interrupt.bit)) != 0) return interrupt.bit;
  return kByPriority[0].bit;
}

/// VS-level bits: hvip, the guest file that VGEIN selects, and vstimecmp.
std::uint64_t pending_for_guest(const Hart& hart, std::uint64_t wanted) {
  if (!has_misa(hart, 'H')) return 0;
  std::uint64_t pending = hart.hvip & kVsInterrupts;
  const std::uint64_t guest_files = hart.hgeip.load(std::memory_order_acquire) & kGuestFileMask;
  if ((guest_files >> hstatus::Vgein::get(hart.hstatus) & 1) != 0) pending |= interrupt_bit(kVsei);
  if ((guest_files & hart.hgeie) != 0) pending |= interrupt_bit(kSgei);
  if ((wanted & ~pending & interrupt_bit(kVsti)) != 0 && has_vstimecmp_interrupt(hart) &&
      hart.cpu->time() + hart.htimedelta >= hart.vs.timecmp)
    pending |= interrupt_bit(kVsti);
  return pending;
}

/// The pending ones of `wanted`. The clock is read only when a timer is among them.
std::uint64_t pending_of(const Hart& hart, std::uint64_t wanted) {
  constexpr std::uint64_t kWired = kMachineInterrupts | interrupt_bit(kSei) | interrupt_bit(kSsi);
  std::uint64_t pending = hart.irq_lines.load(std::memory_order_acquire) & kWired;
  const std::uint64_t sti = interrupt_bit(kSti);
  if (has_stimecmp_interrupt(hart)) {
    pending |= hart.mip & ~sti;
    if ((wanted & sti) != 0 && hart.cpu->time() >= hart.hs.timecmp) pending |= sti;
  } else {
    pending |= hart.mip;
  }
  return (pending | pending_for_guest(hart, wanted)) & wanted;
}

/// Interrupts that would be taken now if they were pending, by the level they go to.
struct Enabled {
  std::uint64_t machine = 0;
  std::uint64_t supervisor = 0;
  std::uint64_t guest = 0;
  [[nodiscard]] std::uint64_t all() const { return machine | supervisor | guest; }
};

Enabled enabled_interrupts(const Hart& hart) {
  Enabled enabled;
  const std::uint64_t mideleg = effective_mideleg(hart);
  const std::uint64_t hideleg = hart.hideleg & mideleg;
  if (hart.priv != kMachine || status::Mie::get(hart.mstatus) != 0) enabled.machine = hart.mie & ~mideleg;
  if (hart.priv == kMachine) return enabled;
  const bool is_below_hs = hart.v != 0 || hart.priv == kUser;
  if (is_below_hs || status::Sie::get(hart.hs.status) != 0)
    enabled.supervisor = hart.mie & mideleg & ~hideleg;
  if (hart.v != 0 && (hart.priv == kUser || status::Sie::get(hart.vs.status) != 0))
    enabled.guest = hart.mie & hideleg;
  return enabled;
}

void enter_interrupt(Hart& hart, TrapTarget target, std::uint64_t pending) {
  std::uint64_t number = first_of(pending);
  // The guest knows VS-level interrupts under the numbers of S-level ones: one less.
  if (target == TrapTarget::kGuest) --number;
  TrapEntry entry{};
  entry.cause = kCauseInterrupt | number;
  enter_trap(hart, target, entry);
}

}  // namespace

const char* interrupt_name(std::uint64_t number) {
  for (const Interrupt& interrupt : kByPriority)
    if (interrupt.bit == number) return interrupt.name;
  return "unknown interrupt";
}

std::uint64_t pending_interrupts(const Hart& hart) { return pending_of(hart, ~std::uint64_t{0}); }

bool has_wakeup(const Hart& hart) { return pending_of(hart, hart.mie) != 0; }

void update_interrupts(Hart& hart) {
  const std::uint64_t enabled = enabled_interrupts(hart).all();
  if (enabled != 0 && pending_of(hart, enabled) != 0)
    hart.core.attention.fetch_or(kAttendInterrupt, std::memory_order_seq_cst);
}

bool take_interrupt(Hart& hart) {
  const Enabled enabled = enabled_interrupts(hart);
  const std::uint64_t pending = pending_of(hart, enabled.all());
  if (pending == 0) return false;
  // Higher levels first.
  if ((pending & enabled.machine) != 0)
    enter_interrupt(hart, TrapTarget::kMachine, pending & enabled.machine);
  else if ((pending & enabled.supervisor) != 0)
    enter_interrupt(hart, TrapTarget::kSupervisor, pending & enabled.supervisor);
  else
    enter_interrupt(hart, TrapTarget::kGuest, pending & enabled.guest);
  return true;
}

}  // namespace gstage::riscv
