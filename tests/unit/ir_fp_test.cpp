// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <random>

#include <gtest/gtest.h>
#include <immintrin.h>

#include "tcg/ir/fp_semantics.h"

#include "tests/unit/ir_value_rows.h"

namespace gstage::tcg::test {
namespace {

constexpr unsigned kCleanMxcsr = 0x1f80;
constexpr unsigned kRoundingShift = 13;
constexpr Rounding kAllRoundings[] = {kNearest, kDown, kUp, kToZero};
constexpr unsigned kRounds = 100000;

/// A result with the flags that it raised.
struct Outcome {
  std::uint64_t bits;
  unsigned flags;
  bool operator==(const Outcome&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Outcome& o) {
  return out << std::hex << "0x" << o.bits << " flags 0x" << o.flags;
}

std::uint64_t bits_of(float v) { return std::bit_cast<std::uint32_t>(v); }
std::uint64_t bits_of(double v) { return std::bit_cast<std::uint64_t>(v); }
std::uint64_t bits_of(std::uint64_t v) { return v; }

template <class Work>
Outcome observe(Rounding rounding, Work work) {
  _mm_setcsr(kCleanMxcsr | unsigned{rounding} << kRoundingShift);
  const auto result = work();
  const unsigned flags = _mm_getcsr() & kFlagMask;
  _mm_setcsr(kCleanMxcsr);
  return {bits_of(result), flags};
}

/// Numbers of all kinds: any bits, near each other's exponents, zeros, infinities, NaNs, subnormals.
class Numbers {
 public:
  std::uint64_t integer() { return random_() >> (random_() % 64); }
  float single() {
    const auto bits = static_cast<std::uint32_t>(random_());
    switch (random_() % 8) {
      case 0: return std::bit_cast<float>(bits);
      case 1: return std::bit_cast<float>(bits & 0x807fffff);
      case 2:
        return std::bit_cast<float>((bits & 0x80000000) | kSpecial32[random_() % std::size(kSpecial32)]);
      default: return std::bit_cast<float>((bits & 0x83ffffff) | 0x3c000000);
    }
  }
  double number() {
    const std::uint64_t bits = random_();
    switch (random_() % 8) {
      case 0: return std::bit_cast<double>(bits);
      case 1: return std::bit_cast<double>(bits & 0x800fffffffffffff);
      case 2: return std::bit_cast<double>((bits & kMin64) | kSpecial64[random_() % std::size(kSpecial64)]);
      // Around the limits of the integers.
      case 3: return std::bit_cast<double>((bits & 0x800fffffffffffff) | (0x41dull + random_() % 4) << 52);
      case 4: return std::bit_cast<double>((bits & 0x800fffffffffffff) | (0x43cull + random_() % 4) << 52);
      default: return std::bit_cast<double>((bits & 0x807fffffffffffff) | 0x3f80000000000000);
    }
  }

 private:
  static constexpr std::uint32_t kSpecial32[] = {0,          0x7f800000, 0x7fc00000, 0x7f800001,
                                                 0x3f800000, 0x7f7fffff, 1};
  static constexpr std::uint64_t kSpecial64[] = {0, kDInf, kDNan, kDSignal, kD1, kDMax, kDTiny};
  std::mt19937_64 random_{1};
};

template <class T>
void expect_fma_agrees(Fma form, T a, T b, T c) {
  for (Rounding rounding : kAllRoundings) {
    const Outcome host = observe(rounding, [&] { return fp::fma(form, a, b, c); });
    const Outcome portable = observe(rounding, [&] { return fp::fma_portable(form, a, b, c); });
    ASSERT_EQ(host, portable) << std::hex << bits_of(a) << " " << bits_of(b) << " " << bits_of(c) << " form "
                              << static_cast<unsigned>(form) << " rounding " << unsigned{rounding};
  }
}

// Hosts without FMA3 compute the same, flags included.
TEST(IrFp, PortableFmaAgreesWithTheHosts) {
  Numbers numbers;
  for (unsigned i = 0; i < kRounds && !testing::Test::HasFatalFailure(); ++i) {
    const auto form = static_cast<Fma>(i % 4);
    expect_fma_agrees(form, numbers.single(), numbers.single(), numbers.single());
    expect_fma_agrees(form, numbers.number(), numbers.number(), numbers.number());
  }
}

// The product of two singles is exact as a double, so rounding that once must give the same.
TEST(IrFp, ProductsOfSinglesAreRoundedOnce) {
  Numbers numbers;
  for (unsigned i = 0; i < kRounds; ++i) {
    const float a = numbers.single();
    const float b = numbers.single();
    for (Rounding rounding : kAllRoundings) {
      const Outcome direct = observe(rounding, [&] { return fp::mul(a, b); });
      const Outcome wide = observe(rounding, [&] { return fp::narrow(fp::mul(fp::widen(a), fp::widen(b))); });
      ASSERT_EQ(direct, wide) << std::hex << bits_of(a) << " " << bits_of(b);
    }
  }
}

struct Limits {
  __int128 low, high;
};
constexpr __int128 kOne = 1;
constexpr Limits kLimits[] = {{-(kOne << 31), (kOne << 31) - 1},
                              {0, (kOne << 32) - 1},
                              {-(kOne << 63), (kOne << 63) - 1},
                              {0, (kOne << 64) - 1}};

/// A conversion by the definition, on the bits: table "Domains of float-to-integer conversions".
Outcome convert_by_definition(IntKind kind, double v) {
  const Limits& limits = kLimits[static_cast<unsigned>(kind)];
  const auto bits = std::bit_cast<std::uint64_t>(v);
  const int exponent = static_cast<int>((bits >> 52) & 0x7ff) - 1023;
  const std::uint64_t fraction = (bits & 0xfffffffffffff) | (std::uint64_t{1} << 52);
  const bool is_negative = bits >> 63 != 0;
  const bool is_nan = exponent == 1024 && (bits << 12) != 0;
  __int128 result = 0;
  bool is_inexact = false;
  if (exponent >= 66) {
    result = kOne << 100;
  } else if (exponent >= 52) {
    result = static_cast<__int128>(fraction) << (exponent - 52);
  } else if (exponent >= 0) {
    result = fraction >> (52 - exponent);
    is_inexact = (fraction << (12 + exponent)) != 0;
  } else {
    is_inexact = (bits << 1) != 0;
  }
  if (is_negative) result = -result;
  if (is_nan) result = kOne << 100;
  const __int128 clamped = std::min(std::max(result, limits.low), limits.high);
  const unsigned flags = clamped != result ? kNv : is_inexact ? kNx : kNone;
  const bool is_word = kind == IntKind::s32 || kind == IntKind::u32;
  const auto wide = static_cast<std::uint64_t>(clamped);
  return {is_word ? static_cast<std::uint64_t>(static_cast<std::int32_t>(wide)) : wide, flags};
}

TEST(IrFp, ConversionsToIntegersFollowTheDefinition) {
  Numbers numbers;
  for (unsigned i = 0; i < kRounds; ++i) {
    const double d = numbers.number();
    const float s = numbers.single();
    // Rounds towards zero whatever the rounding mode is.
    const Rounding rounding = kAllRoundings[i % 4];
    for (IntKind kind : {IntKind::s32, IntKind::u32, IntKind::s64, IntKind::u64}) {
      ASSERT_EQ(observe(rounding, [&] { return fp::to_int(kind, d); }), convert_by_definition(kind, d))
          << std::hex << bits_of(d) << " kind " << static_cast<unsigned>(kind);
      ASSERT_EQ(observe(rounding, [&] { return fp::to_int(kind, s); }),
                convert_by_definition(kind, fp::widen(s)))
          << std::hex << bits_of(s) << " kind " << static_cast<unsigned>(kind);
    }
  }
}

/// An integer rounded to `precision` bits, on the integer itself.
struct Rounded {
  unsigned __int128 magnitude;
  bool is_negative;
  bool is_inexact;
};
Rounded round_by_definition(__int128 v, unsigned precision, Rounding rounding) {
  const bool is_negative = v < 0;
  const auto magnitude = static_cast<unsigned __int128>(is_negative ? -v : v);
  unsigned width = 0;
  while (width < 128 && (magnitude >> width) != 0) ++width;
  if (width <= precision) return {magnitude, is_negative, false};
  const unsigned __int128 unit = static_cast<unsigned __int128>(1) << (width - precision);
  const unsigned __int128 rest = magnitude % unit;
  const unsigned __int128 down = magnitude - rest;
  if (rest == 0) return {magnitude, is_negative, false};
  const bool is_odd = (down / unit) % 2 != 0;
  const bool goes_up = rounding == kNearest ? rest * 2 > unit || (rest * 2 == unit && is_odd)
                       : rounding == kUp    ? !is_negative
                       : rounding == kDown  ? is_negative
                                            : false;
  return {goes_up ? down + unit : down, is_negative, true};
}

__int128 value_of(IntKind kind, std::uint64_t v) {
  switch (kind) {
    case IntKind::s32: return static_cast<std::int32_t>(v);
    case IntKind::u32: return static_cast<std::uint32_t>(v);
    case IntKind::s64: return static_cast<std::int64_t>(v);
    case IntKind::u64: break;
  }
  return v;
}

/// Checks a floating-point integer and its flags against the definition.
void expect_rounded(double result, unsigned flags, const Rounded& expected) {
  const double magnitude = result < 0 ? -result : result;
  ASSERT_EQ(result < 0, expected.is_negative && expected.magnitude != 0);
  ASSERT_TRUE(static_cast<unsigned __int128>(magnitude) == expected.magnitude) << result;
  ASSERT_EQ(flags, expected.is_inexact ? unsigned{kNx} : 0u);
}

TEST(IrFp, ConversionsFromIntegersAreRoundedOnce) {
  constexpr unsigned kSinglePrecision = 24;
  constexpr unsigned kDoublePrecision = 53;
  Numbers numbers;
  for (unsigned i = 0; i < kRounds && !testing::Test::HasFatalFailure(); ++i) {
    const std::uint64_t v = i % 2 == 0 ? numbers.integer() : ~numbers.integer();
    const auto kind = static_cast<IntKind>(i / 2 % 4);
    for (Rounding rounding : kAllRoundings) {
      const Outcome s = observe(rounding, [&] { return fp::to_float(kind, v); });
      const Outcome d = observe(rounding, [&] { return fp::to_double(kind, v); });
      expect_rounded(std::bit_cast<float>(static_cast<std::uint32_t>(s.bits)), s.flags,
                     round_by_definition(value_of(kind, v), kSinglePrecision, rounding));
      expect_rounded(std::bit_cast<double>(d.bits), d.flags,
                     round_by_definition(value_of(kind, v), kDoublePrecision, rounding));
    }
  }
}

}  // namespace
}  // namespace gstage::tcg::test
