// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/csr/gates.h"

namespace gstage::riscv {

namespace {

constexpr Verdict illegal_unless(bool is_open) { return is_open ? Verdict::kAllowed : Verdict::kIllegal; }
constexpr Verdict virtual_unless(bool is_open) { return is_open ? Verdict::kAllowed : Verdict::kVirtual; }
constexpr bool is_guest(CsrMode mode) { return mode == CsrMode::kVs || mode == CsrMode::kVu; }

}  // namespace

Verdict gate_fp(const Hart& hart, unsigned, CsrMode mode) {
  if (status::Fs::get(hart.hs.status) == status::kFsOff) return Verdict::kIllegal;
  return illegal_unless(!is_guest(mode) || status::Fs::get(hart.vs.status) != status::kFsOff);
}

Verdict gate_counter(const Hart& hart, unsigned number, CsrMode mode) {
  const std::uint64_t bit = std::uint64_t{1} << (number & 31);
  const bool is_m_open = (hart.mcounteren & bit) != 0;
  const bool is_s_open = (hart.scounteren & bit) != 0;
  const bool is_h_open = (hart.hcounteren & bit) != 0;
  switch (mode) {
    case CsrMode::kM: return Verdict::kAllowed;
    case CsrMode::kHs:
    case CsrMode::kHsQualified: return illegal_unless(is_m_open);
    case CsrMode::kU: return illegal_unless(is_m_open && is_s_open);
    case CsrMode::kVs: return virtual_unless(is_h_open);
    case CsrMode::kVu: return virtual_unless(is_h_open && is_s_open);
  }
  return Verdict::kIllegal;
}

Verdict gate_scountinhibit(const Hart& hart, unsigned, CsrMode mode) {
  if (!has_counter_delegation(hart)) return Verdict::kIllegal;
  return virtual_unless(!is_guest(mode));
}

Verdict gate_scountovf(const Hart& hart, unsigned, CsrMode mode) {
  return virtual_unless(!has_counter_delegation(hart) || !is_guest(mode));
}

Verdict gate_stimecmp(const Hart& hart, unsigned, CsrMode mode) {
  if (mode == CsrMode::kM) return Verdict::kAllowed;
  if (is_guest(mode))
    return virtual_unless(counter::Tm::get(hart.hcounteren) != 0 && envcfg::Stce::get(hart.henvcfg) != 0);
  return illegal_unless(counter::Tm::get(hart.mcounteren) != 0 && envcfg::Stce::get(hart.menvcfg) != 0);
}

Verdict gate_satp(const Hart& hart, unsigned, CsrMode mode) {
  if (mode == CsrMode::kHs) return illegal_unless(status::Tvm::get(hart.mstatus) == 0);
  if (mode == CsrMode::kVs) return virtual_unless(hstatus::Vtvm::get(hart.hstatus) == 0);
  return Verdict::kAllowed;
}

Verdict gate_hgatp(const Hart& hart, unsigned, CsrMode mode) {
  if (mode == CsrMode::kHs) return illegal_unless(status::Tvm::get(hart.mstatus) == 0);
  return Verdict::kAllowed;
}

}  // namespace gstage::riscv
