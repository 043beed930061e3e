// SPDX-License-Identifier: Apache-2.0
// Physical memory protection: matching modes, priorities, locks, granularity, accesses of page-table
// walks and of guests (chapter "Physical Memory Protection").

#include "pmp.h"

static void set_cfg(unsigned entry, uint64_t cfg) {
  uint64_t mask = 0xffull << (entry & 7) * 8;
  uint64_t value = cfg << (entry & 7) * 8;
  if (entry < 8) {
    csr_clear(PMPCFG0, mask);
    csr_set(PMPCFG0, value);
  } else {
    csr_clear(PMPCFG2, mask);
    csr_set(PMPCFG2, value);
  }
  fence_all();
}

#define LOAD(mode, at) RUN(mode, "ld a1, 0(a0)", at)
#define STORE(mode, at) RUN(mode, "sd zero, 0(a0)", at)
#define FETCH(mode, at) RUN(mode, "jalr a0", at)

// Each combination of R, W and X on a NAPOT page, for HS and U mode; M mode is free of it.
static void permissions(void) {
  csr_write(PMPADDR(0), napot(page_a, PAGE));
  for (unsigned rwx = 0; rwx < 8; rwx++) {
    if ((rwx & 3) == PMP_W) continue;  // reserved without mseccfg.MML
    set_cfg(0, PMP_NAPOT | rwx);
    for (int user = 0; user < 2; user++) {
      page_a[0] = 0x00008067;
      asm volatile("fence.i" : : : "memory");
      enum mode mode = user ? MODE_U : MODE_HS;
      LOAD(mode, page_a);
      if (rwx & PMP_R) EXPECT_OK();
      else EXPECT(BY_M, C_LOAD_ACCESS);
      STORE(mode, page_a + 1);
      if (rwx & PMP_W) EXPECT_OK();
      else EXPECT(BY_M, C_STORE_ACCESS);
      FETCH(mode, page_a);
      if (rwx & PMP_X) {
        EXPECT_OK();
      } else {
        EXPECT(BY_M, C_FETCH_ACCESS);
        CHECK_EQ(trap.tval, page_a);
        CHECK_EQ(trap.epc, page_a);
      }
      RUN(mode, "lr.d a1, (a0)", page_a);
      if (rwx & PMP_R) EXPECT_OK();
      else EXPECT(BY_M, C_LOAD_ACCESS);
      RUN(mode, "sc.d a1, a1, (a0)", page_a);
      if (rwx & PMP_W) EXPECT_OK();
      else EXPECT(BY_M, C_STORE_ACCESS);
    }
    LOAD(MODE_M, page_a);
    EXPECT_OK();
  }
  // MPRV brings HS mode's rights to M mode's accesses.
  set_cfg(0, PMP_NAPOT);
  csr_clear(MSTATUS, STATUS_MPP);
  RUN(MODE_M, "li a3, 0x1800\ncsrc mstatus, a3\ncsrs mstatus, a1\nld a0, 0(a0)", page_a, STATUS_MPRV | STATUS_MPP_S);
  EXPECT(BY_M, C_LOAD_ACCESS);
}

// NA4, TOR and small NAPOT regions: the borders, to the byte.
static void matching(void) {
  uint64_t base = (uint64_t)page_a;
  csr_write(PMPADDR(0), (base + 16) >> 2);
  set_cfg(0, PMP_NA4);
  CHECK_EQ(csr_read(PMPCFG0) & 0xff, PMP_NA4);
  RUN(MODE_HS, "lw a1, 12(a0)\nlw a1, 20(a0)", base);
  EXPECT_OK();
  RUN(MODE_HS, "lw a1, 16(a0)", base);
  EXPECT(BY_M, C_LOAD_ACCESS);
  CHECK_EQ(trap.tval, base + 16);
  RUN(MODE_HS, "lbu a1, 19(a0)", base);
  EXPECT(BY_M, C_LOAD_ACCESS);
  // An access that an entry matches only in part fails, whatever the entry permits.
  set_cfg(0, PMP_NA4 | PMP_R | PMP_W);
  RUN(MODE_HS, "ld a1, 16(a0)", base);
  EXPECT(BY_M, C_LOAD_ACCESS);
  RUN(MODE_HS, "lw a1, 16(a0)", base);
  EXPECT_OK();
  // NAPOT of 8 and 32 bytes.
  csr_write(PMPADDR(0), napot((void *)(base + 64), 8));
  set_cfg(0, PMP_NAPOT);
  RUN(MODE_HS, "ld a1, 56(a0)\nld a1, 72(a0)", base);
  EXPECT_OK();
  RUN(MODE_HS, "ld a1, 64(a0)", base);
  EXPECT(BY_M, C_LOAD_ACCESS);
  csr_write(PMPADDR(0), napot((void *)(base + 64), 32));
  fence_all();
  RUN(MODE_HS, "ld a1, 88(a0)", base);
  EXPECT(BY_M, C_LOAD_ACCESS);
  RUN(MODE_HS, "ld a1, 96(a0)", base);
  EXPECT_OK();
  // TOR: from the entry before; entry 0 from address 0.
  csr_write(PMPADDR(1), (base + 0x100) >> 2);
  csr_write(PMPADDR(2), (base + 0x204) >> 2);
  set_cfg(0, 0);
  set_cfg(2, PMP_TOR);
  RUN(MODE_HS, "lw a1, 0xfc(a0)\nlw a1, 0x204(a0)", base);
  EXPECT_OK();
  RUN(MODE_HS, "lw a1, 0x100(a0)", base);
  EXPECT(BY_M, C_LOAD_ACCESS);
  RUN(MODE_HS, "lw a1, 0x200(a0)", base);
  EXPECT(BY_M, C_LOAD_ACCESS);
  // An empty range matches nothing.
  csr_write(PMPADDR(1), (base + 0x300) >> 2);
  fence_all();
  RUN(MODE_HS, "lw a1, 0x200(a0)", base);
  EXPECT_OK();
  set_cfg(2, 0);
  // The lowest matching entry decides.
  csr_write(PMPADDR(3), napot(page_a, PAGE));
  csr_write(PMPADDR(4), napot(page_a, PAGE));
  set_cfg(3, PMP_NAPOT | PMP_R);
  set_cfg(4, PMP_NAPOT | PMP_R | PMP_W);
  STORE(MODE_HS, page_a);
  EXPECT(BY_M, C_STORE_ACCESS);
  set_cfg(3, 0);
  STORE(MODE_HS, page_a);
  EXPECT_OK();
  set_cfg(4, 0);
  // Nothing matches: allowed in M mode alone.
  csr_clear(PMPCFG2, 0xffull << 56);
  fence_all();
  RUN(MODE_M, "ld a1, 0(a0)", page_a);
  EXPECT_OK();
  RUN(MODE_HS, "nop");
  EXPECT(BY_M, C_FETCH_ACCESS);
  RUN(MODE_U, "nop");
  EXPECT(BY_M, C_FETCH_ACCESS);
}

// Fields: addresses have 54 bits, reserved bits of cfg read zero, W without R is not taken.
static void fields(void) {
  CHECK_EQ(csr_write_read(PMPADDR(5), -1ull), -1ull >> 10);
  csr_write(PMPADDR(5), 0);
  csr_write(PMPCFG0, 0x60);
  CHECK_EQ(csr_read(PMPCFG0), 0);
  csr_write(PMPCFG0, PMP_W);
  CHECK((csr_read(PMPCFG0) & 3) != PMP_W);
  csr_write(PMPCFG0, 0x0705040301000000ull);
  CHECK_EQ(csr_read(PMPCFG0), 0x0705040301000000ull);
  csr_write(PMPCFG0, 0);
  RUN(MODE_M, "csrr a0, 0x3a1");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_HS, "csrr a0, 0x3a0");
  EXPECT(BY_M, C_ILLEGAL);
}

// Implicit accesses of a page-table walk are checked as HS-mode accesses and reported as access
// faults of the original type.
static void walks(void) {
  enable_guest(0, 0);
  enable_hs(3);
  uint64_t at = TEST_VA + 0x3000;
  map(&hs_space, at, (uint64_t)page_a, PTE_RWX, 0);
  *pte_of(&hs_space, TEST_VA, 1) = pte_for(page_b, PTE_V);
  page_b[3] = pte_for(page_a, PTE_RWX);
  csr_write(PMPADDR(0), napot(page_b, PAGE));
  set_cfg(0, PMP_NAPOT);
  LOAD(MODE_HS, at);
  EXPECT(BY_M, C_LOAD_ACCESS);
  CHECK_EQ(trap.tval, at);
  STORE(MODE_HS, at);
  EXPECT(BY_M, C_STORE_ACCESS);
  FETCH(MODE_HS, at);
  EXPECT(BY_M, C_FETCH_ACCESS);
  set_cfg(0, PMP_NAPOT | PMP_R);
  LOAD(MODE_HS, at);
  EXPECT_OK();
  // Svadu needs W on the table.
  csr_write(MENVCFG, ENVCFG_ADUE);
  page_b[3] = pte_for(page_a, PTE_V | PTE_R | PTE_W);
  fence_all();
  LOAD(MODE_HS, at);
  EXPECT(BY_M, C_LOAD_ACCESS);
  CHECK_EQ(page_b[3] & PTE_AD, 0);
  set_cfg(0, PMP_NAPOT | PMP_R | PMP_W);
  LOAD(MODE_HS, at);
  EXPECT_OK();
  CHECK_EQ(page_b[3] & PTE_AD, PTE_A);
  csr_write(SATP, 0);
}

// Guests: PMP applies to the final physical address and to both stages' tables; never a guest-page
// fault; HLVX needs both X and R of PMP.
static void guests(void) {
  enable_guest(3, 3);
  uint64_t at = TEST_VA + 0x3000;
  map(&vs_space, at, TEST_GPA, PTE_RWX, 0);
  map(&g_space, TEST_GPA, (uint64_t)page_a, PTE_RWX | PTE_U, 0);
  csr_write(PMPADDR(0), napot(page_a, PAGE));
  set_cfg(0, PMP_NAPOT);
  LOAD(MODE_VS, at);
  EXPECT(BY_M, C_LOAD_ACCESS);
  CHECK_EQ(trap.tval, at);
  CHECK_EQ(trap.tval2, 0);
  CHECK_EQ(trap.status & STATUS_GVA, STATUS_GVA);
  STORE(MODE_VS, at);
  EXPECT(BY_M, C_STORE_ACCESS);
  FETCH(MODE_VS, at);
  EXPECT(BY_M, C_FETCH_ACCESS);
  csr_write(HSTATUS, HSTATUS_SPVP);
  set_cfg(0, PMP_NAPOT | PMP_X);
  RUN(MODE_HS, ".insn r 0x73, 4, 0x34, a0, a0, x3", at);
  EXPECT(BY_M, C_LOAD_ACCESS);
  set_cfg(0, PMP_NAPOT | PMP_R);
  RUN(MODE_HS, ".insn r 0x73, 4, 0x34, a0, a0, x3", at);
  EXPECT(BY_M, C_LOAD_ACCESS);
  set_cfg(0, PMP_NAPOT | PMP_R | PMP_X);
  RUN(MODE_HS, ".insn r 0x73, 4, 0x34, a0, a0, x3", at);
  EXPECT_OK();
  // A G-stage table.
  *pte_of(&g_space, TEST_GPA, 1) = pte_for(page_b, PTE_V);
  page_b[0] = pte_for(page_c, PTE_RWX | PTE_U);
  csr_write(PMPADDR(0), napot(page_b, PAGE));
  set_cfg(0, PMP_NAPOT);
  STORE(MODE_VS, at);
  EXPECT(BY_M, C_STORE_ACCESS);
  CHECK_EQ(trap.tval2, 0);
}

// Locked entries bind M mode and cannot be changed, nor can the address of a locked TOR's lower
// bound. There is no way back but reset: this part is the last.
static void locks(void) {
  csr_write(PMPADDR(6), napot(page_d, PAGE));
  set_cfg(6, PMP_NAPOT | PMP_L | PMP_R);
  RUN(MODE_M, "ld a1, 0(a0)", page_d);
  EXPECT_OK();
  RUN(MODE_M, "sd a1, 0(a0)", page_d);
  EXPECT(BY_M, C_STORE_ACCESS);
  RUN(MODE_M, "jr a0", page_d);
  EXPECT(BY_M, C_FETCH_ACCESS);
  csr_write(PMPADDR(6), 0);
  CHECK_EQ(csr_read(PMPADDR(6)), napot(page_d, PAGE));
  csr_write(PMPCFG0, 0);
  CHECK_EQ(csr_read(PMPCFG0), (uint64_t)(PMP_NAPOT | PMP_L | PMP_R) << 48);
  csr_write(PMPADDR(8), 0);
  csr_write(PMPADDR(9), 0);
  set_cfg(9, PMP_TOR | PMP_L);
  CHECK_EQ(csr_write_read(PMPADDR(8), 0x1234), 0);
  CHECK_EQ(csr_write_read(PMPADDR(9), 0x1234), 0);
  CHECK_EQ(csr_write_read(PMPADDR(10), 0x1234), 0x1234);
}

void test_body(void) {
  RUN_PARTS(permissions, matching, fields, walks, guests, locks);
}
