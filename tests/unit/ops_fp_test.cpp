// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <immintrin.h>

#include "tcg/ir/fp_semantics.h"
#include "target/riscv/hart.h"
#include "target/riscv/ops/helpers.h"
#include "target/riscv/ops/soft_float.h"

namespace gstage::riscv::soft_float {
namespace {

using tcg::IntKind;

enum class Operation {
  add,
  sub,
  mul,
  div,
  sqrt,
  fma,
  narrow,
  to_int_s32,
  to_int_u32,
  to_int_s64,
  to_int_u64,
  from_int_s32,
  from_int_u32,
  from_int_s64,
  from_int_u64
};

struct RoundingCase {
  Operation operation;
  Format format;
  unsigned rounding;
  std::uint64_t a, b, c, result;
  std::uint32_t flags;
};
constexpr RoundingCase kCases[] = {
#define ROUNDING_CASE(operation, format, rm, a, b, c, result, flags) \
  {Operation::operation, format, rm, a, b, c, result, flags},
#include "tests/unit/ops_rounding_cases.inc"
#undef ROUNDING_CASE
};

std::uint64_t run(Operation operation, const Format& format, Env& env, const FmaOperands& v) {
  switch (operation) {
    case Operation::add: return add(env, format, v.a, v.b);
    case Operation::sub: return sub(env, format, v.a, v.b);
    case Operation::mul: return mul(env, format, v.a, v.b);
    case Operation::div: return div(env, format, v.a, v.b);
    case Operation::sqrt: return sqrt(env, format, v.a);
    case Operation::fma: return fma(env, format, v);
    case Operation::narrow: return convert(env, kDouble, kSingle, v.a);
    case Operation::to_int_s32: return to_int(env, format, IntKind::s32, v.a);
    case Operation::to_int_u32: return to_int(env, format, IntKind::u32, v.a);
    case Operation::to_int_s64: return to_int(env, format, IntKind::s64, v.a);
    case Operation::to_int_u64: return to_int(env, format, IntKind::u64, v.a);
    case Operation::from_int_s32: return from_int(env, format, IntKind::s32, v.a);
    case Operation::from_int_u32: return from_int(env, format, IntKind::u32, v.a);
    case Operation::from_int_s64: return from_int(env, format, IntKind::s64, v.a);
    case Operation::from_int_u64: return from_int(env, format, IntKind::u64, v.a);
  }
  return 0;
}

TEST(SoftFloat, RoundsAsExactArithmeticSays) {
  for (const RoundingCase& c : kCases) {
    Env env{.rounding = static_cast<Rounding>(c.rounding)};
    const std::uint64_t result = run(c.operation, c.format, env, {c.a, c.b, c.c});
    EXPECT_EQ(result, c.result) << std::hex << static_cast<int>(c.operation) << " rm " << c.rounding
                                << " of 0x" << c.a << " 0x" << c.b << " 0x" << c.c;
    EXPECT_EQ(env.flags, c.flags) << std::hex << static_cast<int>(c.operation) << " rm " << c.rounding
                                  << " of 0x" << c.a << " 0x" << c.b << " 0x" << c.c;
  }
}

constexpr std::uint32_t kAllFlags = kInvalid | kDivideByZero | kOverflow | kUnderflow | kInexact;

/// The host's rounding mode for one operation.
class HostRounding {
 public:
  explicit HostRounding(Rounding rounding) : saved_(_mm_getcsr()) {
    constexpr std::uint32_t kRc[] = {0, 3, 1, 2};
    _mm_setcsr(0x1f80 | kRc[static_cast<unsigned>(rounding)] << 13);
  }
  ~HostRounding() { _mm_setcsr(saved_); }
  [[nodiscard]] static std::uint32_t flags() { return _mm_getcsr() & kAllFlags; }

 private:
  std::uint32_t saved_;
};

/// Operands with many special ones and with exponents that lie close together.
template <class Bits>
Bits random_operand(std::mt19937_64& rng, const Format& format) {
  const auto shift = static_cast<unsigned>(format.precision - 1);
  const std::uint64_t exponents = (std::uint64_t{1} << format.exponent_bits) - 1;
  const std::uint64_t choices[] = {0, 1, exponents, exponents - 1, rng() & exponents};
  std::uint64_t exponent = static_cast<std::uint64_t>(format.bias()) + rng() % 64 - 32;
  if (rng() % 4 == 0) exponent = choices[rng() % 5];
  const std::uint64_t fractions[] = {0,     1,           format.fraction_mask(), format.quiet_bit(), rng(),
                                     rng(), rng() & 0xff};
  const std::uint64_t fraction = fractions[rng() % 7] & format.fraction_mask();
  return static_cast<Bits>((rng() & format.sign_mask()) | exponent << shift | fraction);
}

template <class T, class Bits>
std::uint64_t on_host(Operation operation, const std::array<Bits, 3>& v) {
  const T a = std::bit_cast<T>(v[0]);
  const T b = std::bit_cast<T>(v[1]);
  const T c = std::bit_cast<T>(v[2]);
  T result{};
  switch (operation) {
    case Operation::add: result = tcg::fp::add(a, b); break;
    case Operation::sub: result = tcg::fp::sub(a, b); break;
    case Operation::mul: result = tcg::fp::mul(a, b); break;
    case Operation::div: result = tcg::fp::div(a, b); break;
    case Operation::sqrt: result = tcg::fp::sqrt(a); break;
    default: result = tcg::fp::fma(tcg::Fma::madd, a, b, c); break;
  }
  return std::bit_cast<Bits>(result);
}

template <class T, class Bits>
void compare_with_host(const Format& format) {
  std::mt19937_64 rng(7);
  for (int n = 0; n < 60000; ++n) {
    const auto operation = static_cast<Operation>(n % 6);
    const auto rounding = static_cast<Rounding>(rng() % 4);
    std::array<Bits, 3> v;
    for (Bits& bits : v) bits = random_operand<Bits>(rng, format);
    Env env{.rounding = rounding};
    const std::uint64_t result = run(operation, format, env, {v[0], v[1], v[2]});
    const HostRounding host(rounding);
    ASSERT_EQ(result, (on_host<T, Bits>(operation, v)))
        << std::hex << static_cast<int>(operation) << " rm " << static_cast<int>(rounding) << " of 0x" << v[0]
        << " 0x" << v[1] << " 0x" << v[2];
    ASSERT_EQ(env.flags, HostRounding::flags())
        << std::hex << static_cast<int>(operation) << " rm " << static_cast<int>(rounding) << " of 0x" << v[0]
        << " 0x" << v[1] << " 0x" << v[2];
  }
}

TEST(SoftFloat, SinglesAgreeWithTheHost) { compare_with_host<float, std::uint32_t>(kSingle); }
TEST(SoftFloat, DoublesAgreeWithTheHost) { compare_with_host<double, std::uint64_t>(kDouble); }

TEST(SoftFloat, NarrowingAgreesWithTheHost) {
  std::mt19937_64 rng(8);
  for (int n = 0; n < 20000; ++n) {
    auto a = random_operand<std::uint64_t>(rng, kDouble);
    // Half of them close to the bounds of the single's exponents.
    if (n % 2 == 0)
      a = (a & ~(std::uint64_t{0x7ff} << 52)) | (rng() % 2 != 0 ? 0x36a + rng() % 30 : 0x47d + rng() % 4)
                                                    << 52;
    Env env{.rounding = static_cast<Rounding>(rng() % 4)};
    const std::uint64_t result = convert(env, kDouble, kSingle, a);
    const HostRounding host(env.rounding);
    ASSERT_EQ(result, std::bit_cast<std::uint32_t>(tcg::fp::narrow(std::bit_cast<double>(a))))
        << std::hex << a;
    ASSERT_EQ(env.flags, HostRounding::flags()) << std::hex << a;
  }
}

/// Doubles have more than twice the digits of halves: rounding an operation twice is rounding it once.
TEST(SoftFloat, HalvesAreDoublesRoundedAgain) {
  std::mt19937_64 rng(10);
  for (int n = 0; n < 20000; ++n) {
    const auto operation = static_cast<Operation>(n % 5);
    const auto rounding = static_cast<Rounding>(rng() % 4);
    std::array<std::uint64_t, 3> wide{};
    std::array<std::uint64_t, 3> v{};
    Env exact{.rounding = rounding};
    for (unsigned i = 0; i < 2; ++i) {
      v[i] = rng() & 0xffff;
      wide[i] = convert(exact, kHalf, kDouble, v[i]);
    }
    Env env{.rounding = rounding};
    const std::uint64_t result = run(operation, kHalf, env, {v[0], v[1], 0});
    const HostRounding host(rounding);
    ASSERT_EQ(result, convert(exact, kDouble, kHalf, on_host<double, std::uint64_t>(operation, wide)))
        << std::hex << static_cast<int>(operation) << " rm " << static_cast<int>(rounding) << " of 0x" << v[0]
        << " 0x" << v[1];
  }
}

TEST(SoftFloat, EveryHalfSurvivesAWiderFormat) {
  for (std::uint64_t bits = 0; bits < 0x10000; ++bits) {
    Env env{.rounding = Rounding::kRup};
    const std::uint64_t expected = kHalf.is_nan(bits) ? kHalf.canonical_nan() : bits;
    EXPECT_EQ(convert(env, kSingle, kHalf, convert(env, kHalf, kSingle, bits)), expected);
    EXPECT_EQ(env.flags, kHalf.is_signaling(bits) ? kInvalid : 0);
  }
}

TEST(SoftFloat, RoundsToIntegersOfTheFormat) {
  struct Row {
    Rounding rounding;
    std::uint64_t a, result;
  };
  constexpr std::uint64_t kMinus = std::uint64_t{1} << 63;
  constexpr Row kRows[] = {
      {Rounding::kRne, 0x3fe0000000000000, 0},  // 0.5
      {Rounding::kRmm, 0x3fe0000000000000, 0x3ff0000000000000},
      {Rounding::kRne, 0x3ff8000000000000, 0x4000000000000000},  // 1.5
      {Rounding::kRdn, 0x3ff8000000000000, 0x3ff0000000000000},
      {Rounding::kRtz, 0xbff8000000000000, 0xbff0000000000000},
      {Rounding::kRup, 0xbfe0000000000000, kMinus},              // -0.5: -0
      {Rounding::kRdn, kMinus | 1, 0xbff0000000000000},          // the smallest below zero
      {Rounding::kRup, 0x432fffffffffffff, 0x4330000000000000},  // 2^52 - 0.5
      {Rounding::kRup, 0x4330000000000001, 0x4330000000000001},  // no fraction
      {Rounding::kRne, kMinus, kMinus},
      {Rounding::kRne, 0xfff0000000000000, 0xfff0000000000000},
      {Rounding::kRne, 0x7ff8000000000001, 0x7ff8000000000000},
  };
  for (const Row& row : kRows) {
    Env env{.rounding = row.rounding};
    EXPECT_EQ(round_to_integral(env, kDouble, row.a), row.result) << std::hex << row.a;
    EXPECT_EQ(env.flags, 0u);
  }
  Env env{.rounding = Rounding::kRne};
  EXPECT_EQ(round_to_integral(env, kSingle, 0x7f800001), 0x7fc00000u);
  EXPECT_EQ(env.flags, kInvalid);
}

TEST(SoftFloat, ModularConversionKeepsTheLowBits) {
  struct Row {
    std::uint64_t a, result;
    std::uint32_t flags;
  };
  constexpr Row kRows[] = {
      {0xbff8000000000000, ~std::uint64_t{0}, kInexact},   // -1.5
      {0x41e0000000000000, 0xffffffff80000000, kInvalid},  // 2^31
      {0x41f0000000100000, 1, kInvalid},                   // 2^32 + 1
      {0xc1f0000000100000, ~std::uint64_t{0}, kInvalid},
      {0x4520000000000001, 0x80000000 | 0xffffffff00000000, kInvalid},
      {0x4530000000000001, 0, kInvalid},  // bits above 31 alone
      {0x7ff0000000000000, 0, kInvalid},
      {0x7ff8000000000000, 0, kInvalid},
      {0x7fefffffffffffff, 0, kInvalid},
  };
  for (const Row& row : kRows) {
    Env env{.rounding = Rounding::kRne};
    EXPECT_EQ(to_int_modular(env, row.a), row.result) << std::hex << row.a;
    EXPECT_EQ(env.flags, row.flags) << std::hex << row.a;
  }
}

TEST(SoftFloat, ConversionToIntegersTowardsZeroAgreesWithTheHost) {
  std::mt19937_64 rng(9);
  for (int n = 0; n < 20000; ++n) {
    const auto a = random_operand<std::uint64_t>(rng, kDouble);
    const auto kind = static_cast<IntKind>(n % 4);
    Env env{.rounding = Rounding::kRtz};
    const std::uint64_t result = to_int(env, kDouble, kind, a);
    const HostRounding host(env.rounding);
    ASSERT_EQ(result, tcg::fp::to_int(kind, std::bit_cast<double>(a))) << std::hex << a;
    ASSERT_EQ(env.flags, HostRounding::flags()) << std::hex << a;
  }
}

}  // namespace
}  // namespace gstage::riscv::soft_float

namespace gstage::riscv {
namespace {

/// A hart for helpers; MXCSR is the guest's while the object lives.
class FpHelpers : public testing::Test {
 protected:
  FpHelpers() : saved_(_mm_getcsr()) { _mm_setcsr(0x1f80); }
  ~FpHelpers() override { _mm_setcsr(saved_); }
  static std::uint32_t flags() { return _mm_getcsr() & 0x3d; }
  CpuCore* core() { return &hart_.core; }

  Hart hart_{};

 private:
  std::uint32_t saved_;
};

constexpr std::uint64_t kBox = 0xffffffff00000000;
constexpr std::uint64_t kOneSingle = kBox | 0x3f800000;
constexpr std::uint64_t kTinySingle = kBox | 0x33000000;  // 2^-25: a quarter of a unit in the last place of 1
constexpr std::uint64_t kHalfUlp = kBox | 0x33800000;     // 2^-24: half of it, a tie
constexpr std::uint32_t rm(unsigned mode) { return mode << 12; }

TEST_F(FpHelpers, RoundAsTheInstructionSays) {
  EXPECT_EQ(helper_fadd_s(core(), kOneSingle, kHalfUlp, rm(0), 0), kOneSingle);
  EXPECT_EQ(flags(), soft_float::kInexact);
  EXPECT_EQ(helper_fadd_s(core(), kOneSingle, kHalfUlp, rm(4), 0), kOneSingle + 1);
  EXPECT_EQ(helper_fadd_s(core(), kOneSingle, kTinySingle, rm(4), 0), kOneSingle);
  EXPECT_EQ(helper_fadd_s(core(), kOneSingle, kTinySingle, rm(3), 0), kOneSingle + 1);
  EXPECT_EQ(helper_fadd_d(core(), 0x3ff0000000000000, 0x3ca0000000000000, rm(4), 0), 0x3ff0000000000001);
}

TEST_F(FpHelpers, RoundAsFrmSaysWhenDynamic) {
  hart_.frm = 4;
  EXPECT_EQ(helper_fadd_s(core(), kOneSingle, kHalfUlp, rm(7), 0), kOneSingle + 1);
  hart_.frm = 2;
  EXPECT_EQ(helper_fadd_s(core(), kOneSingle, kHalfUlp, rm(7), 0), kOneSingle);
  EXPECT_EQ(hart_.core.trap_pending, 0u);
}

TEST_F(FpHelpers, ReservedRoundingModesAreIllegal) {
  hart_.frm = 5;
  const std::uint64_t raw = 0x00107053;
  helper_fadd_s(core(), kOneSingle, kHalfUlp, raw, 0);
  EXPECT_EQ(hart_.core.trap_pending, 1u);
  EXPECT_EQ(hart_.trap.cause, Cause::kIllegalInstruction);
  EXPECT_EQ(hart_.trap.tval, raw);
  EXPECT_EQ(flags(), 0u);
}

TEST_F(FpHelpers, UnboxedSinglesAreNan) {
  EXPECT_EQ(helper_fadd_s(core(), 0x3f800000, kOneSingle, rm(0), 0), kBox | 0x7fc00000);
  EXPECT_EQ(helper_fclass_s(core(), 0x3f800000, 0, 0, 0), 1u << 9);
  EXPECT_EQ(flags(), 0u);
}

TEST_F(FpHelpers, FusedFormsDifferInSigns) {
  const std::uint64_t two = 0x4000000000000000;
  const std::uint64_t three = 0x4008000000000000;
  const std::uint64_t one = 0x3ff0000000000000;
  const std::uint64_t sign = std::uint64_t{1} << 63;
  EXPECT_EQ(helper_fma_d(core(), two, three, one, 0x43), 0x401c000000000000u);         // fmadd: 7
  EXPECT_EQ(helper_fma_d(core(), two, three, one, 0x47), 0x4014000000000000u);         // fmsub: 5
  EXPECT_EQ(helper_fma_d(core(), two, three, one, 0x4b), 0x4014000000000000u | sign);  // fnmsub: -5
  EXPECT_EQ(helper_fma_d(core(), two, three, one, 0x4f), 0x401c000000000000u | sign);  // fnmadd: -7
}

TEST_F(FpHelpers, InfinityTimesZeroPlusNanIsInvalid) {
  EXPECT_EQ(helper_fma_d(core(), 0x7ff0000000000000, 0, 0x7ff8000000000001, 0x43), 0x7ff8000000000000u);
  EXPECT_EQ(flags(), soft_float::kInvalid);
}

TEST_F(FpHelpers, ConversionsPickTheIntegerByRs2) {
  const std::uint64_t minus_half_past_one = 0xbff8000000000000;  // -1.5
  EXPECT_EQ(helper_fto_int_d(core(), minus_half_past_one, rm(4), 0, 0), ~std::uint64_t{1});
  EXPECT_EQ(helper_fto_int_d(core(), minus_half_past_one, rm(2) | 1u << 20, 0, 0), 0u);
  EXPECT_EQ(flags(), soft_float::kInexact | soft_float::kInvalid);
  EXPECT_EQ(helper_ffrom_int_d(core(), 0xffffffff, rm(4) | 0u << 20, 0, 0), 0xbff0000000000000u);
  EXPECT_EQ(helper_ffrom_int_d(core(), 0xffffffff, rm(4) | 1u << 20, 0, 0), 0x41efffffffe00000u);
  EXPECT_EQ(helper_ffrom_int_s(core(), ~std::uint64_t{0}, rm(1) | 3u << 20, 0, 0), kBox | 0x5f7fffff);
}

TEST_F(FpHelpers, MinAndMaxOrderZeros) {
  const std::uint64_t minus_zero = std::uint64_t{1} << 63;
  EXPECT_EQ(helper_fmin_d(core(), 0, minus_zero, 0, 0), minus_zero);
  EXPECT_EQ(helper_fmin_d(core(), minus_zero, 0, 0, 0), minus_zero);
  EXPECT_EQ(helper_fmax_d(core(), 0, minus_zero, 0, 0), 0u);
  EXPECT_EQ(helper_fmax_d(core(), minus_zero, 0, 0, 0), 0u);
}

TEST_F(FpHelpers, MinAndMaxOrderNumbers) {
  const std::uint64_t minus_two = kBox | 0xc0000000;
  const std::uint64_t minus_one = kBox | 0xbf800000;
  EXPECT_EQ(helper_fmin_s(core(), minus_one, minus_two, 0, 0), minus_two);
  EXPECT_EQ(helper_fmax_s(core(), minus_one, minus_two, 0, 0), minus_one);
  EXPECT_EQ(helper_fmin_s(core(), kOneSingle, minus_two, 0, 0), minus_two);
  EXPECT_EQ(helper_fmax_s(core(), kOneSingle, minus_two, 0, 0), kOneSingle);
}

TEST_F(FpHelpers, MinAndMaxPreferNumbersToNans) {
  const std::uint64_t quiet = kBox | 0x7fc00001;
  const std::uint64_t signaling = kBox | 0x7f800001;
  EXPECT_EQ(helper_fmin_s(core(), quiet, kOneSingle, 0, 0), kOneSingle);
  EXPECT_EQ(helper_fmax_s(core(), kOneSingle, quiet, 0, 0), kOneSingle);
  EXPECT_EQ(helper_fmax_s(core(), quiet, quiet, 0, 0), kBox | 0x7fc00000);
  EXPECT_EQ(flags(), 0u);
  EXPECT_EQ(helper_fmax_s(core(), signaling, kOneSingle, 0, 0), kOneSingle);
  EXPECT_EQ(flags(), soft_float::kInvalid);
}

TEST_F(FpHelpers, Classes) {
  struct Row {
    std::uint64_t bits;
    unsigned position;
  };
  constexpr Row kRows[] = {{0xfff0000000000000, 0},
                           {0xbff0000000000000, 1},
                           {0x8000000000000001, 2},
                           {0x8000000000000000, 3},
                           {0, 4},
                           {1, 5},
                           {0x0010000000000000, 6},
                           {0x7ff0000000000000, 7},
                           {0x7ff0000000000001, 8},
                           {0xfff8000000000000, 9}};
  for (const Row& row : kRows) EXPECT_EQ(helper_fclass_d(core(), row.bits, 0, 0, 0), 1u << row.position);
  EXPECT_EQ(helper_fclass_s(core(), kBox | 0x007fffff, 0, 0, 0), 1u << 5);
  EXPECT_EQ(helper_fclass_s(core(), kBox | 0xff800000, 0, 0, 0), 1u << 0);
}

TEST_F(FpHelpers, FlagsAccumulate) {
  helper_fdiv_d(core(), 0x3ff0000000000000, 0, rm(4), 0);
  helper_fadd_s(core(), kOneSingle, kHalfUlp, rm(4), 0);
  EXPECT_EQ(flags(), soft_float::kDivideByZero | soft_float::kInexact);
}

}  // namespace
}  // namespace gstage::riscv
