// SPDX-License-Identifier: Apache-2.0
// State enables (ISA manual vol. II, "Smstateen" chapter): the registers, and which others their bits close.
#include <cstdint>

#include "target/riscv/csr/gates.h"
#include "target/riscv/csr/row.h"

namespace gstage::riscv {

namespace {

/// Registers first–last that a bit of mstateen closes below M-mode and, where guests have the state, the same
/// bit of hstateen for them.
struct Enabled {
  std::uint16_t first;
  std::uint16_t last;
  std::uint8_t which;  ///< the number of mstateen and hstateen
  std::uint64_t bit;
  bool is_of_guests;
};
constexpr Enabled kEnabled[] = {
    {0x10a, 0x10a, 0, stateen::Envcfg::kMask, true},   // senvcfg
    {0x10c, 0x10c, 0, stateen::Se::kMask, true},       // sstateen
    {0x10d, 0x10d, 1, stateen::Se::kMask, true},       //
    {0x10e, 0x10e, 2, stateen::Se::kMask, true},       //
    {0x10f, 0x10f, 3, stateen::Se::kMask, true},       //
    {0x150, 0x157, 0, stateen::Csrind::kMask, true},   // siselect, sireg*
    {0x15c, 0x15c, 0, stateen::Imsic::kMask, true},    // stopei
    {0x250, 0x257, 0, stateen::Csrind::kMask, false},  // vsiselect, vsireg*
    {0x25c, 0x25c, 0, stateen::Imsic::kMask, false},   // vstopei
    {0x608, 0x609, 0, stateen::Aia::kMask, false},     // hvien, hvictl
    {0x60a, 0x60a, 0, stateen::Envcfg::kMask, false},  // henvcfg
    {0x60c, 0x60c, 0, stateen::Se::kMask, false},      // hstateen
    {0x60d, 0x60d, 1, stateen::Se::kMask, false},      //
    {0x60e, 0x60e, 2, stateen::Se::kMask, false},      //
    {0x60f, 0x60f, 3, stateen::Se::kMask, false},      //
    {0x646, 0x647, 0, stateen::Aia::kMask, false},     // hviprio1, hviprio2
    {0xdb0, 0xdb0, 0, stateen::Aia::kMask, true},      // stopi
    {0xeb0, 0xeb0, 0, stateen::Aia::kMask, false},     // vstopi
};

const Enabled* find_enabled(unsigned number) {
  for (const Enabled& row : kEnabled)
    if (number >= row.first && number <= row.last) return &row;
  return nullptr;
}

/// Bits of a stateen register that control what this hart has. None of C, FCSR (which Zfinx alone uses), JVT,
/// CONTEXT, P1P13 and SRMCFG does.
std::uint64_t stateen_mask(const Hart& hart, unsigned which) {
  std::uint64_t mask = stateen::Se::kMask;
  if (which != 0) return mask;
  mask |= stateen::Envcfg::kMask;
  if (hart.config->ssaia) mask |= stateen::Aia::kMask;
  if (hart.config->ssaia || hart.config->sscsrind) mask |= stateen::Csrind::kMask;
  if (hart.imsic != nullptr) mask |= stateen::Imsic::kMask;
  return mask;
}

}  // namespace

bool is_state_enabled(const Hart& hart, std::uint64_t bit, CsrMode mode) {
  if (!hart.config->smstateen || mode == CsrMode::kM) return true;
  // Without an interrupt file its enable is read-only zero and has no effect (AIA, "Access control by the
  // state-enable CSRs").
  if (bit == stateen::Imsic::kMask && hart.imsic == nullptr) return true;
  const bool is_guest = mode == CsrMode::kVs || mode == CsrMode::kVu;
  return (hart.mstateen[0] & (is_guest ? hart.hstateen[0] : ~std::uint64_t{0}) & bit) != 0;
}

Verdict gate_stateen(const Hart& hart, unsigned number, CsrMode mode) {
  if (!hart.config->smstateen || mode == CsrMode::kM) return Verdict::kAllowed;
  const Enabled* const row = find_enabled(number);
  if (row == nullptr) return Verdict::kAllowed;
  if (row->bit == stateen::Imsic::kMask && hart.imsic == nullptr) return Verdict::kAllowed;
  if ((hart.mstateen[row->which] & row->bit) == 0) return Verdict::kIllegal;
  const bool is_guest = mode == CsrMode::kVs || mode == CsrMode::kVu;
  const bool is_closed = is_guest && row->is_of_guests && (hart.hstateen[row->which] & row->bit) == 0;
  return is_closed ? Verdict::kVirtual : Verdict::kAllowed;
}

std::uint64_t read_mstateen(Hart& hart, unsigned index) { return hart.mstateen[index]; }
std::uint8_t write_mstateen(Hart& hart, unsigned index, const CsrWrite& write) {
  hart.mstateen[index] = write.value & stateen_mask(hart, index);
  return kNoEffect;
}

std::uint64_t read_hstateen(Hart& hart, unsigned index) {
  return hart.hstateen[index] & hart.mstateen[index];
}
std::uint8_t write_hstateen(Hart& hart, unsigned index, const CsrWrite& write) {
  hart.hstateen[index] = write.value & hart.mstateen[index];
  return kNoEffect;
}

}  // namespace gstage::riscv
