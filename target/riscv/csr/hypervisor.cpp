// SPDX-License-Identifier: Apache-2.0
// Hypervisor registers other than interrupts and translation.
#include "target/riscv/csr/row.h"

namespace gstage::riscv {

namespace {

/// VSXL is read-only, VSBE zero; VGEIN is read-only zero while there are no guest external interrupts.
constexpr std::uint64_t kHstatusMask = hstatus::Gva::kMask | hstatus::Spv::kMask | hstatus::Spvp::kMask |
                                       hstatus::Hu::kMask | hstatus::Vtvm::kMask | hstatus::Vtw::kMask |
                                       hstatus::Vtsr::kMask;
static_assert(kGeilen == 0, "VGEIN must hold the numbers up to GEILEN");

/// The bits that the table "Bits of hedeleg that must be writable or must be read-only zero" calls writable.
constexpr std::uint64_t kHedelegMask = 0x1ff | 1ull << 12 | 1ull << 13 | 1ull << 15 | 1ull << 18 | 1ull << 19;

}  // namespace

std::uint64_t read_hstatus(Hart& hart, unsigned) { return hstatus::Vsxl::set(hart.hstatus, kXlen64); }
std::uint8_t write_hstatus(Hart& hart, unsigned, const CsrWrite& write) {
  hart.hstatus = write.value & kHstatusMask;
  return kNoEffect;
}

std::uint8_t write_hedeleg(Hart& hart, unsigned, const CsrWrite& write) {
  hart.hedeleg = write.value & kHedelegMask;
  return kNoEffect;
}

/// ADUE and STCE are read-only zero while those of menvcfg are zero.
std::uint64_t henvcfg_mask(const Hart& hart) {
  return envcfg::Fiom::kMask | (menvcfg_mask(hart) & hart.menvcfg);
}
std::uint64_t read_henvcfg(Hart& hart, unsigned) { return hart.henvcfg & henvcfg_mask(hart); }
std::uint8_t write_henvcfg(Hart& hart, unsigned, const CsrWrite& write) {
  hart.henvcfg = write.value & henvcfg_mask(hart);
  return kEffectRegimes | kEffectTimers;
}

std::uint8_t write_htimedelta(Hart& hart, unsigned, const CsrWrite& write) {
  hart.htimedelta = write.value;
  return kEffectTimers;
}

}  // namespace gstage::riscv
