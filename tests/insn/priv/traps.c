// SPDX-License-Identifier: Apache-2.0
// Every synchronous cause: mcause, mepc, mtval; vectored mode; priorities (chapters "Machine Cause
// Register", "Machine Trap Value Register").

#include "priv.h"

#define HOLE 0x01000000ull

// mtval of an illegal instruction is the instruction or zero.
static void check_illegal(uint32_t bits) {
  EXPECT(BY_M, C_ILLEGAL);
  CHECK(trap.tval == 0 || trap.tval == bits);
  EXPECT_OFFSET(0);
}

static void illegal_instructions(void) {
  RUN(MODE_M, ".word 0xffffffff");
  check_illegal(0xffffffff);
  RUN(MODE_U, ".word 0");
  check_illegal(0);
  RUN(MODE_HS, ".2byte 0x9c41\n.2byte 1");
  check_illegal(0x9c41);
  RUN(MODE_U, "csrr a0, mstatus");
  check_illegal(ENCODING("csrr a0, mstatus"));
  // Reserved encodings next to valid ones: OP-IMM shift with high bits, OP funct7, LOAD funct3=7,
  // STORE funct3=4, BRANCH funct3=2, JALR funct3=1, AMO width 1, LR with rs2, SYSTEM leftovers.
#define RESERVED(bits)               \
  RUN(MODE_M, ".word " #bits);       \
  check_illegal(bits)
  RESERVED(0x0c051513);
  RESERVED(0x0405151b);
  RESERVED(0x22b50533);
  RESERVED(0x00057503);
  RESERVED(0x00a54023);
  RESERVED(0x00a52063);
  RESERVED(0x00051067);
  RESERVED(0x00b5152f);
  RESERVED(0x10b5252f);
  RESERVED(0x00300073 + 0x100000);
  RESERVED(0x30200173);
  RESERVED(0x10500573);
  RESERVED(0x00054073);
  RESERVED(0x02b5153b);
  RESERVED(0x0000700f);
  RESERVED(0x0000202b);
}

static void breakpoints(void) {
  RUN(MODE_U, "nop\nebreak");
  EXPECT(BY_M, C_BREAKPOINT);
  EXPECT_OFFSET(4);
  CHECK(trap.tval == 0 || trap.tval == trap.epc);
  RUN(MODE_U, "nop\n.option rvc\nc.nop\nc.ebreak");
  EXPECT(BY_M, C_BREAKPOINT);
  EXPECT_OFFSET(6);
}

// Access faults at a hole of the memory map; the access is not performed in part.
static void access_faults(void) {
  RUN(MODE_M, "ld a0, 8(a0)", HOLE);
  EXPECT(BY_M, C_LOAD_ACCESS);
  CHECK_EQ(trap.tval, HOLE + 8);
  CHECK_EQ(trap.a0, HOLE);
  RUN(MODE_U, "sb a0, 0(a0)", HOLE);
  EXPECT(BY_M, C_STORE_ACCESS);
  CHECK_EQ(trap.tval, HOLE);
  RUN(MODE_HS, "jr a0", HOLE);
  EXPECT(BY_M, C_FETCH_ACCESS);
  CHECK_EQ(trap.tval, HOLE);
  CHECK_EQ(trap.epc, HOLE);
  RUN(MODE_M, "fld fa0, 0(a0)", HOLE);
  EXPECT(BY_M, C_LOAD_ACCESS);
  RUN(MODE_M, "fsd fa0, 0(a0)", HOLE);
  EXPECT(BY_M, C_STORE_ACCESS);
  RUN(MODE_M, "amoor.w a1, a1, (a0)", HOLE);
  EXPECT(BY_M, C_STORE_ACCESS);
  // Beyond any physical address.
  RUN(MODE_M, "lw a0, 0(a0)", BIT(60));
  EXPECT(BY_M, C_LOAD_ACCESS);
  CHECK_EQ(trap.tval, BIT(60));
}

static void misaligned_atomics(void) {
  RUN(MODE_U, "lr.w a1, (a0)", (uint64_t)page_a + 1);
  EXPECT(BY_M, C_LOAD_MISALIGNED);
  CHECK_EQ(trap.tval, (uint64_t)page_a + 1);
  RUN(MODE_U, "sc.d a1, a1, (a0)", (uint64_t)page_a + 4);
  EXPECT(BY_M, C_STORE_MISALIGNED);
  RUN(MODE_U, "amoswap.d a1, a1, (a0)", (uint64_t)page_a + 4);
  EXPECT(BY_M, C_STORE_MISALIGNED);
  CHECK_EQ(trap.tval, (uint64_t)page_a + 4);
}

// The destination register of a trapping instruction keeps its value, flags and memory too.
static void precise_state(void) {
  page_a[0] = 5;
  RUN(MODE_U, "li a0, 11\nli a1, 22\nld a0, 0(a2)", 0, 0, HOLE);
  EXPECT(BY_M, C_LOAD_ACCESS);
  CHECK_EQ(trap.a0, 11);
  CHECK_EQ(trap.a1, 22);
  RUN(MODE_U, "li a0, 1\nli a1, 1\nadd a0, a0, a1\nslli a0, a0, 4\nlr.d a1, (a2)", 0, 0, HOLE);
  CHECK_EQ(trap.a0, 32);
  CHECK_EQ(trap.a1, 1);
  RUN(MODE_U, "sd a0, 0(a3)\nsd a0, 0(a2)\nsd x0, 0(a3)", 9, 0, HOLE, page_a);
  EXPECT(BY_M, C_STORE_ACCESS);
  EXPECT_OFFSET(4);
  CHECK_EQ(page_a[0], 9);
}

// mtvec and stvec in vectored mode: interrupts at base + 4 * cause, exceptions at the base.
static void vectored(void) {
  const void *table = CODE(".balign 256\n2: li a0, 100\nj 3f\n.org 2b + 4 * 3\nli a0, 3\nj 3f\n"
                           ".org 2b + 4 * 5\nli a0, 5\nj 3f\n.org 2b + 4 * 9\nli a0, 9\nj 3f\n"
                           ".org 2b + 64\n3: li a7, 0x7e58\nj m_trap\n");
  uint64_t base = ((uint64_t)table + 255) & ~255ull;
  csr_write(MTVEC, base | 1);
  CHECK_EQ(csr_read(MTVEC), base | 1);
  csr_write(MIE, BIT(MSI) | BIT(STI) | BIT(SEI));
  CLINT_MSIP = 1;
  RUN(MODE_U, "1: j 1b");
  CHECK_EQ(trap.a0, 3);
  CLINT_MSIP = 0;
  csr_set(MIP, BIT(STI));
  RUN(MODE_U, "1: j 1b");
  CHECK_EQ(trap.a0, 5);
  csr_set(MIP, BIT(SEI));
  RUN(MODE_U, "1: j 1b");
  CHECK_EQ(trap.a0, 9);
  csr_write(MIP, 0);
  RUN(MODE_U, ".word 0");
  CHECK_EQ(trap.a0, 100);
  csr_write(MTVEC, base);
  csr_set(MIP, BIT(STI));
  RUN(MODE_U, "1: j 1b");
  CHECK_EQ(trap.a0, 100);
  csr_write(MIP, 0);
}

// Each delegable exception goes to HS mode when its bit is set, and to M mode when it is not.
static void delegation_of_each(void) {
  csr_write(MEDELEG, BIT(C_ILLEGAL));
  RUN(MODE_U, ".word 0");
  EXPECT(BY_HS, C_ILLEGAL);
  RUN(MODE_U, "ebreak");
  EXPECT(BY_M, C_BREAKPOINT);
  csr_write(MEDELEG, BIT(C_BREAKPOINT));
  RUN(MODE_U, "ebreak");
  EXPECT(BY_HS, C_BREAKPOINT);
  csr_write(MEDELEG, BIT(C_LOAD_ACCESS));
  RUN(MODE_HS, "ld a0, 0(a0)", HOLE);
  EXPECT(BY_HS, C_LOAD_ACCESS);
  CHECK_EQ(trap.tval, HOLE);
  RUN(MODE_HS, "sd a0, 0(a0)", HOLE);
  EXPECT(BY_M, C_STORE_ACCESS);
  csr_write(MEDELEG, BIT(C_STORE_ACCESS));
  RUN(MODE_U, "sd a0, 0(a0)", HOLE);
  EXPECT(BY_HS, C_STORE_ACCESS);
  csr_write(MEDELEG, BIT(C_FETCH_ACCESS));
  RUN(MODE_U, "jr a0", HOLE);
  EXPECT(BY_HS, C_FETCH_ACCESS);
  CHECK_EQ(trap.epc, HOLE);
  csr_write(MEDELEG, BIT(C_LOAD_MISALIGNED));
  RUN(MODE_U, "lr.d a1, (a0)", (uint64_t)page_a + 4);
  EXPECT(BY_HS, C_LOAD_MISALIGNED);
  csr_write(MEDELEG, BIT(C_STORE_MISALIGNED));
  RUN(MODE_U, "sc.d a1, a1, (a0)", (uint64_t)page_a + 4);
  EXPECT(BY_HS, C_STORE_MISALIGNED);
}

void test_body(void) {
  RUN_PARTS(illegal_instructions, breakpoints, access_faults, misaligned_atomics, precise_state, vectored,
            delegation_of_each);
}
