// SPDX-License-Identifier: Apache-2.0
// Which interrupts are pending, which are taken, and where (ISA manual vol. II, "Machine Interrupt (mip and
// mie) Registers", and "Hypervisor Interrupt (hvip, hip, and hie) Registers").
#include "target/riscv/trap/interrupts.h"

#include "target/riscv/aia/imsic.h"
#include "target/riscv/aia/top.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/hart.h"
#include "target/riscv/trap/entry.h"
#include "target/riscv/trap/rnmi.h"
#include "target/riscv/trap/trap.h"

namespace gstage::riscv {

namespace {

struct Interrupt {
  unsigned number;
  const char* name;
};
constexpr Interrupt kNames[] = {
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
    {kLcofi, "counter overflow interrupt"},
    {35, "low-priority RAS event"},
    {43, "high-priority RAS event"},
};

/// How pending_of judges the timers of stimecmp and vstimecmp: by the clock, or by what is known (see
/// Hart::timers_due). A timer that comes due is soon known: its deadline kicks the hart.
enum class TimerLook : std::uint8_t { kClock, kKnown };

std::uint64_t known_due(const Hart& hart) { return hart.timers_due.load(std::memory_order_relaxed); }

/// VSEI and SGEI: of the guest files only those are looked at that either asks for.
std::uint64_t pending_of_files(const Hart& hart) {
  // VGEIN = 0 names no file: hgeip has no bit 0.
  const std::uint64_t selected = std::uint64_t{1} << hstatus::Vgein::get(hart.hstatus) & ~std::uint64_t{1};
  const std::uint64_t signalling = signalling_guest_files(hart, selected | hart.hgeie);
  std::uint64_t pending = 0;
  if ((signalling & selected) != 0) pending |= interrupt_bit(kVsei);
  if ((signalling & hart.hgeie) != 0) pending |= interrupt_bit(kSgei);
  return pending;
}

/// VS-level bits: hvip, the guest file that VGEIN selects, and vstimecmp.
std::uint64_t pending_for_guest(const Hart& hart, std::uint64_t wanted, TimerLook look) {
  if (!has_misa(hart, 'H')) return 0;
  std::uint64_t pending = hart.hvip & kVsInterrupts;
  if (hart.hgeip.load(std::memory_order_acquire) != 0) pending |= pending_of_files(hart);
  const std::uint64_t vsti = interrupt_bit(kVsti);
  if ((wanted & ~pending & vsti) == 0 || !has_vstimecmp_interrupt(hart)) return pending;
  const bool is_due = (known_due(hart) & vsti) != 0 ||
                      (look == TimerLook::kClock && hart.cpu->time() + hart.htimedelta >= hart.vs.timecmp);
  return is_due ? pending | vsti : pending;
}

/// The pending ones of `wanted`. The clock is read only when a timer is among them.
std::uint64_t pending_of(const Hart& hart, std::uint64_t wanted, TimerLook look = TimerLook::kClock) {
  constexpr std::uint64_t kWired = kMachineInterrupts | interrupt_bit(kSei) | interrupt_bit(kSsi);
  std::uint64_t pending =
      confirmed_lines(hart, hart.irq_lines.load(std::memory_order_acquire) & kWired & wanted);
  // While mvien has SEI, the bit that software writes is mvip's alone.
  const std::uint64_t software = hart.mip & ~(hart.mvien & interrupt_bit(kSei));
  const std::uint64_t sti = interrupt_bit(kSti);
  if (has_stimecmp_interrupt(hart)) {
    pending |= software & ~sti;
    const bool is_known = (known_due(hart) & sti) != 0;
    if ((wanted & sti) != 0 &&
        (is_known || (look == TimerLook::kClock && hart.cpu->time() >= hart.hs.timecmp)))
      pending |= sti;
  } else {
    pending |= software;
  }
  return (pending | pending_for_guest(hart, wanted, look)) & wanted;
}

/// Interrupts that would be taken now if they were pending, by the level they go to.
struct Enabled {
  std::uint64_t machine = 0;
  std::uint64_t supervisor = 0;
  std::uint64_t guest = 0;
  [[nodiscard]] std::uint64_t all() const { return machine | supervisor | guest; }
};

/// Whether interrupts for S-mode, and for VS-mode, are taken now at all.
bool is_supervisor_open(const Hart& hart) {
  if (hart.priv == kMachine) return false;
  return hart.v != 0 || hart.priv == kUser || status::Sie::get(hart.hs.status) != 0;
}
bool is_guest_open(const Hart& hart) {
  return hart.v != 0 && (hart.priv == kUser || status::Sie::get(hart.vs.status) != 0);
}

Enabled enabled_interrupts(const Hart& hart) {
  Enabled enabled;
  const std::uint64_t mideleg = effective_mideleg(hart);
  const std::uint64_t hideleg = hart.hideleg & mideleg;
  if (hart.priv != kMachine || status::Mie::get(hart.mstatus) != 0) enabled.machine = hart.mie & ~mideleg;
  if (hart.priv == kMachine) return enabled;
  if (is_supervisor_open(hart)) enabled.supervisor = hart.mie & mideleg & ~hideleg;
  if (is_guest_open(hart)) enabled.guest = hart.mie & hideleg;
  return enabled;
}

/// Bits of hip in their places of vsip: the guest knows VS-level interrupts under the numbers of S-level
/// ones. Count overflows have one number for all.
std::uint64_t as_in_vsip(std::uint64_t pending) {
  return (pending & kVsInterrupts) >> 1 | (pending & interrupt_bit(kLcofi));
}

/// Interrupts to be taken now, by the level they go to; those of VS level numbered as in vsip.
struct Takeable {
  std::uint64_t machine = 0;
  std::uint64_t supervisor = 0;
  std::uint64_t vstopi = 0;  ///< at VS level the register itself decides
  [[nodiscard]] bool any() const { return machine != 0 || supervisor != 0 || vstopi != 0; }
};

Takeable takeable(const Hart& hart, TimerLook look) {
  if (!is_nmi_enabled(hart)) return {};
  const Enabled enabled = enabled_interrupts(hart);
  const std::uint64_t pending = enabled.all() == 0 ? 0 : pending_of(hart, enabled.all(), look);
  Takeable found{pending & enabled.machine, pending & enabled.supervisor, 0};
  if (hart.priv == kMachine) return found;
  if (hart.mvien != 0 && is_supervisor_open(hart))
    found.supervisor |= virtual_for_supervisor(hart) & hart.sie_own;
  if (!is_guest_open(hart)) return found;
  std::uint64_t guest = as_in_vsip(pending & enabled.guest);
  if (hart.hvien != 0) guest |= virtual_for_guest(hart) & hart.vsie_own;
  if ((guest | hart.hvictl) != 0) found.vstopi = vstopi_of(hart, guest);
  return found;
}

/// Whether it is worth to look more closely: most often it is not. mie holds the enables that hie and vsie
/// show, too; what AIA makes virtual has enables of its own.
bool may_be_pending(const Hart& hart) {
  const std::uint64_t signals =
      hart.irq_lines.load(std::memory_order_acquire) | hart.mip | hart.hvip | known_due(hart);
  const std::uint64_t files = hart.hgeip.load(std::memory_order_acquire);
  return (signals & hart.mie) != 0 || (files | hart.mvien | hart.hvien | hart.hvictl) != 0;
}

void enter_interrupt(Hart& hart, TrapTarget target, unsigned number) {
  TrapEntry entry{};
  entry.cause = kCauseInterrupt | number;
  enter_trap(hart, target, entry);
}

}  // namespace

std::uint64_t supervisor_interrupts(const Hart& hart) {
  return kSupervisorInterrupts | (hart.config->sscofpmf ? interrupt_bit(kLcofi) : 0);
}

std::uint64_t hypervisor_interrupts(const Hart& hart) {
  return kVsInterrupts | (guest_external_interrupts(hart) > 0 ? interrupt_bit(kSgei) : 0);
}

std::uint64_t virtual_for_supervisor(const Hart& hart) {
  // mvip.SEIP is where the software-writable bit of mip is.
  const std::uint64_t sei = interrupt_bit(kSei);
  return ((hart.mvip & ~sei) | (hart.mip & sei)) & filtered_interrupts(hart);
}

std::uint64_t virtual_for_guest(const Hart& hart) { return hart.hvip & hart.hvien & ~hart.hideleg; }

std::uint64_t ready_for_machine(const Hart& hart) {
  return pending_of(hart, hart.mie & ~effective_mideleg(hart));
}

std::uint64_t ready_for_supervisor(const Hart& hart) {
  const std::uint64_t delegated = effective_mideleg(hart) & ~hart.hideleg;
  return pending_of(hart, hart.mie & delegated) | (virtual_for_supervisor(hart) & hart.sie_own);
}

std::uint64_t ready_for_guest(const Hart& hart) {
  return as_in_vsip(pending_of(hart, hart.mie & hart.hideleg & effective_mideleg(hart))) |
         (virtual_for_guest(hart) & hart.vsie_own);
}

const char* interrupt_name(std::uint64_t number) {
  for (const Interrupt& interrupt : kNames)
    if (interrupt.number == number) return interrupt.name;
  return "unknown interrupt";
}

std::uint64_t pending_interrupts(const Hart& hart) { return pending_of(hart, ~std::uint64_t{0}); }

bool has_wakeup(const Hart& hart) {
  if (hart.has_critical_error != 0) return false;
  // NMIE is a global enable, which does not matter here.
  if (hart.is_nmi_pending.load(std::memory_order_seq_cst) != 0) return true;
  if (pending_of(hart, hart.mie) != 0) return true;
  // What is not in mip (AIA, "WFI (Wait for Interrupt) instruction").
  if ((hart.mvien | hart.hvien | hart.hvictl) == 0) return false;
  return (virtual_for_supervisor(hart) & hart.sie_own) != 0 || vstopi(hart) != 0;
}

std::uint64_t note_due_timers(Hart& hart) {
  constexpr std::uint64_t kNoDeadline = ~std::uint64_t{0};  // what software writes to have no timer
  hart.timers_due.store(0, std::memory_order_relaxed);
  const bool is_vs_on = has_vstimecmp_interrupt(hart);
  const bool is_waited_for = hart.hs.timecmp != kNoDeadline || (is_vs_on && hart.vs.timecmp != kNoDeadline);
  if (!has_stimecmp_interrupt(hart) || !is_waited_for) return 0;
  const std::uint64_t now = hart.cpu->time();
  std::uint64_t due = now >= hart.hs.timecmp ? interrupt_bit(kSti) : 0;
  if (is_vs_on && now + hart.htimedelta >= hart.vs.timecmp) due |= interrupt_bit(kVsti);
  // If somebody sets mtime meanwhile, `now` may be out of date; but whoever does so has the hart look again.
  hart.timers_due.store(due, std::memory_order_relaxed);
  return now;
}

void update_interrupts(Hart& hart) {
  if (is_nmi_due(hart) || (may_be_pending(hart) && takeable(hart, TimerLook::kKnown).any()))
    hart.core.attention.fetch_or(kAttendInterrupt, std::memory_order_seq_cst);
}

bool take_interrupt(Hart& hart) {
  if (is_nmi_due(hart)) {
    take_nmi(hart);
    return true;
  }
  const Takeable found = takeable(hart, TimerLook::kClock);
  // Higher levels first.
  if (found.machine != 0)
    enter_interrupt(hart, TrapTarget::kMachine, machine_top(hart, found.machine).number);
  else if (found.supervisor != 0)
    enter_interrupt(hart, TrapTarget::kSupervisor, supervisor_top(hart, found.supervisor).number);
  else if (found.vstopi != 0)
    enter_interrupt(hart, TrapTarget::kGuest, topi_number(found.vstopi));
  return found.any();
}

}  // namespace gstage::riscv
