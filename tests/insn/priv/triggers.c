// SPDX-License-Identifier: Apache-2.0
// Sdtrig (debug specification): enumeration, address matches of fetches, loads and stores by mode, size and kind
// of match, instruction counts, exception triggers, and the rule that keeps handlers from being hit.
#include "priv.h"

#define TSELECT 0x7a0
#define TDATA1 0x7a1
#define TDATA2 0x7a2
#define TDATA3 0x7a3
#define TINFO 0x7a4

#define TYPE(n) ((uint64_t)(n) << 60)
#define ICOUNT TYPE(3)
#define ETRIGGER TYPE(5)
#define MCONTROL6 TYPE(6)
#define DISABLED TYPE(15)

#define M6_LOAD BIT(0)
#define M6_STORE BIT(1)
#define M6_EXECUTE BIT(2)
#define M6_U BIT(3)
#define M6_S BIT(4)
#define M6_M BIT(6)
#define M6_MATCH(n) ((uint64_t)(n) << 7)
#define M6_SIZE(n) ((uint64_t)(n) << 16)
#define M6_HIT BIT(22)
#define M6_VU BIT(23)
#define M6_VS BIT(24)
#define M6_ALL_MODES (M6_U | M6_S | M6_M | M6_VU | M6_VS)

#define IC_U BIT(6)
#define IC_S BIT(7)
#define IC_PENDING BIT(8)
#define IC_COUNT(n) ((uint64_t)(n) << 10)
#define IC_HIT BIT(24)

#define ET_U BIT(6)
#define ET_S BIT(7)
#define ET_HIT BIT(58)

static uint64_t cells[1024] __attribute__((aligned(4096)));

static void disarm(void) {
  for (int i = 0; i < 4; i++) {
    csr_write(TSELECT, i);
    csr_write(TDATA1, 0);
    csr_write(TDATA2, 0);
  }
  csr_write(TSELECT, 0);
}

static void arm(uint64_t tdata1, uint64_t tdata2) {
  csr_write(TDATA1, 0);
  csr_write(TDATA2, tdata2);
  csr_write(TDATA1, tdata1);
  CHECK_EQ(csr_read(TDATA1), tdata1);
  CHECK_EQ(csr_read(TDATA2), tdata2);
}

static void enumeration(void) {
  unsigned n = 0;
  while (csr_write_read(TSELECT, n) == n) {
    CHECK_EQ(csr_read(TINFO), 1u << 24 | BIT(3) | BIT(5) | BIT(6) | BIT(15));
    CHECK_EQ(csr_write_read(TDATA1, 0), DISABLED);
    CHECK_EQ(csr_write_read(TDATA2, -1ull), -1ull);
    CHECK_EQ(csr_write_read(TDATA3, -1ull), 0);
    n++;
  }
  CHECK_EQ(n, 4);
  disarm();
  // Types, kinds of match, sizes and actions that there are not.
  CHECK_EQ(csr_write_read(TDATA1, TYPE(2) | 7), DISABLED);
  CHECK_EQ(csr_write_read(TDATA1, MCONTROL6 | M6_MATCH(4)), MCONTROL6);
  CHECK_EQ(csr_write_read(TDATA1, MCONTROL6 | M6_SIZE(4)), MCONTROL6);
  CHECK_EQ(csr_write_read(TDATA1, MCONTROL6 | BIT(59) | BIT(12) | BIT(11) | BIT(21)), MCONTROL6);
  CHECK_EQ(csr_write_read(TDATA1, MCONTROL6 | M6_ALL_MODES | 7 | M6_SIZE(5) | M6_MATCH(3)),
           MCONTROL6 | M6_ALL_MODES | 7 | M6_SIZE(5) | M6_MATCH(3));
  // The largest NAPOT range.
  csr_write(TDATA1, MCONTROL6 | M6_MATCH(1));
  CHECK_EQ(csr_write_read(TDATA2, -1ull), ~BIT(62));
  disarm();
  RUN(MODE_HS, "csrr a0, 0x7a0");
  EXPECT(BY_M, C_ILLEGAL);
}

#define THREE_NOPS "nop\nnop\nnop"

static void execute_by_mode(void) {
  static const struct {
    enum mode mode;
    uint64_t bit;
  } kModes[] = {{MODE_U, M6_U}, {MODE_HS, M6_S}, {MODE_VU, M6_VU}, {MODE_VS, M6_VS}};
  for (unsigned m = 0; m < 4; m++) {
    for (unsigned armed = 0; armed < 4; armed++) {
      disarm();
      const void *code = CODE(THREE_NOPS);
      arm(MCONTROL6 | M6_EXECUTE | kModes[armed].bit, (uint64_t)code + 4);
      run(kModes[m].mode, code, 0, 0, 0, 0);
      if (m == armed) {
        EXPECT(BY_M, C_BREAKPOINT);
        EXPECT_OFFSET(4);
        CHECK_EQ(trap.tval, (uint64_t)code + 4);
        CHECK_EQ(csr_read(TDATA1) & M6_HIT, M6_HIT);
      } else {
        EXPECT_OK();
        CHECK_EQ(csr_read(TDATA1) & M6_HIT, 0);
      }
    }
  }
  disarm();
  // In a loop whose code is there already, and at its second pass: then it is gone again.
  const void *loop = CODE("li t0, 100\n1: addi a0, a0, 1\naddi t0, t0, -1\nbnez t0, 1b");
  run(MODE_U, loop, 0, 0, 0, 0);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 100);
  arm(MCONTROL6 | M6_EXECUTE | M6_U, (uint64_t)loop + 8);
  run(MODE_U, loop, 0, 0, 0, 0);
  EXPECT(BY_M, C_BREAKPOINT);
  CHECK_EQ(trap.a0, 1);
  csr_write(TDATA1, 0);
  run(MODE_U, loop, 0, 0, 0, 0);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 100);
}

static void loads_and_stores(void) {
  uint64_t at = (uint64_t)&cells[100];
  static const struct {
    uint64_t kind;
    uint64_t load_hits, store_hits, amo_hits;
  } kKinds[] = {{M6_LOAD, 1, 0, 1}, {M6_STORE, 0, 1, 1}, {M6_LOAD | M6_STORE, 1, 1, 1}};
  // The page's translations are there before.
  RUN(MODE_U, "ld t0, 0(a0)\nsd t0, 0(a0)", at);
  EXPECT_OK();
  for (unsigned i = 0; i < 3; i++) {
    disarm();
    arm(MCONTROL6 | kKinds[i].kind | M6_U, at);
    RUN(MODE_U, "nop\nld a0, 0(a0)", at);
    EXPECT(kKinds[i].load_hits ? BY_M : BY_NONE, kKinds[i].load_hits ? C_BREAKPOINT : -1ull);
    if (kKinds[i].load_hits) {
      EXPECT_OFFSET(4);
      CHECK_EQ(trap.tval, at);
      CHECK_EQ(trap.a0, at);
    }
    cells[100] = 5;
    RUN(MODE_U, "nop\nsd zero, 0(a0)", at);
    EXPECT(kKinds[i].store_hits ? BY_M : BY_NONE, kKinds[i].store_hits ? C_BREAKPOINT : -1ull);
    CHECK_EQ(cells[100], kKinds[i].store_hits ? 5 : 0);
    RUN(MODE_U, "nop\namoswap.d a0, zero, (a0)", at);
    EXPECT(kKinds[i].amo_hits ? BY_M : BY_NONE, kKinds[i].amo_hits ? C_BREAKPOINT : -1ull);
    // lr is a load; sc, which comes after it, a store.
    RUN(MODE_U, "lr.d a0, (a0)", at);
    EXPECT(kKinds[i].load_hits ? BY_M : BY_NONE, kKinds[i].load_hits ? C_BREAKPOINT : -1ull);
    if (!kKinds[i].load_hits) {
      RUN(MODE_U, "lr.d t0, (a0)\nsc.d t0, t0, (a0)", at);
      EXPECT(BY_M, C_BREAKPOINT);
      EXPECT_OFFSET(4);
    }
    // Neighbours in the page, and other modes, are let through.
    RUN(MODE_U, "ld t0, 8(a0)\nsd t0, 8(a0)\nld t0, -8(a0)\nsd t0, -8(a0)", at);
    EXPECT_OK();
    RUN(MODE_HS, "ld t0, 0(a0)\nsd t0, 0(a0)", at);
    EXPECT_OK();
    CHECK_EQ(csr_read(TDATA1) & M6_HIT, M6_HIT);
  }
  disarm();
  RUN(MODE_U, "ld t0, 0(a0)\nsd t0, 0(a0)", at);
  EXPECT_OK();
}

static void expect_hit(uint64_t at, bool hits) {
  RUN(MODE_U, "lw t0, 0(a0)", at);
  EXPECT(hits ? BY_M : BY_NONE, hits ? C_BREAKPOINT : -1ull);
}

static void kinds_of_match(void) {
  uint64_t at = (uint64_t)&cells[64];
  disarm();
  // Each byte of an access is compared.
  arm(MCONTROL6 | M6_LOAD | M6_U, at + 3);
  expect_hit(at, true);
  expect_hit(at + 4, false);
  // The sizes.
  arm(MCONTROL6 | M6_LOAD | M6_U | M6_SIZE(3), at);
  expect_hit(at, true);
  arm(MCONTROL6 | M6_LOAD | M6_U | M6_SIZE(5), at);
  expect_hit(at, false);
  // NAPOT of 16 bytes.
  arm(MCONTROL6 | M6_LOAD | M6_U | M6_MATCH(1), at | 7);
  expect_hit(at - 4, false);
  expect_hit(at, true);
  expect_hit(at + 12, true);
  expect_hit(at + 16, false);
  // Not below; below.
  arm(MCONTROL6 | M6_LOAD | M6_U | M6_MATCH(2), at);
  expect_hit(at - 4, false);
  expect_hit(at, true);
  expect_hit(at + 0x800, true);
  arm(MCONTROL6 | M6_LOAD | M6_U | M6_MATCH(3), at);
  expect_hit(at - 4, true);
  expect_hit(at, false);
  // Before a page fault.
  disarm();
  arm(MCONTROL6 | M6_LOAD | M6_U, 8);
  RUN(MODE_U, "ld a0, 8(zero)");
  EXPECT(BY_M, C_BREAKPOINT);
  disarm();
  // Two at once: both are hit.
  arm(MCONTROL6 | M6_LOAD | M6_U, at);
  csr_write(TSELECT, 3);
  arm(MCONTROL6 | M6_LOAD | M6_U, at);
  expect_hit(at, true);
  CHECK_EQ(csr_read(TDATA1) & M6_HIT, M6_HIT);
  csr_write(TSELECT, 0);
  CHECK_EQ(csr_read(TDATA1) & M6_HIT, M6_HIT);
  disarm();
}

static void instruction_count(void) {
  for (unsigned count = 1; count < 5; count++) {
    disarm();
    csr_write(TDATA1, ICOUNT | IC_U | IC_COUNT(count));
    RUN(MODE_U, "nop\nnop\nnop\nnop\nnop\nnop");
    EXPECT(BY_M, C_BREAKPOINT);
    EXPECT_OFFSET(4 * count);
    CHECK_EQ(trap.tval, 0);
    CHECK_EQ(csr_read(TDATA1), ICOUNT | IC_U | IC_HIT);
  }
  disarm();
  // A call counts as one; what it leads to in M-mode does not. It fires when U-mode goes on.
  csr_write(TDATA1, ICOUNT | IC_U | IC_COUNT(1));
  RUN(MODE_U, "ecall\nnop");
  EXPECT(BY_M, C_U_ECALL);
  CHECK_EQ(csr_read(TDATA1), ICOUNT | IC_U | IC_PENDING);
  RUN(MODE_HS, "nop\nnop");
  EXPECT_OK();
  RUN(MODE_U, "nop\nnop");
  EXPECT(BY_M, C_BREAKPOINT);
  EXPECT_OFFSET(0);
  disarm();
}

static void exceptions(void) {
  // Into M-mode, whose handler cannot be hit.
  disarm();
  arm(ETRIGGER | ET_U, BIT(C_ILLEGAL));
  RUN(MODE_U, ".word 0");
  EXPECT(BY_M, C_ILLEGAL);
  CHECK_EQ(csr_read(TDATA1) & ET_HIT, 0);
  // Into S-mode: the breakpoint goes to M-mode, at the handler's first instruction.
  csr_write(MEDELEG, BIT(C_ILLEGAL));
  RUN(MODE_U, ".word 0");
  EXPECT(BY_M, C_BREAKPOINT);
  CHECK_EQ(trap.epc, csr_read(STVEC));
  CHECK_EQ(trap.tval, 0);
  CHECK_EQ(csr_read(SCAUSE), C_ILLEGAL);
  CHECK_EQ(csr_read(TDATA1) & ET_HIT, ET_HIT);
  // Another cause, and another mode.
  arm(ETRIGGER | ET_U, BIT(C_BREAKPOINT));
  RUN(MODE_U, ".word 0");
  EXPECT(BY_HS, C_ILLEGAL);
  arm(ETRIGGER | ET_S, BIT(C_ILLEGAL));
  RUN(MODE_U, ".word 0");
  EXPECT(BY_HS, C_ILLEGAL);
  disarm();
}

// Where breakpoints are handled in the mode itself, its interrupt enable says whether it can be hit.
static void handlers_are_not_hit(void) {
  uint64_t at = (uint64_t)&cells[8];
  disarm();
  arm(MCONTROL6 | M6_LOAD | M6_M | M6_S, at);
  RUN(MODE_M, "csrci mstatus, 8\nld t0, 0(a0)", at);
  EXPECT_OK();
  RUN(MODE_M, "csrsi mstatus, 8\nld t0, 0(a0)", at);
  EXPECT(BY_M, C_BREAKPOINT);
  csr_clear(MSTATUS, STATUS_MIE);
  // Not delegated: S-mode can always be hit.
  RUN(MODE_HS, "csrci sstatus, 2\nld t0, 0(a0)", at);
  EXPECT(BY_M, C_BREAKPOINT);
  csr_write(MEDELEG, BIT(C_BREAKPOINT));
  RUN(MODE_HS, "csrci sstatus, 2\nld t0, 0(a0)", at);
  EXPECT_OK();
  RUN(MODE_HS, "csrsi sstatus, 2\nld t0, 0(a0)", at);
  EXPECT(BY_HS, C_BREAKPOINT);
  CHECK_EQ(trap.tval, at);
  disarm();
}

void test_body(void) {
  RUN_PARTS(enumeration, execute_by_mode, loads_and_stores, kinds_of_match, instruction_count, exceptions,
            handlers_are_not_hit);
  disarm();
}
