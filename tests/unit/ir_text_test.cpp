// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <gtest/gtest.h>

#include "tcg/ir/builder.h"
#include "tcg/ir/op_info.h"
#include "tcg/ir/parse.h"
#include "tcg/ir/print.h"
#include "tcg/ir/verify.h"

#include "tests/unit/ir_random.h"

namespace gstage::tcg::test {
namespace {

std::string error_of(const std::string& text) {
  Result<Unit> unit = parse(text);
  return unit.ok() ? "" : unit.error().message;
}

TEST(IrText, PrintsOneOpALine) {
  register_test_helpers();
  Unit unit;
  unit.flags = 3;
  unit.first_offset = 0x10;
  unit.guest_bytes = 8;
  unit.guest_insns = 2;
  Builder ir(unit);
  ir.begin_insn(0x10, 4, 0x00b50533);
  const Value a = ir.get_x(10);
  const Value b = ir.load(a, -8, MemKind::s16);
  const Value c = ir.and_(b, ir.const_(0x12345678));
  ir.set_x(c, 11);
  ir.begin_insn(0x14, 2, 0x9002);
  const Value f = ir.get_f32(1);
  const Value d = ir.fmadd_s(f, f, f, Fma::nmsub);
  ir.set_f32(d, 0);
  ir.call(kMix, {a, b});
  ir.atomic_rmw(a, c, static_cast<std::int64_t>(Rmw::maxu), MemKind::u64);
  ir.branch_to(Cond::ltu, a, b, -4, 0x18);
  EXPECT_EQ(print(unit),
            "unit flags=0x3 first=0x10 bytes=8 insns=2\n"
            "insn.4 0x10, 0x00b50533\n"
            "v1 = get_x x10\n"
            "v2 = load.s16 v1, -8\n"
            "v3 = const 0x12345678\n"
            "v4 = and v2, v3\n"
            "set_x x11, v4\n"
            "insn.2 0x14, 0x00009002\n"
            "v7 = get_f32 f1\n"
            "v8 = fmadd_s.nmsub v7, v7, v7\n"
            "set_f32 f0, v8\n"
            "v10 = call test_mix, v1, v2\n"
            "v11 = atomic_rmw.u64 v1, v4, maxu\n"
            "branch.ltu v1, v2, -0x4, 0x18\n");
}

bool is_equal(const Inst& a, const Inst& b) {
  return a.op == b.op && a.aux == b.aux && a.argument_count == b.argument_count && a.imm2 == b.imm2 &&
         a.imm == b.imm && a.args == b.args;
}

TEST(IrText, RandomUnitsComeBack) {
  register_test_helpers();
  constexpr unsigned kUnits = 3000;
  for (unsigned seed = 0; seed < kUnits; ++seed) {
    const Unit unit = RandomUnit(seed).make();
    const Status status = verify(unit);
    ASSERT_TRUE(status.ok()) << status.error().message << "\n" << print(unit);
    Result<Unit> back = parse(print(unit));
    ASSERT_TRUE(back.ok()) << back.error().message << "\n" << print(unit);
    ASSERT_EQ(back->insts.size(), unit.insts.size());
    for (std::size_t i = 0; i < unit.insts.size(); ++i)
      ASSERT_TRUE(is_equal(back->insts[i], unit.insts[i]))
          << print_inst(unit.insts[i], static_cast<unsigned>(i));
    EXPECT_EQ(back->guest_bytes, unit.guest_bytes);
    EXPECT_EQ(back->guest_insns, unit.guest_insns);
  }
}

TEST(IrText, NumbersAtTheLimitsComeBack) {
  for (std::int64_t v : {INT64_MIN, INT64_MAX, std::int64_t{-1}, std::int64_t{-4097}, std::int64_t{4097}}) {
    Unit unit;
    Builder(unit).const_(v);
    Result<Unit> back = parse(print(unit));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back->insts[0].imm, v);
  }
}

TEST(IrText, CommentsAndOwnNumbersAreRead) {
  Result<Unit> unit = parse("; a comment\n\n  v70 = const 1 ; one\n v5 = add v70, v70\nexit_pc");
  ASSERT_TRUE(unit.ok());
  EXPECT_EQ(print(*unit),
            "unit flags=0x0 first=0x0 bytes=0 insns=0\nv0 = const 1\nv1 = add v0, v0\nexit_pc\n");
}

TEST(IrText, ErrorsNameTheLine) {
  const struct {
    const char* text;
    const char* message;
  } kRows[] = {
      {"v0 = const 1\nv1 = addd v0, v0", "line 2 of the IR: unknown op \"addd\""},
      {"v1 = add v0, v0", "line 1 of the IR: undefined value \"v0\""},
      {"v0 = const 1\nv1 = add v0", "line 2 of the IR: expected 2 operands, not 1"},
      {"v0 = const 1\nv0 = const 2", "line 2 of the IR: defined twice: \"v0\""},
      {"v0 = const 1z", "line 1 of the IR: bad operand \"1z\""},
      {"v0 = const 0x10000000000000000", "line 1 of the IR: bad operand \"0x10000000000000000\""},
      {"v0 = get_x f1", "line 1 of the IR: bad operand \"f1\""},
      {"v0 = env_load.u128 8", "line 1 of the IR: bad suffix \"u128\""},
      {"v0 = const.u8 8", "line 1 of the IR: this op has no suffix \"u8\""},
      {"insn.3 0x10, 0x0", "line 1 of the IR: bad suffix \"3\""},
      {"v0 = call no_such_helper", "line 1 of the IR: unknown helper \"no_such_helper\""},
      {"v0 = fence", "line 1 of the IR: no value is made by \"fence\""},
      {"unit size=3", "line 1 of the IR: unknown field \"size=3\""},
      {"w0 = const 1", "line 1 of the IR: not a value: \"w0\""},
  };
  for (const auto& row : kRows) EXPECT_EQ(error_of(row.text), row.message);
}

std::string verify_error(const Unit& unit) {
  const Status status = verify(unit);
  return status.ok() ? "" : status.error().message;
}

/// A good unit in which one instruction is then spoiled.
Unit good_unit() {
  Result<Unit> unit = parse(
      "insn.4 0x10, 0x0\n v1 = get_x x10\n v2 = load.u64 v1, 8\n v3 = get_f32 f1\n v4 = atomic_host.u64 v2\n"
      "v5 = atomic_rmw.u64 v4, v2, add\n v6 = call test_mix, v1, v2\n set_x x3, v2\n exit_at 0x14");
  CHECK(unit.ok());
  return *unit;
}

TEST(IrVerify, AcceptsWhatIsWellFormed) {
  register_test_helpers();
  EXPECT_EQ(verify_error(good_unit()), "");
}

TEST(IrVerify, RejectsEachFault) {
  register_test_helpers();
  const struct {
    unsigned place;
    void (*spoil)(Unit& unit, Inst& inst);
    const char* message;
  } kRows[] = {
      {1, [](Unit&, Inst& i) { i.imm = 0; }, "IR instruction 1 (get_x) names no integer register x1–x31"},
      {1, [](Unit&, Inst& i) { i.imm = 32; }, "IR instruction 1 (get_x) names no integer register x1–x31"},
      {1, [](Unit&, Inst& i) { i.aux = 1; }, "IR instruction 1 (get_x) has an aux but takes none"},
      {1, [](Unit&, Inst& i) { i.op = Op::kCount; }, "IR instruction 1 (?) is no op"},
      {2, [](Unit&, Inst& i) { i.aux = 7; }, "IR instruction 2 (load) has an aux out of range"},
      {2, [](Unit&, Inst& i) { i.args[0].index = 2; },
       "IR instruction 2 (load) uses a value before it is made"},
      {2, [](Unit&, Inst& i) { i.args[0].index = 0; },
       "IR instruction 2 (load) has an argument of a wrong type"},
      {2, [](Unit&, Inst& i) { i.args[0] = {}; }, "IR instruction 2 (load) has an argument that is no value"},
      {2, [](Unit&, Inst& i) { i.argument_count = 2; },
       "IR instruction 2 (load) has a wrong number of arguments"},
      {2, [](Unit&, Inst& i) { i.imm = 0x80000000; },
       "IR instruction 2 (load) has a displacement of more than 32 bits"},
      {3, [](Unit&, Inst& i) { i.imm = 32; }, "IR instruction 3 (get_f32) names no register f0–f31"},
      {3, [](Unit&, Inst& i) { i.imm = -1; }, "IR instruction 3 (get_f32) names no register f0–f31"},
      {4, [](Unit&, Inst& i) { i.args[0].index = 3; },
       "IR instruction 4 (atomic_host) has an argument of a wrong type"},
      {4,
       [](Unit&, Inst& i) {
         i.op = Op::load_reserved;
         i.aux = 1;
       },
       "IR instruction 4 (load_reserved) is not of 4 or 8 bytes"},
      {5, [](Unit&, Inst& i) { i.imm = 9; }, "IR instruction 5 (atomic_rmw) has an unknown operation"},
      {6, [](Unit&, Inst& i) { i.imm = 0; }, "IR instruction 6 (call) has no helper"},
      {6, [](Unit&, Inst& i) { i.argument_count = 1; },
       "IR instruction 6 (call) passes another number of values than its helper takes"},
      {6,
       [](Unit&, Inst& i) {
         i = Inst{.op = Op::trap_if_zero, .argument_count = 1, .args = {Value{1}}, .imm = i.imm};
       },
       "IR instruction 6 (trap_if_zero) has a helper that cannot trap"},
      {7, [](Unit&, Inst& i) { i = Inst{.op = Op::jump}; },
       "IR instruction 7 (jump) ends the block but is not last"},
      {7, [](Unit& u, Inst&) { u.insts.pop_back(); }, "IR instruction 7 (set_x) is last but ends no block"},
      {8, [](Unit&, Inst& i) { i.imm = 0x80000000; },
       "IR instruction 8 (exit_at) has an offset of more than 32 bits"},
      {8, [](Unit&, Inst& i) { i.op = Op::exit_pc; },
       "IR instruction 8 (exit_pc) has an immediate but takes none"},
      {0, [](Unit&, Inst& i) { i.aux = 3; }, "IR instruction 0 (insn) is not 2 or 4 bytes long"},
      {0, [](Unit&, Inst& i) { i = Inst{.op = Op::fence}; },
       "IR instruction 2 (load) may trap but belongs to no guest instruction"},
      {0, [](Unit& u, Inst&) { u.insts.clear(); },
       "the IR unit is empty: it must end with a jump or an exit"},
  };
  for (const auto& row : kRows) {
    Unit unit = good_unit();
    row.spoil(unit, unit.insts[row.place]);
    EXPECT_EQ(verify_error(unit), row.message);
  }
}

}  // namespace
}  // namespace gstage::tcg::test
