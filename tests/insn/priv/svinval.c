// SPDX-License-Identifier: Apache-2.0
// Svinval, Svnapot and Svpbmt.
#include "priv.h"

#define SINVAL_VMA ".4byte 0x16000073"
#define SFENCE_W_INVAL ".4byte 0x18000073"
#define SFENCE_INVAL_IR ".4byte 0x18100073"
#define HINVAL_VVMA ".4byte 0x26000073"
#define HINVAL_GVMA ".4byte 0x66000073"
#define NAPOT BIT(63)
#define PBMT(type) ((uint64_t)(type) << 61)
#define ENVCFG_PBMTE BIT(62)
#define AT (TEST_VA + 0x30000)

static uint64_t area[3 * 8192] __attribute__((aligned(65536)));

static void invalidations(void) {
  enable_hs(3);
  uint64_t *pte = map(&hs_space, AT, (uint64_t)page_a, PTE_RW, 0);
  fence_all();
  page_a[0] = 1;
  page_b[0] = 2;
  RUN(MODE_HS, "ld a1, 0(a0)", AT);
  EXPECT_OK();
  *pte = pte_for(page_b, PTE_RW);
  RUN(MODE_HS, SFENCE_W_INVAL "\n" SINVAL_VMA "\n" SFENCE_INVAL_IR "\nld a0, 0(a0)", AT);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 2);
  enable_hs(0);
}

// TVM and VTVM concern the invalidations, not the fences around them; below S none of them may be executed.
static void permissions(void) {
  csr_set(MSTATUS, STATUS_TVM);
  RUN(MODE_HS, SFENCE_W_INVAL "\n" SFENCE_INVAL_IR);
  EXPECT_OK();
  RUN(MODE_HS, SINVAL_VMA);
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_HS, HINVAL_GVMA);
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_HS, HINVAL_VVMA);
  EXPECT_OK();
  csr_clear(MSTATUS, STATUS_TVM);
  RUN(MODE_HS, HINVAL_GVMA "\n" SINVAL_VMA);
  EXPECT_OK();
  RUN(MODE_U, SINVAL_VMA);
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_U, SFENCE_W_INVAL);
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_U, SFENCE_INVAL_IR);
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_VU, SFENCE_W_INVAL);
  EXPECT(BY_M, C_VIRTUAL);
  RUN(MODE_VU, SINVAL_VMA);
  EXPECT(BY_M, C_VIRTUAL);
  RUN(MODE_VS, HINVAL_VVMA);
  EXPECT(BY_M, C_VIRTUAL);
  RUN(MODE_VS, SFENCE_W_INVAL "\n" SINVAL_VMA "\n" SFENCE_INVAL_IR);
  EXPECT_OK();
  csr_write(HSTATUS, HSTATUS_VTVM);
  RUN(MODE_VS, SINVAL_VMA);
  EXPECT(BY_M, C_VIRTUAL);
  RUN(MODE_VS, SFENCE_W_INVAL);
  EXPECT_OK();
  csr_write(HSTATUS, 0);
}

// One entry of N translates each page of its 64 KiB to the page with the same low bits.
static void contiguous_pages(void) {
  enable_hs(3);
  uint64_t *pte = map(&hs_space, AT + 0x5000, (uint64_t)area, PTE_RW, 0);
  *pte = pte_for((const char *)area + 0x8000, PTE_RW | NAPOT);
  fence_all();
  area[0x5008 / 8] = 55;
  RUN(MODE_HS, "ld a0, 8(a0)", AT + 0x5000);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 55);
  // Other sizes are reserved.
  for (unsigned low = 0; low < 16; low++) {
    *pte = pte_for((const char *)area + 0x1000 * low, PTE_RW | NAPOT);
    fence_all();
    RUN(MODE_HS, "ld a0, 8(a0)", AT + 0x5000);
    if (low == 8)
      EXPECT_OK();
    else
      EXPECT(BY_M, C_LOAD_PAGE);
  }
  enable_hs(0);
}

static void memory_types(void) {
  enable_hs(3);
  uint64_t *pte = map(&hs_space, AT, (uint64_t)page_a, PTE_RW, 0);
  for (unsigned type = 0; type < 4; type++) {
    for (unsigned on = 0; on < 2; on++) {
      csr_write(MENVCFG, on ? ENVCFG_PBMTE : 0);
      *pte = pte_for(page_a, PTE_RW | PBMT(type));
      fence_all();
      RUN(MODE_HS, "ld a1, 0(a0)", AT);
      if (type == 0 || (on && type != 3))
        EXPECT_OK();
      else
        EXPECT(BY_M, C_LOAD_PAGE);
    }
  }
  enable_hs(0);
  csr_write(MENVCFG, 0);
}

// menvcfg.PBMTE is for the G-stage, henvcfg.PBMTE for the VS-stage.
static void memory_types_of_guests(void) {
  for (unsigned on = 0; on < 3; on++) {
    csr_write(MENVCFG, on > 0 ? ENVCFG_PBMTE : 0);
    csr_write(HENVCFG, on > 1 ? ENVCFG_PBMTE : 0);
    enable_guest(3, 3);
    uint64_t *g_pte = map(&g_space, TEST_GPA, (uint64_t)page_a, PTE_RW | PTE_U, 0);
    uint64_t *vs_pte = map(&vs_space, AT, TEST_GPA, PTE_RW, 0);
    *g_pte = pte_for(page_a, PTE_RW | PTE_U | PBMT(1));
    fence_all();
    RUN(MODE_VS, "ld a1, 0(a0)", AT);
    if (on > 0)
      EXPECT_OK();
    else
      EXPECT(BY_M, C_LOAD_GUEST);
    *g_pte = pte_for(page_a, PTE_RW | PTE_U);
    *vs_pte |= PBMT(2);
    fence_all();
    RUN(MODE_VS, "ld a1, 0(a0)", AT);
    if (on > 1)
      EXPECT_OK();
    else
      EXPECT(BY_M, C_LOAD_PAGE);
  }
  enable_guest(0, 0);
  csr_write(MENVCFG, 0);
  csr_write(HENVCFG, 0);
}

void test_body(void) {
  RUN_PARTS(invalidations, permissions, contiguous_pages, memory_types, memory_types_of_guests);
}
