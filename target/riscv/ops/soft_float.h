// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tcg/ir/unit.h"

/// IEEE 754 arithmetic in integers, in any of RISC-V's rounding modes (ISA manual vol. I, "F" chapter): for
/// the modes that an instruction names itself, and for RMM, which hosts do not have. Operands and results are
/// the bits of the format, right-aligned; NaN results are canonical.
namespace gstage::riscv::soft_float {

/// The encoding of frm and of the rm field.
enum class Rounding : std::uint8_t { kRne = 0, kRtz = 1, kRdn = 2, kRup = 3, kRmm = 4 };

/// Exception flags at their places in MXCSR.
inline constexpr std::uint32_t kInvalid = 1u << 0;
inline constexpr std::uint32_t kDivideByZero = 1u << 2;
inline constexpr std::uint32_t kOverflow = 1u << 3;
inline constexpr std::uint32_t kUnderflow = 1u << 4;
inline constexpr std::uint32_t kInexact = 1u << 5;

/// A binary interchange format: bits of the significand with the hidden one, and of the exponent.
struct Format {
  int precision;
  int exponent_bits;

  /// Register bits above the format, all ones in a boxed number (vol. I, "NaN Boxing of Narrower Values").
  [[nodiscard]] constexpr std::uint64_t box_mask() const { return ~(sign_mask() - 1 + sign_mask()); }
  [[nodiscard]] constexpr std::uint64_t box(std::uint64_t bits) const { return bits | box_mask(); }
  [[nodiscard]] constexpr std::uint64_t unbox(std::uint64_t bits) const {
    return (bits & box_mask()) == box_mask() ? bits & ~box_mask() : canonical_nan();
  }

  [[nodiscard]] constexpr int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  [[nodiscard]] constexpr std::uint64_t fraction_mask() const {
    return (std::uint64_t{1} << (precision - 1)) - 1;
  }
  [[nodiscard]] constexpr std::uint64_t sign_mask() const {
    return std::uint64_t{1} << (precision - 1 + exponent_bits);
  }
  [[nodiscard]] constexpr std::uint64_t infinity() const { return sign_mask() - fraction_mask() - 1; }
  [[nodiscard]] constexpr std::uint64_t quiet_bit() const { return std::uint64_t{1} << (precision - 2); }
  [[nodiscard]] constexpr std::uint64_t canonical_nan() const { return infinity() | quiet_bit(); }
  [[nodiscard]] constexpr bool is_nan(std::uint64_t bits) const { return (bits & ~sign_mask()) > infinity(); }
  [[nodiscard]] constexpr bool is_signaling(std::uint64_t bits) const {
    return is_nan(bits) && (bits & quiet_bit()) == 0;
  }
};
inline constexpr Format kHalf{11, 5};
inline constexpr Format kSingle{24, 8};
inline constexpr Format kDouble{53, 11};

/// The rounding mode of an operation and the flags that it raises.
struct Env {
  Rounding rounding;
  std::uint32_t flags = 0;
};

/// One operation each; `env.flags` gathers what it raises.
std::uint64_t add(Env& env, const Format& format, std::uint64_t a, std::uint64_t b);
std::uint64_t sub(Env& env, const Format& format, std::uint64_t a, std::uint64_t b);
std::uint64_t mul(Env& env, const Format& format, std::uint64_t a, std::uint64_t b);
std::uint64_t div(Env& env, const Format& format, std::uint64_t a, std::uint64_t b);
std::uint64_t sqrt(Env& env, const Format& format, std::uint64_t a);

/// The operands of a fused multiply-add: a*b+c.
struct FmaOperands {
  std::uint64_t a, b, c;
};
std::uint64_t fma(Env& env, const Format& format, const FmaOperands& operands);

/// The number in another format.
std::uint64_t convert(Env& env, const Format& from, const Format& to, std::uint64_t a);
/// To an integer that stays in the format. A signaling NaN raises NV; NX is for the caller to raise where the
/// result differs from `a` (fround does not, froundnx does).
std::uint64_t round_to_integral(Env& env, const Format& format, std::uint64_t a);
/// To an integer. Out of range: the nearest integer and NV alone; NaN: the largest and NV. 32-bit results,
/// u32 too, are sign-extended.
std::uint64_t to_int(Env& env, const Format& format, tcg::IntKind kind, std::uint64_t a);
/// fcvtmod.w.d: the low 32 bits of the integer, sign-extended, and the flags of fcvt.w.d.
std::uint64_t to_int_modular(Env& env, std::uint64_t a);
/// From an integer of that kind in the low bits of `value`.
std::uint64_t from_int(Env& env, const Format& format, tcg::IntKind kind, std::uint64_t value);

}  // namespace gstage::riscv::soft_float
