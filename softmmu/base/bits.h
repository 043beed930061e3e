// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gstage {

/// Bits Hi..Lo of a 64-bit register.
template <unsigned Hi, unsigned Lo>
struct Field {
  static_assert(Hi < 64 && Lo <= Hi);
  static constexpr unsigned kWidth = Hi - Lo + 1;
  static constexpr std::uint64_t kMax = kWidth == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << kWidth) - 1;
  static constexpr std::uint64_t kMask = kMax << Lo;

  /// The field's value, right-aligned.
  static constexpr std::uint64_t get(std::uint64_t reg) { return (reg & kMask) >> Lo; }
  /// `reg` with the field replaced by the low bits of `value`.
  static constexpr std::uint64_t set(std::uint64_t reg, std::uint64_t value) {
    return (reg & ~kMask) | ((value << Lo) & kMask);
  }
};

/// One bit of a 64-bit register.
template <unsigned Pos>
using Bit = Field<Pos, Pos>;

/// The low `width` bits (1–64) of `value`, sign-extended to 64 bits.
constexpr std::uint64_t sign_extend(std::uint64_t value, unsigned width) {
  const unsigned shift = 64 - width;
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(value << shift) >> shift);
}

/// Bits hi..lo of `value`, right-aligned.
constexpr std::uint64_t bits(std::uint64_t value, unsigned hi, unsigned lo) {
  return (value >> lo) & (hi - lo == 63 ? ~std::uint64_t{0} : (std::uint64_t{1} << (hi - lo + 1)) - 1);
}

/// Whether exactly one bit is set.
constexpr bool is_power_of_two(std::uint64_t v) { return v != 0 && (v & (v - 1)) == 0; }
/// Whether `v` is a multiple of `to`, a power of two.
constexpr bool is_aligned(std::uint64_t v, std::uint64_t to) { return (v & (to - 1)) == 0; }

/// A hash of `bits` bits: multiplicative, by 2^64 over the golden ratio (Knuth, vol. 3, 6.4).
constexpr unsigned hash_bits(std::uint64_t value, unsigned bits) {
  return static_cast<unsigned>((value * 0x9e3779b97f4a7c15u) >> (64 - bits));
}

}  // namespace gstage
