// SPDX-License-Identifier: Apache-2.0
// PMP on instruction fetches inside a page: every instruction is checked, each of its bytes, however it is reached
// (chapters "Physical Memory Protection" and "Smepmp"). An instruction is fetched in halfwords, each of which is
// checked by itself. Locked rules can be changed here by mseccfg.RLB.

#include "pmp.h"

#define RA 1
#define T2 7
#define A1 11
#define A2 12
#define A3 13
#define A4 14

static uint8_t pages[2 * PAGE] __attribute__((aligned(4096)));

static const enum mode kModes[] = {MODE_M, MODE_HS, MODE_U, MODE_VS, MODE_VU};
#define MODES (sizeof kModes / sizeof *kModes)

// --- Code.

static uint32_t addi(unsigned rd, unsigned rs, int32_t imm) { return (uint32_t)imm << 20 | rs << 15 | rd << 7 | 0x13; }
static uint32_t jal(unsigned rd, int32_t offset) {
  uint32_t o = (uint32_t)offset;
  return (o >> 20 & 1) << 31 | (o >> 1 & 0x3ff) << 21 | (o >> 11 & 1) << 20 | (o >> 12 & 0xff) << 12 | rd << 7 | 0x6f;
}
static uint32_t jalr(unsigned rd, unsigned rs) { return rs << 15 | rd << 7 | 0x67; }
static uint32_t branch(unsigned funct3, unsigned rs1, unsigned rs2, int32_t offset) {
  uint32_t o = (uint32_t)offset;
  return (o >> 12 & 1) << 31 | (o >> 5 & 0x3f) << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | (o >> 1 & 0xf) << 8 |
         (o >> 11 & 1) << 7 | 0x63;
}
static uint32_t csrw(unsigned csr, unsigned rs) { return csr << 20 | rs << 15 | 1 << 12 | 0x73; }
static uint16_t c_j(int32_t offset) {
  uint32_t o = (uint32_t)offset;
  return (uint16_t)(0xa001 | (o >> 11 & 1) << 12 | (o >> 4 & 1) << 11 | (o >> 8 & 3) << 9 | (o >> 10 & 1) << 8 |
                    (o >> 6 & 1) << 7 | (o >> 7 & 1) << 6 | (o >> 1 & 7) << 3 | (o >> 5 & 1) << 2);
}
static uint16_t c_bnez(unsigned rs, int32_t offset) {
  uint32_t o = (uint32_t)offset;
  return (uint16_t)(0xe001 | (o >> 8 & 1) << 12 | (o >> 3 & 3) << 10 | (rs - 8) << 7 | (o >> 6 & 3) << 5 |
                    (o >> 1 & 3) << 3 | (o >> 5 & 1) << 2);
}
static uint16_t c_jr(unsigned rs) { return (uint16_t)(0x8002 | rs << 7); }
static uint16_t c_jalr(unsigned rs) { return (uint16_t)(0x9002 | rs << 7); }
#define C_NOP 0x0001

static void put16(uint64_t at, uint16_t insn) { *(uint16_t *)(pages + at) = insn; }
static void put(uint64_t at, uint32_t insn) {
  put16(at, (uint16_t)insn);
  put16(at + 2, (uint16_t)(insn >> 16));
}
// From `at` to the end of both pages: c.nop.
static void clear_code(void) {
  for (uint64_t at = 0; at < sizeof pages; at += 2) put16(at, C_NOP);
}
static void sync_code(void) { asm volatile("fence.i" : : : "memory"); }

// Enters code by a jump that leaves the way back in t2; code counts in a1.
#define ENTER(mode, at, a2, a3) RUN(mode, "jalr t2, 0(a0)", at, 0, a2, a3)

static void expect_fault(uint64_t epc, uint64_t tval) {
  EXPECT(BY_M, C_FETCH_ACCESS);
  CHECK_EQ(trap.epc, epc);
  CHECK_EQ(trap.tval, tval);
}

// --- Straight on over the bounds of a rule.

// The first `size` bytes of the page are open; the rest has a rule without permissions, or none at all.
static void open_start(enum mode mode, uint64_t size, bool has_rule) {
  uint64_t lock = lock_for(mode);
  if (has_rule) {
    rule_napot(0, pages, size, lock | PMP_R | PMP_X);
    rule_napot(1, pages, PAGE, lock);
  } else {
    write_pmpaddr(0, (uint64_t)pages >> 2);
    pmp_rules |= PMP_TOR | PMP_R | PMP_W | PMP_X;
    rule_napot(1, pages, size, lock | PMP_R | PMP_X);
    rule_range(2, pages + PAGE, (void *)0x100000000000, PMP_R | PMP_W | PMP_X);
    csr_write(PMPCFG2, 0);
  }
  commit_rules();
}

static void straight_line(void) {
  begin_rules();
  clear_code();
  for (uint64_t at = 0; at < PAGE - 4; at += 4) put(at, addi(A1, A1, 1));
  put(PAGE - 4, jalr(0, T2));
  sync_code();
  for (unsigned m = 0; m < MODES; m++) {
    enum mode mode = kModes[m];
    for (unsigned variant = 0; variant < 2; variant++) {
      // Without a rule M mode may do everything.
      if (variant == 1 && mode == MODE_M) continue;
      for (uint64_t size = 4; size <= 2048; size *= 2) {
        begin_rules();
        csr_write(PMPCFG2, 0x1full << 56);
        ENTER(mode, pages, 0, 0);
        EXPECT_OK();
        CHECK_EQ(trap.a1, PAGE / 4 - 1);
        open_start(mode, size, variant == 0);
        for (uint64_t from = 0; from < size; from += size / 2 < 4 ? 4 : size / 2) {
          ENTER(mode, pages + from, 0, 0);
          expect_fault((uint64_t)pages + size, (uint64_t)pages + size);
          CHECK_EQ(trap.a1, (size - from) / 4);
        }
        ENTER(mode, pages + 2048, 0, 0);
        expect_fault((uint64_t)pages + 2048, (uint64_t)pages + 2048);
      }
    }
  }
}

// --- Jumps to code that is taken away.

// At 0 a loop that goes to `to`, where its other half is; a2 rounds. a3 holds the address of `to`.
#define JUMP_KINDS 10
static bool put_loop(unsigned kind, uint64_t to) {
  clear_code();
  put(0, addi(A1, A1, 1));
  int32_t offset = (int32_t)to - 4;
  switch (kind) {
    case 0: put(4, jal(0, offset)); break;
    case 1: put(4, jal(RA, offset)); break;
    case 2: put(4, branch(0, 0, 0, offset)); break;        // beq x0, x0
    case 3: put(4, branch(1, A1, 0, offset)); break;       // bne a1, x0
    case 4: put(4, jalr(0, A3)); break;
    case 5: put(4, jalr(RA, A3)); break;
    case 6: put(4, addi(RA, A3, 0)), put16(8, c_jr(RA)); break;  // ret
    case 7: put16(4, c_j(offset)); break;
    case 8: put16(4, c_jalr(A3)); break;
    case 9:
      if (offset > 254) return false;
      put16(4, c_bnez(A1, offset));
      break;
    default: break;  // straight on
  }
  put(to, addi(A2, A2, -1));
  put(to + 4, branch(1, A2, 0, -(int32_t)(to + 4)));
  put(to + 8, jalr(0, T2));
  sync_code();
  return true;
}

static void check_taken_away(enum mode mode, uint64_t to, uint64_t size) {
  uint64_t target = (uint64_t)pages + to;
  ENTER(mode, pages, 60, target);
  EXPECT_OK();
  CHECK_EQ(trap.a1, 60);
  rule_napot(0, pages + to, size, lock_for(mode));
  commit_rules();
  for (int again = 0; again < 2; again++) {
    ENTER(mode, pages, 60, target);
    expect_fault(target, target);
    CHECK_EQ(trap.a1, 1);
  }
  // Enough is left to go round in, but for the way that leads out.
  if (size == 4) {
    ENTER(mode, pages + to + 4, 0, target);
    EXPECT_OK();
  }
  // What is taken away elsewhere in the page does not matter.
  rule_napot(0, pages + PAGE - size, size, lock_for(mode));
  commit_rules();
  ENTER(mode, pages, 60, target);
  EXPECT_OK();
  CHECK_EQ(trap.a1, 60);
  commit_rules();
  ENTER(mode, pages, 60, target);
  EXPECT_OK();
  CHECK_EQ(trap.a1, 60);
}

static void jumps(void) {
  begin_rules();
  for (unsigned kind = 0; kind <= JUMP_KINDS; kind++) {
    for (uint64_t to = 64; to <= 1024; to *= 4) {
      for (unsigned m = 0; m < MODES; m++) {
        for (uint64_t size = 4; size <= to && size <= 256; size *= 4) {
          if (put_loop(kind, to)) check_taken_away(kModes[m], to, size);
        }
      }
    }
  }
}

// A loop that runs hot in one mode gives nothing to another, and the same page nothing at another address.
static void other_views(void) {
  begin_rules();
  uint64_t to = 256;
  put_loop(0, to);
  rule_napot(0, pages + to, 64, 0);
  commit_rules();
  ENTER(MODE_M, pages, 60, 0);
  EXPECT_OK();
  for (unsigned m = 1; m < MODES; m++) {
    ENTER(kModes[m], pages, 60, 0);
    expect_fault((uint64_t)pages + to, (uint64_t)pages + to);
    ENTER(MODE_M, pages, 60, 0);
    EXPECT_OK();
  }
  commit_rules();
  enable_guest(3, 3);
  enable_hs(3);
  map(&g_space, TEST_GPA, (uint64_t)pages, PTE_RWX | PTE_U, 0);
  for (uint64_t view = 0; view < 3; view++) {
    uint64_t at = TEST_VA + view * PAGE;
    map(&hs_space, at, (uint64_t)pages, PTE_RWX, 0);
    map(&vs_space, at, TEST_GPA, PTE_RWX, 0);
    fence_all();
    for (unsigned guest = 0; guest < 2; guest++) {
      enum mode mode = guest ? MODE_VS : MODE_HS;
      ENTER(mode, at, 60, 0);
      EXPECT_OK();
      CHECK_EQ(trap.a1, 60);
      rule_napot(0, pages + to, 4, 0);
      commit_rules();
      ENTER(mode, at, 60, 0);
      expect_fault(at + to, at + to);
      CHECK_EQ(trap.tval2, 0);
      CHECK_EQ(trap.a1, 1);
      commit_rules();
    }
  }
}

// --- Instructions of 4 bytes at a multiple of 4 less 2.

static void straddling(void) {
  begin_rules();
  clear_code();
  const uint64_t at = 510;
  put(at, addi(A1, A1, 1));
  put(at + 4, addi(A2, A2, -1));
  put(at + 8, branch(1, A2, 0, -508));
  put16(at + 12, c_jr(T2));
  sync_code();
  uint64_t bound = (uint64_t)pages + at + 2;
  for (unsigned m = 0; m < MODES; m++) {
    enum mode mode = kModes[m];
    uint64_t lock = lock_for(mode);
    for (uint64_t size = 4; size <= 128; size *= 2) {
      commit_rules();
      ENTER(mode, pages, 60, 0);
      EXPECT_OK();
      CHECK_EQ(trap.a1, 60);
      // The second half is closed: nothing of the instruction happens, and mtval tells the half.
      rule_napot(0, (void *)bound, size, lock);
      commit_rules();
      ENTER(mode, pages, 60, 0);
      expect_fault(bound - 2, bound);
      CHECK_EQ(trap.a1, 0);
      ENTER(mode, bound - 2, 60, 0);
      expect_fault(bound - 2, bound);
      // The first half is.
      rule_napot(0, (void *)(bound - size), size, lock);
      commit_rules();
      ENTER(mode, bound - 2, 60, 0);
      expect_fault(bound - 2, bound - 2);
      ENTER(mode, pages, 60, 0);
      expect_fault(bound - size, bound - size);
      // Two rules permit a half each; a third one closes another part of the page.
      rule_napot(0, (void *)(bound - size), size, lock | PMP_X);
      rule_napot(1, (void *)bound, size, lock | PMP_X | PMP_R);
      rule_napot(2, pages + 2048, 64, lock);
      commit_rules();
      ENTER(mode, pages, 60, 0);
      EXPECT_OK();
      CHECK_EQ(trap.a1, 60);
    }
  }
  commit_rules();
}

// The same where the halves are in two pages.
static void straddling_pages(void) {
  begin_rules();
  clear_code();
  const uint64_t at = PAGE - 2;
  put(at, addi(A1, A1, 1));
  put16(at + 4, c_jr(T2));
  sync_code();
  uint64_t bound = (uint64_t)pages + PAGE;
  for (unsigned m = 0; m < MODES; m++) {
    enum mode mode = kModes[m];
    uint64_t lock = lock_for(mode);
    commit_rules();
    ENTER(mode, bound - 64, 0, 0);
    EXPECT_OK();
    for (uint64_t size = 4; size <= PAGE; size *= 2) {
      rule_napot(0, (void *)bound, size, lock);
      commit_rules();
      ENTER(mode, bound - 64, 0, 0);
      expect_fault(bound - 2, bound);
      CHECK_EQ(trap.a1, 0);
      rule_napot(0, (void *)(bound - size), size, lock);
      commit_rules();
      ENTER(mode, bound - 2, 0, 0);
      expect_fault(bound - 2, bound - 2);
    }
    // Both pages are cut, the instruction and what follows it are open.
    rule_napot(0, pages + 64, 64, lock);
    rule_napot(1, pages + PAGE + 4, 4, lock);
    commit_rules();
    ENTER(mode, bound - 64, 0, 0);
    EXPECT_OK();
    CHECK_EQ(trap.a1, 1);
  }
  commit_rules();
}

// --- Rules that change under the code that runs.

// M mode's code writes a CSR of PMP that takes away the instruction after the write.
static void check_own_write(unsigned csr, uint64_t harmless, uint64_t harmful, uint64_t at) {
  clear_code();
  put(0, addi(A1, A1, 1));
  put(4, addi(A3, A3, -1));
  put(at - 4, csrw(csr, A2));
  put(at, addi(A1, A1, 1));
  put(at + 4, branch(1, A3, 0, -(int32_t)(at + 4)));
  put(at + 8, jalr(0, T2));
  sync_code();
  ENTER(MODE_M, pages, harmless, 60);
  EXPECT_OK();
  CHECK_EQ(trap.a1, 120);
  ENTER(MODE_M, pages, harmful, 60);
  expect_fault((uint64_t)pages + at, (uint64_t)pages + at);
  CHECK_EQ(trap.a1, 1);
  csr_write(PMPCFG0, 0);
}

static void own_writes(void) {
  const uint64_t kData = PMP_L | PMP_NA4 | PMP_R | PMP_W;
  begin_rules();
  for (uint64_t at = 64; at <= 1024; at *= 2) {
    for (unsigned is_cut = 0; is_cut < 2; is_cut++) {
      uint64_t other = is_cut ? (uint64_t)kData << 8 : 0;
      csr_write(PMPADDR(1), (uint64_t)(pages + 2048) >> 2);
      csr_write(PMPADDR(0), (uint64_t)(pages + at) >> 2);
      csr_write(PMPCFG0, other);
      check_own_write(0x3a0, other, other | kData, at);
      csr_write(PMPADDR(0), (uint64_t)(pages + 3072) >> 2);
      csr_write(PMPCFG0, other | kData);
      check_own_write(0x3b0, (uint64_t)(pages + 3072) >> 2, (uint64_t)(pages + at) >> 2, at);
    }
  }
}

// Rules that only divide the page, into parts that may all be executed, leave it as it was.
static void divided_but_open(void) {
  begin_rules();
  put_loop(0, 1024);
  for (unsigned m = 0; m < MODES; m++) {
    enum mode mode = kModes[m];
    for (unsigned entry = 0; entry < 4; entry++)
      rule_napot(entry, pages + 512 * entry + 4, 4, lock_for(mode) | PMP_X);
    commit_rules();
    ENTER(mode, pages, 60, 0);
    EXPECT_OK();
    CHECK_EQ(trap.a1, 60);
  }
}

// --- Smepmp; there is no way back but reset: these are the last.

extern char code_end[];

// Memory and devices are shared data, the program's own code is shared code.
static void lock_down(void) {
  begin_rules();
  csr_write(PMPADDR(11), 0x80000000ull >> 2);
  csr_write(PMPADDR(12), (uint64_t)code_end >> 2);
  csr_write(PMPADDR(13), 0x80000000ull >> 2 | ((0x4000000 >> 3) - 1));
  csr_write(PMPADDR(14), (0x20000000 >> 3) - 1);
  csr_write(PMPCFG2, (PMP_TOR | PMP_L | 5ull) << 32);
  csr_write(MSECCFG, RLB | MML);
  csr_write(PMPCFG2, (PMP_NAPOT | 6ull) << 48 | (PMP_NAPOT | 6ull) << 40 | (PMP_TOR | PMP_L | 6ull) << 32);
}

static void machine_mode_lockdown(void) {
  lock_down();
  clear_code();
  for (uint64_t at = 0; at < PAGE; at += 4) put(at, addi(A1, A1, 1));
  sync_code();
  uint64_t base = (uint64_t)pages;
  for (uint64_t size = 4; size <= 1024; size *= 2) {
    // M mode's code, then S mode's, then code of both; nobody executes the rest.
    rule_napot(0, pages, size, PMP_L | PMP_R | PMP_X);
    rule_napot(1, pages + size, size, PMP_X);
    rule_napot(2, pages + 2 * size, 2 * size, PMP_L | PMP_W);
    rule_napot(3, pages, 2 * size, PMP_L);
    commit_rules();
    ENTER(MODE_M, base, 0, 0);
    expect_fault(base + size, base + size);
    CHECK_EQ(trap.a1, size / 4);
    ENTER(MODE_M, base + 2 * size, 0, 0);
    expect_fault(base + 4 * size, base + 4 * size);
    for (unsigned m = 1; m < MODES; m++) {
      ENTER(kModes[m], base, 0, 0);
      expect_fault(base, base);
      ENTER(kModes[m], base + size, 0, 0);
      expect_fault(base + 4 * size, base + 4 * size);
      CHECK_EQ(trap.a1, 3 * size / 4);
    }
  }
}

static void white_list(void) {
  lock_down();
  csr_write(MSECCFG, RLB | MML | MMWP);
  clear_code();
  for (uint64_t at = 0; at < PAGE; at += 4) put(at, addi(A1, A1, 1));
  sync_code();
  uint64_t base = (uint64_t)pages;
  for (uint64_t size = 4; size <= 128; size *= 2) {
    rule_napot(0, pages + 256, size, PMP_L | PMP_X);
    commit_rules();
    ENTER(MODE_M, base + 256, 0, 0);
    expect_fault(base + 256 + size, base + 256 + size);
    CHECK_EQ(trap.a1, size / 4);
    ENTER(MODE_M, base, 0, 0);
    expect_fault(base, base);
  }
}

void test_body(void) {
  RUN_PARTS(straight_line, jumps, other_views, straddling, straddling_pages, own_writes, divided_but_open);
  machine_mode_lockdown();
  white_list();
}
