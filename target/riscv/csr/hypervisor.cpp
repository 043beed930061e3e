// SPDX-License-Identifier: Apache-2.0
// Hypervisor registers other than interrupts and translation.
#include "target/riscv/aia/imsic.h"
#include "target/riscv/csr/row.h"

namespace gstage::riscv {

namespace {

/// VSXL is read-only, VSBE zero.
constexpr std::uint64_t kHstatusMask = hstatus::Gva::kMask | hstatus::Spv::kMask | hstatus::Spvp::kMask |
                                       hstatus::Hu::kMask | hstatus::Vtvm::kMask | hstatus::Vtw::kMask |
                                       hstatus::Vtsr::kMask;

/// The bits that the table "Bits of hedeleg that must be writable or must be read-only zero" calls writable.
constexpr std::uint64_t kHedelegMask = 0x1ff | 1ull << 12 | 1ull << 13 | 1ull << 15 | 1ull << 18 | 1ull << 19;

}  // namespace

std::uint64_t read_hstatus(Hart& hart, unsigned) { return hstatus::Vsxl::set(hart.hstatus, kXlen64); }
std::uint8_t write_hstatus(Hart& hart, unsigned, const CsrWrite& write) {
  // VGEIN is WLRL: what is no guest file's number changes nothing.
  const std::uint64_t named = hstatus::Vgein::get(write.value);
  const bool is_number = named <= guest_external_interrupts(hart);
  const std::uint64_t vgein = is_number ? named : hstatus::Vgein::get(hart.hstatus);
  const bool is_changed = vgein != hstatus::Vgein::get(hart.hstatus);
  const std::uint64_t old = hart.hstatus;
  hart.hstatus = hstatus::Vgein::set(write.value & kHstatusMask, vgein);
  if (hart.config->ssnpm) {
    const std::uint64_t named_hupmm = hstatus::Hupmm::get(write.value);
    hart.hstatus = hstatus::Hupmm::set(hart.hstatus, pmm_value(hstatus::Hupmm::get(old), named_hupmm));
  }
  constexpr std::uint64_t kOfHlv = hstatus::Spvp::kMask | hstatus::Hupmm::kMask;
  const bool is_other_regime = ((old ^ hart.hstatus) & kOfHlv) != 0;
  return (is_other_regime ? kEffectRegimes : kNoEffect) | (is_changed ? kEffectInterrupts : kNoEffect);
}

std::uint8_t write_hedeleg(Hart& hart, unsigned, const CsrWrite& write) {
  hart.hedeleg = write.value & kHedelegMask;
  return kNoEffect;
}

/// ADUE, PBMTE, DTE and STCE are read-only zero while those of menvcfg are zero.
std::uint64_t henvcfg_mask(const Hart& hart) {
  constexpr std::uint64_t kMachineOnly = envcfg::Pmm::kMask | envcfg::Cde::kMask;  // or with its own rule
  return senvcfg_mask(hart) | (menvcfg_mask(hart) & hart.menvcfg & ~kMachineOnly);
}
std::uint64_t read_henvcfg(Hart& hart, unsigned) { return hart.henvcfg & henvcfg_mask(hart); }
std::uint8_t write_henvcfg(Hart& hart, unsigned, const CsrWrite& write) {
  hart.henvcfg = envcfg_value(hart.henvcfg, write.value, henvcfg_mask(hart));
  drop_disabled_sdt(hart);
  return kEffectRegimes | kEffectTimers;
}

std::uint8_t write_htimedelta(Hart& hart, unsigned, const CsrWrite& write) {
  hart.htimedelta = write.value;
  return kEffectTimers;
}

}  // namespace gstage::riscv
