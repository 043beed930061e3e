// SPDX-License-Identifier: Apache-2.0
// Programmable counters: events, filters, overflow interrupts (Sscofpmf), filters of cycle and instret
// (Smcntrpmf), delegation to S mode (Smcdeleg, Ssccfg).
#include "priv.h"

#define MHPMEVENT3 0x323
#define MHPMEVENT4 0x324
#define MHPMCOUNTER3 0xb03
#define MHPMCOUNTER4 0xb04
#define SCOUNTOVF 0xda0
#define MSTATEEN0 0x30c
#define SCOUNTINHIBIT 0x120
#define LCOFI 13
#define OF BIT(63)
#define MINH BIT(62)
#define SINH BIT(61)
#define ENVCFG_CDE BIT(60)

#define EVENT_CLOCK 1
#define EVENT_LOAD_MISS 0x10019
#define EVENT_WALK 0x100
#define EVENT_G_WALK 0x101
#define EVENT_INTERRUPT 0x110
#define EVENT_VIRTUAL 0x116
#define EVENT_GUEST_ENTRY 0x120
#define EVENT_GUEST_EXIT 0x121
#define EVENT_GUEST_EXIT_BY_CALL 0x124

static void count(uint64_t event3, uint64_t event4) {
  csr_write(MHPMEVENT3, event3);
  csr_write(MHPMEVENT4, event4);
  csr_write(MHPMCOUNTER3, 0);
  csr_write(MHPMCOUNTER4, 0);
}

static uint64_t area[16][512] __attribute__((aligned(4096)));

static void tlb_misses(void) {
  enable_hs(3);
  for (int i = 0; i < 16; i++) map(&hs_space, TEST_VA + i * PAGE, (uint64_t)area[i], PTE_RW, 0);
  fence_all();
  count(EVENT_LOAD_MISS, EVENT_WALK);
  RUN(MODE_HS, "li t0, 16\n1: ld t1, 0(a0)\nadd a0, a0, a1\naddi t0, t0, -1\nbnez t0, 1b", TEST_VA, PAGE);
  EXPECT_OK();
  uint64_t first = csr_read(MHPMCOUNTER3);
  CHECK(first >= 16);
  CHECK(csr_read(MHPMCOUNTER4) >= 16);
  // The same pages are now in the TLB.
  RUN(MODE_HS, "li t0, 16\n1: ld t1, 0(a0)\nadd a0, a0, a1\naddi t0, t0, -1\nbnez t0, 1b", TEST_VA, PAGE);
  CHECK(csr_read(MHPMCOUNTER3) < first + 16);
  enable_hs(0);
}

static void guests(void) {
  count(EVENT_GUEST_ENTRY, EVENT_GUEST_EXIT_BY_CALL);
  for (int i = 0; i < 5; i++) RUN(MODE_VS, "nop");
  CHECK_EQ(csr_read(MHPMCOUNTER3), 5);
  CHECK_EQ(csr_read(MHPMCOUNTER4), 5);
  count(EVENT_VIRTUAL, EVENT_GUEST_EXIT);
  RUN(MODE_VS, "csrr a0, 0x600");
  EXPECT(BY_M, C_VIRTUAL);
  CHECK_EQ(csr_read(MHPMCOUNTER3), 1);
  CHECK_EQ(csr_read(MHPMCOUNTER4), 1);
  enable_guest(3, 3);
  map(&vs_space, TEST_VA, TEST_GPA, PTE_RW, 0);
  map(&g_space, TEST_GPA, (uint64_t)area, PTE_RW | PTE_U, 0);
  fence_all();
  count(EVENT_G_WALK, EVENT_LOAD_MISS);
  RUN(MODE_VS, "ld a0, 0(a0)", TEST_VA);
  EXPECT_OK();
  CHECK(csr_read(MHPMCOUNTER3) >= 1);
  CHECK(csr_read(MHPMCOUNTER4) >= 1);
  enable_guest(0, 0);
}

static void inhibited(void) {
  count(EVENT_GUEST_ENTRY, EVENT_GUEST_ENTRY);
  csr_write(MCOUNTINHIBIT, BIT(3));
  RUN(MODE_VS, "nop");
  csr_write(MCOUNTINHIBIT, 0);
  CHECK_EQ(csr_read(MHPMCOUNTER3), 0);
  CHECK_EQ(csr_read(MHPMCOUNTER4), 1);
  // The entry happens in M mode.
  count(EVENT_GUEST_ENTRY | MINH, EVENT_GUEST_ENTRY | SINH);
  RUN(MODE_VS, "nop");
  CHECK_EQ(csr_read(MHPMCOUNTER3), 0);
  CHECK_EQ(csr_read(MHPMCOUNTER4), 1);
}

static void overflow(void) {
  csr_write(MIDELEG, BIT(LCOFI));
  csr_write(MIE, BIT(LCOFI));
  csr_write(MCOUNTEREN, -1ull);
  count(EVENT_GUEST_ENTRY, 0);
  csr_write(MHPMCOUNTER3, -1ull);
  RUN(MODE_VS, "nop");
  EXPECT(BY_HS, IRQ(LCOFI));
  CHECK_EQ(csr_read(SCOUNTOVF), BIT(3));
  CHECK_EQ(csr_read(MHPMEVENT3), OF | EVENT_GUEST_ENTRY);
  CHECK_EQ(csr_read(MHPMCOUNTER3), 0);
  RUN(MODE_HS, "csrr a0, 0xda0\nli a1, 1 << 13\ncsrc sip, a1\ncsrr a1, sip");
  CHECK_EQ(csr_read(MIP) & BIT(LCOFI), 0);
  // A clock that overflows while the hart spins; the timer notices.
  csr_write(MHPMCOUNTER3, -100000ull);
  csr_write(MHPMEVENT3, EVENT_CLOCK);
  RUN(MODE_HS, "csrsi sstatus, 2\n1: j 1b");
  EXPECT(BY_HS, IRQ(LCOFI));
  csr_write(MIP, 0);
  // … and while it sleeps.
  csr_write(MHPMCOUNTER3, -1000000ull);
  csr_write(MHPMEVENT3, EVENT_CLOCK);
  asm volatile("wfi");
  CHECK_EQ(csr_read(MIP) & BIT(LCOFI), BIT(LCOFI));
  csr_write(MIP, 0);
  csr_write(MHPMEVENT3, 0);
}

static void filtered_cycles(void) {
  csr_write(0x321, MINH);
  uint64_t before = csr_read(0xb00);
  for (volatile int i = 0; i < 1000; i++) {
  }
  CHECK_EQ(csr_read(0xb00), before);
  csr_write(0x321, SINH);
  CHECK(EVENTUALLY(csr_read(0xb00) != before));
  csr_write(0x321, 0);
}

static void delegated(void) {
  csr_write(MSTATEEN0, -1ull);
  csr_write(0x60c, -1ull);
  csr_write(MCOUNTEREN, BIT(0) | BIT(1) | BIT(3));
  csr_write(0x150, 0x43);
  RUN(MODE_HS, "csrr a0, 0x151");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_HS, "csrr a0, 0x120");
  EXPECT(BY_M, C_ILLEGAL);
  csr_write(MENVCFG, ENVCFG_CDE);
  count(MINH, 0);
  RUN(MODE_HS, "csrw 0x152, a0\ncsrw 0x151, a1\ncsrr a0, 0x152\ncsrr a1, 0x151", EVENT_GUEST_ENTRY | MINH | SINH, 77);
  EXPECT_OK();
  CHECK_EQ(trap.a0, EVENT_GUEST_ENTRY | SINH);
  CHECK_EQ(trap.a1, 77);
  CHECK_EQ(csr_read(MHPMEVENT3), EVENT_GUEST_ENTRY | SINH | MINH);
  RUN(MODE_HS, "csrr a0, 0x153");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_HS, "csrr a0, 0x155");
  EXPECT(BY_M, C_ILLEGAL);
  // Not delegated: time never is.
  static const unsigned closed[] = {0x41, 0x44};
  for (unsigned i = 0; i < 2; i++) {
    csr_write(0x150, closed[i]);
    RUN(MODE_HS, "csrr a0, 0x151");
    EXPECT(BY_M, C_ILLEGAL);
  }
  RUN(MODE_HS, "csrw 0x120, a0\ncsrr a0, 0x120", -1ull);
  EXPECT_OK();
  CHECK_EQ(trap.a0, BIT(0) | BIT(3));
  CHECK_EQ(csr_read(MCOUNTINHIBIT), BIT(0) | BIT(3));
  csr_write(MCOUNTINHIBIT, 0);
  csr_write(0x250, 0x43);
  RUN(MODE_VS, "csrr a0, 0x151");
  EXPECT(BY_M, C_VIRTUAL);
  RUN(MODE_VS, "csrr a0, 0x120");
  EXPECT(BY_M, C_VIRTUAL);
  RUN(MODE_VS, "csrr a0, 0xda0");
  EXPECT(BY_M, C_VIRTUAL);
  RUN(MODE_HS, "csrr a0, 0x251");
  EXPECT(BY_M, C_ILLEGAL);
  csr_write(MENVCFG, 0);
  RUN(MODE_VS, "csrr a0, 0x151");
  EXPECT(BY_M, C_ILLEGAL);
}

static void state_enables(void) {
  csr_write(MSTATEEN0, 0);
  RUN(MODE_HS, "csrr a0, senvcfg");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_VS, "csrr a0, senvcfg");
  EXPECT(BY_M, C_ILLEGAL);
  csr_write(MSTATEEN0, -1ull);
  csr_write(0x60c, 0);
  RUN(MODE_HS, "csrr a0, senvcfg");
  EXPECT_OK();
  RUN(MODE_VS, "csrr a0, senvcfg");
  EXPECT(BY_M, C_VIRTUAL);
  RUN(MODE_VS, "csrr a0, 0x10c");
  EXPECT(BY_M, C_VIRTUAL);
  csr_write(0x60c, -1ull);
  RUN(MODE_VS, "csrr a0, senvcfg\ncsrr a0, 0x10c");
  EXPECT_OK();
}

void test_body(void) {
  RUN_PARTS(tlb_misses, guests, inhibited, overflow, filtered_cycles, delegated, state_enables);
}
