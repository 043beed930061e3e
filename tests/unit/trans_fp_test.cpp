// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/trans_fixture.h"

// Floating point as translated, executed by the interpreter, on the fast path and by the helpers.

namespace gstage::riscv {
namespace {

constexpr std::uint64_t kBox = 0xffffffff00000000;
constexpr std::uint64_t boxed(std::uint32_t bits) { return kBox | bits; }
constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
constexpr std::uint32_t kInexact = 1u << 5;
constexpr std::uint32_t kInvalid = 1u << 0;

using FpExec = TransTest;

// Doubles: 1, 2, 3, 6, 1.5; singles the same.
constexpr std::uint64_t kOne = 0x3ff0000000000000, kTwo = 0x4000000000000000, kThree = 0x4008000000000000;
constexpr std::uint64_t kOneS = boxed(0x3f800000), kTwoS = boxed(0x40000000), kThreeS = boxed(0x40400000);

struct ArithRow {
  Insn insn;
  std::uint64_t a, b, result;
};
constexpr ArithRow kArithRows[] = {
    {Insn::fadd_d, kOne, kTwo, kThree},
    {Insn::fsub_d, kThree, kTwo, kOne},
    {Insn::fmul_d, kThree, kTwo, 0x4018000000000000},
    {Insn::fdiv_d, kThree, kTwo, 0x3ff8000000000000},
    {Insn::fadd_s, kOneS, kTwoS, kThreeS},
    {Insn::fsub_s, kThreeS, kTwoS, kOneS},
    {Insn::fmul_s, kThreeS, kTwoS, boxed(0x40c00000)},
    {Insn::fdiv_s, kThreeS, kTwoS, boxed(0x3fc00000)},
};
TEST_F(FpExec, ArithmeticInEveryRoundingMode) {
  for (const ArithRow& row : kArithRows)
    for (const std::uint8_t rm : {0, 1, 2, 3, 4, 7}) {
      hart_.f[11] = row.a;
      hart_.f[12] = row.b;
      run(Code({encode(row.insn, ArgsFRm{10, 11, 12, rm}), kEnd}));
      EXPECT_EQ(hart_.f[10], row.result) << row_of(row.insn).name << " rm " << int{rm};
      EXPECT_EQ(hart_.fp_dirty, 1u);
    }
  EXPECT_EQ(fflags(), 0u);
}

TEST_F(FpExec, FusedForms) {
  struct Row {
    Insn insn;
    std::uint64_t result;  // of 2, 3 and 1
  };
  constexpr Row kRows[] = {{Insn::fmadd_d, 0x401c000000000000},
                           {Insn::fmsub_d, 0x4014000000000000},
                           {Insn::fnmsub_d, 0x4014000000000000 | kSign},
                           {Insn::fnmadd_d, 0x401c000000000000 | kSign}};
  constexpr Row kRowsS[] = {{Insn::fmadd_s, boxed(0x40e00000)},
                            {Insn::fmsub_s, boxed(0x40a00000)},
                            {Insn::fnmsub_s, boxed(0xc0a00000)},
                            {Insn::fnmadd_s, boxed(0xc0e00000)}};
  for (const std::uint8_t rm : {4, 7}) {
    const auto result = [&](Insn insn, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
      hart_.f[11] = a;
      hart_.f[12] = b;
      hart_.f[13] = c;
      run(Code({encode(insn, ArgsFR4{10, 11, 12, 13, rm}), kEnd}));
      return hart_.f[10];
    };
    for (const Row& row : kRows)
      EXPECT_EQ(result(row.insn, kTwo, kThree, kOne), row.result) << row_of(row.insn).name;
    for (const Row& row : kRowsS)
      EXPECT_EQ(result(row.insn, kTwoS, kThreeS, kOneS), row.result) << row_of(row.insn).name;
  }
}

struct UnaryRow {
  Insn insn;
  std::uint8_t rm;
  std::uint64_t a, result;
  std::uint32_t flags;
};
constexpr UnaryRow kUnaryRows[] = {
    {Insn::fsqrt_d, 7, 0x4022000000000000, kThree, 0},
    {Insn::fsqrt_d, 4, 0x4022000000000000, kThree, 0},
    {Insn::fsqrt_s, 7, boxed(0x41100000), kThreeS, 0},
    {Insn::fsqrt_s, 4, boxed(0x41100000), kThreeS, 0},
    {Insn::fcvt_s_d, 7, 0x3ff0000010000000, kOneS, kInexact},
    {Insn::fcvt_s_d, 4, 0x3ff0000010000000, kOneS + 1, kInexact},
    {Insn::fcvt_d_s, 0, kThreeS, kThree, 0},
    {Insn::fcvt_d_s, 0, 0x40400000, 0x7ff8000000000000, 0},  // not boxed
};
TEST_F(FpExec, UnaryOperations) {
  for (const UnaryRow& row : kUnaryRows) {
    _mm_setcsr(0x1f80);
    hart_.f[11] = row.a;
    run(Code({encode(row.insn, ArgsFUnary{10, 11, row.rm}), kEnd}));
    EXPECT_EQ(hart_.f[10], row.result) << row_of(row.insn).name << " rm " << int{row.rm};
    EXPECT_EQ(fflags(), row.flags) << row_of(row.insn).name << " rm " << int{row.rm};
  }
}

// Signs, minimum and maximum.
constexpr ArithRow kPlainRows[] = {
    {Insn::fsgnj_d, kOne, kTwo | kSign, kOne | kSign},
    {Insn::fsgnjn_d, kOne, kTwo | kSign, kOne},
    {Insn::fsgnjx_d, kOne | kSign, kTwo | kSign, kOne},
    {Insn::fsgnj_s, kOneS, boxed(0xc0000000), boxed(0xbf800000)},
    {Insn::fsgnjn_s, kOneS, boxed(0xc0000000), kOneS},
    {Insn::fsgnjx_s, boxed(0xbf800000), boxed(0xc0000000), kOneS},
    {Insn::fsgnj_s, 0x3f800000, kTwoS, boxed(0x7fc00000)},
    {Insn::fsgnj_s, kOneS, 0xbf800000, kOneS},
    {Insn::fmin_d, 0, kSign, kSign},
    {Insn::fmax_d, kSign, 0, 0},
    {Insn::fmin_s, kOneS, kTwoS, kOneS},
    {Insn::fmax_s, kOneS, kTwoS, kTwoS},
};
TEST_F(FpExec, SignsAndExtremes) {
  for (const ArithRow& row : kPlainRows) {
    hart_.f[11] = row.a;
    hart_.f[12] = row.b;
    run(Code({encode(row.insn, ArgsR{10, 11, 12}), kEnd}));
    EXPECT_EQ(hart_.f[10], row.result) << row_of(row.insn).name;
  }
}

TEST_F(FpExec, SignsOfOneRegister) {
  constexpr ArithRow kRows[] = {
      {Insn::fsgnj_d, kOne | kSign, 0, kOne | kSign},
      {Insn::fsgnjn_d, kOne | kSign, 0, kOne},
      {Insn::fsgnjx_d, kOne | kSign, 0, kOne},
      {Insn::fsgnj_s, boxed(0xbf800000), 0, boxed(0xbf800000)},
      {Insn::fsgnjn_s, boxed(0xbf800000), 0, kOneS},
      {Insn::fsgnjx_s, boxed(0xbf800000), 0, kOneS},
      {Insn::fsgnj_s, 0xbf800000, 0, boxed(0x7fc00000)},
      {Insn::fsgnjn_s, 0xbf800000, 0, boxed(0xffc00000)},
  };
  for (const ArithRow& row : kRows) {
    hart_.f[11] = row.a;
    run(Code({encode(row.insn, ArgsR{10, 11, 11}), kEnd}));
    EXPECT_EQ(hart_.f[10], row.result) << row_of(row.insn).name;
  }
}

TEST_F(FpExec, Comparisons) {
  struct Row {
    Insn insn;
    std::uint64_t a, b, result;
    std::uint32_t flags;
  };
  constexpr std::uint64_t kNan = 0x7ff8000000000000;
  constexpr Row kRows[] = {
      {Insn::feq_d, kOne, kOne, 1, 0},   {Insn::feq_d, kOne, kTwo, 0, 0},
      {Insn::flt_d, kOne, kTwo, 1, 0},   {Insn::flt_d, kOne, kOne, 0, 0},
      {Insn::fle_d, kOne, kOne, 1, 0},   {Insn::fle_d, kTwo, kOne, 0, 0},
      {Insn::feq_d, kNan, kNan, 0, 0},   {Insn::flt_d, kNan, kOne, 0, kInvalid},
      {Insn::feq_s, kOneS, kOneS, 1, 0}, {Insn::flt_s, kOneS, kTwoS, 1, 0},
      {Insn::flt_s, kTwoS, kTwoS, 0, 0}, {Insn::fle_s, kTwoS, kTwoS, 1, 0},
      {Insn::fle_s, kTwoS, kOneS, 0, 0}, {Insn::feq_s, 0x3f800000, kOneS, 0, 0},
  };
  for (const Row& row : kRows) {
    _mm_setcsr(0x1f80);
    hart_.f[11] = row.a;
    hart_.f[12] = row.b;
    EXPECT_EQ(x10_after(encode(row.insn, ArgsR{10, 11, 12})), row.result) << row_of(row.insn).name;
    EXPECT_EQ(fflags(), row.flags) << row_of(row.insn).name;
  }
}

// Conversions: towards zero inline, others by helpers.
TEST_F(FpExec, ConversionsToIntegers) {
  struct Row {
    Insn insn;
    std::uint8_t rm;
    std::uint64_t a, result;
  };
  constexpr std::uint64_t kMinusOneAndHalf = 0xbff8000000000000;
  constexpr std::uint64_t kMinusOneAndHalfS = boxed(0xbfc00000);
  constexpr std::uint64_t kMinus1 = ~std::uint64_t{0};
  constexpr Row kRows[] = {
      {Insn::fcvt_w_d, 1, kMinusOneAndHalf, kMinus1},
      {Insn::fcvt_w_d, 2, kMinusOneAndHalf, kMinus1 - 1},
      {Insn::fcvt_w_d, 7, kMinusOneAndHalf, kMinus1 - 1},
      {Insn::fcvt_wu_d, 1, 0x41efffffffe00000, kMinus1},
      {Insn::fcvt_wu_d, 0, 0x41efffffffe00000, kMinus1},
      {Insn::fcvt_l_d, 1, 0x43e0000000000000, 0x7fffffffffffffff},
      {Insn::fcvt_l_d, 0, 0x43e0000000000000, 0x7fffffffffffffff},
      {Insn::fcvt_lu_d, 1, 0x43e0000000000000, kSign},
      {Insn::fcvt_lu_d, 0, 0x43e0000000000000, kSign},
      {Insn::fcvt_w_s, 1, kMinusOneAndHalfS, kMinus1},
      {Insn::fcvt_w_s, 2, kMinusOneAndHalfS, kMinus1 - 1},
      {Insn::fcvt_wu_s, 1, kMinusOneAndHalfS, 0},
      {Insn::fcvt_wu_s, 4, kTwoS, 2},
      {Insn::fcvt_l_s, 3, kMinusOneAndHalfS, kMinus1},
      {Insn::fcvt_lu_s, 1, boxed(0x5f000000), kSign},
      {Insn::fcvt_lu_s, 0, boxed(0x5f000000), kSign},
  };
  for (const Row& row : kRows) {
    hart_.f[11] = row.a;
    EXPECT_EQ(x10_after(encode(row.insn, ArgsFUnary{10, 11, row.rm})), row.result)
        << row_of(row.insn).name << " rm " << int{row.rm};
  }
}

TEST_F(FpExec, ConversionsFromIntegers) {
  struct Row {
    Insn insn;
    std::uint64_t result;  // of all ones
  };
  constexpr Row kRows[] = {
      {Insn::fcvt_d_w, kOne | kSign},      {Insn::fcvt_d_wu, 0x41efffffffe00000},
      {Insn::fcvt_d_l, kOne | kSign},      {Insn::fcvt_d_lu, 0x43f0000000000000},
      {Insn::fcvt_s_w, boxed(0xbf800000)}, {Insn::fcvt_s_wu, boxed(0x4f800000)},
      {Insn::fcvt_s_l, boxed(0xbf800000)}, {Insn::fcvt_s_lu, boxed(0x5f800000)},
  };
  hart_.x[11] = ~std::uint64_t{0};
  for (const Row& row : kRows)
    for (const std::uint8_t rm : {0, 4, 7}) {
      run(Code({encode(row.insn, ArgsFUnary{10, 11, rm}), kEnd}));
      EXPECT_EQ(hart_.f[10], row.result) << row_of(row.insn).name << " rm " << int{rm};
    }
}

// Bits.
TEST_F(FpExec, MovesOfBits) {
  hart_.f[11] = 0x1234567880000001;
  EXPECT_EQ(x10_after(encode(Insn::fmv_x_w, ArgsR2{10, 11})), 0xffffffff80000001u);
  EXPECT_EQ(x10_after(encode(Insn::fmv_x_d, ArgsR2{10, 11})), 0x1234567880000001u);
  EXPECT_EQ(x10_after(encode(Insn::fclass_d, ArgsR2{10, 11})), 1u << 6);
  EXPECT_EQ(x10_after(encode(Insn::fclass_s, ArgsR2{10, 11})), 1u << 9);
  hart_.x[11] = 0x1234567880000001;
  run(Code({encode(Insn::fmv_w_x, ArgsR2{10, 11}), kEnd}));
  EXPECT_EQ(hart_.f[10], boxed(0x80000001));
  run(Code({encode(Insn::fmv_d_x, ArgsR2{10, 11}), kEnd}));
  EXPECT_EQ(hart_.f[10], 0x1234567880000001u);
}

TEST_F(FpExec, LoadsBoxAndStoresAreRaw) {
  const std::uint64_t value = 0x1234567880000001;
  std::memcpy(&guest_.memory[16], &value, 8);
  hart_.x[11] = PageGuest::kBase;
  run(Code({encode(Insn::flw, ArgsI{10, 11, 16}), kEnd}));
  EXPECT_EQ(hart_.f[10], boxed(0x80000001));
  run(Code({encode(Insn::fld, ArgsI{10, 11, 16}), kEnd}));
  EXPECT_EQ(hart_.f[10], value);
  hart_.f[12] = 0x1122334455667788;
  run(Code({encode(Insn::fsw, ArgsS{11, 12, 16}), kEnd}));
  std::uint64_t stored = 0;
  std::memcpy(&stored, &guest_.memory[16], 8);
  EXPECT_EQ(stored, 0x1234567855667788u);
  run(Code({encode(Insn::fsd, ArgsS{11, 12, 16}), kEnd}));
  std::memcpy(&stored, &guest_.memory[16], 8);
  EXPECT_EQ(stored, 0x1122334455667788u);
}

// State.
TEST_F(FpExec, TrapsAfterAWriteOfSstatusInTheSameBlockTurnedItOff) {
  // csrrc x0, sstatus, x11: the block goes on, and must look at FS again.
  hart_.x[11] = 3u << 13;
  const std::uint32_t clear = encode(Insn::csrrc, ArgsCsr{0, 11, 0x100});
  const tcg::Unit unit = Code({encode(Insn::fadd_d, ArgsFRm{10, 11, 12, 7}), clear,
                               encode(Insn::fadd_d, ArgsFRm{10, 11, 12, 7}), kEnd})
                             .translate();
  unsigned checks = 0;
  for (const tcg::Inst& inst : unit.insts)
    checks += inst.op == tcg::Op::trap_if_zero && inst.helper() == &k_fp_off ? 1 : 0;
  EXPECT_EQ(checks, 2u);
}

TEST_F(FpExec, TrapsWhenOff) {
  hart_.fp_enabled = 0;
  hart_.f[10] = 5;
  run(Code({0x00000013, encode(Insn::fadd_d, ArgsFRm{10, 11, 12, 7}), kEnd}));
  EXPECT_EQ(hart_.core.trap_pending, 1u);
  EXPECT_EQ(hart_.trap.cause, Cause::kIllegalInstruction);
  EXPECT_EQ(hart_.core.pc, kPage + Code::kStart + 4);
  EXPECT_EQ(hart_.f[10], 5u);
  EXPECT_EQ(hart_.fp_dirty, 0u);
}

TEST_F(FpExec, DynamicModesThatMxcsrLacks) {
  hart_.frm = 4;
  hart_.f[11] = kOne;
  hart_.f[12] = 0x3ca0000000000000;  // half a unit in the last place
  run(Code({encode(Insn::fadd_d, ArgsFRm{10, 11, 12, 7}), kEnd}));
  EXPECT_EQ(hart_.f[10], kOne + 1);
  hart_.frm = 6;
  run(Code({encode(Insn::fadd_d, ArgsFRm{10, 11, 12, 7}), kEnd}));
  EXPECT_EQ(hart_.core.trap_pending, 1u);
  EXPECT_EQ(hart_.trap.cause, Cause::kIllegalInstruction);
}

// "Implementations must treat the rm field as usual" (F chapter), also where nothing is rounded.
TEST_F(FpExec, ExactConversionsRefuseReservedDynamicModes) {
  for (const Insn insn : {Insn::fcvt_d_s, Insn::fcvt_d_w, Insn::fcvt_d_wu}) {
    hart_.frm = 4;
    hart_.f[11] = kThreeS;
    hart_.x[11] = 3;
    run(Code({encode(insn, ArgsFUnary{10, 11, 7}), kEnd}));
    EXPECT_EQ(hart_.core.trap_pending, 0u) << row_of(insn).name;
    EXPECT_EQ(hart_.f[10], kThree) << row_of(insn).name;
    hart_.frm = 5;
    run(Code({encode(insn, ArgsFUnary{10, 11, 7}), kEnd}));
    EXPECT_EQ(hart_.core.trap_pending, 1u) << row_of(insn).name;
    EXPECT_EQ(hart_.trap.cause, Cause::kIllegalInstruction) << row_of(insn).name;
    hart_.core.trap_pending = 0;
    run(Code({encode(insn, ArgsFUnary{10, 11, 0}), kEnd}));
    EXPECT_EQ(hart_.core.trap_pending, 0u) << row_of(insn).name;
  }
}

}  // namespace
}  // namespace gstage::riscv
