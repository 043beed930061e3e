// SPDX-License-Identifier: Apache-2.0
// Transformed instructions: the encodings come from the assembler.
#include <cstdint>

#include <gtest/gtest.h>

#include "target/riscv/trap/tinst.h"

namespace gstage::riscv {
namespace {

struct Case {
  const char* text;
  std::uint32_t raw;
  std::uint64_t transformed;  ///< with an offset of 0
};

TEST(TrapTinstTest, LoadsLoseImmediateAndBase) {
  const Case cases[] = {
      {"lb a1, 8(a0)", 0x00850583, 0x00000583},    {"lbu a1, 8(a0)", 0x00854583, 0x00004583},
      {"lh s1, -2(sp)", 0xffe11483, 0x00001483},   {"lhu s1, -2(sp)", 0xffe15483, 0x00005483},
      {"lw t6, 2047(t5)", 0x7fff2f83, 0x00002f83}, {"lwu t6, 2047(t5)", 0x7fff6f83, 0x00006f83},
      {"ld a1, 8(a0)", 0x00853583, 0x00003583},    {"flw fa1, 8(a0)", 0x00852587, 0x00002587},
      {"fld fa1, 8(a0)", 0x00853587, 0x00003587},
  };
  for (const Case& c : cases) EXPECT_EQ(transformed_instruction(c.raw, 0), c.transformed) << c.text;
}

TEST(TrapTinstTest, StoresLoseImmediateAndBase) {
  const Case cases[] = {
      {"sb a1, 8(a0)", 0x00b50423, 0x00b00023},    {"sh a1, -1(a0)", 0xfeb51fa3, 0x00b01023},
      {"sw t6, 2047(t5)", 0x7fff2fa3, 0x01f02023}, {"sd a1, 8(a0)", 0x00b53423, 0x00b03023},
      {"fsw fa1, 8(a0)", 0x00b52427, 0x00b02027},  {"fsd fa1, 8(a0)", 0x00b53427, 0x00b03027},
  };
  for (const Case& c : cases) EXPECT_EQ(transformed_instruction(c.raw, 0), c.transformed) << c.text;
}

TEST(TrapTinstTest, AtomicsAndHypervisorAccessesLoseTheBaseAlone) {
  const Case cases[] = {
      {"lr.w.aq a1, (a0)", 0x140525af, 0x140025af},
      {"sc.d.rl a2, a1, (a0)", 0x1ab5362f, 0x1ab0362f},
      {"amoadd.w.aqrl a2, a1, (a0)", 0x06b5262f, 0x06b0262f},
      {"amomaxu.d a2, a1, (a0)", 0xe0b5362f, 0xe0b0362f},
      {"hlv.d a1, (a0)", 0x6c0545f3, 0x6c0045f3},
      {"hlvx.wu a1, (a0)", 0x683545f3, 0x683045f3},
      {"hsv.w a1, (a0)", 0x6ab54073, 0x6ab04073},
  };
  for (const Case& c : cases) EXPECT_EQ(transformed_instruction(c.raw, 0), c.transformed) << c.text;
}

TEST(TrapTinstTest, CompressedOnesAreExpandedAndHaveBit1Clear) {
  const Case cases[] = {
      {"c.lw a1, 4(a0)", 0x414c, 0x00002581},      {"c.ld a1, 8(a0)", 0x650c, 0x00003581},
      {"c.fld fa1, 8(a0)", 0x250c, 0x00003585},    {"c.sw a1, 4(a0)", 0xc14c, 0x00b02021},
      {"c.sd a1, 8(a0)", 0xe50c, 0x00b03021},      {"c.fsd fa1, 8(a0)", 0xa50c, 0x00b03025},
      {"c.lwsp t6, 4(sp)", 0x4f92, 0x00002f81},    {"c.ldsp t6, 8(sp)", 0x6fa2, 0x00003f81},
      {"c.fldsp ft11, 8(sp)", 0x2fa2, 0x00003f85}, {"c.swsp t6, 4(sp)", 0xc27e, 0x01f02021},
      {"c.sdsp t6, 8(sp)", 0xe47e, 0x01f03021},    {"c.fsdsp ft11, 8(sp)", 0xa47e, 0x01f03025},
  };
  for (const Case& c : cases) EXPECT_EQ(transformed_instruction(c.raw, 0), c.transformed) << c.text;
}

TEST(TrapTinstTest, TheAddressOffsetTakesThePlaceOfTheBase) {
  for (unsigned offset = 0; offset < 8; ++offset) {
    EXPECT_EQ(transformed_instruction(0x00853583, offset), 0x00003583u | offset << 15);
    EXPECT_EQ(transformed_instruction(0x00b53423, offset), 0x00b03023u | offset << 15);
    EXPECT_EQ(transformed_instruction(0x6c0545f3, offset), 0x6c0045f3u | offset << 15);
    EXPECT_EQ(transformed_instruction(0xe50c, offset), 0x00b03021u | offset << 15);
  }
}

TEST(TrapTinstTest, EverythingElseIsZero) {
  const Case cases[] = {
      {"nop", 0x00000013, 0},      {"jal", 0x0000006f, 0},   {"csrr a0, mstatus", 0x30002573, 0},
      {"ecall", 0x00000073, 0},    {"c.nop", 0x0001, 0},     {"c.addi4spn", 0x0020, 0},
      {"c.j", 0xa001, 0},          {"c.ebreak", 0x9002, 0},  {"illegal", 0x0000, 0},
      {"c.slli a0, 1", 0x0506, 0}, {"fence", 0x0ff0000f, 0},
  };
  for (const Case& c : cases) EXPECT_EQ(transformed_instruction(c.raw, 5), 0u) << c.text;
}

}  // namespace
}  // namespace gstage::riscv
