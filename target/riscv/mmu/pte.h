// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/base/bits.h"

namespace gstage::riscv::pte {

// Page-table entries of Sv39, Sv48 and Sv57 (ISA manual vol. II, "Sv39: Page-Based 39-bit Virtual-Memory
// System"); the G-stage uses the same format.
using V = Bit<0>;
using R = Bit<1>;
using W = Bit<2>;
using X = Bit<3>;
using U = Bit<4>;
using G = Bit<5>;
using A = Bit<6>;
using D = Bit<7>;
using Ppn = Field<53, 10>;
/// Reserved without Svnapot, Svpbmt and later extensions: must be zero.
using Reserved = Field<63, 54>;

inline constexpr std::uint64_t kBytes = 8;

/// R or X set: a translation, not a pointer to the next level.
constexpr bool is_leaf(std::uint64_t e) { return (e & (R::kMask | X::kMask)) != 0; }

/// Valid, and no encoding that is reserved (step 3 of the translation process).
constexpr bool is_valid(std::uint64_t e) {
  if ((e & V::kMask) == 0 || (e & Reserved::kMask) != 0) return false;
  if ((e & W::kMask) != 0 && (e & R::kMask) == 0) return false;
  // D, A and U are reserved in entries that point to the next level.
  return is_leaf(e) || (e & (D::kMask | A::kMask | U::kMask)) == 0;
}

}  // namespace gstage::riscv::pte
