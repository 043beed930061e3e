// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "target/riscv/decode/random.h"

#include "tests/unit/trans_fixture.h"

// Where blocks begin and end, what they check, and in which mode what is legal.

namespace gstage::riscv {
namespace {

using tcg::Op;
using tcg::Unit;

constexpr std::uint32_t kU = kUser;
constexpr std::uint32_t kHs = kSupervisor;
constexpr std::uint32_t kM = kMachine;
constexpr std::uint32_t kVu = kUser | block_flags::kVirtual;
constexpr std::uint32_t kVs = kSupervisor | block_flags::kVirtual;
constexpr std::uint32_t kModes[] = {kU, kHs, kM, kVu, kVs};

constexpr std::uint32_t kNop = 0x00000013;
constexpr std::uint32_t kRet = 0x00008067;
constexpr std::uint32_t kSret = 0x10200073;
constexpr std::uint32_t kMret = 0x30200073;
constexpr std::uint32_t kWfi = 0x10500073;
constexpr std::uint32_t kSfence = 0x12b50073;  // sfence.vma a0,a1
constexpr std::uint32_t kFenceI = 0x0000100f;
constexpr std::uint32_t kEcall = 0x00000073;
constexpr std::uint32_t kFaddD = 0x02c5f553;  // fadd.d fa0,fa1,fa2

std::uint32_t csr_insn(Insn insn, unsigned number, unsigned rd, unsigned rs1) {
  return encode(insn, ArgsCsr{static_cast<std::uint8_t>(rd), static_cast<std::uint8_t>(rs1),
                              static_cast<std::uint16_t>(number)});
}

TEST(TransBlock, EndsAtAJump) {
  const Unit unit = Code({kNop, kRet, kNop}).translate();
  EXPECT_EQ(unit.guest_insns, 2u);
  EXPECT_EQ(unit.guest_bytes, 8u);
  EXPECT_EQ(unit.first_offset, Code::kStart);
  EXPECT_EQ(unit.flags, kM);
  EXPECT_EQ(end_of(unit).op, Op::jump_reg);
}

TEST(TransBlock, BranchNamesBothSides) {
  const Unit unit = Code({encode(Insn::bltu, ArgsB{10, 11, -16})}).translate();
  const tcg::Inst& end = end_of(unit);
  EXPECT_EQ(end.op, Op::branch);
  EXPECT_EQ(end.aux, static_cast<std::uint8_t>(tcg::Cond::ltu));
  EXPECT_EQ(end.imm, std::int64_t{Code::kStart} - 16);
  EXPECT_EQ(end.imm2, static_cast<std::int32_t>(Code::kStart) + 4);
}

TEST(TransBlock, HasAtMostAsManyInstructionsAsAskedFor) {
  const Unit unit = Code({kNop, kNop, kNop}).translate(kM, 2);
  EXPECT_EQ(unit.guest_insns, 2u);
  EXPECT_EQ(end_of(unit).op, Op::jump);
  EXPECT_EQ(end_of(unit).imm, std::int64_t{Code::kStart} + 8);
}

TEST(TransBlock, HasALimitOfItsOwn) {
  Code code({});
  for (unsigned at = Code::kStart; at < 0x800; at += 2) code.put16(at, 0x0001);
  const Unit unit = code.translate();
  EXPECT_EQ(unit.guest_insns, 64u);
  EXPECT_EQ(unit.guest_bytes, 128u);
}

TEST(TransBlock, EndsWithThePage) {
  const Unit unit = Code({kNop, kNop}, kPageSize - 8).translate();
  EXPECT_EQ(unit.guest_insns, 2u);
  EXPECT_EQ(end_of(unit).op, Op::jump);
  EXPECT_EQ(end_of(unit).imm, 4096);
}

TEST(TransBlock, EndsBeforeAnInstructionThatStraddlesPages) {
  Code code({}, kPageSize - 4);
  code.put16(kPageSize - 4, 0x0001).put16(kPageSize - 2, kNop & 0xffff);
  const Unit unit = code.translate();
  EXPECT_EQ(unit.guest_insns, 1u);
  EXPECT_EQ(end_of(unit).imm, 4094);
}

TEST(TransBlock, StraddlingInstructionIsABlockOfItsOwn) {
  const std::uint32_t addi = encode(Insn::addi, ArgsI{10, 0, 0x123});
  const Unit unit = Code({addi, kNop}, kPageSize - 2).translate();
  EXPECT_EQ(unit.guest_insns, 1u);
  EXPECT_EQ(unit.guest_bytes, 4u);
  EXPECT_EQ(end_of(unit).op, Op::jump);
  EXPECT_EQ(end_of(unit).imm, 4098);
  EXPECT_EQ(unit.insts[0].imm2, static_cast<std::int32_t>(addi));
}

TEST(TransBlock, MarksEachInstruction) {
  Code code({});
  code.put16(Code::kStart, 0x4501).put16(Code::kStart + 2, 0x8082);
  const Unit unit = code.translate();
  ASSERT_EQ(count_op(unit, Op::insn), 2u);
  EXPECT_EQ(unit.insts[0].imm, Code::kStart);
  EXPECT_EQ(unit.insts[0].aux, 2);
  EXPECT_EQ(unit.insts[0].imm2, 0x4501);
}

TEST(TransBlock, WritesOfX0Vanish) {
  const Unit unit =
      Code({encode(Insn::add, ArgsR{0, 11, 12}), encode(Insn::lui, ArgsU{0, 0x1000}), kRet}).translate();
  EXPECT_EQ(count_op(unit, Op::set_x), 0u);
  EXPECT_EQ(count_op(unit, Op::add), 0u);
}

TEST(TransBlock, LoadsIntoX0StillAccessMemory) {
  const Unit unit = Code({encode(Insn::ld, ArgsI{0, 11, 8}), kRet}).translate();
  EXPECT_EQ(count_op(unit, Op::load), 1u);
}

TEST(TransBlock, OnlyFencesOfStoresBeforeLoadsCost) {
  const auto fences = [](unsigned pred, unsigned succ, unsigned fm) {
    const ArgsFence args{static_cast<std::uint8_t>(fm), static_cast<std::uint8_t>(pred),
                         static_cast<std::uint8_t>(succ)};
    return count_op(Code({encode(Insn::fence, args), kRet}).translate(), Op::fence);
  };
  EXPECT_EQ(fences(15, 15, 0), 1u);
  EXPECT_EQ(fences(1, 2, 0), 1u);
  EXPECT_EQ(fences(4, 8, 0), 1u);
  EXPECT_EQ(fences(2, 3, 0), 0u);  // r,rw
  EXPECT_EQ(fences(3, 1, 0), 0u);  // rw,w
  EXPECT_EQ(fences(3, 3, 8), 0u);  // fence.tso
  EXPECT_EQ(fences(1, 0, 0), 0u);  // pause
}

// Regimes.
TEST(TransBlock, LeavesAfterWhatMayChangeTheRegime) {
  EXPECT_EQ(end_of(Code({kFenceI, kRet}).translate()).op, Op::exit_at);
  EXPECT_EQ(end_of(Code({kSfence, kRet}).translate()).op, Op::exit_at);
  EXPECT_EQ(end_of(Code({kWfi, kRet}).translate()).op, Op::exit_at);
  EXPECT_EQ(end_of(Code({kSret, kRet}).translate()).op, Op::exit_pc);
  EXPECT_EQ(end_of(Code({kMret, kRet}).translate()).op, Op::exit_pc);
  EXPECT_EQ(end_of(Code({kEcall, kRet}).translate()).op, Op::never);
  EXPECT_EQ(end_of(Code({0x00100073, kRet}).translate()).op, Op::exit_pc) << "it may be a semihosting call";
}

TEST(TransBlock, LeavesAfterMostCsrWrites) {
  for (const unsigned number :
       {0x100u, 0x104u, 0x144u, 0x180u, 0x300u, 0x304u, 0x3a0u, 0x600u, 0x680u, 0x002u, 0x003u}) {
    const Unit unit = Code({csr_insn(Insn::csrrw, number, 10, 11), kRet}).translate();
    EXPECT_EQ(end_of(unit).op, Op::exit_at) << std::hex << number;
    EXPECT_EQ(end_of(unit).imm, Code::kStart + 4);
    EXPECT_TRUE(calls(unit, number == 0x100 ? k_sstatus : k_csr));
  }
}

// Interrupts that a write enables are taken before the next instruction ("Supervisor Interrupt (sip and sie)
// Registers"); clearing bits of sstatus enables none.
TEST(TransBlock, LeavesAfterWritesOfSstatusButThoseThatOnlyClear) {
  for (const Insn insn : {Insn::csrrw, Insn::csrrs}) {
    const Unit unit = Code({csr_insn(insn, 0x100, 10, 11), kRet}).translate(kHs);
    EXPECT_EQ(end_of(unit).op, Op::exit_at);
    EXPECT_TRUE(calls(unit, k_sstatus));
  }
  const Unit clear = Code({csr_insn(Insn::csrrc, 0x100, 10, 11), kRet}).translate(kHs);
  EXPECT_EQ(clear.guest_insns, 2u);
  EXPECT_TRUE(calls(clear, k_sstatus));
  EXPECT_FALSE(calls(Code({csr_insn(Insn::csrrc, 0x100, 10, 11), kRet}).translate(kU), k_sstatus));
}

TEST(TransBlock, GoesOnAfterCsrReadsAndHarmlessWrites) {
  EXPECT_EQ(Code({csr_insn(Insn::csrrs, 0x300, 10, 0), kRet}).translate().guest_insns, 2u);
  EXPECT_EQ(Code({csr_insn(Insn::csrrci, 0x300, 10, 0), kRet}).translate().guest_insns, 2u);
  for (const unsigned number : {0x001u, 0x105u, 0x140u, 0x14du, 0x241u, 0x302u, 0x340u, 0x643u})
    EXPECT_EQ(Code({csr_insn(Insn::csrrw, number, 10, 11), kRet}).translate().guest_insns, 2u)
        << std::hex << number;
}

TEST(TransBlock, InlinesPlainCsrsOnlyWithThePrivilege) {
  const Code sscratch({csr_insn(Insn::csrrw, 0x140, 10, 11), kRet});
  EXPECT_FALSE(calls(sscratch.translate(kHs), k_csr));
  EXPECT_FALSE(calls(sscratch.translate(kVs), k_csr));
  EXPECT_FALSE(calls(sscratch.translate(kM), k_csr));
  EXPECT_TRUE(calls(sscratch.translate(kU), k_csr));
  EXPECT_TRUE(calls(sscratch.translate(kVu), k_csr));
  const Code mscratch({csr_insn(Insn::csrrw, 0x340, 10, 11), kRet});
  EXPECT_FALSE(calls(mscratch.translate(kM), k_csr));
  EXPECT_TRUE(calls(mscratch.translate(kHs), k_csr));
}

// Legality by mode ("Trap Cause Codes" of the hypervisor chapter).
enum class Verdict { kHelper, kIllegal, kVirtual };
struct Legality {
  std::uint32_t insn;
  const tcg::Helper* helper;
  Verdict u, hs, m, vu, vs;
};
constexpr std::uint32_t kHfenceVvma = 0x22b50073;
constexpr std::uint32_t kHfenceGvma = 0x62b50073;
constexpr std::uint32_t kHlvW = 0x6805c573;
constexpr std::uint32_t kHsvD = 0x6ea5c073;
constexpr Legality kLegalities[] = {
    {kSret, &k_sret, Verdict::kIllegal, Verdict::kHelper, Verdict::kHelper, Verdict::kVirtual,
     Verdict::kHelper},
    {kMret, &k_mret, Verdict::kIllegal, Verdict::kIllegal, Verdict::kHelper, Verdict::kIllegal,
     Verdict::kIllegal},
    {kWfi, &k_wfi, Verdict::kHelper, Verdict::kHelper, Verdict::kHelper, Verdict::kHelper, Verdict::kHelper},
    {kSfence, &k_sfence_vma, Verdict::kIllegal, Verdict::kHelper, Verdict::kHelper, Verdict::kVirtual,
     Verdict::kHelper},
    {kHfenceVvma, &k_hfence_vvma, Verdict::kIllegal, Verdict::kHelper, Verdict::kHelper, Verdict::kVirtual,
     Verdict::kVirtual},
    {kHfenceGvma, &k_hfence_gvma, Verdict::kIllegal, Verdict::kHelper, Verdict::kHelper, Verdict::kVirtual,
     Verdict::kVirtual},
    {kHlvW, &k_hlv, Verdict::kHelper, Verdict::kHelper, Verdict::kHelper, Verdict::kVirtual,
     Verdict::kVirtual},
    {kHsvD, &k_hsv, Verdict::kHelper, Verdict::kHelper, Verdict::kHelper, Verdict::kVirtual,
     Verdict::kVirtual},
};

TEST(TransBlock, LegalityDependsOnTheMode) {
  for (const Legality& row : kLegalities) {
    const Verdict verdicts[] = {row.u, row.hs, row.m, row.vu, row.vs};
    for (unsigned i = 0; i < 5; ++i) {
      const Unit unit = Code({row.insn, kRet}).translate(kModes[i]);
      EXPECT_EQ(calls(unit, *row.helper), verdicts[i] == Verdict::kHelper)
          << row.helper->name << " mode " << i;
      EXPECT_EQ(calls(unit, k_illegal), verdicts[i] == Verdict::kIllegal)
          << row.helper->name << " mode " << i;
      EXPECT_EQ(calls(unit, k_virtual_instruction), verdicts[i] == Verdict::kVirtual)
          << row.helper->name << " mode " << i;
    }
  }
}

TEST(TransBlock, IllegalInstructionsEndTheBlockWithTheirBits) {
  Code code({});
  code.put16(Code::kStart, 0x8000);
  const Unit unit = code.translate();
  EXPECT_TRUE(calls(unit, k_illegal));
  EXPECT_EQ(end_of(unit).op, Op::never);
  EXPECT_EQ(unit.insts[1].op, Op::const_);
  EXPECT_EQ(unit.insts[1].imm, 0x8000);
}

constexpr bool CpuConfig::*kMembers[] = {
#define EXTENSION(member, property, isa_name, on, help) &CpuConfig::member,
#include "target/riscv/extensions.inc"
#undef EXTENSION
};

CpuConfig nothing() {
  CpuConfig config;
  for (bool CpuConfig::*const member : kMembers) config.*member = false;
  return config;
}

CpuConfig everything() {
  CpuConfig config;
  for (bool CpuConfig::*const member : kMembers) config.*member = true;
  return config;
}

TEST(TransBlock, ExtensionsThatAreOffAreIllegal) {
  for (std::size_t i = 0; i < kInsnCount; ++i) {
    const InsnRow& row = kInsns[i];
    // A row that needs some of its free bits takes all ones there.
    Code code({row.pattern.match | row.pattern.nonzero, kRet});
    code.config = everything();
    EXPECT_TRUE(row.is_there(code.config)) << row.name;
    EXPECT_FALSE(calls(code.translate(kM), k_illegal)) << row.name;
    code.config = nothing();
    EXPECT_TRUE(calls(code.translate(kM), k_illegal)) << row.name;
  }
}

TEST(TransBlock, APropertyThatIsOffTakesItsInstructionsAway) {
  for (bool CpuConfig::*const member : kMembers) {
    CpuConfig config = everything();
    config.*member = false;
    for (const InsnRow& row : kInsns) {
      Code code({row.pattern.match | row.pattern.nonzero, kRet});
      code.config = config;
      EXPECT_EQ(calls(code.translate(kM, 1), k_illegal), !row.is_there(config)) << row.name;
    }
  }
}

TEST(TransBlock, EveryConditionOfARowDependsOnAProperty) {
  for (const InsnRow& row : kInsns) {
    bool depends = false;
    for (bool CpuConfig::*const first : kMembers)
      for (bool CpuConfig::*const second : kMembers) {
        CpuConfig config = max_config();
        config.*first = config.*second = false;
        depends |= !row.is_there(config);
      }
    EXPECT_TRUE(depends) << row.name;
  }
}

TEST(TransBlock, CompressedExtensionsThatAreOffAreIllegal) {
  for (const Insn16Row& row : kInsns16) {
    Code code({});
    const std::uint32_t raw = row.pattern.match | row.pattern.nonzero;
    code.put16(Code::kStart, static_cast<std::uint16_t>(raw)).put16(Code::kStart + 2, 0x8082);
    code.config = max_config();
    EXPECT_FALSE(calls(code.translate(kM), k_illegal)) << row.name;
    for (bool CpuConfig::*const member : kMembers) {
      code.config = max_config();
      code.config.*member = false;
      EXPECT_TRUE(row.is_there(code.config) || calls(code.translate(kM), k_illegal)) << row.name;
    }
  }
}

TEST(TransBlock, CompressedInstructionsNeedC) {
  Code code({});
  code.put16(Code::kStart, 0x4501).put16(Code::kStart + 2, 0x8082);
  EXPECT_FALSE(calls(code.translate(), k_illegal));
  code.config.zca = false;
  EXPECT_TRUE(calls(code.translate(), k_illegal));
}

// Floating point.
TEST(TransBlock, ChecksFsAndMarksItDirtyOnceInABlock) {
  const Unit unit = Code({kFaddD, kFaddD, kRet}).translate();
  EXPECT_EQ(count_op(unit, Op::trap_if_zero), 1u);
  EXPECT_TRUE(calls(unit, k_fp_off));
  EXPECT_EQ(count_op(unit, Op::env_store), 1u);
  EXPECT_EQ(count_op(unit, Op::fadd_d), 2u);
}

TEST(TransBlock, ReadsOfFRegistersLeaveFsClean) {
  const Unit unit =
      Code({encode(Insn::fsd, ArgsS{11, 10, 0}), encode(Insn::fmv_x_d, ArgsR2{10, 11}), kRet}).translate();
  EXPECT_TRUE(calls(unit, k_fp_off));
  EXPECT_EQ(count_op(unit, Op::env_store), 0u);
}

TEST(TransBlock, RoundingModesThatMxcsrLacksTakeHelpers) {
  const auto unit_of = [](unsigned rm, std::uint32_t flags) {
    return Code({encode(Insn::fadd_s, ArgsFRm{10, 11, 12, static_cast<std::uint8_t>(rm)}), kRet})
        .translate(flags);
  };
  EXPECT_FALSE(calls(unit_of(7, kM), k_fadd_s));
  EXPECT_TRUE(calls(unit_of(7, kM | block_flags::kSlowRounding), k_fadd_s));
  for (const unsigned rm : {0u, 1u, 2u, 3u, 4u}) EXPECT_TRUE(calls(unit_of(rm, kM), k_fadd_s)) << rm;
  for (const unsigned rm : {5u, 6u}) EXPECT_TRUE(calls(unit_of(rm, kM), k_illegal)) << rm;
}

TEST(TransBlock, ConversionsTowardsZeroAndExactOnesNeedNoHelper) {
  EXPECT_EQ(count_op(Code({encode(Insn::fcvt_l_d, ArgsFUnary{10, 11, 1}), kRet}).translate(), Op::fcvt_int_d),
            1u);
  EXPECT_TRUE(calls(Code({encode(Insn::fcvt_l_d, ArgsFUnary{10, 11, 7}), kRet}).translate(), k_fto_int_d));
  EXPECT_EQ(
      count_op(Code({encode(Insn::fcvt_d_wu, ArgsFUnary{10, 11, 0}), kRet}).translate(), Op::fcvt_d_int), 1u);
  EXPECT_TRUE(calls(Code({encode(Insn::fcvt_d_lu, ArgsFUnary{10, 11, 0}), kRet}).translate(), k_ffrom_int_d));
  EXPECT_EQ(count_op(Code({encode(Insn::fcvt_d_s, ArgsFUnary{10, 11, 0}), kRet}).translate(), Op::fcvt_d_s),
            1u);
}

TEST(TransBlock, ConversionRowsNameTheirInteger) {
  struct Row {
    Insn insn;
    tcg::IntKind kind;
  };
  constexpr Row kRows[] = {{Insn::fcvt_w_s, tcg::IntKind::s32}, {Insn::fcvt_wu_s, tcg::IntKind::u32},
                           {Insn::fcvt_l_s, tcg::IntKind::s64}, {Insn::fcvt_lu_s, tcg::IntKind::u64},
                           {Insn::fcvt_w_d, tcg::IntKind::s32}, {Insn::fcvt_wu_d, tcg::IntKind::u32},
                           {Insn::fcvt_l_d, tcg::IntKind::s64}, {Insn::fcvt_lu_d, tcg::IntKind::u64},
                           {Insn::fcvt_s_w, tcg::IntKind::s32}, {Insn::fcvt_s_wu, tcg::IntKind::u32},
                           {Insn::fcvt_s_l, tcg::IntKind::s64}, {Insn::fcvt_s_lu, tcg::IntKind::u64},
                           {Insn::fcvt_d_w, tcg::IntKind::s32}, {Insn::fcvt_d_wu, tcg::IntKind::u32},
                           {Insn::fcvt_d_l, tcg::IntKind::s64}, {Insn::fcvt_d_lu, tcg::IntKind::u64}};
  for (const Row& row : kRows) {
    const bool is_to_int = row_of(row.insn).format == Format::kFToX;
    const ArgsFUnary args{10, 11, static_cast<std::uint8_t>(is_to_int ? 1 : 7)};
    const Unit unit = Code({encode(row.insn, args), kRet}).translate();
    const auto found = std::find_if(unit.insts.begin(), unit.insts.end(), [](const tcg::Inst& i) {
      return i.op == Op::fcvt_int_s || i.op == Op::fcvt_int_d || i.op == Op::fcvt_s_int ||
             i.op == Op::fcvt_d_int;
    });
    ASSERT_NE(found, unit.insts.end()) << row_of(row.insn).name;
    EXPECT_EQ(found->aux, static_cast<std::uint8_t>(row.kind)) << row_of(row.insn).name;
  }
}

// What helpers are told.
std::int64_t constant_argument(const Unit& unit, const tcg::Helper& helper, unsigned index) {
  for (const tcg::Inst& i : unit.insts)
    if (i.op == Op::call && i.helper() == &helper) {
      const tcg::Inst& argument = unit.insts[i.args[index].index];
      EXPECT_EQ(argument.op, Op::const_) << helper.name;
      return argument.imm;
    }
  ADD_FAILURE() << "no call of " << helper.name;
  return -1;
}

TEST(TransBlock, HypervisorAccessesNameTheirKind) {
  constexpr std::pair<Insn, tcg::MemKind> kLoads[] = {
      {Insn::hlv_b, tcg::MemKind::s8},    {Insn::hlv_bu, tcg::MemKind::u8},
      {Insn::hlv_h, tcg::MemKind::s16},   {Insn::hlv_hu, tcg::MemKind::u16},
      {Insn::hlvx_hu, tcg::MemKind::u16}, {Insn::hlv_w, tcg::MemKind::s32},
      {Insn::hlv_wu, tcg::MemKind::u32},  {Insn::hlvx_wu, tcg::MemKind::u32},
      {Insn::hlv_d, tcg::MemKind::u64}};
  for (const auto& [insn, kind] : kLoads) {
    const bool needs_execute = insn == Insn::hlvx_hu || insn == Insn::hlvx_wu;
    const Unit unit = Code({encode(insn, ArgsR2{10, 11}), kRet}).translate(kHs);
    EXPECT_EQ(constant_argument(unit, k_hlv, 1), static_cast<int>(kind) + (needs_execute ? 0x10 : 0))
        << row_of(insn).name;
    EXPECT_EQ(constant_argument(unit, k_hlv, 2), encode(insn, ArgsR2{10, 11}));
    EXPECT_EQ(count_op(unit, Op::set_x), 1u);
  }
  constexpr std::pair<Insn, tcg::MemKind> kStores[] = {{Insn::hsv_b, tcg::MemKind::u8},
                                                       {Insn::hsv_h, tcg::MemKind::u16},
                                                       {Insn::hsv_w, tcg::MemKind::u32},
                                                       {Insn::hsv_d, tcg::MemKind::u64}};
  for (const auto& [insn, kind] : kStores)
    EXPECT_EQ(constant_argument(Code({encode(insn, ArgsVma{11, 12}), kRet}).translate(kHs), k_hsv, 2),
              static_cast<int>(kind))
        << row_of(insn).name;
}

TEST(TransBlock, FencesTellWhichOperandsTheyHave) {
  constexpr std::pair<Insn, const tcg::Helper*> kFences[] = {{Insn::sfence_vma, &k_sfence_vma},
                                                             {Insn::hfence_vvma, &k_hfence_vvma},
                                                             {Insn::hfence_gvma, &k_hfence_gvma}};
  for (const auto& [insn, helper] : kFences)
    for (unsigned present = 0; present < 4; ++present) {
      const ArgsVma args{static_cast<std::uint8_t>((present & 1) != 0 ? 11 : 0),
                         static_cast<std::uint8_t>((present & 2) != 0 ? 12 : 0)};
      EXPECT_EQ(constant_argument(Code({encode(insn, args), kRet}).translate(kHs), *helper, 2), present);
    }
}

TEST(TransBlock, CsrInstructionsTellWhatTheyDo) {
  struct Row {
    Insn insn;
    unsigned rd, rs1;
    CsrOp op;
  };
  constexpr Row kRows[] = {
      {Insn::csrrw, 10, 11, CsrOp::kSwap},  {Insn::csrrw, 0, 11, CsrOp::kWriteOnly},
      {Insn::csrrw, 10, 0, CsrOp::kSwap},   {Insn::csrrs, 10, 11, CsrOp::kSet},
      {Insn::csrrs, 0, 11, CsrOp::kSet},    {Insn::csrrs, 10, 0, CsrOp::kRead},
      {Insn::csrrc, 10, 11, CsrOp::kClear}, {Insn::csrrc, 10, 0, CsrOp::kRead},
      {Insn::csrrwi, 10, 0, CsrOp::kSwap},  {Insn::csrrwi, 0, 3, CsrOp::kWriteOnly},
      {Insn::csrrsi, 10, 3, CsrOp::kSet},   {Insn::csrrsi, 10, 0, CsrOp::kRead},
      {Insn::csrrci, 10, 3, CsrOp::kClear}, {Insn::csrrci, 10, 0, CsrOp::kRead},
  };
  for (const Row& row : kRows) {
    const Unit unit = Code({csr_insn(row.insn, 0x300, row.rd, row.rs1), kRet}).translate();
    EXPECT_EQ(constant_argument(unit, k_csr, 0), 0x300);
    EXPECT_EQ(constant_argument(unit, k_csr, 1), static_cast<int>(row.op)) << row_of(row.insn).name;
    EXPECT_EQ(count_op(unit, Op::set_x), row.rd != 0 ? 1u : 0u);
    if (row_of(row.insn).format == Format::kCsrI) {
      EXPECT_EQ(constant_argument(unit, k_csr, 2), row.rs1);
    }
  }
}

TEST(TransBlock, ArmedTriggersSeeEachInstructionAndOthersNone) {
  Code code({kRet});
  EXPECT_FALSE(calls(code.translate(kU), k_trigger));
  EXPECT_TRUE(calls(code.translate(kU | block_flags::kTriggers), k_trigger));
}

// Every row with random operands in every mode makes a unit that verifies (Code::translate checks).
TEST(TransBlock, RandomInstructionsMakeWellFormedUnits) {
  std::mt19937 rng(3);
  constexpr std::uint32_t kAll[] = {
      kU, kHs, kM, kVu, kVs, kM | block_flags::kSlowRounding, kU | block_flags::kTriggers};
  for (int n = 0; n < 40; ++n)
    for (std::size_t i = 0; i < kInsnCount; ++i) {
      const std::uint32_t insn = random_instruction(rng, static_cast<Insn>(i));
      for (const std::uint32_t flags : kAll) {
        Code code({insn, random_instruction(rng, static_cast<Insn>(rng() % kInsnCount)), kRet});
        code.config.c = n % 4 != 0;
        ASSERT_GE(code.translate(flags).guest_insns, 1u);
        if (HasFailure()) FAIL() << row_of(static_cast<Insn>(i)).name << " " << std::hex << insn;
      }
    }
}

TEST(TransBlock, RandomBytesMakeWellFormedUnits) {
  std::mt19937 rng(4);
  for (int n = 0; n < 20000; ++n) {
    const auto word = [&rng] { return static_cast<std::uint32_t>(rng()); };
    const Unit unit = Code({word(), word(), word(), word(), kRet}).translate(kModes[n % 5]);
    ASSERT_GE(unit.guest_insns, 1u);
  }
}

TEST(TransBlock, EveryCompressedEncodingMakesAWellFormedUnit) {
  for (unsigned raw = 0; raw < 0x10000; ++raw) {
    if (is_long(static_cast<std::uint16_t>(raw))) continue;
    Code code({});
    code.put16(Code::kStart, static_cast<std::uint16_t>(raw));
    code.config = max_config();
    const bool is_reserved = expand16(static_cast<std::uint16_t>(raw)) == 0;
    EXPECT_EQ(calls(code.translate(kM, 1), k_illegal), is_reserved) << std::hex << raw;
  }
}

}  // namespace
}  // namespace gstage::riscv
