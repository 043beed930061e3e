// SPDX-License-Identifier: Apache-2.0
// VS-level interrupts: hvip, delegation, translation of numbers, priorities, timers with deltas,
// counters behind hcounteren, WFI (chapters "Hypervisor Interrupt Registers", "Hypervisor Counter-
// Enable Register", Sstc).

#include "priv.h"

#define VS_ALL (BIT(VSSI) | BIT(VSTI) | BIT(VSEI))
#define SPIN "1: j 1b"

static void enable_all(void) {
  csr_write(MIDELEG, BIT(SSI) | BIT(STI) | BIT(SEI));
  csr_write(HIE, VS_ALL);
}

// hvip bits that are not delegated trap to HS mode under their own numbers.
static void to_hs(void) {
  static const int numbers[] = {VSSI, VSTI, VSEI};
  enable_all();
  for (int i = 0; i < 3; i++) {
    csr_write(HVIP, BIT(numbers[i]));
    RUN(MODE_VS, SPIN);
    EXPECT(BY_HS, IRQ(numbers[i]));
    CHECK_EQ(trap.tval, 0);
    CHECK_EQ(trap.tval2, 0);
    CHECK_EQ(trap.tinst, 0);
    CHECK_EQ(trap.hstatus & (HSTATUS_SPV | HSTATUS_SPVP | HSTATUS_GVA), HSTATUS_SPV | HSTATUS_SPVP);
    EXPECT_OFFSET(0);
    // Also with V=0: below HS always, in HS with SIE.
    RUN(MODE_U, SPIN);
    EXPECT(BY_HS, IRQ(numbers[i]));
    RUN(MODE_HS, "nop");
    EXPECT_OK();
    csr_set(MSTATUS, STATUS_SIE);
    RUN(MODE_HS, SPIN);
    EXPECT(BY_HS, IRQ(numbers[i]));
    csr_clear(MSTATUS, STATUS_SIE);
    // sstatus.SIE does not matter while V=1; vsstatus.SIE neither, as HS is more privileged.
    RUN(MODE_VU, SPIN);
    EXPECT(BY_HS, IRQ(numbers[i]));
    // Not enabled: no trap.
    csr_write(HIE, VS_ALL & ~BIT(numbers[i]));
    RUN(MODE_VS, "nop");
    EXPECT_OK();
    csr_write(HIE, VS_ALL);
  }
  // VS-level interrupts never go to M mode, whatever mideleg was told.
  csr_write(MIDELEG, 0);
  csr_write(HVIP, BIT(VSSI));
  RUN(MODE_VS, SPIN);
  EXPECT(BY_HS, IRQ(VSSI));
  // M mode is not interrupted by them.
  csr_set(MSTATUS, STATUS_MIE | STATUS_SIE);
  RUN(MODE_M, "nop");
  EXPECT_OK();
}

// Delegated ones are translated: 2 to 1, 6 to 5, 10 to 9; vsstatus.SIE counts in VS mode only.
static void to_vs(void) {
  static const int numbers[] = {VSSI, VSTI, VSEI};
  enable_all();
  csr_write(HIDELEG, -1ull);
  for (int i = 0; i < 3; i++) {
    csr_write(HVIP, BIT(numbers[i]));
    csr_clear(VSSTATUS, STATUS_SIE);
    RUN(MODE_VS, "nop");
    EXPECT_OK();
    RUN(MODE_VU, SPIN);
    EXPECT(BY_VS, IRQ(numbers[i] - 1));
    CHECK_EQ(trap.tval, 0);
    csr_set(VSSTATUS, STATUS_SIE);
    RUN(MODE_VS, SPIN);
    EXPECT(BY_VS, IRQ(numbers[i] - 1));
    CHECK_EQ(trap.status & (STATUS_SIE | STATUS_SPIE), STATUS_SPIE);
    // Enabling in a running guest: the interrupt comes at once.
    csr_clear(VSSTATUS, STATUS_SIE);
    RUN(MODE_VS, "csrsi sstatus, 2\n" SPIN);
    EXPECT(BY_VS, IRQ(numbers[i] - 1));
    // They do not interrupt V=0, and the guest's own sie gates them.
    csr_set(MSTATUS, STATUS_SIE);
    RUN(MODE_HS, "nop");
    EXPECT_OK();
    RUN(MODE_U, "nop");
    EXPECT_OK();
    csr_clear(MSTATUS, STATUS_SIE);
    RUN(MODE_VU, SPIN);
    csr_write(VSIE, 0);
    RUN(MODE_VU, "nop");
    EXPECT_OK();
    csr_write(VSIE, BIT(numbers[i] - 1));
    RUN(MODE_VU, SPIN);
    EXPECT(BY_VS, IRQ(numbers[i] - 1));
    csr_write(HIE, VS_ALL);
  }
}

// vectored vstvec: base + 4 * (translated) cause; exceptions at the base.
static void vectored(void) {
  enable_all();
  csr_write(HIDELEG, -1ull);
  csr_write(HVIP, BIT(VSTI));
  const void *table = CODE(".balign 256\n2: li a0, 100\nj 3f\n.balign 4\n.org 2b + 20\nli a0, 5\nj 3f\n"
                           ".org 2b + 64\n3: csrr a1, scause\nli a7, 0x7e58\necall\n");
  uint64_t base = ((uint64_t)table + 255) & ~255ull;
  csr_write(VSTVEC, base | 1);
  RUN(MODE_VU, SPIN);
  CHECK_EQ(trap.a0, 5);
  CHECK_EQ(trap.a1, IRQ(STI));
  csr_write(HVIP, 0);
  csr_write(MEDELEG, BIT(C_ILLEGAL));
  csr_write(HEDELEG, BIT(C_ILLEGAL));
  RUN(MODE_VU, ".word 0");
  CHECK_EQ(trap.a0, 100);
  CHECK_EQ(trap.a1, C_ILLEGAL);
}

// Simultaneous interrupts: SEI, SSI, STI, VSEI, VSSI, VSTI for HS mode; higher modes first.
static void priorities(void) {
  enable_all();
  csr_set(MIE, BIT(SSI) | BIT(STI) | BIT(SEI));
  csr_write(HVIP, VS_ALL);
  csr_set(MIP, BIT(SSI) | BIT(STI) | BIT(SEI));
  static const int order[] = {SEI, SSI, STI};
  for (int i = 0; i < 3; i++) {
    RUN(MODE_VS, SPIN);
    EXPECT(BY_HS, IRQ(order[i]));
    csr_clear(MIP, BIT(order[i]));
  }
  static const int virtual_order[] = {VSEI, VSSI, VSTI};
  for (int i = 0; i < 3; i++) {
    RUN(MODE_VS, SPIN);
    EXPECT(BY_HS, IRQ(virtual_order[i]));
    csr_clear(HVIP, BIT(virtual_order[i]));
  }
  // The same three in the guest.
  csr_write(HIDELEG, -1ull);
  csr_write(HVIP, VS_ALL);
  for (int i = 0; i < 3; i++) {
    RUN(MODE_VU, SPIN);
    EXPECT(BY_VS, IRQ(virtual_order[i] - 1));
    csr_clear(HVIP, BIT(virtual_order[i]));
  }
  // An HS-level interrupt precedes a VS-level one, though its number's priority is lower.
  csr_write(HVIP, BIT(VSEI));
  csr_set(MIP, BIT(STI));
  csr_set(VSSTATUS, STATUS_SIE);
  RUN(MODE_VS, SPIN);
  EXPECT(BY_HS, IRQ(STI));
  // And an M-level one precedes both.
  csr_set(MIE, BIT(MSI));
  CLINT_MSIP = 1;
  RUN(MODE_VS, SPIN);
  EXPECT(BY_M, IRQ(MSI));
  CHECK_EQ(trap.status & (STATUS_MPV | STATUS_GVA), STATUS_MPV);
  CLINT_MSIP = 0;
  csr_write(MIP, 0);
}

// Two virtual interrupts that belong to different levels: HS takes its own first.
static void split_delegation(void) {
  enable_all();
  csr_write(HIDELEG, BIT(VSEI));
  csr_write(HVIP, BIT(VSEI) | BIT(VSSI));
  RUN(MODE_VU, SPIN);
  EXPECT(BY_HS, IRQ(VSSI));
  csr_clear(HVIP, BIT(VSSI));
  RUN(MODE_VU, SPIN);
  EXPECT(BY_VS, IRQ(SEI));
}

static void open_timer(void) {
  csr_write(MENVCFG, ENVCFG_STCE);
  csr_write(HENVCFG, ENVCFG_STCE);
  csr_write(MCOUNTEREN, 7);
  csr_write(HCOUNTEREN, 7);
  csr_write(VSTIMECMP, -1ull);
  csr_write(STIMECMP, -1ull);
}

// VSTIP from vstimecmp against time + htimedelta.
static void virtual_timer(void) {
  enable_all();
  open_timer();
  CHECK_EQ(csr_read(HIP) & BIT(VSTI), 0);
  csr_write(VSTIMECMP, 0);
  CHECK_EQ(csr_read(HIP) & BIT(VSTI), BIT(VSTI));
  CHECK_EQ(csr_read(HVIP) & BIT(VSTI), 0);
  csr_write(VSTIMECMP, -1ull);
  CHECK_EQ(csr_read(HIP) & BIT(VSTI), 0);
  // hvip.VSTIP is OR-ed in.
  csr_write(HVIP, BIT(VSTI));
  CHECK_EQ(csr_read(HIP) & BIT(VSTI), BIT(VSTI));
  csr_write(HVIP, 0);
  // The delta shifts the comparison; a negative one as well.
  uint64_t now = csr_read(TIME);
  csr_write(VSTIMECMP, now + 1000000000000);
  CHECK_EQ(csr_read(HIP) & BIT(VSTI), 0);
  csr_write(HTIMEDELTA, 1000000000001);
  CHECK(EVENTUALLY(csr_read(HIP) & BIT(VSTI)));
  csr_write(HTIMEDELTA, -now - 1000000000000);  // time + delta wraps to a huge number
  CHECK(EVENTUALLY(csr_read(HIP) & BIT(VSTI)));
  csr_write(HTIMEDELTA, 0);
  CHECK(EVENTUALLY(!(csr_read(HIP) & BIT(VSTI))));
  // The guest arms it by itself and is interrupted while it runs.
  csr_write(HIDELEG, -1ull);
  csr_set(VSSTATUS, STATUS_SIE);
  csr_write(VSTIMECMP, -1ull);
  csr_write(HTIMEDELTA, 1ull << 60);
  RUN(MODE_VS, "csrr a0, time\naddi a1, a0, 500\ncsrw 0x14d, a1\n" SPIN);
  EXPECT(BY_VS, IRQ(STI));
  CHECK(trap.a0 >= 1ull << 60);
  CHECK_EQ(csr_read(VSTIMECMP), trap.a1);
  // STIP is read-only in vsip; it ends when the guest moves the comparator.
  CHECK_EQ(csr_read(VSIP) & BIT(STI), BIT(STI));
  csr_write(VSTIMECMP, -1ull);
  CHECK_EQ(csr_read(VSIP) & BIT(STI), 0);
  csr_write(HTIMEDELTA, 0);
  // henvcfg.STCE off: VSTIP is hvip's alone.
  csr_write(VSTIMECMP, 0);
  csr_write(HENVCFG, 0);
  CHECK(EVENTUALLY(!(csr_read(HIP) & BIT(VSTI))));
  csr_write(HVIP, BIT(VSTI));
  CHECK_EQ(csr_read(HIP) & BIT(VSTI), BIT(VSTI));
  csr_write(HVIP, 0);
  csr_write(VSTIMECMP, -1ull);
}

// HS mode's own timer interrupts the guest; all ones never fires; STIP is read-only with STCE.
static void supervisor_timer(void) {
  open_timer();
  csr_write(MIDELEG, BIT(STI));
  csr_write(MIE, BIT(STI));
  RUN(MODE_HS, "csrr a0, time\naddi a1, a0, 500\ncsrw 0x14d, a1\ncsrsi sstatus, 2\n" SPIN);
  EXPECT(BY_HS, IRQ(STI));
  CHECK(csr_read(TIME) >= trap.a1);
  csr_clear(MSTATUS, STATUS_SIE);
  csr_clear(MIP, BIT(STI));
  CHECK_EQ(csr_read(MIP) & BIT(STI), BIT(STI));
  csr_write(STIMECMP, -1ull);
  CHECK_EQ(csr_read(MIP) & BIT(STI), 0);
  csr_set(MIP, BIT(STI));
  CHECK_EQ(csr_read(MIP) & BIT(STI), 0);
  csr_write(STIMECMP, csr_read(TIME) + 300);
  RUN(MODE_VU, SPIN);
  EXPECT(BY_HS, IRQ(STI));
  csr_write(STIMECMP, -1ull);
  // Without menvcfg.STCE the register is M mode's, and mip.STIP is writable again.
  csr_write(MENVCFG, 0);
  RUN(MODE_HS, "csrr a0, 0x14d");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_HS, "csrr a0, 0x24d");
  EXPECT(BY_M, C_ILLEGAL);
  csr_set(MIP, BIT(STI));
  CHECK_EQ(csr_read(MIP) & BIT(STI), BIT(STI));
  csr_write(MIP, 0);
}

#define READS(mode, number, by_m, cause_)  \
  RUN(mode, "csrr a0, " #number);          \
  if (by_m) EXPECT(BY_M, cause_);          \
  else EXPECT_OK()

// mcounteren, hcounteren and scounteren for cycle, time, instret and one hpmcounter.
static void counter_enables(void) {
  for (unsigned bits = 0; bits < 8; bits++) {
    bool m = bits & 1, h = bits >> 1 & 1, s = bits >> 2 & 1;
    csr_write(MCOUNTEREN, m ? 15 : 0);
    csr_write(HCOUNTEREN, h ? 15 : 0);
    csr_write(SCOUNTEREN, s ? 15 : 0);
#define COUNTER(number)                                                   \
  READS(MODE_M, number, false, 0);                                        \
  READS(MODE_HS, number, !m, C_ILLEGAL);                                  \
  READS(MODE_U, number, !(m && s), C_ILLEGAL);                            \
  READS(MODE_VS, number, !(m && h), m ? C_VIRTUAL : C_ILLEGAL);           \
  READS(MODE_VU, number, !(m && h && s), m ? C_VIRTUAL : C_ILLEGAL)
    COUNTER(0xc00);
    COUNTER(0xc01);
    COUNTER(0xc02);
    COUNTER(0xc03);
  }
}

// stimecmp in VS mode: menvcfg/henvcfg.STCE and the TM bits (chapter Sstc).
static void timer_gates(void) {
  for (unsigned bits = 0; bits < 16; bits++) {
    bool m = bits & 1, h = bits >> 1 & 1, mtm = bits >> 2 & 1, htm = bits >> 3 & 1;
    csr_write(MENVCFG, m ? ENVCFG_STCE : 0);
    csr_write(HENVCFG, h ? ENVCFG_STCE : 0);
    csr_write(MCOUNTEREN, mtm ? 2 : 0);
    csr_write(HCOUNTEREN, htm ? 2 : 0);
    bool hs = m && mtm;
    READS(MODE_HS, 0x14d, !hs, C_ILLEGAL);
    READS(MODE_HS, 0x24d, !hs, C_ILLEGAL);
    READS(MODE_VS, 0x14d, !(hs && h && htm), hs ? C_VIRTUAL : C_ILLEGAL);
    READS(MODE_VS, 0x24d, true, hs ? C_VIRTUAL : C_ILLEGAL);
    READS(MODE_VU, 0x14d, true, hs ? C_VIRTUAL : C_ILLEGAL);
    READS(MODE_M, 0x14d, false, 0);
    READS(MODE_M, 0x24d, false, 0);
  }
}

// WFI in VS mode ends for a pending virtual interrupt, whether or not it can be taken.
static void wait_for_interrupt(void) {
  enable_all();
  csr_write(HIDELEG, -1ull);
  csr_write(HVIP, BIT(VSSI));
  csr_clear(VSSTATUS, STATUS_SIE);
  RUN(MODE_VS, "wfi\nli a0, 77");
  EXPECT_OK();
  CHECK_EQ(trap.a0, 77);
  csr_write(HVIP, 0);
  open_timer();
  RUN(MODE_VS, "csrr a0, time\naddi a0, a0, 500\ncsrw 0x14d, a0\n1: wfi\ncsrr a1, sip\nbeqz a1, 1b");
  EXPECT_OK();
  CHECK_EQ(trap.a1, BIT(STI));
  csr_set(VSSTATUS, STATUS_SIE);
  csr_write(VSTIMECMP, csr_read(TIME) + 500);
  RUN(MODE_VS, "1: wfi\nj 1b");
  EXPECT(BY_VS, IRQ(STI));
  // An interrupt for HS mode ends the guest's WFI as well.
  csr_write(VSTIMECMP, -1ull);
  csr_set(MIE, BIT(STI));
  csr_write(STIMECMP, csr_read(TIME) + 500);
  RUN(MODE_VS, "1: wfi\nj 1b");
  EXPECT(BY_HS, IRQ(STI));
  csr_write(STIMECMP, -1ull);
}

// SGEIP is the AND of hgeip and hgeie; VGEIN selects a line for VSEIP. Without guest interrupt
// files (GEILEN=0) all of them are zero.
static void guest_external(void) {
  csr_write(HGEIE, -1ull);
  uint64_t implemented = csr_read(HGEIE);
  CHECK_EQ(csr_read(HGEIP) & ~implemented, 0);
  CHECK_EQ(csr_read(HIP) & BIT(SGEI), 0);
  csr_set(HIE, BIT(SGEI));
  if (implemented) {
    CHECK_EQ(csr_read(MIDELEG) >> SGEI & 1, 1);
    CHECK_EQ(csr_read(HIE) >> SGEI & 1, 1);
  }
  CHECK_EQ(csr_read(MIE) >> SGEI & 1, csr_read(HIE) >> SGEI & 1);
  csr_write(HIE, 0);
}

void test_body(void) {
  RUN_PARTS(to_hs, to_vs, vectored, priorities, split_delegation, virtual_timer, supervisor_timer,
            counter_enables, timer_gates, wait_for_interrupt, guest_external);
}
