// SPDX-License-Identifier: Apache-2.0
// Which ebreak is a semihosting call: only the one between the two instructions of 32 bits, in M-, HS- and VS-mode;
// and a call that names memory which the mode cannot reach fails without a trap. Run with -semihosting.
#include "priv.h"

#define ENTRY "slli x0, x0, 0x1f\n"
#define EXIT "srai x0, x0, 7\n"
#define ISERROR "li a0, 8\n"
#define ELAPSED "li a0, 0x30\n"
#define DONE 1  // of ISERROR, about a word with the sign set

static const uint64_t minus_one = -1;

static void in_every_mode(void) {
  static const enum mode with[] = {MODE_M, MODE_HS, MODE_VS};
  static const enum mode without[] = {MODE_U, MODE_VU};
  for (unsigned i = 0; i < sizeof with / sizeof *with; i++) {
    RUN(with[i], "mv a1, a0\n" ISERROR ENTRY "ebreak\n" EXIT, &minus_one);
    EXPECT_OK();
    CHECK_EQ(trap.a0, DONE);
  }
  for (unsigned i = 0; i < sizeof without / sizeof *without; i++) {
    RUN(without[i], "mv a1, a0\n" ISERROR ENTRY "ebreak\n" EXIT, &minus_one);
    EXPECT(BY_M, C_BREAKPOINT);
    EXPECT_OFFSET(12);
  }
}

static void other_breakpoints(void) {
  RUN(MODE_M, "ebreak\n" EXIT);
  EXPECT(BY_M, C_BREAKPOINT);
  RUN(MODE_M, ENTRY "ebreak\nnop\n");
  EXPECT(BY_M, C_BREAKPOINT);
  RUN(MODE_M, "slli x0, x0, 0x1e\nebreak\n" EXIT);
  EXPECT(BY_M, C_BREAKPOINT);
  RUN(MODE_M, ENTRY ".option rvc\nc.ebreak\n.option norvc\n" EXIT);
  EXPECT(BY_M, C_BREAKPOINT);
  RUN(MODE_M, ENTRY "nop\nebreak\n" EXIT);
  EXPECT(BY_M, C_BREAKPOINT);
  EXPECT_OFFSET(8);
}

static void translated(void) {
  enable_hs(3);
  uint64_t *pte = map(&hs_space, TEST_VA, (uint64_t)page_a, PTE_RW, 0);
  fence_all();
  page_a[0] = -1;
  RUN(MODE_HS, "mv a1, a0\n" ISERROR ENTRY "ebreak\n" EXIT, TEST_VA);
  EXPECT_OK();
  CHECK_EQ(trap.a0, DONE);
  RUN(MODE_HS, "mv a1, a0\n" ELAPSED ENTRY "ebreak\n" EXIT, TEST_VA);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 0);
  CHECK(page_a[0] != -1ull);
  // What the mode's own store would trap for fails.
  *pte = pte_for(page_a, PTE_V | PTE_R | PTE_A);
  fence_all();
  page_a[0] = 5;
  RUN(MODE_HS, "mv a1, a0\n" ELAPSED ENTRY "ebreak\n" EXIT, TEST_VA);
  EXPECT_OK();
  CHECK_EQ(trap.a0, -1);
  CHECK_EQ(page_a[0], 5);
  *pte = 0;
  fence_all();
  RUN(MODE_HS, "mv a1, a0\n" ISERROR ENTRY "ebreak\n" EXIT, TEST_VA);
  EXPECT_OK();
  CHECK_EQ(trap.a0, -1);
}

// Over the end of a page, and where the first or last instruction cannot be fetched.
static void at_the_end_of_a_page(void) {
  static uint32_t code[2048] __attribute__((aligned(4096)));
  for (unsigned first = 1020; first <= 1024; first++) {
    uint32_t *at = code + first;
    at[0] = ENCODING("slli x0, x0, 0x1f");
    at[1] = ENCODING("ebreak");
    at[2] = ENCODING("srai x0, x0, 7");
    at[3] = ENCODING("ret");
    asm volatile("fence.i" ::: "memory");
    RUN(MODE_M, "mv t0, a0\nmv a1, a1\n" ISERROR "mv s1, ra\njalr ra, t0\nmv ra, s1\n", at, &minus_one);
    EXPECT_OK();
    CHECK_EQ(trap.a0, DONE);
  }
}

void test_body(void) { RUN_PARTS(in_every_mode, other_breakpoints, translated, at_the_end_of_a_page); }
