// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "target/riscv/aia/imsic.h"
#include "hw/riscv/virt_map.h"

namespace gstage::hw {

/// `-machine virt,aia=`: the interrupt controllers of the board.
enum class AiaKind : std::uint8_t { kNone, kAplic, kAplicImsic };

/// What `-machine virt` says of interrupts.
struct VirtInterrupts {
  AiaKind kind = AiaKind::kNone;
  bool has_aclint = false;   ///< aclint=on: ACLINT's devices each with a node of its own
  unsigned guest_files = 0;  ///< aia-guests=

  /// Identities of an interrupt file, as on the board that this follows.
  static constexpr unsigned kIdentities = 255;
  static constexpr unsigned kMaxGuestFiles = 63;

  [[nodiscard]] bool has_aplic() const { return kind != AiaKind::kNone; }
  /// IMSICs take the place of what ACLINT has for software interrupts.
  [[nodiscard]] bool has_mswi() const { return !(has_aclint && has_imsic()); }
  [[nodiscard]] bool has_sswi() const { return has_aclint && !has_imsic(); }
  /// Where the MTIMER lies: behind the MSWI, or in its place.
  [[nodiscard]] std::uint64_t mtimer_base() const {
    return virt_part(has_mswi() ? Part::kMtimer : Part::kMswi).base;
  }
  /// Bytes of the MTIMER, of which a CLINT's node covers more than ACLINT's.
  [[nodiscard]] std::uint64_t mtimer_size() const {
    return has_imsic() && has_aclint ? 0x8000 : virt_part(Part::kMtimer).size;
  }
  [[nodiscard]] bool has_imsic() const { return kind == AiaKind::kAplicImsic; }
  /// What each hart has.
  [[nodiscard]] riscv::ImsicSetup imsic() const {
    return has_imsic() ? riscv::ImsicSetup{kIdentities, guest_files} : riscv::ImsicSetup{};
  }
  /// A hart's pages at supervisor level are 2^bits: its own file and the guests'.
  [[nodiscard]] unsigned guest_index_bits() const {
    unsigned bits = 0;
    while ((1u << bits) < guest_files + 1) ++bits;
    return bits;
  }
  /// Bytes of a region of interrupt files for so many harts.
  [[nodiscard]] std::uint64_t machine_size(unsigned harts) const { return std::uint64_t{harts} << 12; }
  [[nodiscard]] std::uint64_t supervisor_size(unsigned harts) const {
    return std::uint64_t{harts} << (12 + guest_index_bits());
  }
};
static_assert((std::uint64_t{kMaxHarts} << 12) <= virt_part(Part::kImsicM).size);
static_assert((std::uint64_t{kMaxHarts} << 12) * (VirtInterrupts::kMaxGuestFiles + 1) <=
              virt_part(Part::kImsicS).size);

}  // namespace gstage::hw
