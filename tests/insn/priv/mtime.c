// SPDX-License-Identifier: Apache-2.0
// mtime is a read-write register, and `time` and the timers of all modes follow it ("Machine Timer (mtime and
// mtimecmp) Registers"; chapters Sstc and "Hypervisor Time Delta Register").

#include "priv.h"

#define SPIN "1: j 1b"
#define FAR 1000000000000ull  // more than a day of ticks
#define NEAR 500
#define MTIME_WORD(n) (*(volatile uint32_t *)(0x200bff8 + 4 * (n)))

static void begin(void) {
  csr_write(MENVCFG, ENVCFG_STCE);
  CLINT_MTIME = 0;
}

static void time_follows(void) {
  CLINT_MTIME = FAR;
  CHECK(CLINT_MTIME - FAR < FAR);
  CHECK(csr_read(TIME) - FAR < FAR);
  csr_write(MCOUNTEREN, -1ull);
  csr_write(HCOUNTEREN, -1ull);
  csr_write(HTIMEDELTA, FAR);
  RUN(MODE_HS, "csrr a0, time");
  CHECK(trap.a0 - FAR < FAR);
  RUN(MODE_VS, "csrr a0, time");
  CHECK(trap.a0 - 2 * FAR < FAR);
  csr_write(HTIMEDELTA, 0);
  CLINT_MTIME = 0;
  CHECK(csr_read(TIME) < FAR);
  // It counts on.
  uint64_t now = csr_read(TIME);
  CHECK(EVENTUALLY(csr_read(TIME) > now));
}

static void halves(void) {
  MTIME_WORD(1) = 0x1234;
  MTIME_WORD(0) = 0x40000000;
  CHECK_EQ(CLINT_MTIME >> 28, 0x12344);
  CHECK_EQ(MTIME_WORD(1), 0x1234);
  CHECK_EQ(MTIME_WORD(0) >> 28, 4);
  MTIME_WORD(1) = 0;
  CHECK_EQ(csr_read(TIME) >> 28, 4);
}

// Cycles are not ticks of mtime.
static void cycles_go_on(void) {
  uint64_t cycles = csr_read(0xb00), retired = csr_read(0xb02);
  CLINT_MTIME = 100 * FAR;
  CHECK(csr_read(0xb00) - cycles < 10 * FAR);
  CHECK(csr_read(0xb02) - retired < 10 * FAR);
  CLINT_MTIME = 0;
  CHECK(csr_read(0xb00) - cycles < 10 * FAR);
}

static void machine_timer(void) {
  begin();
  csr_write(MIE, BIT(MTI));
  CLINT_MTIMECMP = FAR;
  CHECK_EQ(csr_read(MIP) & BIT(MTI), 0);
  CLINT_MTIME = FAR;
  CHECK_EQ(csr_read(MIP) & BIT(MTI), BIT(MTI));
  RUN(MODE_HS, SPIN);
  EXPECT(BY_M, IRQ(MTI));
  CLINT_MTIME = FAR - 1000000;
  CHECK_EQ(csr_read(MIP) & BIT(MTI), 0);
  RUN(MODE_HS, "nop");
  EXPECT_OK();
  // What was armed for a day from now is armed anew.
  CLINT_MTIME = FAR - NEAR;
  RUN(MODE_HS, SPIN);
  EXPECT(BY_M, IRQ(MTI));
  CHECK(CLINT_MTIME >= FAR);
  CLINT_MTIMECMP = -1ull;
}

static void supervisor_timer(void) {
  begin();
  csr_write(MIDELEG, BIT(STI));
  csr_write(MIE, BIT(STI));
  csr_write(STIMECMP, FAR);
  CHECK_EQ(csr_read(MIP) & BIT(STI), 0);
  CLINT_MTIME = FAR;
  CHECK_EQ(csr_read(MIP) & BIT(STI), BIT(STI));
  RUN(MODE_U, SPIN);
  EXPECT(BY_HS, IRQ(STI));
  CLINT_MTIME = 0;
  CHECK_EQ(csr_read(MIP) & BIT(STI), 0);
  RUN(MODE_U, "nop");
  EXPECT_OK();
  CLINT_MTIME = FAR - NEAR;
  RUN(MODE_U, SPIN);
  EXPECT(BY_HS, IRQ(STI));
  // The hart that writes is interrupted itself, and sees the timer at once.
  CLINT_MTIME = 0;
  csr_set(MSTATUS, STATUS_SIE);
  RUN(MODE_HS, "sd a1, 0(a0)\n" SPIN, 0x200bff8, FAR);
  EXPECT(BY_HS, IRQ(STI));
  CLINT_MTIME = 0;
  csr_clear(MSTATUS, STATUS_SIE);
  RUN(MODE_HS, "csrr a2, sip\nsd a1, 0(a0)\ncsrr a3, sip\nsd zero, 0(a0)\ncsrr a1, sip\nsub a0, a3, a2", 0x200bff8,
      FAR);
  EXPECT_OK();
  CHECK_EQ(trap.a0, BIT(STI));
  CHECK_EQ(trap.a1, 0);
  csr_write(STIMECMP, -1ull);
}

static void guest_timer(void) {
  begin();
  delegate_to_hs();
  delegate_to_vs();
  csr_write(HIDELEG, BIT(VSTI));
  csr_write(HENVCFG, ENVCFG_STCE);
  csr_write(HTIMEDELTA, FAR);
  csr_write(MIE, BIT(VSTI));
  csr_write(VSTIMECMP, 3 * FAR);
  CHECK_EQ(csr_read(HIP) & BIT(VSTI), 0);
  CLINT_MTIME = 2 * FAR;
  CHECK_EQ(csr_read(HIP) & BIT(VSTI), BIT(VSTI));
  RUN(MODE_VU, SPIN);
  EXPECT(BY_VS, IRQ(STI));
  CLINT_MTIME = FAR;
  CHECK_EQ(csr_read(HIP) & BIT(VSTI), 0);
  RUN(MODE_VU, "nop");
  EXPECT_OK();
  CLINT_MTIME = 2 * FAR - NEAR;
  RUN(MODE_VU, SPIN);
  EXPECT(BY_VS, IRQ(STI));
  csr_write(VSTIMECMP, -1ull);
  csr_write(HTIMEDELTA, 0);
  csr_write(HENVCFG, 0);
}

// wfi sleeps until the moved time reaches what was armed before.
static void sleepers(void) {
  begin();
  csr_write(MIE, BIT(STI) | BIT(MTI));
  csr_write(STIMECMP, FAR);
  CLINT_MTIME = FAR - NEAR;
  while (!(csr_read(MIP) & BIT(STI))) asm volatile("wfi");
  csr_write(STIMECMP, -1ull);
  CLINT_MTIMECMP = FAR / 2;
  CLINT_MTIME = FAR / 2 - NEAR;
  while (!(csr_read(MIP) & BIT(MTI))) asm volatile("wfi");
  CLINT_MTIMECMP = -1ull;
}

// Comparands are reached until the time wraps.
static void wrapping(void) {
  begin();
  CLINT_MTIME = -FAR;
  csr_write(STIMECMP, FAR);
  CLINT_MTIMECMP = FAR;
  CHECK_EQ(csr_read(MIP) & (BIT(STI) | BIT(MTI)), BIT(STI) | BIT(MTI));
  CLINT_MTIME = -20000ull;
  CHECK(EVENTUALLY(!(csr_read(MIP) & BIT(STI))));
  CHECK(EVENTUALLY(!(csr_read(MIP) & BIT(MTI))));
  CHECK(csr_read(TIME) < FAR);
  csr_write(MIDELEG, BIT(STI));
  csr_write(MIE, BIT(STI));
  RUN(MODE_U, "nop");
  EXPECT_OK();
  csr_write(STIMECMP, -1ull);
  CLINT_MTIMECMP = -1ull;
}

void test_body(void) {
  RUN_PARTS(time_follows, halves, cycles_go_on, machine_timer, supervisor_timer, guest_timer, sleepers, wrapping);
}
