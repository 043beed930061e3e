// SPDX-License-Identifier: Apache-2.0
// Registers of resumable non-maskable interrupts (ISA manual vol. II, "Smrnmi" chapter).
#include "target/riscv/csr/row.h"

namespace gstage::riscv {

std::uint64_t read_mnepc(Hart& hart, unsigned) { return hart.mnepc & epc_mask(hart); }
std::uint8_t write_mnepc(Hart& hart, unsigned, const CsrWrite& write) {
  hart.mnepc = write.value & epc_mask(hart);
  return kNoEffect;
}

/// NMIE can be set, not cleared. MNPP is WARL: a write of the reserved privilege leaves it.
std::uint8_t write_mnstatus(Hart& hart, unsigned, const CsrWrite& write) {
  constexpr std::uint64_t kReservedPrivilege = 2;
  const std::uint64_t mnpv = has_misa(hart, 'H') ? mnstatus::Mnpv::kMask : 0;
  const std::uint64_t named = mnstatus::Mnpp::get(write.value);
  const std::uint64_t mnpp = named == kReservedPrivilege ? mnstatus::Mnpp::get(hart.mnstatus) : named;
  const std::uint64_t nmie = (hart.mnstatus | write.value) & mnstatus::Nmie::kMask;
  hart.mnstatus = mnstatus::Mnpp::set(nmie | (write.value & mnpv), mnpp);
  return kEffectRegimes | kEffectInterrupts;
}

}  // namespace gstage::riscv
