// SPDX-License-Identifier: Apache-2.0
// The registers that the AIA adds to a hart (AIA, "Control and Status Registers (CSRs) Added to Harts").
#include "softmmu/base/trace.h"
#include "target/riscv/aia/imsic.h"
#include "target/riscv/aia/select.h"
#include "target/riscv/aia/top.h"
#include "target/riscv/csr/delegated_counters.h"
#include "target/riscv/csr/fields.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/trap/interrupts.h"

namespace gstage::riscv {

namespace {

/// miselect, siselect and vsiselect hold 12 bits, more than the 9 that are asked for; none is custom.
constexpr std::uint64_t kSelectMask = 0xfff;
constexpr std::uint64_t kHvictlMask = hvictl::Vti::kMask | hvictl::Iid::kMask | hvictl::Dpr::kMask |
                                      hvictl::Ipriom::kMask | hvictl::Iprio::kMask;
/// mvien has bits for SSI, SEI and the local interrupts.
constexpr std::uint64_t kMvienMask = interrupt_bit(kSsi) | interrupt_bit(kSei) | kLocalInterrupts;
/// Interrupts whose priority can be set. External ones have that of their controller; what is always
/// delegated has none at machine level.
constexpr std::uint64_t kMachinePriorities =
    interrupt_bit(kMsi) | interrupt_bit(kMti) | kSupervisorInterrupts;
constexpr std::uint64_t kSupervisorPriorities =
    interrupt_bit(kSsi) | interrupt_bit(kSti) | kVsInterrupts | interrupt_bit(kSgei) | kLocalInterrupts;
/// The interrupts of the bytes of hviprio1 and hviprio2; 0: reserved.
constexpr std::uint8_t kGuestPriorities[2][8] = {{0, 1, 0, 5, 0, 13, 14, 15},
                                                 {16, 17, 18, 19, 20, 21, 22, 23}};

std::uint64_t read_priorities(const std::uint8_t* priorities, std::uint64_t select) {
  const std::uint64_t first = (select - kIprio0) * 4;
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i) value |= std::uint64_t{priorities[first + i]} << (8 * i);
  return value;
}

void write_priorities(std::uint8_t* priorities, std::uint64_t select, std::uint64_t value,
                      std::uint64_t settable) {
  const std::uint64_t first = (select - kIprio0) * 4;
  for (unsigned i = 0; i < 8; ++i)
    if ((settable >> (first + i) & 1) != 0)
      priorities[first + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

std::uint64_t read_top(const InterruptFile* file) {
  const std::uint64_t identity = file == nullptr ? 0 : file->top();
  return identity << 16 | identity;
}

/// A claim takes what the same instruction has read: between the two a more urgent MSI may have arrived.
std::uint8_t claim_top(const Hart& hart, InterruptFile* file, const CsrWrite& write) {
  constexpr std::uint64_t kIdentity = 0x7ff;
  if (file == nullptr) return kNoEffect;
  const unsigned identity = write.has_read ? static_cast<unsigned>(write.read & kIdentity) : file->top();
  trace(TraceEvent::imsic_claim, hart.hartid, identity);
  file->claim(identity);
  return kNoEffect;
}

InterruptFile* machine_file(const Hart& hart) {
  return hart.imsic == nullptr ? nullptr : &hart.imsic->machine();
}
InterruptFile* supervisor_file(const Hart& hart) {
  return hart.imsic == nullptr ? nullptr : &hart.imsic->supervisor();
}

/// mvip.SSIP and mvip.STIP are aliases of mip's in the cases that "Interrupt filtering" names.
std::uint64_t aliased_mvip(const Hart& hart) {
  std::uint64_t aliased = interrupt_bit(kSei);
  if ((hart.mvien & interrupt_bit(kSsi)) == 0) aliased |= interrupt_bit(kSsi);
  if (!has_stimecmp_interrupt(hart)) aliased |= interrupt_bit(kSti);
  return aliased;
}

}  // namespace

std::uint64_t read_miselect(Hart& hart, unsigned) { return hart.miselect; }
std::uint8_t write_miselect(Hart& hart, unsigned, const CsrWrite& write) {
  hart.miselect = write.value & kSelectMask;
  return kNoEffect;
}
std::uint64_t read_siselect(Hart& hart, unsigned) { return hart.hs.iselect; }
std::uint8_t write_siselect(Hart& hart, unsigned, const CsrWrite& write) {
  hart.hs.iselect = write.value & kSelectMask;
  return kNoEffect;
}
std::uint64_t read_vsiselect(Hart& hart, unsigned) { return hart.vs.iselect; }
std::uint8_t write_vsiselect(Hart& hart, unsigned, const CsrWrite& write) {
  hart.vs.iselect = write.value & kSelectMask;
  return kNoEffect;
}

std::uint64_t read_mireg(Hart& hart, unsigned) {
  if (is_iprio(hart.miselect)) return read_priorities(hart.miprio, hart.miselect);
  return has_file_register(machine_file(hart), hart.miselect) ? machine_file(hart)->read(hart.miselect) : 0;
}
std::uint8_t write_mireg(Hart& hart, unsigned, const CsrWrite& write) {
  if (is_iprio(hart.miselect))
    write_priorities(hart.miprio, hart.miselect, write.value, kMachinePriorities);
  else if (has_file_register(machine_file(hart), hart.miselect))
    machine_file(hart)->write(hart.miselect, write.value, write.mask);
  return kEffectInterrupts;
}

std::uint64_t read_sireg(Hart& hart, unsigned) {
  const auto select = static_cast<unsigned>(hart.hs.iselect);
  if (is_iprio(select)) return read_priorities(hart.siprio, select);
  if (is_counter_range(select)) return read_delegated_counter(hart, select, 1);
  return has_file_register(supervisor_file(hart), select) ? supervisor_file(hart)->read(select) : 0;
}
std::uint8_t write_sireg(Hart& hart, unsigned, const CsrWrite& write) {
  const auto select = static_cast<unsigned>(hart.hs.iselect);
  if (is_counter_range(select)) return write_delegated_counter(hart, select, 1, write);
  if (is_iprio(select))
    write_priorities(hart.siprio, select, write.value, kSupervisorPriorities);
  else if (has_file_register(supervisor_file(hart), select))
    supervisor_file(hart)->write(select, write.value, write.mask);
  return kEffectInterrupts;
}

std::uint64_t read_vsireg(Hart& hart, unsigned) {
  const InterruptFile* const file = selected_guest_file(hart);
  const auto select = static_cast<unsigned>(hart.vs.iselect);
  return has_file_register(file, select) ? file->read(select) : 0;
}
std::uint8_t write_vsireg(Hart& hart, unsigned, const CsrWrite& write) {
  InterruptFile* const file = selected_guest_file(hart);
  const auto select = static_cast<unsigned>(hart.vs.iselect);
  if (has_file_register(file, select)) file->write(select, write.value, write.mask);
  return kEffectInterrupts;
}

std::uint64_t read_mtopei(Hart& hart, unsigned) { return read_top(machine_file(hart)); }
std::uint8_t write_mtopei(Hart& hart, unsigned, const CsrWrite& write) {
  return claim_top(hart, machine_file(hart), write);
}
std::uint64_t read_stopei(Hart& hart, unsigned) { return read_top(supervisor_file(hart)); }
std::uint8_t write_stopei(Hart& hart, unsigned, const CsrWrite& write) {
  return claim_top(hart, supervisor_file(hart), write);
}
std::uint64_t read_vstopei(Hart& hart, unsigned) { return read_top(selected_guest_file(hart)); }
std::uint8_t write_vstopei(Hart& hart, unsigned, const CsrWrite& write) {
  return claim_top(hart, selected_guest_file(hart), write);
}

std::uint64_t read_mtopi(Hart& hart, unsigned) { return mtopi(hart); }
std::uint64_t read_stopi(Hart& hart, unsigned) { return stopi(hart); }
std::uint64_t read_vstopi(Hart& hart, unsigned) { return vstopi(hart); }

std::uint64_t read_mvien(Hart& hart, unsigned) { return hart.mvien; }
std::uint8_t write_mvien(Hart& hart, unsigned, const CsrWrite& write) {
  hart.mvien = write.value & kMvienMask;
  return kEffectInterrupts;
}
std::uint64_t read_mvip(Hart& hart, unsigned) {
  const std::uint64_t aliased = aliased_mvip(hart);
  return (hart.mip & aliased) | (hart.mvip & kMvienMask & ~aliased);
}
std::uint8_t write_mvip(Hart& hart, unsigned, const CsrWrite& write) {
  const std::uint64_t aliased = aliased_mvip(hart);
  store_software_pending(hart, write, aliased);
  hart.mvip = write.over(hart.mvip, kMvienMask & ~aliased);
  return kEffectInterrupts;
}

std::uint64_t read_hvien(Hart& hart, unsigned) { return hart.hvien; }
std::uint8_t write_hvien(Hart& hart, unsigned, const CsrWrite& write) {
  hart.hvien = write.value & kLocalInterrupts;
  return kEffectInterrupts;
}
std::uint64_t read_hvictl(Hart& hart, unsigned) { return hart.hvictl; }
std::uint8_t write_hvictl(Hart& hart, unsigned, const CsrWrite& write) {
  hart.hvictl = write.value & kHvictlMask;
  return kEffectInterrupts;
}
std::uint64_t read_hviprio(Hart& hart, unsigned index) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i)
    value |= std::uint64_t{hart.hviprio[kGuestPriorities[index][i]]} << (8 * i);
  return value;
}
std::uint8_t write_hviprio(Hart& hart, unsigned index, const CsrWrite& write) {
  for (unsigned i = 0; i < 8; ++i) {
    const unsigned number = kGuestPriorities[index][i];
    if (number != 0) hart.hviprio[number] = static_cast<std::uint8_t>(write.value >> (8 * i));
  }
  return kEffectInterrupts;
}

}  // namespace gstage::riscv
