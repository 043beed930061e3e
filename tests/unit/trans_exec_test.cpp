// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/trans_fixture.h"

// What translated instructions do, executed by the interpreter.

namespace gstage::riscv {
namespace {

constexpr std::uint64_t kMinus1 = ~std::uint64_t{0};
constexpr std::uint64_t kMin64 = std::uint64_t{1} << 63;
constexpr std::uint64_t kMin32 = 0xffffffff80000000;

using Exec = TransTest;

// Integer arithmetic. Operands that tell the operation from its neighbours.
struct RegisterRow {
  Insn insn;
  std::uint64_t a, b, result;
};
constexpr RegisterRow kRegisterRows[] = {
    {Insn::add, 0xffffffff, 1, 0x100000000},
    {Insn::sub, 1, 2, kMinus1},
    {Insn::sll, 1, 64 + 63, kMin64},
    {Insn::slt, kMinus1, 0, 1},
    {Insn::slt, 0, kMinus1, 0},
    {Insn::sltu, kMinus1, 0, 0},
    {Insn::sltu, 0, kMinus1, 1},
    {Insn::xor_, 0b1100, 0b1010, 0b0110},
    {Insn::srl, kMinus1, 64 + 60, 15},
    {Insn::sra, kMin64, 60, 0xfffffffffffffff8},
    {Insn::or_, 0b1100, 0b1010, 0b1110},
    {Insn::and_, 0b1100, 0b1010, 0b1000},
    {Insn::addw, 0x7fffffff, 1, kMin32},
    {Insn::subw, 0x100000000, 1, kMinus1},
    {Insn::sllw, 3, 32 + 31, kMin32},
    {Insn::srlw, 0xf80000000, 32 + 31, 1},
    {Insn::sraw, 0x080000000, 31, kMinus1},
    {Insn::mul, 0x100000001, 0x100000001, 0x200000001},
    {Insn::mulh, kMinus1, kMinus1, 0},
    {Insn::mulhu, kMinus1, kMinus1, 0xfffffffffffffffe},
    {Insn::mulhsu, kMinus1, kMinus1, kMinus1},
    {Insn::div, static_cast<std::uint64_t>(-7), 2, static_cast<std::uint64_t>(-3)},
    {Insn::div, 5, 0, kMinus1},
    {Insn::div, kMin64, kMinus1, kMin64},
    {Insn::divu, kMinus1, 16, 0x0fffffffffffffff},
    {Insn::rem, static_cast<std::uint64_t>(-7), 2, kMinus1},
    {Insn::rem, 5, 0, 5},
    {Insn::remu, kMinus1, 16, 15},
    {Insn::mulw, 0x10000, 0x18000, kMin32},
    {Insn::divw, 0x1fffffff9, 2, static_cast<std::uint64_t>(-3)},
    {Insn::divuw, kMinus1, 1, kMinus1},
    {Insn::divuw, 0xfffffff0, 16, 0x0fffffff},
    {Insn::remw, 0xfffffff9, 2, kMinus1},
    {Insn::remuw, 0xfffffff9, 16, 9},
};
TEST_F(Exec, RegisterArithmetic) {
  for (const RegisterRow& row : kRegisterRows) {
    hart_.x[11] = row.a;
    hart_.x[12] = row.b;
    EXPECT_EQ(x10_after(encode(row.insn, ArgsR{10, 11, 12})), row.result) << row_of(row.insn).name;
  }
}

TEST_F(Exec, RegisterArithmeticInPlaceAndWithX0) {
  for (const RegisterRow& row : kRegisterRows) {
    hart_.x[10] = row.a;
    hart_.x[12] = row.b;
    EXPECT_EQ(x10_after(encode(row.insn, ArgsR{10, 10, 12})), row.result) << row_of(row.insn).name;
    hart_.x[0] = 0;
    run(Code({encode(row.insn, ArgsR{0, 10, 12}), kEnd}));
    EXPECT_EQ(hart_.x[0], 0u) << row_of(row.insn).name;
  }
  hart_.x[12] = 7;
  EXPECT_EQ(x10_after(encode(Insn::add, ArgsR{10, 0, 12})), 7u);
  EXPECT_EQ(x10_after(encode(Insn::add, ArgsR{10, 12, 0})), 7u);
  EXPECT_EQ(x10_after(encode(Insn::sltu, ArgsR{10, 0, 12})), 1u);
  EXPECT_EQ(x10_after(encode(Insn::sub, ArgsR{10, 0, 12})), static_cast<std::uint64_t>(-7));
}

struct ImmediateRow {
  Insn insn;
  std::uint64_t a;
  std::int32_t imm;
  std::uint64_t result;
};
constexpr ImmediateRow kImmediateRows[] = {
    {Insn::addi, 1, -2, kMinus1},
    {Insn::addi, 5, 0, 5},
    {Insn::slti, kMinus1, 0, 1},
    {Insn::slti, 0, -1, 0},
    {Insn::sltiu, 5, -1, 1},
    {Insn::sltiu, kMinus1, 1, 0},
    {Insn::xori, 5, -1, static_cast<std::uint64_t>(-6)},
    {Insn::ori, 5, -16, static_cast<std::uint64_t>(-11)},
    {Insn::andi, 0x1234, 0xff, 0x34},
    {Insn::andi, 0x1234, -16, 0x1230},
    {Insn::addiw, 0x7fffffff, 1, kMin32},
    {Insn::addiw, 0x180000000, 0, kMin32},
    {Insn::slli, 1, 63, kMin64},
    {Insn::srli, kMin64, 63, 1},
    {Insn::srai, kMin64, 63, kMinus1},
    {Insn::slliw, 1, 31, kMin32},
    {Insn::srliw, 0xf80000000, 31, 1},
    {Insn::sraiw, 0x080000000, 31, kMinus1},
};
std::uint32_t encode_immediate(const ImmediateRow& row, std::uint8_t rd, std::uint8_t rs1) {
  if (row_of(row.insn).format == Format::kShift)
    return encode(row.insn, ArgsShift{rd, rs1, static_cast<std::uint8_t>(row.imm)});
  return encode(row.insn, ArgsI{rd, rs1, row.imm});
}
TEST_F(Exec, ImmediateArithmetic) {
  for (const ImmediateRow& row : kImmediateRows) {
    hart_.x[11] = row.a;
    EXPECT_EQ(x10_after(encode_immediate(row, 10, 11)), row.result) << row_of(row.insn).name;
    hart_.x[10] = row.a;
    EXPECT_EQ(x10_after(encode_immediate(row, 10, 10)), row.result) << row_of(row.insn).name;
  }
  EXPECT_EQ(x10_after(encode(Insn::addi, ArgsI{10, 0, -5})), static_cast<std::uint64_t>(-5));
  EXPECT_EQ(x10_after(encode(Insn::lui, ArgsU{10, INT32_MIN})), kMin32);
  EXPECT_EQ(x10_after(encode(Insn::auipc, ArgsU{10, 0x1000})), kPage + Code::kStart + 0x1000);
  EXPECT_EQ(x10_after(encode(Insn::auipc, ArgsU{10, -0x1000})), kPage + Code::kStart - 0x1000);
}

// Memory.
struct LoadRow {
  Insn insn;
  std::uint64_t result;
};
constexpr LoadRow kLoadRows[] = {
    {Insn::lb, 0xffffffffffffff88},
    {Insn::lh, 0xffffffffffff9988},
    {Insn::lw, 0xffffffffbbaa9988},
    {Insn::ld, 0xffeeddccbbaa9988},
    {Insn::lbu, 0x88},
    {Insn::lhu, 0x9988},
    {Insn::lwu, 0x00000000bbaa9988},
};
TEST_F(Exec, Loads) {
  const std::uint64_t value = 0xffeeddccbbaa9988;
  std::memcpy(&guest_.memory[0x18], &value, sizeof value);
  hart_.x[11] = PageGuest::kBase + 0x20;
  for (const LoadRow& row : kLoadRows)
    EXPECT_EQ(x10_after(encode(row.insn, ArgsI{10, 11, -8})), row.result) << row_of(row.insn).name;
}

TEST_F(Exec, Stores) {
  constexpr std::pair<Insn, std::uint64_t> kRows[] = {{Insn::sb, 0x11111111111111ff},
                                                      {Insn::sh, 0x111111111111eeff},
                                                      {Insn::sw, 0x11111111ccddeeff},
                                                      {Insn::sd, 0x8899aabbccddeeff}};
  hart_.x[11] = PageGuest::kBase;
  hart_.x[12] = 0x8899aabbccddeeff;
  for (const auto& [insn, expected] : kRows) {
    std::uint64_t value = 0x1111111111111111;
    std::memcpy(&guest_.memory[8], &value, sizeof value);
    run(Code({encode(insn, ArgsS{11, 12, 8}), kEnd}));
    std::memcpy(&value, &guest_.memory[8], sizeof value);
    EXPECT_EQ(value, expected) << row_of(insn).name;
  }
}

TEST_F(Exec, FaultsLeaveTheRegisterAndNameTheInstruction) {
  hart_.x[11] = 0x5000;
  hart_.x[10] = 99;
  run(Code({0x00000013, encode(Insn::ld, ArgsI{10, 11, 0}), kEnd}));
  EXPECT_EQ(hart_.core.trap_pending, 1u);
  EXPECT_EQ(hart_.core.pc, kPage + Code::kStart + 4);
  EXPECT_EQ(hart_.x[10], 99u);
}

// Atomics.
struct AmoRow {
  Insn insn;
  std::uint64_t memory, operand, result;
};
constexpr AmoRow kAmoRows[] = {
    {Insn::amoswap_w, 0x1122334480000000, 5, 0x1122334400000005},
    {Insn::amoadd_w, 0x11223344ffffffff, 2, 0x1122334400000001},
    {Insn::amoxor_w, 0x112233440000000c, 10, 0x1122334400000006},
    {Insn::amoand_w, 0x112233440000000c, 10, 0x1122334400000008},
    {Insn::amoor_w, 0x112233440000000c, 10, 0x112233440000000e},
    {Insn::amomin_w, 0x1122334480000000, 1, 0x1122334480000000},
    {Insn::amomax_w, 0x1122334480000000, 1, 0x1122334400000001},
    {Insn::amominu_w, 0x1122334480000000, 1, 0x1122334400000001},
    {Insn::amomaxu_w, 0x1122334480000000, 1, 0x1122334480000000},
    {Insn::amoswap_d, kMin64, 5, 5},
    {Insn::amoadd_d, kMinus1, 2, 1},
    {Insn::amoxor_d, 12, 10, 6},
    {Insn::amoand_d, 12, 10, 8},
    {Insn::amoor_d, 12, 10, 14},
    {Insn::amomin_d, kMin64, 1, kMin64},
    {Insn::amomax_d, kMin64, 1, 1},
    {Insn::amominu_d, kMin64, 1, 1},
    {Insn::amomaxu_d, kMin64, 1, kMin64},
};
TEST_F(Exec, Amos) {
  hart_.x[11] = PageGuest::kBase + 16;
  for (const AmoRow& row : kAmoRows) {
    std::memcpy(&guest_.memory[16], &row.memory, 8);
    hart_.x[12] = row.operand;
    const bool is_word = std::string(row_of(row.insn).name).ends_with("_w");
    const std::uint64_t old = is_word ? sign_extend(row.memory, 32) : row.memory;
    EXPECT_EQ(x10_after(encode(row.insn, ArgsAmo{10, 11, 12, true, true})), old) << row_of(row.insn).name;
    std::uint64_t memory = 0;
    std::memcpy(&memory, &guest_.memory[16], 8);
    EXPECT_EQ(memory, row.result) << row_of(row.insn).name;
  }
}

TEST_F(Exec, StoreConditionalNeedsTheReservation) {
  constexpr std::pair<Insn, Insn> kPairs[] = {{Insn::lr_w, Insn::sc_w}, {Insn::lr_d, Insn::sc_d}};
  hart_.x[11] = PageGuest::kBase + 16;
  hart_.x[12] = 0x1122334455667788;
  for (const auto& [lr, sc] : kPairs) {
    std::uint64_t memory = 0x99aabbccf0000001;
    std::memcpy(&guest_.memory[16], &memory, 8);
    const std::uint64_t expected = lr == Insn::lr_w ? sign_extend(memory, 32) : memory;
    EXPECT_EQ(x10_after(encode(lr, ArgsAmo{10, 11, 0, false, false})), expected);
    EXPECT_EQ(x10_after(encode(sc, ArgsAmo{10, 11, 12, false, false})), 0u);
    std::memcpy(&memory, &guest_.memory[16], 8);
    EXPECT_EQ(memory, lr == Insn::lr_w ? 0x99aabbcc55667788 : 0x1122334455667788);
    EXPECT_EQ(x10_after(encode(sc, ArgsAmo{10, 11, 12, false, false})), 1u);
  }
}

// Control flow.
TEST_F(Exec, BranchesCompare) {
  struct Row {
    Insn insn;
    std::uint64_t a, b;
    bool is_taken;
  };
  constexpr Row kRows[] = {
      {Insn::beq, 1, 1, true},         {Insn::beq, 1, 2, false},       {Insn::bne, 1, 2, true},
      {Insn::bne, 1, 1, false},        {Insn::blt, kMinus1, 1, true},  {Insn::blt, 1, kMinus1, false},
      {Insn::bge, 1, kMinus1, true},   {Insn::bge, kMinus1, 1, false}, {Insn::bge, 1, 1, true},
      {Insn::bltu, kMinus1, 1, false}, {Insn::bltu, 1, kMinus1, true}, {Insn::bgeu, 1, kMinus1, false},
      {Insn::bgeu, kMinus1, 1, true},  {Insn::bgeu, 1, 1, true},
  };
  for (const Row& row : kRows) {
    hart_.x[11] = row.a;
    hart_.x[12] = row.b;
    run(Code({encode(row.insn, ArgsB{11, 12, -64})}));
    const std::uint64_t start = kPage + Code::kStart;
    EXPECT_EQ(hart_.core.pc, row.is_taken ? start - 64 : start + 4) << row_of(row.insn).name;
  }
}

TEST_F(Exec, JumpsLink) {
  run(Code({encode(Insn::jal, ArgsJ{1, -0x10000})}));
  EXPECT_EQ(hart_.core.pc, kPage + Code::kStart - 0x10000);
  EXPECT_EQ(hart_.x[1], kPage + Code::kStart + 4);
  hart_.x[1] = 0x12345;
  run(Code({encode(Insn::jalr, ArgsI{1, 1, 4})}));
  EXPECT_EQ(hart_.core.pc, 0x12348u);
  EXPECT_EQ(hart_.x[1], kPage + Code::kStart + 4);
}

TEST_F(Exec, CompressedJumpsLinkTwoBytesOn) {
  hart_.x[6] = 0x4000;
  Code code({});
  code.put16(Code::kStart, 0x9302);  // c.jalr t1
  run(code);
  EXPECT_EQ(hart_.core.pc, 0x4000u);
  EXPECT_EQ(hart_.x[1], kPage + Code::kStart + 2);
}

TEST_F(Exec, WithoutCTargetsAreAligned) {
  const auto trapped = [this](std::uint32_t insn) {
    hart_.core.trap_pending = 0;
    Code code({insn});
    code.config.zca = false;
    run(code);
    return hart_.core.trap_pending != 0;
  };
  hart_.x[1] = 77;
  EXPECT_TRUE(trapped(encode(Insn::jal, ArgsJ{1, 6})));
  EXPECT_EQ(hart_.trap.cause, Cause::kFetchMisaligned);
  EXPECT_EQ(hart_.trap.tval, kPage + Code::kStart + 6);
  EXPECT_EQ(hart_.x[1], 77u);
  EXPECT_FALSE(trapped(encode(Insn::jal, ArgsJ{1, 8})));
  hart_.x[5] = 0x1002;
  EXPECT_TRUE(trapped(encode(Insn::jalr, ArgsI{0, 5, 0})));
  EXPECT_EQ(hart_.trap.tval, 0x1002u);
  EXPECT_FALSE(trapped(encode(Insn::jalr, ArgsI{0, 5, 3})));
  EXPECT_EQ(hart_.core.pc, 0x1004u);
  EXPECT_TRUE(trapped(encode(Insn::beq, ArgsB{0, 0, 6})));
  EXPECT_FALSE(trapped(encode(Insn::bne, ArgsB{0, 0, 6})));
  EXPECT_EQ(hart_.core.pc, kPage + Code::kStart + 4);
}

// CSRs that need no helper.
std::uint32_t csr_insn(Insn insn, unsigned number, unsigned rd, unsigned rs1) {
  return encode(insn, ArgsCsr{static_cast<std::uint8_t>(rd), static_cast<std::uint8_t>(rs1),
                              static_cast<std::uint16_t>(number)});
}
TEST_F(Exec, PlainCsrs) {
  struct Row {
    unsigned number;
    std::uint64_t* value;
    std::uint64_t write_mask;
  };
  const Row rows[] = {{0x140, &hart_.hs.scratch, kMinus1}, {0x141, &hart_.hs.epc, ~std::uint64_t{1}},
                      {0x142, &hart_.hs.cause, kMinus1},   {0x143, &hart_.hs.tval, kMinus1},
                      {0x340, &hart_.mscratch, kMinus1},   {0x341, &hart_.mepc, ~std::uint64_t{1}},
                      {0x342, &hart_.mcause, kMinus1},     {0x343, &hart_.mtval, kMinus1}};
  for (const Row& row : rows) {
    *row.value = 0xf0;
    hart_.x[10] = 0x10f;
    EXPECT_EQ(x10_after(csr_insn(Insn::csrrw, row.number, 10, 10)), 0xf0u) << std::hex << row.number;
    EXPECT_EQ(*row.value, 0x10f & row.write_mask);
    hart_.x[11] = 0x30;
    EXPECT_EQ(x10_after(csr_insn(Insn::csrrs, row.number, 10, 11)), 0x10f & row.write_mask);
    EXPECT_EQ(*row.value, 0x13f & row.write_mask);
    EXPECT_EQ(x10_after(csr_insn(Insn::csrrc, row.number, 10, 11)), 0x13f & row.write_mask);
    EXPECT_EQ(*row.value, 0x10f & row.write_mask);
    x10_after(csr_insn(Insn::csrrwi, row.number, 0, 6));
    EXPECT_EQ(*row.value, 6u);
    x10_after(csr_insn(Insn::csrrsi, row.number, 0, 8));
    EXPECT_EQ(*row.value, 14u);
    EXPECT_EQ(x10_after(csr_insn(Insn::csrrci, row.number, 10, 2)), 14u);
    EXPECT_EQ(*row.value, 12u);
    EXPECT_EQ(x10_after(csr_insn(Insn::csrrs, row.number, 10, 0)), 12u);
  }
  hart_.hs.tvec = 0x1230;
  EXPECT_EQ(x10_after(csr_insn(Insn::csrrs, 0x105, 10, 0)), 0x1230u);
  hart_.mtvec = 0x4560;
  EXPECT_EQ(x10_after(csr_insn(Insn::csrrs, 0x305, 10, 0)), 0x4560u);
}

TEST_F(Exec, SupervisorCsrsAreThoseOfTheActiveBank) {
  hart_.priv = kSupervisor;
  hart_.v = 1;
  hart_.s = &hart_.vs;
  hart_.hs.scratch = 1;
  hart_.vs.scratch = 2;
  hart_.x[11] = 3;
  EXPECT_EQ(x10_after(csr_insn(Insn::csrrw, 0x140, 10, 11)), 2u);
  EXPECT_EQ(hart_.vs.scratch, 3u);
  EXPECT_EQ(hart_.hs.scratch, 1u);
}

TEST_F(Exec, DisablingInterruptsTouchesNothingElse) {
  hart_.priv = kSupervisor;
  hart_.hs.status = 0x8000000200006123 | 2;
  run(Code({csr_insn(Insn::csrrci, 0x100, 0, 2), kEnd}));
  EXPECT_EQ(hart_.hs.status, 0x8000000200006121u);
}

TEST_F(Exec, SstatusReadsWithFsAsItIsAndSdSummedUp) {
  hart_.priv = kSupervisor;
  struct Row {
    std::uint64_t stored, fp_dirty, seen;
  };
  constexpr Row kRows[] = {
      {0x200000122, 0, 0x200000122},        {0x200002122, 0, 0x200002122},
      {0x200004122, 0, 0x200004122},        {0x200006122, 0, 0x8000000200006122},
      {0x2000c2020, 0, 0x2000c2020},        {0x200002122, 1, 0x8000000200006122},
      {0x200004000, 1, 0x8000000200006000},
  };
  for (const Row& row : kRows) {
    hart_.hs.status = row.stored;
    hart_.fp_dirty = row.fp_dirty;
    EXPECT_EQ(x10_after(csr_insn(Insn::csrrs, 0x100, 10, 0)), row.seen) << std::hex << row.stored;
    EXPECT_EQ(hart_.hs.status, row.stored);
    EXPECT_EQ(x10_after(csr_insn(Insn::csrrci, 0x100, 10, 2)), row.seen) << std::hex << row.stored;
    EXPECT_EQ(hart_.hs.status, row.stored & ~std::uint64_t{2});
  }
}

}  // namespace
}  // namespace gstage::riscv
