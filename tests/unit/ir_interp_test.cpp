// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tcg/ir/builder.h"
#include "tcg/ir/op_info.h"
#include "tcg/ir/parse.h"
#include "tcg/ir/verify.h"

#include "tests/unit/ir_machine.h"
#include "tests/unit/ir_value_rows.h"

namespace gstage::tcg::test {
namespace {

/// Ops that are more than their value: a program and what it leaves in x10 and pc.
struct ProgramRow {
  Op op;
  const char* text;  ///< without the first insn and, when it does not end by itself, `exit_at 0x40`
  std::uint64_t x10;
  std::uint64_t pc = kCodePage + 0x40;
};

// x1 = kFastPage, x2 = kSlowPage, x3 = kTrapPage, x5 = 0x8899aabbccddeeff, f1 = 3.5 boxed as single, f2
// unboxed. Both pages hold 0x80, 0x81, … from their byte 0.
constexpr std::uint64_t kFirstWord = 0x8786858483828180;
constexpr ProgramRow kProgramRows[] = {
    {Op::const_, "v0 = const -5\n set_x x10, v0", 0xfffffffffffffffb},
    {Op::const_, "v0 = const 0x123456789abcdef0\n set_x x10, v0", 0x123456789abcdef0},
    {Op::pc, "v0 = pc 0x1234\n set_x x10, v0", kCodePage + 0x1234},
    {Op::pc, "v0 = pc -0x10\n set_x x10, v0", kCodePage - 0x10},
    {Op::get_x, "v0 = get_x x5\n set_x x10, v0", 0x8899aabbccddeeff},
    {Op::set_x, "v0 = get_x x1\n set_x x10, v0\n v1 = get_x x10\n set_x x10, v1", kFastPage},
    {Op::get_f_bits, "v0 = get_f_bits f2\n set_x x10, v0", 0x1234567840600000},
    {Op::set_f_bits, "v0 = get_x x5\n set_f_bits f9, v0\n v1 = get_f_bits f9\n set_x x10, v1",
     0x8899aabbccddeeff},
    {Op::set_f32_bits, "v0 = get_x x5\n set_f32_bits f9, v0\n v1 = get_f_bits f9\n set_x x10, v1",
     0xffffffffccddeeff},
    {Op::get_f32, "v0 = get_f32 f1\n set_f32 f9, v0\n v1 = get_f_bits f9\n set_x x10, v1",
     0xffffffff40600000},
    {Op::get_f32, "v0 = get_f32 f2\n set_f32 f9, v0\n v1 = get_f_bits f9\n set_x x10, v1",
     0xffffffff7fc00000},
    {Op::set_f32, "v0 = get_f32 f1\n set_f32 f2, v0\n v1 = get_f_bits f2\n set_x x10, v1",
     0xffffffff40600000},
    {Op::get_f64, "v0 = get_f64 f2\n set_f64 f9, v0\n v1 = get_f_bits f9\n set_x x10, v1",
     0x1234567840600000},
    {Op::set_f64, "v0 = get_f64 f1\n set_f64 f9, v0\n v1 = get_f_bits f9\n set_x x10, v1",
     0xffffffff40600000},
    {Op::env_load, "v0 = env_load.u64 1024\n set_x x10, v0", 0xe0e1e2e3e4e5e6e7},
    {Op::env_load, "v0 = env_load.s8 1025\n set_x x10, v0", 0xffffffffffffffe6},
    {Op::env_load, "v0 = env_load.u32 1028\n set_x x10, v0", 0xe0e1e2e3},
    {Op::env_store, "v0 = get_x x5\n env_store.u16 v0, 1026\n v1 = env_load.u64 1024\n set_x x10, v1",
     0xe0e1e2e3eeffe6e7},
    {Op::host_load, "v0 = env_load.u64 1032\n v1 = host_load.u16 v0, 2\n set_x x10, v1", 0x8382},
    {Op::host_load, "v0 = env_load.u64 1032\n v1 = host_load.s16 v0, 2\n set_x x10, v1", 0xffffffffffff8382},
    {Op::host_store,
     "v0 = env_load.u64 1032\n v1 = get_x x5\n host_store.u32 v0, v1, 4\n v2 = host_load.u64 v0, 0\n set_x "
     "x10, v2",
     0xccddeeff83828180},
    {Op::load, "v0 = get_x x1\n v1 = load.u8 v0, 3\n set_x x10, v1", 0x83},
    {Op::load, "v0 = get_x x1\n v1 = load.s32 v0, 2\n set_x x10, v1", 0xffffffff85848382},
    {Op::load, "v0 = get_x x1\n v1 = load.u64 v0, 0\n set_x x10, v1", kFirstWord},
    {Op::load, "v0 = get_x x2\n v1 = load.u32 v0, 0\n set_x x10, v1", 0x83828180},
    {Op::load, "v0 = get_x x2\n v1 = load.s16 v0, -2\n set_x x10, v1", 0xfffffffffffffffe},
    {Op::load, "v0 = get_x x2\n v1 = load.s16 v0, -1\n set_x x10, v1", 0xffffffffffff80ff},
    {Op::load, "insn.4 0x24, 0x0\n v0 = get_x x3\n v1 = load.u8 v0, 0\n set_x x10, v1", 0x10,
     kCodePage + 0x24},
    {Op::store, "v0 = get_x x1\n v1 = get_x x5\n store.u16 v0, v1, 2\n v2 = load.u64 v0, 0\n set_x x10, v2",
     0x87868584eeff8180},
    {Op::store, "v0 = get_x x2\n v1 = get_x x5\n store.u64 v0, v1, -4\n v2 = load.u64 v0, 0\n set_x x10, v2",
     0x878685848899aabb},
    {Op::store, "v0 = get_x x3\n store.u8 v0, v0, 0\n set_x x10, v0", 0x10, kCodePage + 0x20},
    {Op::atomic_host, "v0 = get_x x1\n v1 = atomic_host.u64 v0\n v2 = host_load.u64 v1, 0\n set_x x10, v2",
     kFirstWord},
    {Op::atomic_host, "v0 = get_x x2\n v1 = atomic_host.u32 v0\n v2 = host_load.u32 v1, 0\n set_x x10, v2",
     0x83828180},
    {Op::atomic_host,
     "v0 = get_x x1\n v1 = const 2\n v2 = add v0, v1\n v3 = atomic_host.u32 v2\n set_x x10, v2", 0x10,
     kCodePage + 0x20},
    {Op::atomic_rmw,
     "v0 = env_load.u64 1032\n v1 = const 1\n v2 = atomic_rmw.s32 v0, v1, add\n set_x x10, v2",
     0xffffffff83828180},
    {Op::atomic_cas,
     "v0 = env_load.u64 1032\n v1 = const -2088599168\n v2 = const 5\n v3 = atomic_cas.s32 v0, v1, v2\n"
     "v4 = host_load.u64 v0, 0\n v5 = add v3, v4\n set_x x10, v5",
     0xffffffff83828180 + 0x8786858400000005},
    {Op::atomic_cas,
     "v0 = env_load.u64 1032\n v1 = const 0\n v2 = const 5\n v3 = atomic_cas.s8 v0, v1, v2\n"
     "v4 = host_load.u64 v0, 0\n v5 = add v3, v4\n set_x x10, v5",
     0xffffffffffffff80 + kFirstWord},
    {Op::load_reserved, "v0 = get_x x1\n v1 = load_reserved.u64 v0\n set_x x10, v1", kFirstWord},
    {Op::load_reserved, "v0 = get_x x3\n v1 = load_reserved.u64 v0\n set_x x10, v1", 0x10, kCodePage + 0x20},
    {Op::store_conditional,
     "v0 = get_x x1\n v9 = load_reserved.s32 v0\n v1 = atomic_host.s32 v0\n v2 = store_conditional.s32 v1, "
     "v0, v0\n"
     "v3 = load.u64 v0, 0\n v4 = add v2, v3\n set_x x10, v4",
     0x8786858400005000},
    {Op::store_conditional,
     "v0 = get_x x1\n v1 = atomic_host.s32 v0\n v2 = store_conditional.s32 v1, v0, v0\n set_x x10, v2", 1},
    {Op::store_conditional,
     "v0 = get_x x1\n v9 = load_reserved.u64 v0\n v1 = atomic_host.u64 v0\n store.u8 v0, v0, 7\n"
     "v2 = store_conditional.u64 v1, v0, v0\n set_x x10, v2",
     1},
    {Op::store_conditional,
     "v0 = get_x x1\n v9 = load_reserved.u64 v0\n v1 = atomic_host.u64 v0\n v2 = store_conditional.u64 v1, "
     "v0, v9\n"
     "v3 = store_conditional.u64 v1, v0, v9\n set_x x10, v3",
     1},
    {Op::fence, "v0 = get_x x1\n fence\n set_x x10, v0", kFastPage},
    {Op::call, "v0 = const 5\n v1 = const 3\n v2 = call test_mix, v0, v1\n set_x x10, v2", 5 + 21 + 1},
    {Op::call, "v0 = call test_bump", 0x11},
    {Op::call, "v0 = const 3\n v1 = call test_trap_if_odd, v0\n set_x x10, v1", 0x10, kCodePage + 0x20},
    {Op::call, "v0 = const 4\n v1 = call test_trap_if_odd, v0\n set_x x10, v1", 4},
    {Op::trap_if_zero, "v0 = const 0\n trap_if_zero test_trap, v0\n set_x x10, v0", 0x10, kCodePage + 0x20},
    {Op::trap_if_zero, "v0 = const 2\n trap_if_zero test_trap, v0\n set_x x10, v0", 2},
    {Op::insn, "insn.2 0x22, 0x1\n v0 = get_x x3\n v1 = load.u8 v0, 0", 0x10, kCodePage + 0x22},
    {Op::jump, "jump 0x2345", 0x10, kCodePage + 0x2345},
    {Op::jump, "jump -0x100", 0x10, kCodePage - 0x100},
    {Op::branch, "v0 = get_x x1\n v1 = get_x x2\n branch.ltu v0, v1, 0x80, 0x24", 0x10, kCodePage + 0x80},
    {Op::branch, "v0 = get_x x1\n v1 = get_x x2\n branch.geu v0, v1, 0x80, 0x24", 0x10, kCodePage + 0x24},
    {Op::branch, "v0 = get_x x1\n v1 = get_x x5\n branch.lt v0, v1, 0x80, -0x24", 0x10, kCodePage - 0x24},
    {Op::jump_reg, "v0 = get_x x5\n jump_reg v0", 0x10, 0x8899aabbccddeeff},
    {Op::exit_at, "exit_at 0x30", 0x10, kCodePage + 0x30},
    {Op::exit_pc, "exit_pc", 0x10, kCodePage + 0x20},
    {Op::never, "v0 = const 9\n v1 = call test_trap, v0\n never", 0x10, kCodePage + 0x20},
};

constexpr bool has_row(Op op) {
  for (const ProgramRow& row : kProgramRows)
    if (row.op == op) return true;
  for (const ValueRow& row : kValueRows)
    if (row.op == op) return true;
  return false;
}
constexpr unsigned count_ops_without_row() {
  unsigned count = 0;
  for (unsigned i = 0; i < kOpCount; ++i) count += has_row(static_cast<Op>(i)) ? 0 : 1;
  return count;
}
static_assert(count_ops_without_row() == 0, "every op has a row in kProgramRows or kValueRows");

void prepare(Machine& machine) {
  for (unsigned i = 0; i < machine.guest.memory.size(); ++i)
    machine.guest.memory[i] = static_cast<std::byte>(0x80 + i);
  // The last bytes of the first page, read across its end: 0xfe and 0xff, then 0x80.
  machine.guest.memory[kPageSize - 2] = std::byte{0xfe};
  machine.guest.memory[kPageSize - 1] = std::byte{0xff};
  TestHart& hart = *machine.hart;
  hart.x[1] = kFastPage;
  hart.x[2] = kSlowPage;
  hart.x[3] = kTrapPage;
  hart.x[5] = 0x8899aabbccddeeff;
  hart.x[10] = 0x10;
  hart.f[1] = 0xffffffff40600000;
  hart.f[2] = 0x1234567840600000;
  hart.env[0] = 0xe0e1e2e3e4e5e6e7;
  hart.env[1] = reinterpret_cast<std::uint64_t>(machine.guest.memory.data());
}

/// Parses and verifies a program, which starts with an insn at 0x20.
Unit program(const std::string& text) {
  register_test_helpers();
  Unit unit;
  for (const char* end : {"", "\nexit_at 0x40\n"}) {
    Result<Unit> parsed = parse("unit first=0x20\ninsn.4 0x20, 0xabcd\n" + text + end);
    if (!parsed.ok()) {
      ADD_FAILURE() << parsed.error().message;
      return unit;
    }
    unit = *parsed;
    if (info(unit.insts.back().op).has(kEnds)) break;
  }
  const Status status = verify(unit);
  EXPECT_TRUE(status.ok()) << text << (status.ok() ? "" : status.error().message);
  return unit;
}

TEST(IrInterp, RunsEachProgramRow) {
  for (const ProgramRow& row : kProgramRows) {
    SCOPED_TRACE(row.text);
    Machine machine;
    prepare(machine);
    machine.run(program(row.text));
    EXPECT_EQ(machine.hart->x[10], row.x10);
    EXPECT_EQ(machine.hart->core.pc, row.pc);
  }
}

/// Emits an argument of the type that the op wants; floating-point ones come out of f1, f2, f3.
Value emit_argument(Builder& ir, Type type, std::uint64_t bits, unsigned f) {
  const Value raw = ir.const_(static_cast<std::int64_t>(bits));
  if (type == Type::i64) return raw;
  ir.set_f_bits(raw, f);
  return type == Type::f32 ? ir.get_f32(f) : ir.get_f64(f);
}

/// A unit that computes the row into x10 (integers) or f10.
Unit unit_of(const ValueRow& row) {
  Unit unit;
  Builder ir(unit);
  ir.begin_insn(0, 4, 0);
  const OpInfo& op = info(row.op);
  Inst inst{.op = row.op, .aux = row.aux, .argument_count = op.arguments, .imm = row.imm};
  for (unsigned i = 0; i < op.arguments; ++i)
    inst.args[i] = emit_argument(ir, op.types[i], row.arguments[i], i + 1);
  unit.insts.push_back(inst);
  const Value result{static_cast<std::uint32_t>(unit.insts.size() - 1)};
  if (op.result == Type::i64) ir.set_x(result, 10);
  if (op.result == Type::f32) ir.set_f32(result, 10);
  if (op.result == Type::f64) ir.set_f64(result, 10);
  ir.exit_at(4);
  return unit;
}

TEST(IrInterp, ComputesEachValueRow) {
  for (const ValueRow& row : kValueRows) {
    SCOPED_TRACE(testing::Message() << std::string(info(row.op).name) << "." << unsigned{row.aux} << std::hex
                                    << " 0x" << row.arguments[0] << ", 0x" << row.arguments[1] << ", 0x"
                                    << row.arguments[2]);
    Machine machine;
    machine.hart->core.mxcsr = kDefaultMxcsr | unsigned{row.rounding} << kMxcsrRoundingShift;
    const Unit unit = unit_of(row);
    ASSERT_TRUE(verify(unit).ok());
    machine.run(unit);
    const bool is_integer = info(row.op).result == Type::i64;
    EXPECT_EQ(is_integer ? machine.hart->x[10] : machine.hart->f[10], row.expected);
    EXPECT_EQ(machine.hart->core.mxcsr & kFlagMask, row.flags);
  }
}

TEST(IrInterp, AtomicsComputeAllOperations) {
  struct Row {
    Rmw rmw;
    std::uint64_t after_64, after_32;  ///< of 0xfffffff0'80000001 with 0x00000001'00000003
  };
  constexpr Row kRows[] = {
      {Rmw::swap, 0x0000000100000003, 0xfffffff000000003},
      {Rmw::add, 0xfffffff180000004, 0xfffffff080000004},
      {Rmw::xor_, 0xfffffff180000002, 0xfffffff080000002},
      {Rmw::and_, 0x0000000000000001, 0xfffffff000000001},
      {Rmw::or_, 0xfffffff180000003, 0xfffffff080000003},
      {Rmw::min, 0xfffffff080000001, 0xfffffff080000001},
      {Rmw::max, 0x0000000100000003, 0xfffffff000000003},
      {Rmw::minu, 0x0000000100000003, 0xfffffff000000003},
      {Rmw::maxu, 0xfffffff080000001, 0xfffffff080000001},
  };
  constexpr std::uint64_t kBefore = 0xfffffff080000001;
  for (const Row& row : kRows) {
    for (MemKind kind : {MemKind::u64, MemKind::s32}) {
      SCOPED_TRACE(rmw_name(static_cast<unsigned>(row.rmw)));
      Machine machine;
      std::memcpy(machine.guest.memory.data(), &kBefore, sizeof kBefore);
      Unit unit;
      Builder ir(unit);
      ir.begin_insn(0, 4, 0);
      const Value host = ir.atomic_host(ir.const_(kFastPage), kind);
      ir.set_x(ir.atomic_rmw(host, ir.const_(0x0000000100000003), static_cast<std::int64_t>(row.rmw), kind),
               10);
      ir.exit_at(4);
      machine.run(unit);
      std::uint64_t after = 0;
      std::memcpy(&after, machine.guest.memory.data(), sizeof after);
      EXPECT_EQ(after, kind == MemKind::u64 ? row.after_64 : row.after_32);
      EXPECT_EQ(machine.hart->x[10], kind == MemKind::u64 ? kBefore : 0xffffffff80000001);
    }
  }
}

TEST(IrInterp, AtomicsOfBytesAndHalfwordsLeaveTheirNeighboursAlone) {
  struct Row {
    Rmw rmw;
    std::uint16_t after_16;
    std::uint8_t after_8;  ///< of 0x80f1 with 0x0105
  };
  constexpr Row kRows[] = {
      {Rmw::swap, 0x0105, 0x05}, {Rmw::add, 0x81f6, 0xf6},  {Rmw::xor_, 0x81f4, 0xf4},
      {Rmw::and_, 0x0001, 0x01}, {Rmw::or_, 0x81f5, 0xf5},  {Rmw::min, 0x80f1, 0xf1},
      {Rmw::max, 0x0105, 0x05},  {Rmw::minu, 0x0105, 0x05}, {Rmw::maxu, 0x80f1, 0xf1},
  };
  constexpr std::uint64_t kBefore = 0x1122334480f15566;
  for (const Row& row : kRows) {
    for (const MemKind kind : {MemKind::s8, MemKind::s16}) {
      SCOPED_TRACE(rmw_name(static_cast<unsigned>(row.rmw)));
      Machine machine;
      std::memcpy(machine.guest.memory.data(), &kBefore, sizeof kBefore);
      Unit unit;
      Builder ir(unit);
      ir.begin_insn(0, 4, 0);
      const Value host = ir.atomic_host(ir.const_(kFastPage + 2), kind);
      ir.set_x(ir.atomic_rmw(host, ir.const_(0x770105), static_cast<std::int64_t>(row.rmw), kind), 10);
      ir.exit_at(4);
      machine.run(unit);
      std::uint64_t after = 0;
      std::memcpy(&after, machine.guest.memory.data(), sizeof after);
      const bool is_byte = kind == MemKind::s8;
      const std::uint64_t expected = is_byte ? 0x8000u | row.after_8 : row.after_16;
      EXPECT_EQ(after, 0x1122334400005566 | expected << 16);
      EXPECT_EQ(machine.hart->x[10], is_byte ? 0xfffffffffffffff1 : 0xffffffffffff80f1);
    }
  }
}

TEST(IrInterp, AccessesInTheTlbTakeNoSlowPath) {
  Machine machine;
  prepare(machine);
  machine.run(
      program("v0 = get_x x1\n v1 = load.u64 v0, 8\n store.u32 v0, v1, 4092\n v2 = atomic_host.u64 v0"));
  EXPECT_EQ(machine.guest.slow_accesses, 0u);
  machine.run(program("v0 = get_x x1\n v1 = load.u64 v0, 4089\n store.u32 v0, v1, 4093"));
  EXPECT_EQ(machine.guest.slow_accesses, 2u);
}

TEST(IrInterp, StoresUseTheWriteTable) {
  Machine machine;
  prepare(machine);
  machine.write[tlb_index(kFastPage)].tag = kNoTag;
  machine.run(
      program("v0 = get_x x1\n v1 = load.u64 v0, 8\n store.u32 v0, v1, 16\n v2 = atomic_host.u64 v0"));
  EXPECT_EQ(machine.guest.slow_accesses, 2u);
}

TEST(IrInterp, TrapIfZeroPassesTheRawInstruction) {
  Machine machine;
  machine.run(program("insn.2 0x26, 0x9002\n v0 = const 0\n trap_if_zero test_trap, v0\n set_x x10, v0"));
  EXPECT_EQ(machine.hart->calls, 0x9002u);
  EXPECT_EQ(machine.hart->core.pc, kCodePage + 0x26);
  EXPECT_NE(machine.hart->core.trap_pending, 0u);
}

// What was done by earlier guest instructions stays, nothing of the trapping one happens.
TEST(IrInterp, StateIsExactAtATrap) {
  Machine machine;
  prepare(machine);
  machine.run(
      program("v0 = const 77\n set_x x6, v0\n insn.4 0x24, 0x0\n v1 = get_x x3\n v2 = load.u64 v1, 0\n"
              "set_x x7, v2\n set_x x6, v2"));
  EXPECT_EQ(machine.hart->x[6], 77u);
  EXPECT_EQ(machine.hart->x[7], 0u);
  EXPECT_EQ(machine.hart->core.pc, kCodePage + 0x24);
}

// frm and fflags that a helper writes take effect at once, and it sees the flags so far.
TEST(IrInterp, HelpersSeeAndSetFcsr) {
  Machine machine;
  machine.hart->f[1] = 0xffffffff3f800000;  // 1.0
  machine.hart->f[2] = 0xffffffff40400000;  // 3.0
  machine.run(
      program("v0 = get_f32 f1\n v1 = get_f32 f2\n v2 = fdiv_s v0, v1\n v3 = const 0x5f80\n"
              "v4 = call test_set_mxcsr, v3\n set_x x10, v4\n v5 = fdiv_s v0, v1\n set_f32 f10, v5"));
  EXPECT_EQ(machine.hart->x[10], 0x1fa0u);             // inexact so far
  EXPECT_EQ(machine.hart->f[10], 0xffffffff3eaaaaab);  // rounded up, as to nearest
  machine.run(
      program("v3 = const 0x3f80\n v4 = call test_set_mxcsr, v3\n v0 = get_f32 f1\n v1 = get_f32 f2\n"
              "v5 = fdiv_s v0, v1\n set_f32 f10, v5"));
  EXPECT_EQ(machine.hart->f[10], 0xffffffff3eaaaaaa);  // rounded down
  EXPECT_EQ(machine.hart->core.mxcsr, 0x3fa0u);
}

TEST(IrInterp, RunsUnitsLongerThanItsFirstArena) {
  Unit unit;
  Builder ir(unit);
  ir.begin_insn(0, 4, 0);
  Value sum = ir.const_(0);
  const Value one = ir.const_(1);
  constexpr unsigned kAdds = 5000;
  for (unsigned i = 0; i < kAdds; ++i) sum = ir.add(sum, one);
  ir.set_x(sum, 10);
  ir.exit_at(4);
  Machine machine;
  machine.run(unit);
  EXPECT_EQ(machine.hart->x[10], kAdds);
}

}  // namespace
}  // namespace gstage::tcg::test
