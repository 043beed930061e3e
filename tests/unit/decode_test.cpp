// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/decode/decode.h"

#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "target/riscv/decode/disas.h"
#include "target/riscv/decode/random.h"

namespace gstage::riscv {
namespace {

struct Case32 {
  Insn insn;
  std::uint32_t raw;
  const char* text;
};
constexpr Case32 kCases32[] = {
#define CASE32(name, raw, text) {Insn::name, raw, text},
#include "tests/decode/insn32_cases.inc"
#undef CASE32
};

struct Case16 {
  Insn16 insn;
  std::uint16_t raw;
  std::uint32_t expansion;
};
constexpr Case16 kCases16[] = {
#define CASE16(name, raw, expansion) {Insn16::name, raw, expansion},
#include "tests/decode/insn16_cases.inc"
#undef CASE16
};

/// Halfwords that are no instruction: `first`, `first` + `step`, … up to `last`.
struct Reserved {
  unsigned first, last, step;
};
// As GNU binutils 2.40 lists them, and 0x6101 (c.addi16sp with a zero immediate), which it prints all the
// same.
constexpr Reserved kReserved[] = {
    {0x0000, 0x001c, 4},                          // c.addi4spn with a zero immediate
    {0x8c40, 0x8c7c, 4},    {0x8cc0, 0x8cfc, 4},  // what Zcb leaves of quadrant 0, funct3 100
    {0x8d40, 0x8d7c, 4},    {0x8dc0, 0x8dfc, 4},     {0x8e40, 0x8e7c, 4},
    {0x8ec0, 0x8efc, 4},    {0x8f40, 0x8f7c, 4},     {0x8fc0, 0x8ffc, 4},
    {0x9000, 0x9ffc, 4},    {0x2001, 0x207d, 4},      // c.addiw into x0
    {0x3001, 0x307d, 4},    {0x6001, 0x6701, 0x100},  // c.lui, c.addi16sp with a zero immediate
    {0x6801, 0x6f81, 0x80},                           // … which Zcmop has for odd registers below x16
    {0x9c79, 0x9c7d, 4},  // what Zcb leaves of quadrant 1, funct3 100 1 11, 10 and 11
    {0x9cf9, 0x9cfd, 4},    {0x9d79, 0x9d7d, 4},     {0x9df9, 0x9dfd, 4},
    {0x9e79, 0x9e7d, 4},    {0x9ef9, 0x9efd, 4},     {0x9f79, 0x9f7d, 4},
    {0x9ff9, 0x9ffd, 4},    {0x4002, 0x407e, 4},  // c.lwsp, c.ldsp into x0
    {0x5002, 0x507e, 4},    {0x6002, 0x607e, 4},     {0x7002, 0x707e, 4},
    {0x8002, 0x8002, 4},  // c.jr through x0
};

std::string one_blank(const std::string& text) {
  std::string result;
  for (char c : text)
    if (c != ' ' || result.back() != ' ') result += c;
  return result;
}

TEST(Decode, EveryRowHasACase) {
  std::set<Insn> insns;
  for (const Case32& c : kCases32) insns.insert(c.insn);
  EXPECT_EQ(insns.size(), kInsnCount);
  std::set<Insn16> insns16;
  for (const Case16& c : kCases16) insns16.insert(c.insn);
  EXPECT_EQ(insns16.size(), kInsn16Count);
}

TEST(Decode, FindsTheRow) {
  for (const Case32& c : kCases32) EXPECT_EQ(decode32(c.raw), c.insn) << c.text;
}

TEST(Decode, Disassembles) {
  for (const Case32& c : kCases32) EXPECT_EQ(one_blank(disassemble_insn(0x80000000, c.raw)), c.text);
}

TEST(Decode, ExpandsCompressed) {
  for (const Case16& c : kCases16) {
    EXPECT_EQ(decode16(c.raw), c.insn) << std::hex << c.raw;
    EXPECT_EQ(expand16(c.raw), c.expansion) << std::hex << c.raw;
  }
}

TEST(Decode, ReservedHalfwordsAndNoOthersAreIllegal) {
  std::set<unsigned> reserved;
  for (const Reserved& r : kReserved)
    for (unsigned raw = r.first; raw <= r.last; raw += r.step) reserved.insert(raw);
  EXPECT_EQ(reserved.size(), 1393u);
  for (unsigned raw = 0; raw < 0x10000; ++raw) {
    const auto halfword = static_cast<std::uint16_t>(raw);
    if (is_long(halfword)) continue;
    const std::uint32_t expansion = expand16(halfword);
    EXPECT_EQ(expansion == 0, reserved.contains(raw)) << std::hex << raw;
    if (expansion == 0) continue;
    // What it stands for is the instruction that its row names.
    const auto row = static_cast<std::size_t>(decode16(halfword));
    EXPECT_EQ(decode32(expansion), kInsns16[row].target) << std::hex << raw;
  }
}

/// Takes the operands out of the bits and puts them in again.
template <class Args>
std::uint32_t again(Insn insn, std::uint32_t raw) {
  return encode(insn, Args::from(raw));
}
using Again = std::uint32_t (*)(Insn, std::uint32_t);
constexpr Again kAgain[] = {
#define INSN(name, pattern, format, extension) again<Args##format>,
#include "target/riscv/decode/insn32.inc"
#undef INSN
};

TEST(Decode, OperandsSurviveARoundTrip) {
  std::mt19937 rng(1);
  for (std::size_t i = 0; i < kInsnCount; ++i) {
    const Insn insn = static_cast<Insn>(i);
    // Fences have fields that mean nothing.
    if (insn == Insn::fence || insn == Insn::fence_i) continue;
    for (int n = 0; n < 200; ++n) {
      const std::uint32_t raw = random_instruction(rng, insn);
      ASSERT_EQ(decode32(raw), insn) << mnemonic(insn);
      ASSERT_EQ(kAgain[i](insn, raw), raw) << mnemonic(insn);
    }
  }
}

TEST(Decode, ImmediatesAreSigned) {
  EXPECT_EQ(ArgsI::from(0x80000013).imm, -2048);
  EXPECT_EQ(ArgsS::from(0xfe000fa3).imm, -1);
  EXPECT_EQ(ArgsB::from(0x80000063).imm, -4096);
  EXPECT_EQ(ArgsJ::from(0x8000006f).imm, -1048576);
  EXPECT_EQ(ArgsU::from(0x80000037).imm, INT32_MIN);
}

TEST(Decode, LongerEncodingsAreIllegal) {
  EXPECT_TRUE(is_long(0x001f));
  EXPECT_EQ(decode32(0x0000001f), Insn::kIllegal);
  EXPECT_EQ(decode32(0xffffffff), Insn::kIllegal);
  EXPECT_EQ(decode32(0), Insn::kIllegal);
}

TEST(Decode, PatternsThatExcludeEachOtherAreDisjoint) {
  constexpr Pattern kAny = parse_pattern("1..");
  constexpr Pattern kNonzero = parse_pattern("1++");
  constexpr Pattern kZero = parse_pattern("100");
  static_assert(!kAny.is_disjoint(kZero));
  static_assert(kNonzero.is_disjoint(kZero) && kZero.is_disjoint(kNonzero));
  static_assert(kZero.is_special_case_of(kAny) && !kAny.is_special_case_of(kZero));
  EXPECT_FALSE(kNonzero.matches(4));
  EXPECT_TRUE(kNonzero.matches(5));
  EXPECT_FALSE(kNonzero.matches(1));
}

TEST(Decode, RandomCompressedInstructionsBelongToTheirRow) {
  std::mt19937 rng(2);
  for (std::size_t i = 0; i < kInsn16Count; ++i)
    for (int n = 0; n < 50; ++n) {
      const auto insn = static_cast<Insn16>(i);
      EXPECT_EQ(decode16(random_instruction16(rng, insn)), insn);
    }
}

TEST(Disassemble, ListsInstructionsOfBothLengths) {
  const std::uint8_t code[] = {0x13, 0x05, 0xd5, 0xff, 0x01, 0x45, 0x73, 0x00};
  EXPECT_EQ(disassemble(0x1000, std::as_bytes(std::span(code))),
            "0x0000000000001000:  ffd50513  addi      a0,a0,-3\n"
            "0x0000000000001004:  4501      addi      a0,zero,0\n");
}

TEST(Disassemble, SaysWhatIsIllegal) {
  EXPECT_EQ(disassemble_insn(0, 0), "illegal 0x0000");
  EXPECT_EQ(disassemble_insn(0, 0xffffffff), "illegal 0xffffffff");
}

}  // namespace
}  // namespace gstage::riscv
