// SPDX-License-Identifier: Apache-2.0
// PMP on data inside a page: each access of each kind is one memory operation, which the first rule that matches any of
// its bytes must match as a whole (an access of two pages is two operations; a cache block of 64 bytes is one). Locked
// rules can be changed here by mseccfg.RLB.

#include "pmp.h"

#define CBIE_INVALIDATE (3ull << 4)
#define CBCFE BIT(6)
#define CBZE BIT(7)

// The tests work on the first two; nothing else is on the others.
static uint8_t pages[3 * PAGE] __attribute__((aligned(4096)));

static const enum mode kModes[] = {MODE_M, MODE_HS, MODE_U, MODE_VS, MODE_VU};
#define MODES (sizeof kModes / sizeof *kModes)

struct kind {
  const void *code;  // accesses the address in a0
  unsigned size;
  unsigned align;  // what it needs, or else traps as misaligned
  unsigned cause;  // of its access faults
};
#define ANY 1
#define R C_LOAD_ACCESS
#define W C_STORE_ACCESS

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size) {
  return a < b + b_size && b < a + a_size;
}

// The rule covers [closed, closed + size), whether it permits anything or not.
static void check_access(enum mode mode, const struct kind *kind, uint64_t at, uint64_t rule, uint64_t size,
                         bool opens) {
  // A cache block is accessed as a whole.
  uint64_t first = kind->size == 64 ? at & ~63ull : at;
  bool is_inside = first >= rule && first + kind->size <= rule + size;
  bool good = !overlaps(first, kind->size, rule, size) || (opens && is_inside);
  run(mode, kind->code, at, 0, 0, 0);
  if (good) {
    EXPECT_OK();
  } else {
    EXPECT(BY_M, kind->cause);
    CHECK_EQ(trap.tval, at);
  }
}

// Each address around both ends of rules of 4 to 128 bytes.
static void check_kind(const struct kind *kind, const enum mode *modes, unsigned count) {
  const uint64_t base = (uint64_t)pages + 1024;
  for (uint64_t size = 4; size <= 128; size *= 2) {
    for (unsigned m = 0; m < count; m++) {
      for (int opens = 0; opens < 2; opens++) {
        rule_napot(0, (void *)base, size, lock_for(modes[m]) | (opens ? PMP_R | PMP_W | PMP_X : 0));
        commit_rules();
        uint64_t reach = kind->size == 64 ? 64 : kind->size + 1;
        uint64_t step = kind->size == 64 ? 24 : kind->align;
        for (uint64_t at = base - reach / kind->align * kind->align; at <= base + size + reach; at += step) {
          bool is_near_end = at < base + 2 * reach || at + 2 * reach > base + size;
          if (is_near_end) check_access(modes[m], kind, at, base, size, opens);
        }
      }
    }
  }
  commit_rules();
}

static void loads_and_stores(void) {
  begin_rules();
  const struct kind kinds[] = {
      {CODE("lb a1, 0(a0)"), 1, ANY, R},   {CODE("lhu a1, 0(a0)"), 2, ANY, R}, {CODE("lw a1, 0(a0)"), 4, ANY, R},
      {CODE("ld a1, 0(a0)"), 8, ANY, R},   {CODE("flw f1, 0(a0)"), 4, ANY, R}, {CODE("fld f1, 0(a0)"), 8, ANY, R},
      {CODE("sb a1, 0(a0)"), 1, ANY, W},   {CODE("sh a1, 0(a0)"), 2, ANY, W},  {CODE("sw a1, 0(a0)"), 4, ANY, W},
      {CODE("sd a1, 0(a0)"), 8, ANY, W},   {CODE("fsw f1, 0(a0)"), 4, ANY, W}, {CODE("fsd f1, 0(a0)"), 8, ANY, W},
  };
  for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) check_kind(&kinds[k], kModes, MODES);
}

static void atomics(void) {
  begin_rules();
  const struct kind kinds[] = {
      {CODE("lr.w a1, (a0)"), 4, 4, R},
      {CODE("lr.d a1, (a0)"), 8, 8, R},
      {CODE("sc.w a1, a1, (a0)"), 4, 4, W},
      {CODE("sc.d a1, a1, (a0)"), 8, 8, W},
      {CODE("amoadd.w a1, a1, (a0)"), 4, 4, W},
      {CODE("amoswap.d a1, a1, (a0)"), 8, 8, W},
      {CODE(".insn r 0x2f, 1, 0x00, a1, a0, a1"), 2, 2, W},  // amoadd.h
      {CODE(".insn r 0x2f, 2, 0x14, a2, a0, a4"), 4, 4, W},  // amocas.w
      {CODE(".insn r 0x2f, 3, 0x14, a2, a0, a4"), 8, 8, W},
      {CODE(".insn r 0x2f, 4, 0x14, a2, a0, a4"), 16, 16, W},
  };
  for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) check_kind(&kinds[k], kModes, MODES);
}

static void cache_blocks(void) {
  begin_rules();
  csr_write(MENVCFG, CBIE_INVALIDATE | CBCFE | CBZE);
  csr_write(SENVCFG, CBIE_INVALIDATE | CBCFE | CBZE);
  csr_write(HENVCFG, CBIE_INVALIDATE | CBCFE | CBZE);
  const struct kind kinds[] = {
      {CODE(".insn i 0x0f, 2, x0, a0, 0"), 64, ANY, W},  // cbo.inval, clean, flush, zero
      {CODE(".insn i 0x0f, 2, x0, a0, 1"), 64, ANY, W},
      {CODE(".insn i 0x0f, 2, x0, a0, 2"), 64, ANY, W},
      {CODE(".insn i 0x0f, 2, x0, a0, 4"), 64, ANY, W},
  };
  for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) check_kind(&kinds[k], kModes, MODES);
  csr_write(MENVCFG, 0);
  csr_write(SENVCFG, 0);
  csr_write(HENVCFG, 0);
}

// Accesses at another privilege than the code's.
static void hypervisor_and_mprv(void) {
  begin_rules();
  csr_write(HSTATUS, HSTATUS_SPVP);
  const struct kind kinds[] = {
      {CODE(".insn r 0x73, 4, 0x30, a1, a0, x0"), 1, ANY, R},  // hlv.b, h, w, d
      {CODE(".insn r 0x73, 4, 0x32, a1, a0, x0"), 2, ANY, R},
      {CODE(".insn r 0x73, 4, 0x34, a1, a0, x0"), 4, ANY, R},
      {CODE(".insn r 0x73, 4, 0x36, a1, a0, x0"), 8, ANY, R},
      {CODE(".insn r 0x73, 4, 0x32, a1, a0, x3"), 2, ANY, R},  // hlvx.hu, wu
      {CODE(".insn r 0x73, 4, 0x34, a1, a0, x3"), 4, ANY, R},
      {CODE(".insn r 0x73, 4, 0x35, x0, a0, a1"), 4, ANY, W},  // hsv.w, d
      {CODE(".insn r 0x73, 4, 0x37, x0, a0, a1"), 8, ANY, W},
  };
  const enum mode from_hs[] = {MODE_HS};
  for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) check_kind(&kinds[k], from_hs, 1);
  // MPRV: the rules bind though they are not locked.
  const struct kind by_mprv[] = {
      {CODE("li a3, 0x20800\ncsrs mstatus, a3\nld a1, 0(a0)"), 8, ANY, R},
      {CODE("li a3, 0x20800\ncsrs mstatus, a3\nsh a1, 0(a0)"), 2, ANY, W},
      {CODE("li a3, 0x20800\ncsrs mstatus, a3\namoadd.w a1, a1, (a0)"), 4, 4, W},
  };
  csr_write(HSTATUS, 2ull << 32);
  for (unsigned k = 0; k < sizeof by_mprv / sizeof *by_mprv; k++) {
    for (uint64_t size = 4; size <= 128; size *= 2) {
      const uint64_t base = (uint64_t)pages + 1024;
      rule_napot(0, (void *)base, size, 0);
      commit_rules();
      for (uint64_t at = base - 8; at <= base + size; at += by_mprv[k].align) {
        csr_clear(MSTATUS, STATUS_MPP);
        check_access(MODE_M, &by_mprv[k], at, base, size, false);
      }
    }
  }
  commit_rules();
}

// An access of two pages is two operations; a store does not begin unless it can end.
static void crossing(void) {
  begin_rules();
  uint64_t bound = (uint64_t)pages + PAGE;
  for (unsigned m = 0; m < MODES; m++) {
    enum mode mode = kModes[m];
    uint64_t lock = lock_for(mode);
    for (uint64_t before = 1; before < 8; before++) {
      uint64_t at = bound - before;
      for (unsigned second = 0; second < 2; second++) {
        uint64_t size = 4;
        rule_napot(0, (void *)(second ? bound : bound - 4), size, lock);
        commit_rules();
        RUN(mode, "ld a1, 0(a0)", at);
        EXPECT(BY_M, C_LOAD_ACCESS);
        CHECK_EQ(trap.tval, second ? bound : at);
        *(uint64_t *)(pages + PAGE + 8) = 0;
        RUN(mode, "sd a1, 0(a0)", at, -1ull);
        EXPECT(BY_M, C_STORE_ACCESS);
        CHECK_EQ(trap.tval, second ? bound : at);
        commit_rules();
        CHECK_EQ(*(uint64_t *)(pages + PAGE - 8) | *(uint64_t *)(pages + PAGE), 0);
      }
      // Each part is permitted by a rule of its own, in cut pages.
      rule_napot(0, (void *)(bound - 8), 8, lock | PMP_R | PMP_W);
      rule_napot(1, (void *)bound, 8, lock | PMP_R | PMP_W);
      rule_napot(2, pages, 2 * PAGE, lock);
      commit_rules();
      RUN(mode, "sd a1, 0(a0)\nld a1, 0(a0)\nsd zero, 0(a0)", at, 0x1234567890abcdef);
      EXPECT_OK();
      CHECK_EQ(trap.a1, 0x1234567890abcdef);
      commit_rules();
    }
  }
}

// --- Hot loops. They go from a0 on by a3 bytes, a2 rounds, and count in a1.

static const void *loops[8];
#define LOOP(body) CODE("1:" body "\naddi a1, a1, 1\nadd a0, a0, a3\naddi a2, a2, -1\nbnez a2, 1b")

// All rounds, then with a rule in the way, twice.
static void check_loop(enum mode mode, unsigned loop, int64_t stride, uint64_t closed, uint64_t size) {
  bool is_store = loop >= 4;
  uint64_t rounds = 4096 / (uint64_t)(stride < 0 ? -stride : stride);
  uint64_t from = (uint64_t)pages + (stride < 0 ? 6144 : 1024);
  run(mode, loops[loop], from, 0, rounds, (uint64_t)stride);
  EXPECT_OK();
  CHECK_EQ(trap.a1, rounds);
  uint64_t met = 0;
  while (met < rounds && !overlaps(from + met * (uint64_t)stride, 8, closed, size)) met++;
  rule_napot(0, (void *)closed, size, lock_for(mode));
  commit_rules();
  for (int again = 0; again < 2; again++) {
    run(mode, loops[loop], from, 0, rounds, (uint64_t)stride);
    CHECK_EQ(trap.a1, met);
    if (met == rounds) {
      EXPECT_OK();
      continue;
    }
    EXPECT(BY_M, is_store ? C_STORE_ACCESS : C_LOAD_ACCESS);
    CHECK_EQ(trap.tval, from + met * (uint64_t)stride);
  }
  commit_rules();
}

static void hot_loops(void) {
  begin_rules();
  loops[0] = LOOP("ld a4, 0(a0)");
  loops[1] = LOOP("fld f1, 0(a0)\nfadd.d f2, f2, f1");
  loops[2] = LOOP("lw a4, 0(a0)\nlw a5, 4(a0)\nlhu a6, 2(a0)");
  loops[3] = LOOP("ld a4, 0(a0)\nadd a4, a4, a1\nbgez a4, 2f\nadd a4, a4, a1\n2:");
  loops[4] = LOOP("sd a1, 0(a0)");
  loops[5] = LOOP("fsd f1, 0(a0)");
  loops[6] = LOOP("amoadd.d a4, a1, (a0)");
  loops[7] = LOOP("sd a1, 0(a0)\nld a4, 0(a0)\nadd a4, a4, a1");
  static const int64_t kStrides[] = {8, 16, 24, 264, -8, -24};
  for (unsigned loop = 0; loop < 8; loop++) {
    for (unsigned s = 0; s < sizeof kStrides / sizeof *kStrides; s++) {
      for (unsigned m = 0; m < MODES; m++) {
        // In the first page, and in the second that the loop comes to.
        for (uint64_t size = 8; size <= 128; size *= 4) {
          check_loop(kModes[m], loop, kStrides[s], (uint64_t)pages + 2048, size);
          check_loop(kModes[m], loop, kStrides[s], (uint64_t)pages + PAGE + 1024, size);
        }
      }
    }
  }
}

// M mode takes something away from a loop that it runs itself: the round after the write is checked.
static void own_writes(void) {
  begin_rules();
  for (uint64_t at = 0; at < 40; at += 13) {
    write_pmpaddr(0, (uint64_t)(pages + 8 * at) >> 2);
    RUN(MODE_M,
        "mv t1, a2\n2: mv t0, a0\nli a2, 40\n"
        "1: ld a4, 0(t0)\nsd a4, 0(t0)\naddi a1, a1, 1\naddi t0, t0, 8\naddi a2, a2, -1\nbnez a2, 1b\n"
        "csrw pmpcfg0, t1\nj 2b",
        pages, 0, PMP_L | PMP_NA4);
    EXPECT(BY_M, C_LOAD_ACCESS);
    CHECK_EQ(trap.a1, 40 + at);
    CHECK_EQ(trap.tval, (uint64_t)pages + 8 * at);
    commit_rules();
    // In one loop, in its 20th round.
    write_pmpaddr(0, (uint64_t)(pages + 8 * 20) >> 2);
    RUN(MODE_M,
        "li a4, 40\nli t2, 20\n"
        "1: ld t0, 0(a0)\nbne a4, t2, 2f\nmv a3, a2\n2: csrw pmpcfg0, a3\nsd t0, 0(a0)\naddi a1, a1, 1\n"
        "addi a0, a0, 8\naddi a4, a4, -1\nbnez a4, 1b",
        pages, 0, PMP_L | PMP_NA4);
    EXPECT(BY_M, C_STORE_ACCESS);
    CHECK_EQ(trap.a1, 20);
    commit_rules();
  }
}

// --- What is accessed on behalf of the program.

// The entry for TEST_VA + n pages is the n-th of page_b; only that which the rule closes cannot be used.
static void check_table(enum mode mode, uint64_t table_offset) {
  for (uint64_t size = 4; size <= 64; size *= 2) {
    uint64_t closed = (uint64_t)page_b + 128;
    rule_napot(0, (void *)closed, size, 0);
    commit_rules();
    for (int again = 0; again < 2; again++) {
      for (uint64_t n = 14; n < 26; n++) {
        bool good = !overlaps((uint64_t)(page_b + n), 8, closed, size);
        RUN(mode, "ld a1, 0(a0)", TEST_VA + n * PAGE + table_offset);
        if (good) EXPECT_OK();
        else EXPECT(BY_M, C_LOAD_ACCESS);
        RUN(mode, "sd a1, 0(a0)", TEST_VA + n * PAGE + table_offset);
        if (good) EXPECT_OK();
        else EXPECT(BY_M, C_STORE_ACCESS);
        RUN(mode, "jalr t2, 0(a0)", TEST_VA + n * PAGE + table_offset + 8);
        if (good) EXPECT_OK();
        else EXPECT(BY_M, C_FETCH_ACCESS);
      }
    }
    // Reading is not enough where A is to be set.
    csr_write(MENVCFG, ENVCFG_ADUE);
    csr_write(HENVCFG, ENVCFG_ADUE);
    rule_napot(0, (void *)closed, 64, PMP_R);
    page_b[17] &= ~PTE_A;
    commit_rules();
    RUN(mode, "ld a1, 0(a0)", TEST_VA + 16 * PAGE);
    EXPECT_OK();
    RUN(mode, "ld a1, 0(a0)", TEST_VA + 17 * PAGE);
    EXPECT(BY_M, C_LOAD_ACCESS);
    CHECK_EQ(page_b[17] & PTE_A, 0);
    commit_rules();
    page_b[17] |= PTE_A;
    csr_write(HENVCFG, 0);
    csr_write(MENVCFG, 0);
  }
}

static void fill_table(uint64_t target, uint64_t flags) {
  for (unsigned n = 0; n < 512; n++) page_b[n] = target >> 12 << 10 | flags;
}

static void tables(void) {
  begin_rules();
  page_a[1] = 0x00038067;  // jr t2
  asm volatile("fence.i" : : : "memory");
  fill_table((uint64_t)page_a, PTE_RWX);
  enable_guest(0, 0);
  enable_hs(3);
  *pte_of(&hs_space, TEST_VA, 1) = pte_for(page_b, PTE_V);
  fence_all();
  check_table(MODE_HS, 0);
  csr_write(SATP, 0);
  enable_guest(3, 0);
  *pte_of(&vs_space, TEST_VA, 1) = pte_for(page_b, PTE_V);
  fence_all();
  check_table(MODE_VS, 0);
  // The table of the G-stage: guest physical addresses are virtual ones.
  fill_table((uint64_t)page_a, PTE_RWX | PTE_U);
  enable_guest(0, 3);
  *pte_of(&g_space, TEST_VA, 1) = pte_for(page_b, PTE_V);
  fence_all();
  check_table(MODE_VS, 0);
}

// Devices' registers lie in pages like memory.
static void devices(void) {
  begin_rules();
  const uint64_t uart = 0x10000000, mtime = 0x200bff8;
  for (unsigned m = 0; m < MODES; m++) {
    enum mode mode = kModes[m];
    rule_napot(0, (void *)(uart + 4), 4, lock_for(mode));
    rule_napot(1, (void *)(mtime + 4), 4, lock_for(mode));
    commit_rules();
    for (unsigned reg = 0; reg < 8; reg++) {
      RUN(mode, "lbu a1, 0(a0)", uart + reg);
      if (reg < 4) EXPECT_OK();
      else EXPECT(BY_M, C_LOAD_ACCESS);
    }
    RUN(mode, "sb zero, 0(a0)", uart + 7);
    EXPECT(BY_M, C_STORE_ACCESS);
    RUN(mode, "lw a1, 0(a0)", mtime);
    EXPECT_OK();
    RUN(mode, "lw a1, 4(a0)", mtime);
    EXPECT(BY_M, C_LOAD_ACCESS);
    RUN(mode, "ld a1, 0(a0)", mtime);
    EXPECT(BY_M, C_LOAD_ACCESS);
  }
  commit_rules();
}

void test_body(void) {
  RUN_PARTS(loads_and_stores, atomics, cache_blocks, hypervisor_and_mprv, crossing, hot_loops, own_writes, tables,
            devices);
}
