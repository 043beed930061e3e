// SPDX-License-Identifier: Apache-2.0
// Cache-block operations, waiting on reservations, may-be operations and Svinval: what they do and who may.
#include "priv.h"

#define CBIE_INVALIDATE (3ull << 4)
#define CBIE_FLUSH (1ull << 4)
#define CBCFE (1ull << 6)
#define CBZE (1ull << 7)
// Of the register a0.
#define CBO_INVAL ".4byte 0x0005200f"
#define CBO_CLEAN ".4byte 0x0015200f"
#define CBO_FLUSH ".4byte 0x0025200f"
#define CBO_ZERO ".4byte 0x0045200f"
#define WRS_NTO ".4byte 0x00d00073"
#define WRS_STO ".4byte 0x01d00073"

static uint8_t blocks[3 * 64] __attribute__((aligned(64)));

static void zeroes_one_block(void) {
  for (unsigned at = 0; at < 64; at += 9) {
    for (unsigned i = 0; i < sizeof blocks; i++) blocks[i] = (uint8_t)(i + 1);
    RUN(MODE_M, CBO_ZERO, (uint64_t)&blocks[64 + at]);
    EXPECT_OK();
    for (unsigned i = 0; i < sizeof blocks; i++)
      CHECK_EQ(blocks[i], i >= 64 && i < 128 ? 0 : (uint8_t)(i + 1));
  }
}

// One gate: menvcfg for all below M, then henvcfg for a guest and senvcfg for its and the host's U-mode.
static void judge(uint64_t enable, int op) {
  for (unsigned open = 0; open < 8; open++) {
    uint64_t m = open & 1 ? enable : 0, s = open & 2 ? enable : 0, h = open & 4 ? enable : 0;
    csr_write(MENVCFG, m);
    csr_write(SENVCFG, s);
    csr_write(HENVCFG, h);
    for (enum mode mode = MODE_U; mode <= MODE_VS; mode++) {
      if (mode != MODE_U && mode != MODE_HS && mode != MODE_M && mode != MODE_VU && mode != MODE_VS) continue;
      uint64_t at = (uint64_t)&blocks[64];
      switch (op) {
        case 0: RUN(mode, CBO_INVAL, at); break;
        case 1: RUN(mode, CBO_CLEAN, at); break;
        case 2: RUN(mode, CBO_FLUSH, at); break;
        default: RUN(mode, CBO_ZERO, at); break;
      }
      bool user_shut = (mode == MODE_U || mode == MODE_VU) && !s;
      bool guest = mode == MODE_VS || mode == MODE_VU;
      if (mode == MODE_M) {
        EXPECT_OK();
      } else if (!m || (!guest && user_shut)) {
        EXPECT(BY_M, C_ILLEGAL);
      } else if (guest && (!h || user_shut)) {
        EXPECT(BY_M, C_VIRTUAL);
      } else {
        EXPECT_OK();
      }
    }
  }
  csr_write(MENVCFG, 0);
  csr_write(SENVCFG, 0);
  csr_write(HENVCFG, 0);
}

static void gates(void) {
  judge(CBIE_FLUSH, 0);
  judge(CBIE_INVALIDATE, 0);
  judge(CBCFE, 1);
  judge(CBCFE, 2);
  judge(CBZE, 3);
  // The bits of the others open nothing.
  csr_write(MENVCFG, CBCFE | CBZE);
  RUN(MODE_HS, CBO_INVAL, (uint64_t)blocks);
  EXPECT(BY_M, C_ILLEGAL);
  csr_write(MENVCFG, CBIE_INVALIDATE | CBZE);
  RUN(MODE_HS, CBO_CLEAN, (uint64_t)blocks);
  EXPECT(BY_M, C_ILLEGAL);
  csr_write(MENVCFG, CBIE_INVALIDATE | CBCFE);
  RUN(MODE_HS, CBO_ZERO, (uint64_t)blocks);
  EXPECT(BY_M, C_ILLEGAL);
  csr_write(MENVCFG, 0);
}

// Faults are those of a store, at the address in rs1; zeroing needs W, the others R.
static void faults(void) {
  csr_write(MENVCFG, CBIE_FLUSH | CBCFE | CBZE);
  enable_hs(3);
  uint64_t at = TEST_VA + 0x3000 + 77;
  uint64_t *pte = map(&hs_space, TEST_VA + 0x3000, (uint64_t)page_a, PTE_V | PTE_R | PTE_AD, 0);
  fence_all();
  RUN(MODE_HS, CBO_ZERO, at);
  EXPECT(BY_M, C_STORE_PAGE);
  CHECK_EQ(trap.tval, at);
  RUN(MODE_HS, CBO_FLUSH, at);
  EXPECT_OK();
  *pte = pte_for(page_a, PTE_V | PTE_X | PTE_AD);
  fence_all();
  RUN(MODE_HS, CBO_INVAL, at);
  EXPECT(BY_M, C_STORE_PAGE);
  CHECK_EQ(trap.tval, at);
  *pte = pte_for(page_a, PTE_RW);
  fence_all();
  page_a[7] = page_a[8] = page_a[15] = page_a[16] = 1;
  RUN(MODE_HS, CBO_ZERO, at);
  EXPECT_OK();
  CHECK(page_a[7] == 1 && page_a[8] == 0 && page_a[15] == 0 && page_a[16] == 1);
  enable_hs(0);
  csr_write(MENVCFG, 0);
}

static void guest_faults(void) {
  csr_write(MENVCFG, CBZE);
  csr_write(HENVCFG, CBZE);
  enable_guest(0, 3);
  uint64_t at = TEST_GPA + 77;
  map(&g_space, TEST_GPA, (uint64_t)page_a, PTE_V | PTE_R | PTE_U | PTE_AD, 0);
  fence_all();
  RUN(MODE_VS, CBO_ZERO, at);
  EXPECT(BY_M, C_STORE_GUEST);
  CHECK_EQ(trap.tval, at);
  CHECK_EQ(trap.tval2, at >> 2);
  enable_guest(0, 0);
  csr_write(MENVCFG, 0);
  csr_write(HENVCFG, 0);
}

// A wait may end for any reason; only wrs.nto is limited by TW and VTW, and only where it would wait.
static void waiting(void) {
  RUN(MODE_M, "lr.d a1, (a0)\n" WRS_NTO "\n" WRS_STO, (uint64_t)blocks);
  EXPECT_OK();
  csr_write(HSTATUS, HSTATUS_VTW);
  RUN(MODE_VS, "lr.d a1, (a0)\n" WRS_STO "\n" WRS_NTO, (uint64_t)blocks);
  EXPECT(BY_M, C_VIRTUAL);
  RUN(MODE_HS, "lr.d a1, (a0)\n" WRS_NTO, (uint64_t)blocks);
  EXPECT_OK();
  csr_set(MSTATUS, STATUS_TW);
  RUN(MODE_HS, "lr.d a1, (a0)\n" WRS_STO "\n" WRS_NTO, (uint64_t)blocks);
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_VS, "lr.d a1, (a0)\n" WRS_NTO, (uint64_t)blocks);
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_HS, "lr.d a1, (a0)\nsc.d a1, a1, (a0)\n" WRS_NTO, (uint64_t)blocks);
  EXPECT_OK();
  csr_clear(MSTATUS, STATUS_TW);
  csr_write(HSTATUS, 0);
}

// mop.r.31 a0, a1; mop.rr.7 a0, a1, a2; c.mop.1, which writes nothing.
static void may_be_operations(void) {
  RUN(MODE_HS, ".4byte 0xcdf5c573", 5, 6);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 0);
  RUN(MODE_U, ".4byte 0xcec5c573", 5, 6);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 0);
  RUN(MODE_HS, ".2byte 0x6081", 5, 6);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 5);
}

// Zcb on a0 and a1: c.lbu a0, 1(a0); c.sb a1, 3(a0) and back; c.not, c.mul, c.zext.w, c.sext.b.
static void compressed(void) {
  *(uint64_t *)blocks = 0x1122334455667788;
  RUN(MODE_M, ".2byte 0x8148\n.2byte 0x8d8d", blocks, 0x77);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 0x77);
  CHECK_EQ(trap.a1, 0);
  RUN(MODE_M, ".2byte 0x896c\nld a0, 0(a0)", blocks, 0xabcd);
  CHECK_EQ(trap.a0, 0x11223344cd667788);
  RUN(MODE_M, ".2byte 0x9d4d\n.2byte 0x9d75", 7, 9);
  CHECK_EQ(trap.a0, ~63ull);
  RUN(MODE_M, ".2byte 0x9d71\n.2byte 0x9de5", -1, 0x180);
  CHECK_EQ(trap.a0, 0xffffffff);
  CHECK_EQ(trap.a1, -128ull);
}

void test_body(void) {
  RUN_PARTS(zeroes_one_block, gates, faults, guest_faults, waiting, may_be_operations, compressed);
}
