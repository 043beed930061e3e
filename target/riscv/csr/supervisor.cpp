// SPDX-License-Identifier: Apache-2.0
// Supervisor and virtual-supervisor registers of both banks that have rules of their own.
#include "target/riscv/csr/row.h"

namespace gstage::riscv {

namespace {

/// MODE is WARL: Direct and Vectored. The upper bit of MODE does not exist.
void write_tvec(Bank& bank, const CsrWrite& write) { bank.tvec = write.value & ~2ull; }

}  // namespace

std::uint8_t write_stvec(Hart& hart, unsigned, const CsrWrite& write) {
  write_tvec(hart.hs, write);
  return kNoEffect;
}
std::uint8_t write_vstvec(Hart& hart, unsigned, const CsrWrite& write) {
  write_tvec(hart.vs, write);
  return kNoEffect;
}

std::uint64_t read_sepc(Hart& hart, unsigned) { return hart.hs.epc & epc_mask(hart); }
std::uint8_t write_sepc(Hart& hart, unsigned, const CsrWrite& write) {
  hart.hs.epc = write.value & epc_mask(hart);
  return kNoEffect;
}
std::uint64_t read_vsepc(Hart& hart, unsigned) { return hart.vs.epc & epc_mask(hart); }
std::uint8_t write_vsepc(Hart& hart, unsigned, const CsrWrite& write) {
  hart.vs.epc = write.value & epc_mask(hart);
  return kNoEffect;
}

std::uint8_t write_stimecmp(Hart& hart, unsigned, const CsrWrite& write) {
  hart.hs.timecmp = write.value;
  return kEffectTimers;
}
std::uint8_t write_vstimecmp(Hart& hart, unsigned, const CsrWrite& write) {
  hart.vs.timecmp = write.value;
  return kEffectTimers;
}

std::uint8_t write_senvcfg(Hart& hart, unsigned, const CsrWrite& write) {
  hart.senvcfg = envcfg_value(hart.senvcfg, write.value, senvcfg_mask(hart));
  return kEffectRegimes;
}

}  // namespace gstage::riscv
