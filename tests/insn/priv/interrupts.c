// SPDX-License-Identifier: Apache-2.0
// Interrupts without H: CLINT, PLIC, enables, delegation, priorities, WFI (chapters "Machine Interrupt
// Registers", "Wait for Interrupt"; ACLINT and PLIC specifications).

#include "priv.h"

#define SPIN "1: j 1b"
#define PLIC 0xc000000
#define PLIC_REG(offset) (*(volatile uint32_t *)(PLIC + (offset)))
#define UART_REG(offset) (*(volatile uint8_t *)(0x10000000 + (offset)))
#define UART_IRQ 10

// MSIP and MTIP follow the CLINT and are read-only in mip.
static void machine_sources(void) {
  csr_write(MIE, BIT(MSI) | BIT(MTI));
  CHECK_EQ(csr_read(MIP) & (BIT(MSI) | BIT(MTI)), 0);
  CLINT_MSIP = 0xffffffff;
  CHECK_EQ(CLINT_MSIP, 1);
  CHECK(EVENTUALLY(csr_read(MIP) & BIT(MSI)));
  csr_clear(MIP, BIT(MSI));
  CHECK_EQ(csr_read(MIP) & BIT(MSI), BIT(MSI));
  RUN(MODE_U, SPIN);
  EXPECT(BY_M, IRQ(MSI));
  EXPECT_OFFSET(0);
  CHECK_EQ(trap.tval, 0);
  RUN(MODE_M, "nop");
  EXPECT_OK();
  // In M mode MIE counts; run() enters by mret, so MPIE becomes MIE.
  csr_set(MSTATUS, STATUS_MPIE);
  RUN(MODE_M, SPIN);
  EXPECT(BY_M, IRQ(MSI));
  CHECK_EQ(trap.status & (STATUS_MIE | STATUS_MPIE), STATUS_MPIE);
  CLINT_MSIP = 0;
  csr_clear(MSTATUS, STATUS_MPIE);
  CHECK(EVENTUALLY(!(csr_read(MIP) & BIT(MSI))));
  CLINT_MTIMECMP = CLINT_MTIME + 2000;
  RUN(MODE_HS, SPIN);
  EXPECT(BY_M, IRQ(MTI));
  CHECK(CLINT_MTIME >= CLINT_MTIMECMP);
  CLINT_MTIMECMP = -1ull;
  CHECK(EVENTUALLY(!(csr_read(MIP) & BIT(MTI))));
  // mtimecmp in two halves; mtime writable.
  *(volatile uint32_t *)0x2004004 = 0;
  *(volatile uint32_t *)0x2004000 = 0;
  CHECK(EVENTUALLY(csr_read(MIP) & BIT(MTI)));
  CLINT_MTIMECMP = -1ull;
}

// Priorities among everything for M mode: MEI, MSI, MTI, SEI, SSI, STI.
static void priorities(void) {
  csr_write(MIE, -1ull);
  csr_set(MIP, BIT(SEI) | BIT(SSI) | BIT(STI));
  CLINT_MSIP = 1;
  CLINT_MTIMECMP = 0;
  CHECK(EVENTUALLY((csr_read(MIP) & BIT(MTI)) && (csr_read(MIP) & BIT(MSI))));
  RUN(MODE_U, SPIN);
  EXPECT(BY_M, IRQ(MSI));
  CLINT_MSIP = 0;
  CHECK(EVENTUALLY(!(csr_read(MIP) & BIT(MSI))));
  RUN(MODE_U, SPIN);
  EXPECT(BY_M, IRQ(MTI));
  CLINT_MTIMECMP = -1ull;
  CHECK(EVENTUALLY(!(csr_read(MIP) & BIT(MTI))));
  static const int order[] = {SEI, SSI, STI};
  for (int i = 0; i < 3; i++) {
    RUN(MODE_U, SPIN);
    EXPECT(BY_M, IRQ(order[i]));
    csr_clear(MIP, BIT(order[i]));
  }
  RUN(MODE_U, "nop");
  EXPECT_OK();
}

// mideleg moves S-level interrupts to HS mode, which M mode then never takes; sip and sie are views.
static void delegation(void) {
  static const int numbers[] = {SSI, STI, SEI};
  for (int i = 0; i < 3; i++) {
    int n = numbers[i];
    csr_write(MIDELEG, 0);
    csr_write(MIE, BIT(n));
    csr_set(MIP, BIT(n));
    CHECK_EQ(csr_read(SIP), 0);
    CHECK_EQ(csr_read(SIE), 0);
    RUN(MODE_HS, SPIN);
    EXPECT(BY_M, IRQ(n));
    csr_write(MIDELEG, BIT(n));
    CHECK_EQ(csr_read(SIP), BIT(n));
    CHECK_EQ(csr_read(SIE), BIT(n));
    RUN(MODE_U, SPIN);
    EXPECT(BY_HS, IRQ(n));
    CHECK_EQ(trap.tval, 0);
    RUN(MODE_HS, "nop");
    EXPECT_OK();
    RUN(MODE_HS, "csrsi sstatus, 2\n" SPIN);
    EXPECT(BY_HS, IRQ(n));
    EXPECT_OFFSET(4);
    csr_set(MSTATUS, STATUS_MPIE | STATUS_SIE);
    RUN(MODE_M, "nop");
    EXPECT_OK();
    csr_clear(MSTATUS, STATUS_MPIE | STATUS_SIE | STATUS_SPIE);
    csr_write(SIE, 0);
    CHECK_EQ(csr_read(MIE), 0);
    csr_write(SIE, -1ull);
    CHECK_EQ(csr_read(MIE) & (BIT(SSI) | BIT(STI) | BIT(SEI) | BIT(MSI)), BIT(n));
    // In sip only SSIP can be written.
    csr_write(SIP, 0);
    CHECK_EQ(csr_read(MIP) >> n & 1, n != SSI);
    csr_write(MIP, 0);
  }
}

// Supervisor external interrupts by the PLIC, from the transmitter of the UART; with mip.SEIP as a
// second source that is OR-ed in and alone writable.
static void platform_interrupts(void) {
  PLIC_REG(4 * UART_IRQ) = 3;
  PLIC_REG(0x2080) = 1 << UART_IRQ;  // context 1: hart 0's S mode
  PLIC_REG(0x201000) = 0;
  csr_write(MIDELEG, BIT(SEI));
  csr_write(MIE, BIT(SEI));
  UART_REG(1) = 2;  // THR empty
  CHECK(EVENTUALLY(csr_read(MIP) & BIT(SEI)));
  RUN(MODE_U, SPIN);
  EXPECT(BY_HS, IRQ(SEI));
  // The PLIC's part cannot be cleared in mip.
  csr_clear(MIP, BIT(SEI));
  CHECK_EQ(csr_read(MIP) & BIT(SEI), BIT(SEI));
  CHECK_EQ(PLIC_REG(0x1000) >> UART_IRQ & 1, 1);
  uint32_t claimed = PLIC_REG(0x201004);
  CHECK_EQ(claimed, UART_IRQ);
  CHECK(EVENTUALLY(!(csr_read(MIP) & BIT(SEI))));
  CHECK_EQ(PLIC_REG(0x201004), 0);
  // Completed while the level is still high: pending again.
  PLIC_REG(0x201004) = claimed;
  CHECK(EVENTUALLY(csr_read(MIP) & BIT(SEI)));
  UART_REG(1) = 0;
  claimed = PLIC_REG(0x201004);
  PLIC_REG(0x201004) = claimed;
  CHECK(EVENTUALLY(!(csr_read(MIP) & BIT(SEI))));
  // The threshold masks.
  PLIC_REG(0x201000) = 3;
  UART_REG(1) = 2;
  CHECK_EQ(csr_read(MIP) & BIT(SEI), 0);
  PLIC_REG(0x201000) = 2;
  CHECK(EVENTUALLY(csr_read(MIP) & BIT(SEI)));
  PLIC_REG(0x201000) = 0;
  UART_REG(1) = 0;
  claimed = PLIC_REG(0x201004);
  if (claimed) PLIC_REG(0x201004) = claimed;
  // Context 0 is M mode's: MEI precedes all.
  PLIC_REG(0x2000) = 1 << UART_IRQ;
  PLIC_REG(0x2080) = 0;
  UART_REG(1) = 2;
  csr_set(MIE, BIT(MEI) | BIT(MSI));
  CLINT_MSIP = 1;
  CHECK(EVENTUALLY(csr_read(MIP) & BIT(MEI)));
  RUN(MODE_U, SPIN);
  EXPECT(BY_M, IRQ(MEI));
  CLINT_MSIP = 0;
  UART_REG(1) = 0;
  claimed = PLIC_REG(0x200004);
  CHECK_EQ(claimed, UART_IRQ);
  PLIC_REG(0x200004) = claimed;
  PLIC_REG(0x2000) = 0;
}

// WFI: ends for what is pending and enabled in mie, even with interrupts off and without delegation;
// sleeps until the timer otherwise.
static void wait_for_interrupt(void) {
  csr_write(MIE, BIT(MTI));
  CLINT_MTIMECMP = CLINT_MTIME + 5000;
  asm volatile("wfi");
  CHECK(EVENTUALLY(csr_read(MIP) & BIT(MTI)));
  RUN(MODE_M, "wfi\nli a0, 3");
  EXPECT_OK();
  CHECK_EQ(trap.a0, 3);
  CLINT_MTIMECMP = CLINT_MTIME + 5000;
  RUN(MODE_HS, "1: wfi\nj 1b");
  EXPECT(BY_M, IRQ(MTI));
  // The interrupt that ends it is taken behind it. A host that is slow to get there gets more time.
  for (uint64_t ticks = 5000; ticks < 10 * SECOND; ticks *= 2) {
    CLINT_MTIMECMP = CLINT_MTIME + ticks;
    RUN(MODE_HS, "wfi\n1: j 1b");
    EXPECT(BY_M, IRQ(MTI));
    if (trap.epc != trap.start) break;
  }
  EXPECT_OFFSET(4);
  CLINT_MTIMECMP = -1ull;
  csr_write(MIE, BIT(SSI));
  csr_write(MIDELEG, BIT(SSI));
  RUN(MODE_HS, "csrsi sip, 2\nwfi\nli a0, 4");
  EXPECT_OK();
  CHECK_EQ(trap.a0, 4);
  csr_write(MIP, 0);
}

// Who polls memory with wfi as a pause while an interrupt pends that it does not take is put to sleep, until
// the source signals again or a while has passed; what it can take still comes at once.
static void wait_in_vain(void) {
  csr_write(MIE, BIT(MSI));
  CLINT_MSIP = 1;
  CHECK(EVENTUALLY(csr_read(MIP) & BIT(MSI)));
  unsigned long rounds = 0;
  for (const uint64_t end = CLINT_MTIME + 500000; CLINT_MTIME < end; rounds++) asm volatile("wfi");
  CHECK(rounds < 2000);
  CLINT_MSIP = 0;
  CHECK(EVENTUALLY(!(csr_read(MIP) & BIT(MSI))));
  csr_write(MIE, BIT(SSI) | BIT(MTI));
  csr_write(MIDELEG, BIT(SSI));
  csr_set(MIP, BIT(SSI));
  CLINT_MTIMECMP = CLINT_MTIME + 5000;
  RUN(MODE_HS, "1: wfi\nj 1b");
  EXPECT(BY_M, IRQ(MTI));
  CLINT_MTIMECMP = -1ull;
  csr_write(MIP, 0);
}

// An interrupt that becomes possible by a CSR write or a return is taken at once, and a loop that
// never leaves generated code is interrupted.
static void promptness(void) {
  csr_write(MIDELEG, BIT(SSI));
  csr_set(MIP, BIT(SSI));
  RUN(MODE_HS, "csrsi sstatus, 2\ncsrsi sie, 2\nli a0, 1", 0);
  EXPECT(BY_HS, IRQ(SSI));
  EXPECT_OFFSET(8);
  csr_write(SIE, BIT(SSI));
  csr_clear(MSTATUS, STATUS_SIE);
  RUN(MODE_HS, "csrsi sstatus, 2\nli a0, 1", 0);
  EXPECT(BY_HS, IRQ(SSI));
  EXPECT_OFFSET(4);
  CHECK_EQ(trap.a0, 0);
  csr_clear(MSTATUS, STATUS_SIE);
  RUN(MODE_HS, "la t0, 1f\ncsrw sepc, t0\nli t0, 0x120\ncsrs sstatus, t0\nli a0, 0\nsret\n1: li a0, 1");
  EXPECT(BY_HS, IRQ(SSI));
  CHECK_EQ(trap.a0, 0);
  csr_write(MIP, 0);
  csr_write(SIE, 0);
  csr_write(MIE, BIT(MTI));
  CLINT_MTIMECMP = CLINT_MTIME + 3000;
  RUN(MODE_U, "1: addi a0, a0, 1\nxor a1, a1, a0\nbnez a0, 1b\n");
  EXPECT(BY_M, IRQ(MTI));
  CLINT_MTIMECMP = CLINT_MTIME + 3000;
  RUN(MODE_U, "2: la t0, 1f\njr t0\n1: jal zero, 2b");
  EXPECT(BY_M, IRQ(MTI));
  CLINT_MTIMECMP = -1ull;
}

void test_body(void) {
  RUN_PARTS(machine_sources, priorities, delegation, wait_for_interrupt, wait_in_vain, promptness, platform_interrupts);
}
