// SPDX-License-Identifier: Apache-2.0
// Who may access the AIA's registers (AIA, "Hypervisor and VS CSRs", "Virtual instruction exceptions",
// "Interrupt filtering and virtual interrupts for supervisor level", "Virtual interrupts for VS level").
#include "target/riscv/csr/gates.h"

#include "target/riscv/aia/fields.h"
#include "target/riscv/aia/imsic.h"
#include "target/riscv/aia/select.h"
#include "target/riscv/trap/interrupts.h"

namespace gstage::riscv {

namespace {

constexpr Verdict illegal_unless(bool is_open) { return is_open ? Verdict::kAllowed : Verdict::kIllegal; }
constexpr Verdict virtual_unless(bool is_open) { return is_open ? Verdict::kAllowed : Verdict::kVirtual; }

/// The supervisor's file is M-mode's business while mvien.SEI is set.
bool is_file_withheld(const Hart& hart, CsrMode mode) {
  return mode != CsrMode::kM && (hart.mvien & interrupt_bit(kSei)) != 0;
}

bool has_guest_register(const Hart& hart) {
  return has_file_register(selected_guest_file(hart), hart.vs.iselect);
}

}  // namespace

Verdict gate_mireg(const Hart& hart, unsigned, CsrMode) {
  const InterruptFile* const file = hart.imsic == nullptr ? nullptr : &hart.imsic->machine();
  return illegal_unless(is_iprio(hart.miselect) || has_file_register(file, hart.miselect));
}

Verdict gate_sireg(const Hart& hart, unsigned, CsrMode mode) {
  // The rules of HS-qualified accesses do not apply to sireg.
  if (mode == CsrMode::kHsQualified) return Verdict::kAllowed;
  if (mode == CsrMode::kVs) return virtual_unless(has_guest_register(hart));
  if (is_iprio(hart.hs.iselect)) return Verdict::kAllowed;
  const InterruptFile* const file = hart.imsic == nullptr ? nullptr : &hart.imsic->supervisor();
  return illegal_unless(has_file_register(file, hart.hs.iselect) && !is_file_withheld(hart, mode));
}

Verdict gate_vsireg(const Hart& hart, unsigned, CsrMode mode) {
  if (mode == CsrMode::kHsQualified) return Verdict::kAllowed;
  return illegal_unless(has_guest_register(hart));
}

Verdict gate_stopei(const Hart& hart, unsigned, CsrMode mode) {
  if (mode == CsrMode::kHsQualified) return Verdict::kAllowed;
  if (mode == CsrMode::kVs) return virtual_unless(selected_guest_file(hart) != nullptr);
  return illegal_unless(hart.imsic != nullptr && !is_file_withheld(hart, mode));
}

Verdict gate_vstopei(const Hart& hart, unsigned, CsrMode mode) {
  if (mode == CsrMode::kHsQualified) return Verdict::kAllowed;
  return illegal_unless(selected_guest_file(hart) != nullptr);
}

Verdict gate_sip(const Hart& hart, unsigned, CsrMode mode) {
  return virtual_unless(mode != CsrMode::kVs || hvictl::Vti::get(hart.hvictl) == 0);
}

Verdict gate_guest_write(const Hart& hart, unsigned number) {
  // A guest that moves its timer could take STIP from vsip.
  constexpr unsigned kStimecmp = 0x14d;
  return virtual_unless(number != kStimecmp || hvictl::Vti::get(hart.hvictl) == 0);
}

}  // namespace gstage::riscv
