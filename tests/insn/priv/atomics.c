// SPDX-License-Identifier: Apache-2.0
// Zacas and Zabha: values, register pairs, alignment, permissions (chapters "Zacas" and "Zabha").
#include "priv.h"

// rd, rs1, rs2: the assembler need not know them.
#define CAS_B ".insn r 0x2f, 0, 0x14, "
#define CAS_H ".insn r 0x2f, 1, 0x14, "
#define CAS_W ".insn r 0x2f, 2, 0x14, "
#define CAS_D ".insn r 0x2f, 3, 0x14, "
#define CAS_Q ".insn r 0x2f, 4, 0x14, "
#define ADD_B ".insn r 0x2f, 0, 0x00, "
#define ADD_H ".insn r 0x2f, 1, 0x00, "
#define PMP_NAPOT 0x18

static uint64_t cells[8] __attribute__((aligned(64)));

// Bits of rd and rs2 above the operand are ignored; the old value is sign-extended.
static void narrow(void) {
  cells[0] = 0x1122334480000001;
  RUN(MODE_M, CAS_W "a1, a0, a2", cells, 0xdead000080000001, 0xffff00000000beef);
  EXPECT_OK();
  CHECK_EQ(trap.a1, 0xffffffff80000001);
  CHECK_EQ(cells[0], 0x112233440000beef);
  RUN(MODE_U, CAS_W "a1, a0, a2", cells, 0xbeee, 5);
  CHECK_EQ(trap.a1, 0xbeef);
  CHECK_EQ(cells[0], 0x112233440000beef);
  RUN(MODE_HS, CAS_H "a1, a0, a2", (uint64_t)cells + 6, 0x771122, 0x88889999);
  CHECK_EQ(trap.a1, 0x1122);
  CHECK_EQ(cells[0], 0x999933440000beef);
  RUN(MODE_VS, CAS_H "a1, a0, a2", (uint64_t)cells + 6, 0, 1);
  CHECK_EQ(trap.a1, -0x6667ull);
  CHECK_EQ(cells[0], 0x999933440000beef);
  RUN(MODE_VU, CAS_B "a1, a0, a2", (uint64_t)cells + 1, 0x12be, 0x3455);
  CHECK_EQ(trap.a1, -0x42ull);
  CHECK_EQ(cells[0], 0x99993344000055ef);
  RUN(MODE_M, CAS_B "a1, a0, a2", (uint64_t)cells + 3, 1, 2);
  CHECK_EQ(trap.a1, 0);
  CHECK_EQ(cells[0], 0x99993344000055ef);
}

static void doubleword(void) {
  cells[0] = 0x8000000000000001;
  RUN(MODE_M, CAS_D "a1, a0, a2", cells, 0x8000000000000001, 0x1234);
  CHECK_EQ(trap.a1, 0x8000000000000001);
  CHECK_EQ(cells[0], 0x1234);
  RUN(MODE_M, CAS_D "a1, a0, a2", cells, 0x100001234, 7);
  CHECK_EQ(trap.a1, 0x1234);
  CHECK_EQ(cells[0], 0x1234);
  // One register in two roles, x0 as both values, aq and rl.
  RUN(MODE_M, "mv a1, a2\n.insn r 0x2f, 3, 0x17, a1, a0, a1", cells, 0, 0x1234);
  CHECK_EQ(trap.a1, 0x1234);
  RUN(MODE_M, "mv a1, a0\n" CAS_D "a0, a0, a2", cells, 0, 9);
  CHECK_EQ(trap.a0, 0x1234);
  RUN(MODE_M, CAS_D "x0, a0, a2", cells, 0, 9);
  CHECK_EQ(cells[0], 0x1234);
  cells[0] = 0;
  RUN(MODE_M, CAS_D "x0, a0, a2", cells, 0, 9);
  CHECK_EQ(cells[0], 9);
  RUN(MODE_M, CAS_D "a1, a0, x0", cells, 9);
  CHECK_EQ(cells[0], 0);
}

// rd and rd+1 are a0 and a1, rs2 and rs2+1 a4 and a5; the address is in a2.
static void pairs(void) {
  cells[2] = 0x8000000000000001;
  cells[3] = 0x2222;
  cells[4] = cells[1] = 0x7777;
  RUN(MODE_M, "li a4, 40\nli a5, 50\n" CAS_Q "a0, a2, a4", 0x8000000000000001, 0x2222, &cells[2]);
  EXPECT_OK();
  CHECK(trap.a0 == 0x8000000000000001 && trap.a1 == 0x2222);
  CHECK(cells[2] == 40 && cells[3] == 50 && cells[1] == 0x7777 && cells[4] == 0x7777);
  for (unsigned half = 0; half < 2; half++) {
    RUN(MODE_U, "li a4, 60\nli a5, 70\n" CAS_Q "a0, a2, a4", half ? 40 : 41, half ? 51 : 50, &cells[2]);
    CHECK(trap.a0 == 40 && trap.a1 == 50);
    CHECK(cells[2] == 40 && cells[3] == 50);
  }
  // The pair of x0 reads as zero and is not written: x1 keeps its value.
  RUN(MODE_M, "li ra, 50\nli a4, 60\nli a5, 70\n" CAS_Q "x0, a2, a4\nmv a0, ra", 0, 0, &cells[2]);
  CHECK_EQ(trap.a0, 50);
  CHECK(cells[2] == 40 && cells[3] == 50);
  RUN(MODE_M, "li ra, 1\n" CAS_Q "a0, a2, x0", 40, 50, &cells[2]);
  CHECK(cells[2] == 0 && cells[3] == 0);
  RUN(MODE_M, "li ra, 1\nli a4, 60\nli a5, 70\n" CAS_Q "x0, a2, a4\nmv a0, ra", 0, 0, &cells[2]);
  CHECK_EQ(trap.a0, 1);
  CHECK(cells[2] == 60 && cells[3] == 70);
  // The address may be in the pair that is written.
  RUN(MODE_M, CAS_Q "a0, a0, a4", &cells[2]);
  CHECK(trap.a0 == 60 && trap.a1 == 70);
  RUN(MODE_M, CAS_Q "a1, a2, a4", 0, 0, &cells[2]);
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_M, CAS_Q "a0, a2, a5", 0, 0, &cells[2]);
  EXPECT(BY_M, C_ILLEGAL);
}

#define MISALIGNED(op, offset)                       \
  do {                                               \
    RUN(MODE_HS, op "a2, a0, a4", &cells[0] + 0, 0); \
    EXPECT_OK();                                     \
    uint64_t at = (uint64_t)cells + (offset);        \
    RUN(MODE_HS, op "a2, a0, a4", at);               \
    EXPECT(BY_M, C_STORE_MISALIGNED);                \
    CHECK_EQ(trap.tval, at);                         \
  } while (0)
static void alignment(void) {
  MISALIGNED(CAS_H, 1);
  MISALIGNED(ADD_H, 3);
  MISALIGNED(CAS_W, 2);
  MISALIGNED(CAS_D, 4);
  MISALIGNED(CAS_Q, 8);
  for (unsigned i = 0; i < 8; i++) {
    RUN(MODE_HS, CAS_B "a2, a0, a4\n" ADD_B "a2, a0, a4", (uint64_t)cells + i);
    EXPECT_OK();
  }
}

// Write permission is needed also where nothing would be stored.
#define READ_ONLY(op)                      \
  do {                                     \
    RUN(MODE_HS, op "a2, a0, a4", TEST_VA); \
    EXPECT(BY_M, C_STORE_PAGE);            \
    CHECK_EQ(trap.tval, TEST_VA);          \
  } while (0)
static void permissions(void) {
  page_a[0] = page_a[1] = ~0ull;
  enable_hs(3);
  uint64_t *pte = map(&hs_space, TEST_VA, (uint64_t)page_a, PTE_V | PTE_R | PTE_AD, 0);
  fence_all();
  READ_ONLY(CAS_B);
  READ_ONLY(CAS_H);
  READ_ONLY(CAS_W);
  READ_ONLY(CAS_D);
  READ_ONLY(CAS_Q);
  READ_ONLY(ADD_B);
  READ_ONLY(ADD_H);
  *pte = pte_for(page_a, PTE_RW);
  fence_all();
  RUN(MODE_HS, "li a4, 1\nli a5, 2\n" CAS_Q "a2, a0, a4", TEST_VA, 0, ~0ull, ~0ull);
  EXPECT_OK();
  CHECK(page_a[0] == 1 && page_a[1] == 2);
  enable_hs(0);
}

static void guest_faults(void) {
  enable_guest(0, 3);
  map(&g_space, TEST_GPA, (uint64_t)page_a, PTE_V | PTE_R | PTE_U | PTE_AD, 0);
  fence_all();
  RUN(MODE_VS, CAS_Q "a2, a0, a4", TEST_GPA + 32);
  EXPECT(BY_M, C_STORE_GUEST);
  CHECK_EQ(trap.tval, TEST_GPA + 32);
  CHECK_EQ(trap.tval2, (TEST_GPA + 32) >> 2);
  CHECK_EQ(trap.tinst, transformed(ENCODING(CAS_Q "a2, a0, a4"), 0));
  RUN(MODE_VS, ADD_B "a2, a0, a4", TEST_GPA + 33);
  EXPECT(BY_M, C_STORE_GUEST);
  CHECK_EQ(trap.tinst, transformed(ENCODING(ADD_B "a2, a0, a4"), 0));
  enable_guest(0, 0);
}

// A rule that ends within the operand; devices, which have the PMA AMONone.
static void access_faults(void) {
  csr_write(PMPADDR(0), (uint64_t)&page_a[3] >> 2);
  csr_write(PMPCFG0, (csr_read(PMPCFG0) & ~0xffull) | PMP_NAPOT);
  fence_all();
  RUN(MODE_HS, CAS_Q "a2, a0, a4", &page_a[2]);
  EXPECT(BY_M, C_STORE_ACCESS);
  CHECK_EQ(trap.tval, (uint64_t)&page_a[2]);
  RUN(MODE_HS, CAS_D "a2, a0, a4", &page_a[2]);
  EXPECT_OK();
  RUN(MODE_HS, CAS_Q "a2, a0, a4", &page_a[4]);
  EXPECT_OK();
  RUN(MODE_M, CAS_W "a2, a0, a4", 0x10000000);
  EXPECT(BY_M, C_STORE_ACCESS);
  RUN(MODE_M, CAS_Q "a2, a0, a4", 0x10000000);
  EXPECT(BY_M, C_STORE_ACCESS);
  RUN(MODE_M, ADD_B "a2, a0, a4", 0x10000000);
  EXPECT(BY_M, C_STORE_ACCESS);
}

void test_body(void) {
  RUN_PARTS(narrow, doubleword, pairs, alignment, permissions, guest_faults, access_faults);
}
