// SPDX-License-Identifier: Apache-2.0
// The interrupt registers of all levels: views of Hart::mie, and of what trap/interrupts.cpp finds pending.
#include "target/riscv/trap/interrupts.h"

#include "target/riscv/aia/imsic.h"
#include "target/riscv/cpu.h"
#include "target/riscv/csr/fields.h"
#include "target/riscv/csr/row.h"

namespace gstage::riscv {

namespace {

std::uint64_t interrupts_of(const Hart& hart) {
  return kMachineInterrupts | supervisor_interrupts(hart) |
         (has_misa(hart, 'H') ? hypervisor_interrupts(hart) : 0);
}
/// VS-level interrupts that the guest sees, in their places of hip.
std::uint64_t guest_interrupts(const Hart& hart) { return hart.hideleg & kVsInterrupts; }

/// Count overflows, whose bit of mip software may write where they are its own …
std::uint64_t overflows(const Hart& hart) { return hart.config->sscofpmf ? interrupt_bit(kLcofi) : 0; }
/// … and where they are the guest's: the same bit of vsip, sip and mip ("Shlcofideleg").
std::uint64_t guest_overflows(const Hart& hart) {
  return hart.hideleg & effective_mideleg(hart) & overflows(hart);
}
/// Local interrupts that are the guest's by hvien alone.
std::uint64_t guest_locals(const Hart& hart) { return hart.hvien & ~hart.hideleg; }

/// Bits that the guest names in vsie and vsip lie one place higher in hie and hip.
CsrWrite from_guest(const CsrWrite& write) { return {write.value << 1, write.mask << 1}; }

/// Bits of hvip that there are.
std::uint64_t hvip_mask(const Hart& hart) {
  return kVsInterrupts | (hart.config->ssaia ? kLocalInterrupts : 0);
}

}  // namespace

/// SSIP is the one bit that software and a wire can set and software clears: the wire is an edge.
void store_software_pending(Hart& hart, const CsrWrite& write, std::uint64_t writable) {
  const std::uint64_t ssip = interrupt_bit(kSsi);
  hart.mip = write.over(hart.mip, writable);
  if ((write.mask & writable & ssip) != 0 && (write.value & ssip) == 0)
    hart.irq_lines.fetch_and(~ssip, std::memory_order_seq_cst);
}

std::uint64_t filtered_interrupts(const Hart& hart) { return hart.mvien & ~effective_mideleg(hart); }

std::uint64_t effective_mideleg(const Hart& hart) {
  const std::uint64_t always = has_misa(hart, 'H') ? hypervisor_interrupts(hart) : 0;
  return (hart.mideleg & supervisor_interrupts(hart)) | always;
}

std::uint64_t read_mideleg(Hart& hart, unsigned) { return effective_mideleg(hart); }
std::uint8_t write_mideleg(Hart& hart, unsigned, const CsrWrite& write) {
  hart.mideleg = write.value & supervisor_interrupts(hart);
  return kEffectInterrupts;
}

std::uint64_t read_mie(Hart& hart, unsigned) { return hart.mie & interrupts_of(hart); }
std::uint8_t write_mie(Hart& hart, unsigned, const CsrWrite& write) {
  hart.mie = write.over(hart.mie, interrupts_of(hart));
  return kEffectInterrupts;
}

std::uint64_t read_mip(Hart& hart, unsigned) { return pending_interrupts(hart); }
std::uint8_t write_mip(Hart& hart, unsigned, const CsrWrite& write) {
  // While mvien has SEI, the software-writable bit is mvip's alone.
  std::uint64_t writable = interrupt_bit(kSsi) | (interrupt_bit(kSei) & ~hart.mvien) | overflows(hart);
  // STIP belongs to stimecmp where that is in force.
  if (!has_stimecmp_interrupt(hart)) writable |= interrupt_bit(kSti);
  store_software_pending(hart, write, writable);
  if (has_misa(hart, 'H')) hart.hvip = write.over(hart.hvip, interrupt_bit(kVssi));
  return kEffectInterrupts;
}

std::uint64_t read_sie(Hart& hart, unsigned) {
  return (hart.mie & effective_mideleg(hart) & supervisor_interrupts(hart)) |
         (hart.sie_own & filtered_interrupts(hart));
}
std::uint8_t write_sie(Hart& hart, unsigned, const CsrWrite& write) {
  hart.mie = write.over(hart.mie, effective_mideleg(hart) & supervisor_interrupts(hart));
  hart.sie_own = write.over(hart.sie_own, filtered_interrupts(hart));
  return kEffectInterrupts;
}

std::uint64_t read_sip(Hart& hart, unsigned) {
  return (pending_interrupts(hart) & effective_mideleg(hart) & supervisor_interrupts(hart)) |
         virtual_for_supervisor(hart);
}
std::uint8_t write_sip(Hart& hart, unsigned, const CsrWrite& write) {
  store_software_pending(hart, write, effective_mideleg(hart) & (interrupt_bit(kSsi) | overflows(hart)));
  // SEIP is read-only in sip also where it is mvip's.
  hart.mvip = write.over(hart.mvip, filtered_interrupts(hart) & ~interrupt_bit(kSei));
  return kEffectInterrupts;
}

std::uint64_t read_hie(Hart& hart, unsigned) { return hart.mie & hypervisor_interrupts(hart); }
std::uint8_t write_hie(Hart& hart, unsigned, const CsrWrite& write) {
  hart.mie = write.over(hart.mie, hypervisor_interrupts(hart));
  return kEffectInterrupts;
}

std::uint64_t read_hip(Hart& hart, unsigned) {
  return pending_interrupts(hart) & hypervisor_interrupts(hart);
}
std::uint8_t write_hip(Hart& hart, unsigned, const CsrWrite& write) {
  hart.hvip = write.over(hart.hvip, interrupt_bit(kVssi));
  return kEffectInterrupts;
}

std::uint8_t write_hvip(Hart& hart, unsigned, const CsrWrite& write) {
  hart.hvip = write.over(hart.hvip, hvip_mask(hart));
  return kEffectInterrupts;
}

std::uint8_t write_hideleg(Hart& hart, unsigned, const CsrWrite& write) {
  hart.hideleg = write.value & (kVsInterrupts | (hart.config->shlcofideleg ? interrupt_bit(kLcofi) : 0));
  return kEffectInterrupts;
}

std::uint64_t read_vsie(Hart& hart, unsigned) {
  return (hart.mie & guest_interrupts(hart)) >> 1 | (hart.mie & guest_overflows(hart)) |
         (hart.vsie_own & guest_locals(hart));
}
std::uint8_t write_vsie(Hart& hart, unsigned, const CsrWrite& write) {
  hart.mie = from_guest(write).over(hart.mie, guest_interrupts(hart));
  hart.mie = write.over(hart.mie, guest_overflows(hart));
  hart.vsie_own = write.over(hart.vsie_own, guest_locals(hart));
  return kEffectInterrupts;
}

std::uint64_t read_vsip(Hart& hart, unsigned) {
  const std::uint64_t pending = pending_interrupts(hart);
  return (pending & guest_interrupts(hart)) >> 1 | (pending & guest_overflows(hart)) |
         virtual_for_guest(hart);
}
std::uint8_t write_vsip(Hart& hart, unsigned, const CsrWrite& write) {
  hart.hvip = from_guest(write).over(hart.hvip, guest_interrupts(hart) & interrupt_bit(kVssi));
  store_software_pending(hart, write, guest_overflows(hart));
  hart.hvip = write.over(hart.hvip, guest_locals(hart));
  return kEffectInterrupts;
}

std::uint64_t read_hgeip(Hart& hart, unsigned) { return signalling_guest_files(hart, guest_file_mask(hart)); }
std::uint8_t write_hgeie(Hart& hart, unsigned, const CsrWrite& write) {
  hart.hgeie = write.value & guest_file_mask(hart);
  return kEffectInterrupts;
}

}  // namespace gstage::riscv
