// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gstage::riscv {

/// Which bit patterns are an instruction. Written most significant bit first: `0` and `1` are fixed bits, `.`
/// is free, `+` is free too but not all `+` may be zero; blanks only divide.
struct Pattern {
  std::uint32_t mask = 0;     ///< the fixed bits
  std::uint32_t match = 0;    ///< their values
  std::uint32_t nonzero = 0;  ///< not all of these may be zero; none: no condition
  unsigned width = 0;         ///< bits

  [[nodiscard]] constexpr bool matches(std::uint32_t raw) const {
    return (raw & mask) == match && (nonzero == 0 || (raw & nonzero) != 0);
  }
  /// Whether no bits match both.
  [[nodiscard]] constexpr bool is_disjoint(const Pattern& other) const {
    return ((match ^ other.match) & mask & other.mask) != 0 || excludes(other) || other.excludes(*this);
  }
  /// Whether all that matches this one would match `other` as well, and not the other way round.
  [[nodiscard]] constexpr bool is_special_case_of(const Pattern& other) const {
    return (mask & other.mask) == other.mask && mask != other.mask && (match & other.mask) == other.match;
  }

 private:
  /// Whether the other's fixed zeros cover all that must not be zero here.
  [[nodiscard]] constexpr bool excludes(const Pattern& other) const {
    return nonzero != 0 && (other.mask & nonzero) == nonzero && (other.match & nonzero) == 0;
  }
};

/// Reads a pattern.
constexpr Pattern parse_pattern(const char* text) {
  Pattern p;
  for (; *text != '\0'; ++text) {
    if (*text == ' ') continue;
    const unsigned fixed = *text == '0' || *text == '1';
    p.mask = p.mask << 1 | fixed;
    p.match = p.match << 1 | unsigned{*text == '1'};
    p.nonzero = p.nonzero << 1 | unsigned{*text == '+'};
    ++p.width;
  }
  return p;
}

}  // namespace gstage::riscv
