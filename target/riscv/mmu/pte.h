// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "target/riscv/csr/fields.h"

/// Page-table entries of Sv39, Sv48 and Sv57; their fields are rows of csr/fields.inc.
namespace gstage::riscv::pte {

/// log2 of the size that NapotSize gives a page.
inline constexpr unsigned kNapotShift = 16;

/// Which upper bits mean something to a walk.
struct Features {
  bool has_napot = false;
  bool has_pbmt = false;  ///< PBMTE of the stage
};

inline constexpr std::uint64_t kBytes = 8;

/// R or X set: a translation, not a pointer to the next level.
constexpr bool is_leaf(std::uint64_t e) { return (e & (R::kMask | X::kMask)) != 0; }

/// Whether the bits of Svnapot and Svpbmt are used as these say: zero where the extension is off, and in
/// entries that point to the next level.
constexpr bool has_valid_extras(std::uint64_t e, const Features& features) {
  constexpr std::uint64_t kReservedType = 3;
  const bool is_typed = Pbmt::get(e) != 0;
  const bool is_napot = N::get(e) != 0;
  if (is_typed && (!features.has_pbmt || Pbmt::get(e) == kReservedType || !is_leaf(e))) return false;
  return !is_napot || (features.has_napot && is_leaf(e));
}

/// Valid, and no encoding that is reserved (step 3 of the translation process).
constexpr bool is_valid(std::uint64_t e, const Features& features) {
  if ((e & V::kMask) == 0 || (e & Reserved::kMask) != 0 || !has_valid_extras(e, features)) return false;
  if ((e & W::kMask) != 0 && (e & R::kMask) == 0) return false;
  // D, A and U are reserved in entries that point to the next level.
  return is_leaf(e) || (e & (D::kMask | A::kMask | U::kMask)) == 0;
}

}  // namespace gstage::riscv::pte
