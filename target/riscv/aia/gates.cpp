// SPDX-License-Identifier: Apache-2.0
// Who may access the AIA's registers (AIA, "Hypervisor and VS CSRs", "Virtual instruction exceptions",
// "Interrupt filtering and virtual interrupts for supervisor level", "Virtual interrupts for VS level").
#include "target/riscv/csr/gates.h"

#include "target/riscv/aia/imsic.h"
#include "target/riscv/aia/select.h"
#include "target/riscv/csr/delegated_counters.h"
#include "target/riscv/csr/fields.h"
#include "target/riscv/trap/interrupts.h"

namespace gstage::riscv {

namespace {

constexpr Verdict illegal_unless(bool is_open) { return is_open ? Verdict::kAllowed : Verdict::kIllegal; }
constexpr Verdict virtual_unless(bool is_open) { return is_open ? Verdict::kAllowed : Verdict::kVirtual; }

/// The supervisor's file is M-mode's business while mvien.SEI is set.
bool is_file_withheld(const Hart& hart, CsrMode mode) {
  return mode != CsrMode::kM && (hart.mvien & interrupt_bit(kSei)) != 0;
}

/// While hstateen0 denies the guest its interrupt file, it is as if VGEIN named none.
bool is_guest_file_withheld(const Hart& hart) {
  return is_file_range(hart.vs.iselect) && !is_state_enabled(hart, stateen::Imsic::kMask, CsrMode::kVs);
}

bool has_guest_register(const Hart& hart) {
  return has_file_register(selected_guest_file(hart), hart.vs.iselect);
}

}  // namespace

Verdict gate_mireg(const Hart& hart, unsigned number, CsrMode) {
  if (window_of(number) != 1 || !hart.config->smaia) return Verdict::kIllegal;
  const InterruptFile* const file = hart.imsic == nullptr ? nullptr : &hart.imsic->machine();
  return illegal_unless(is_iprio(hart.miselect) || has_file_register(file, hart.miselect));
}

Verdict gate_sireg(const Hart& hart, unsigned number, CsrMode mode) {
  // The rules of HS-qualified accesses do not apply to sireg.
  if (mode == CsrMode::kHsQualified) return Verdict::kAllowed;
  const bool is_file_enabled = is_state_enabled(hart, stateen::Imsic::kMask, CsrMode::kHs);
  if (mode == CsrMode::kVs) {
    const std::uint64_t select = hart.vs.iselect;
    if (is_counter_range(select) && !has_counter_delegation(hart)) return Verdict::kIllegal;
    if (!is_counter_range(select) && !hart.config->ssaia) return Verdict::kIllegal;
    if (is_file_range(select) && !is_file_enabled) return Verdict::kIllegal;
    return virtual_unless(window_of(number) == 1 && has_guest_register(hart) &&
                          !is_guest_file_withheld(hart));
  }
  if (is_counter_range(hart.hs.iselect))
    return illegal_unless(
        has_delegated_counter(hart, static_cast<unsigned>(hart.hs.iselect), window_of(number)));
  if (window_of(number) != 1 || !hart.config->ssaia) return Verdict::kIllegal;
  if (is_iprio(hart.hs.iselect)) return illegal_unless(is_state_enabled(hart, stateen::Aia::kMask, mode));
  if (mode != CsrMode::kM && !is_file_enabled) return Verdict::kIllegal;
  const InterruptFile* const file = hart.imsic == nullptr ? nullptr : &hart.imsic->supervisor();
  return illegal_unless(has_file_register(file, hart.hs.iselect) && !is_file_withheld(hart, mode));
}

Verdict gate_vsireg(const Hart& hart, unsigned number, CsrMode mode) {
  if (mode == CsrMode::kHsQualified) return Verdict::kAllowed;
  if (window_of(number) != 1) return Verdict::kIllegal;
  return illegal_unless(has_guest_register(hart) && is_state_enabled(hart, stateen::Imsic::kMask, mode));
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
