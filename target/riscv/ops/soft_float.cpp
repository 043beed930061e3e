// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/ops/soft_float.h"

#include <bit>
#include <utility>

namespace gstage::riscv::soft_float {
namespace {

using U128 = unsigned __int128;

enum class Class : std::uint8_t { kNumber, kInfinity, kNan };

/// ±significand / 2^127 * 2^exponent; the top bit of the significand is set unless it is zero. The lowest bit
/// may stand for whatever lies below it ("sticky").
struct Number {
  bool is_negative = false;
  int exponent = 0;
  U128 significand = 0;
  Class kind = Class::kNumber;

  [[nodiscard]] bool is_zero() const { return kind == Class::kNumber && significand == 0; }
};

int leading_zeros(U128 v) {
  const auto high = static_cast<std::uint64_t>(v >> 64);
  return high != 0 ? std::countl_zero(high) : 64 + std::countl_zero(static_cast<std::uint64_t>(v));
}

/// ±significand / 2^127 * 2^exponent with the top bit brought to its place.
Number normalize(bool is_negative, int exponent, U128 significand) {
  if (significand == 0) return {.is_negative = is_negative};
  const int shift = leading_zeros(significand);
  return {is_negative, exponent - shift, significand << shift};
}

/// Shifts right; what falls out stays sticky.
U128 shift_right_sticky(U128 v, int count) {
  if (count == 0) return v;
  if (count >= 128) return v != 0;
  return v >> count | U128{(v << (128 - count)) != 0};
}

Number unpack(const Format& format, std::uint64_t bits) {
  const bool is_negative = (bits & format.sign_mask()) != 0;
  const std::uint64_t magnitude = bits & ~format.sign_mask();
  if (magnitude >= format.infinity())
    return {is_negative, 0, 0, magnitude == format.infinity() ? Class::kInfinity : Class::kNan};
  const int biased = static_cast<int>(magnitude >> (format.precision - 1));
  std::uint64_t significand = magnitude & format.fraction_mask();
  if (biased != 0) significand |= format.fraction_mask() + 1;
  // Subnormals have the exponent of the smallest normal number.
  const int exponent = (biased != 0 ? biased : 1) - format.bias();
  return normalize(is_negative, exponent, U128{significand} << (128 - format.precision));
}

/// A significand cut off above bit `drop` and rounded.
struct Rounded {
  std::uint64_t value;
  bool is_inexact;
};

bool rounds_up(Rounding rounding, bool is_negative, bool is_odd, std::pair<bool, bool> half_and_rest) {
  const auto [half, rest] = half_and_rest;
  switch (rounding) {
    case Rounding::kRne: return half && (rest || is_odd);
    case Rounding::kRtz: return false;
    case Rounding::kRdn: return is_negative && (half || rest);
    case Rounding::kRup: return !is_negative && (half || rest);
    case Rounding::kRmm: return half;
  }
  return false;
}

/// Drops the low `drop` bits (at least 64).
Rounded round_at(Rounding rounding, bool is_negative, U128 significand, int drop) {
  U128 kept = 0;
  bool half = false;
  bool rest = significand != 0;
  if (drop <= 128) {
    kept = drop == 128 ? 0 : significand >> drop;
    half = (significand >> (drop - 1) & 1) != 0;
    rest = (significand & ((U128{1} << (drop - 1)) - 1)) != 0;
  }
  auto value = static_cast<std::uint64_t>(kept);
  if (rounds_up(rounding, is_negative, (value & 1) != 0, {half, rest})) ++value;
  return {value, half || rest};
}

std::uint64_t overflow(Env& env, const Format& format, bool is_negative) {
  env.flags |= kOverflow | kInexact;
  const Rounding towards_zero = is_negative ? Rounding::kRup : Rounding::kRdn;
  const bool is_largest = env.rounding == Rounding::kRtz || env.rounding == towards_zero;
  return is_largest ? format.infinity() - 1 : format.infinity();
}

/// Rounds a finite number to the format. Tininess is detected after rounding (F chapter).
std::uint64_t round_magnitude(Env& env, const Format& format, const Number& n) {
  if (n.significand == 0) return 0;
  const int drop = 128 - format.precision;
  const int least = 1 - format.bias();
  const std::uint64_t hidden = format.fraction_mask() + 1;
  Rounded r = round_at(env.rounding, n.is_negative, n.significand, drop);
  int exponent = n.exponent;
  if (r.value == hidden << 1) {
    r.value = hidden;
    ++exponent;
  }
  const bool is_tiny = exponent < least;
  if (n.exponent < least) {
    r = round_at(env.rounding, n.is_negative, n.significand, drop + least - n.exponent);
    // A carry into the hidden bit makes the exponent field 1 by itself.
    if (r.is_inexact) env.flags |= kInexact | (is_tiny ? kUnderflow : 0);
    return r.value;
  }
  if (exponent > format.bias()) return overflow(env, format, n.is_negative);
  if (r.is_inexact) env.flags |= kInexact;
  return static_cast<std::uint64_t>(exponent + format.bias() - 1) * hidden + r.value;
}

std::uint64_t pack(Env& env, const Format& format, const Number& n) {
  if (n.kind == Class::kNan) return format.canonical_nan();
  const std::uint64_t sign = n.is_negative ? format.sign_mask() : 0;
  if (n.kind == Class::kInfinity) return sign | format.infinity();
  return sign | round_magnitude(env, format, n);
}

Number invalid(Env& env) {
  env.flags |= kInvalid;
  return {.kind = Class::kNan};
}

/// Unpacks; a signaling NaN raises NV.
Number take(Env& env, const Format& format, std::uint64_t bits) {
  if (format.is_signaling(bits)) env.flags |= kInvalid;
  return unpack(format, bits);
}

bool is_nan(const Number& n) { return n.kind == Class::kNan; }
bool is_infinite(const Number& n) { return n.kind == Class::kInfinity; }

/// The sum of finite numbers, exact but for the sticky bit. At most one has its lowest 20 bits in use, so
/// that bits are lost only where the exponents differ too much for more than one bit to cancel.
Number add_finite(Rounding rounding, Number a, Number b) {
  if (a.significand == 0 && b.significand == 0) {
    const bool is_negative = a.is_negative == b.is_negative ? a.is_negative : rounding == Rounding::kRdn;
    return {.is_negative = is_negative};
  }
  if (b.significand == 0) return a;
  if (a.significand == 0) return b;
  if (std::pair(a.exponent, a.significand) < std::pair(b.exponent, b.significand)) std::swap(a, b);
  // One bit of room for the carry.
  const U128 large = a.significand >> 1;
  const U128 small = shift_right_sticky(b.significand >> 1, a.exponent - b.exponent);
  const U128 sum = a.is_negative == b.is_negative ? large + small : large - small;
  if (sum == 0) return {.is_negative = rounding == Rounding::kRdn};
  return normalize(a.is_negative, a.exponent + 1, sum);
}

Number add_numbers(Env& env, const Number& a, const Number& b) {
  if (is_nan(a) || is_nan(b)) return {.kind = Class::kNan};
  if (is_infinite(a) && is_infinite(b) && a.is_negative != b.is_negative) return invalid(env);
  if (is_infinite(a)) return a;
  if (is_infinite(b)) return b;
  return add_finite(env.rounding, a, b);
}

/// The product, exact: operands have at most 53 significant bits.
Number multiply(Env& env, const Number& a, const Number& b) {
  if (is_nan(a) || is_nan(b)) return {.kind = Class::kNan};
  const bool is_negative = a.is_negative != b.is_negative;
  if (is_infinite(a) || is_infinite(b)) {
    if (a.is_zero() || b.is_zero()) return invalid(env);
    return {.is_negative = is_negative, .kind = Class::kInfinity};
  }
  // Only the upper 64 bits are in use: significands / 2^63, product / 2^126.
  const U128 product = (a.significand >> 64) * (b.significand >> 64);
  return normalize(is_negative, a.exponent + b.exponent + 1, product);
}

Number divide(Env& env, const Number& a, const Number& b) {
  if (is_nan(a) || is_nan(b)) return {.kind = Class::kNan};
  const bool is_negative = a.is_negative != b.is_negative;
  if ((is_infinite(a) && is_infinite(b)) || (a.is_zero() && b.is_zero())) return invalid(env);
  if (is_infinite(a)) return {.is_negative = is_negative, .kind = Class::kInfinity};
  if (is_infinite(b) || a.is_zero()) return {.is_negative = is_negative};
  if (b.is_zero()) {
    env.flags |= kDivideByZero;
    return {.is_negative = is_negative, .kind = Class::kInfinity};
  }
  // A quotient of 64 or 65 bits; as it is / 2^64, the place of its top bit is 2^63 above that of a Number.
  const U128 divisor = b.significand >> 64;
  const U128 quotient = a.significand / divisor;
  const bool has_rest = a.significand % divisor != 0;
  Number result = normalize(is_negative, a.exponent - b.exponent + 63, quotient);
  result.significand |= U128{has_rest};
  return result;
}

/// The integer square root.
std::uint64_t root_of(U128 v) {
  std::uint64_t root = 0;
  for (int bit = 63; bit >= 0; --bit) {
    const std::uint64_t trial = root | std::uint64_t{1} << bit;
    if (U128{trial} * trial <= v) root = trial;
  }
  return root;
}

Number square_root(Env& env, const Number& a) {
  if (is_nan(a) || a.is_zero()) return a;
  if (a.is_negative) return invalid(env);
  if (is_infinite(a)) return a;
  // radicand / 2^126 lies in [1, 4) and the exponent is even.
  const int odd = a.exponent & 1;
  const U128 radicand = a.significand >> (1 - odd);
  const std::uint64_t root = root_of(radicand);
  const bool has_rest = U128{root} * root != radicand;
  return {false, (a.exponent - odd) / 2, U128{root} << 64 | U128{has_rest}};
}

/// What an integer kind can hold.
struct Range {
  std::uint64_t most_negative;  ///< magnitude
  std::uint64_t most_positive;
};
constexpr Range kRanges[] = {
    {std::uint64_t{1} << 31, 0x7fffffff},
    {0, 0xffffffff},
    {std::uint64_t{1} << 63, 0x7fffffffffffffff},
    {0, 0xffffffffffffffff},
};

std::uint64_t signed_result(tcg::IntKind kind, bool is_negative, std::uint64_t magnitude) {
  const std::uint64_t value = is_negative ? 0 - magnitude : magnitude;
  const bool is_word = kind == tcg::IntKind::s32 || kind == tcg::IntKind::u32;
  return is_word ? static_cast<std::uint64_t>(static_cast<std::int32_t>(value)) : value;
}

}  // namespace

std::uint64_t add(Env& env, const Format& format, std::uint64_t a, std::uint64_t b) {
  const Number x = take(env, format, a);
  const Number y = take(env, format, b);
  return pack(env, format, add_numbers(env, x, y));
}

std::uint64_t sub(Env& env, const Format& format, std::uint64_t a, std::uint64_t b) {
  return add(env, format, a, b ^ format.sign_mask());
}

std::uint64_t mul(Env& env, const Format& format, std::uint64_t a, std::uint64_t b) {
  const Number x = take(env, format, a);
  const Number y = take(env, format, b);
  return pack(env, format, multiply(env, x, y));
}

std::uint64_t div(Env& env, const Format& format, std::uint64_t a, std::uint64_t b) {
  const Number x = take(env, format, a);
  const Number y = take(env, format, b);
  return pack(env, format, divide(env, x, y));
}

std::uint64_t sqrt(Env& env, const Format& format, std::uint64_t a) {
  const Number x = take(env, format, a);
  return pack(env, format, square_root(env, x));
}

std::uint64_t fma(Env& env, const Format& format, const FmaOperands& operands) {
  const Number x = take(env, format, operands.a);
  const Number y = take(env, format, operands.b);
  const Number z = take(env, format, operands.c);
  // Infinity times zero is invalid even when a quiet NaN is added (F chapter).
  const Number product = multiply(env, x, y);
  return pack(env, format, add_numbers(env, product, z));
}

std::uint64_t convert(Env& env, const Format& from, const Format& to, std::uint64_t a) {
  const Number x = take(env, from, a);
  return pack(env, to, x);
}

std::uint64_t round_to_integral(Env& env, const Format& format, std::uint64_t a) {
  const Number x = take(env, format, a);
  if (is_nan(x)) return format.canonical_nan();
  // Infinities, zeros and what has no fraction bits stay as they are.
  if (is_infinite(x) || x.is_zero() || x.exponent >= format.precision - 1) return a;
  const Rounded r = round_at(env.rounding, x.is_negative, x.significand, 127 - x.exponent);
  // Never more bits than the format has: nothing to round, no flag to raise.
  return pack(env, format, normalize(x.is_negative, 127, r.value));
}

std::uint64_t to_int(Env& env, const Format& format, tcg::IntKind kind, std::uint64_t a) {
  const Number x = unpack(format, a);
  const Range& range = kRanges[static_cast<unsigned>(kind)];
  const bool is_negative = x.is_negative && !is_nan(x);
  const std::uint64_t limit = is_negative ? range.most_negative : range.most_positive;
  // The significand / 2^64 with the exponent 63 is an integer and a fraction of 64 bits each.
  if (x.kind == Class::kNumber && x.exponent <= 63) {
    const U128 fixed = x.is_zero() ? 0 : shift_right_sticky(x.significand, 63 - x.exponent);
    const auto whole = static_cast<std::uint64_t>(fixed >> 64);
    const auto fraction = static_cast<std::uint64_t>(fixed);
    const bool half = fraction >> 63 != 0;
    const bool rest = fraction << 1 != 0;
    const U128 magnitude = U128{whole} + rounds_up(env.rounding, is_negative, (whole & 1) != 0, {half, rest});
    if (magnitude <= limit) {
      if (fraction != 0) env.flags |= kInexact;
      return signed_result(kind, is_negative, static_cast<std::uint64_t>(magnitude));
    }
  }
  env.flags |= kInvalid;
  return signed_result(kind, is_negative, limit);
}

std::uint64_t to_int_modular(Env& env, std::uint64_t a) {
  env.rounding = Rounding::kRtz;
  const std::uint64_t saturated = to_int(env, kDouble, tcg::IntKind::s32, a);
  if ((env.flags & kInvalid) == 0) return saturated;
  const Number x = unpack(kDouble, a);
  // Out of range are infinities, NaNs and large numbers; from 2^84 on the low 32 bits are zero.
  if (x.kind != Class::kNumber || x.exponent > 127) return 0;
  return signed_result(tcg::IntKind::s32, x.is_negative,
                       static_cast<std::uint64_t>(x.significand >> (127 - x.exponent)));
}

std::uint64_t from_int(Env& env, const Format& format, tcg::IntKind kind, std::uint64_t value) {
  if (kind == tcg::IntKind::u32) value = static_cast<std::uint32_t>(value);
  if (kind == tcg::IntKind::s32) value = static_cast<std::uint64_t>(static_cast<std::int32_t>(value));
  const bool is_signed = kind == tcg::IntKind::s32 || kind == tcg::IntKind::s64;
  const bool is_negative = is_signed && value >> 63 != 0;
  return pack(env, format, normalize(is_negative, 127, is_negative ? 0 - value : value));
}

}  // namespace gstage::riscv::soft_float
