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

/// fcvt.s.d.
std::uint64_t narrow(Env& env, std::uint64_t a);
/// To an integer. Out of range: the nearest integer and NV alone; NaN: the largest and NV. 32-bit results,
/// u32 too, are sign-extended.
std::uint64_t to_int(Env& env, const Format& format, tcg::IntKind kind, std::uint64_t a);
/// From an integer of that kind in the low bits of `value`.
std::uint64_t from_int(Env& env, const Format& format, tcg::IntKind kind, std::uint64_t value);

}  // namespace gstage::riscv::soft_float
