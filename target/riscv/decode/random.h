// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "target/riscv/decode/decode.h"

namespace gstage::riscv {

/// Whether the form has a rounding mode.
constexpr bool has_rounding_mode(Format format) {
  switch (format) {
    case Format::kFRm:
    case Format::kFR4:
    case Format::kFUnary:
    case Format::kFToX:
    case Format::kXToF: return true;
    default: return false;
  }
}

/// An instruction of that row with random operands, for tests. `rng()` yields at least 32 random bits.
/// Rounding modes are seldom reserved ones.
template <class Rng>
std::uint32_t random_instruction(Rng& rng, Insn insn) {
  const InsnRow& row = row_of(insn);
  auto free_bits = static_cast<std::uint32_t>(rng());
  constexpr std::uint32_t kRmShift = 12;
  const unsigned rm = rm_of(free_bits);
  if (has_rounding_mode(row.format) && (rm == 5 || rm == 6) && (rng() & 7) != 0) free_bits |= 7u << kRmShift;
  if ((free_bits & row.pattern.nonzero) == 0) free_bits |= row.pattern.nonzero;
  return row.pattern.match | (free_bits & ~row.pattern.mask);
}

/// Likewise for a compressed one.
template <class Rng>
std::uint16_t random_instruction16(Rng& rng, Insn16 insn) {
  const Pattern& pattern = kInsns16[static_cast<std::size_t>(insn)].pattern;
  for (;;) {
    const auto raw =
        static_cast<std::uint16_t>(pattern.match | (static_cast<std::uint32_t>(rng()) & ~pattern.mask));
    // A special case of the row belongs to another one.
    if (decode16(raw) == insn) return raw;
  }
}

}  // namespace gstage::riscv
