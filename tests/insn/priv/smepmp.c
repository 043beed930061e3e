// SPDX-License-Identifier: Apache-2.0
// Smepmp: mseccfg.RLB, MMWP and MML, whose bits are sticky, and the truth table of MML (chapter
// "Smepmp" and its table of pmpcfg encodings). The whole image is opened to M mode first.

#include "pmp.h"

#define UNMATCHED 0x84000000  // RAM that the entries below leave out

static void set_cfg0(uint64_t cfg) {
  csr_write(PMPCFG0, (csr_read(PMPCFG0) & ~0xffull) | cfg);
  fence_all();
}

// RLB lets locked entries be written and is itself writable while no entry is locked... or it was set.
static void rule_locking_bypass(void) {
  CHECK_EQ(csr_read(MSECCFG), 0);
  csr_write(MSECCFG, RLB);
  CHECK_EQ(csr_read(MSECCFG), RLB);
  csr_write(PMPADDR(0), napot(page_a, PAGE));
  set_cfg0(PMP_NAPOT | PMP_L);
  RUN(MODE_M, "ld a0, 0(a0)", page_a);
  EXPECT(BY_M, C_LOAD_ACCESS);
  set_cfg0(0);
  CHECK_EQ(csr_read(PMPCFG0) & 0xff, 0);
  RUN(MODE_M, "ld a0, 0(a0)", page_a);
  EXPECT_OK();
}

// The rights of M mode and of S and U mode by L, R, W, X under MML. Bits: 1 read, 2 write, 4 execute.
struct rights {
  unsigned m, s;
};
static const struct rights table[16] = {
    // L=0
    [0] = {0, 0}, [4] = {0, 4}, [2] = {3, 1}, [6] = {3, 3}, [1] = {0, 1}, [5] = {0, 5}, [3] = {0, 3}, [7] = {0, 7},
    // L=1
    [8] = {0, 0}, [12] = {4, 0}, [10] = {4, 4}, [14] = {5, 4}, [9] = {1, 0}, [13] = {5, 0}, [11] = {3, 0},
    [15] = {1, 1},
};

static void expect_right(bool allowed, unsigned cause, unsigned row) {
  bool good = allowed ? trap.by == BY_NONE : trap.by == BY_M && trap.cause == cause;
  if (!good) put_line("row (L X W R)", row);
  check(good, __FILE__, __LINE__, trap.cause, allowed ? 0 : cause);
}

static void machine_mode_lockdown(void) {
  page_a[0] = page_a[1] = 0x00008067;
  asm volatile("fence.i" : : : "memory");
  // The image's code becomes a shared code region (locked, W, X: everybody executes, M mode reads),
  // all other memory and the devices a shared data region (W, X: everybody reads and writes).
  extern char _start[], code_end[];
  csr_write(PMPADDR(11), (uint64_t)_start >> 2);
  csr_write(PMPADDR(12), (uint64_t)code_end >> 2);
  csr_write(PMPADDR(13), napot((void *)0x80000000, 0x4000000));
  csr_write(PMPADDR(14), napot((void *)0, 0x20000000));
  // These encodings (W without R) exist only under MML, so that MML is set while the code is a
  // locked R, X region and nothing else matches.
  csr_write(PMPCFG2, (PMP_TOR | PMP_L | 5ull) << 32);
  csr_write(MSECCFG, RLB | MML);
  csr_write(PMPCFG2, 0x1full << 56 | (PMP_NAPOT | 6ull) << 48 | (PMP_NAPOT | 6ull) << 40 |
                         (PMP_TOR | PMP_L | 6ull) << 32);
  fence_all();
  CHECK_EQ(csr_read(MSECCFG), RLB | MML);
  for (unsigned row = 0; row < 16; row++) {
    set_cfg0(PMP_NAPOT | (row & 8 ? PMP_L : 0) | (row & 7));
    CHECK_EQ(csr_read(PMPCFG0) & 0x87, (row & 8 ? PMP_L : 0) | (row & 7));
    for (int machine = 0; machine < 2; machine++) {
      enum mode mode = machine ? MODE_M : MODE_HS;
      unsigned rights = machine ? table[row].m : table[row].s;
      RUN(mode, "ld a1, 0(a0)", page_a);
      expect_right(rights & 1, C_LOAD_ACCESS, row);
      RUN(mode, "sd zero, 8(a0)", page_a);
      expect_right(rights & 2, C_STORE_ACCESS, row);
      RUN(mode, "jalr a0", page_a);
      expect_right(rights & 4, C_FETCH_ACCESS, row);
    }
  }
  set_cfg0(0);
}

// MML and MMWP stay set once set; with MMWP memory without an entry is closed to M mode.
static void sticky_bits(void) {
  csr_write(MSECCFG, RLB);
  CHECK_EQ(csr_read(MSECCFG), RLB | MML);
  csr_write(PMPCFG2, csr_read(PMPCFG2) & 0xffffffffffffffull);
  RUN(MODE_M, "lw a1, 0(a0)", UNMATCHED);
  EXPECT_OK();
  csr_write(MSECCFG, RLB | MML | MMWP);
  CHECK_EQ(csr_read(MSECCFG), RLB | MML | MMWP);
  csr_write(MSECCFG, 0);
  // RLB can be cleared; entry 12 is locked, so that it can then not be set again.
  CHECK_EQ(csr_read(MSECCFG), MML | MMWP);
  csr_write(MSECCFG, RLB);
  CHECK_EQ(csr_read(MSECCFG), MML | MMWP);
  RUN(MODE_M, "lw a1, 0(a0)", UNMATCHED);
  EXPECT(BY_M, C_LOAD_ACCESS);
  RUN(MODE_M, "lw a1, 0(a0)", page_a);
  EXPECT_OK();
  // Adding a rule that M mode could execute is refused (RLB clear): the write has no effect.
  csr_write(PMPADDR(1), napot(page_b, PAGE));
  csr_write(PMPCFG0, (uint64_t)(PMP_NAPOT | PMP_L | 4) << 8);
  CHECK_EQ(csr_read(PMPCFG0) >> 8 & 0xff, 0);
}

void test_body(void) {
  rule_locking_bypass();
  machine_mode_lockdown();
  sticky_bits();
}
