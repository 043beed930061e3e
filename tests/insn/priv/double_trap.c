// SPDX-License-Identifier: Apache-2.0
// Smdbltrp and Ssdbltrp (chapters "Double Trap Control in mstatus Register" and "… in sstatus Register"): the
// bits, who sets and clears them, and the exception that a double trap becomes.
#include "priv.h"

#define STATUS_SDT BIT(24)
#define STATUS_MDT BIT(42)
#define ENVCFG_DTE BIT(59)
#define C_DOUBLE_TRAP 16

void test_reset_values(void) {
  CHECK_EQ(csr_read(MSTATUS) & STATUS_MDT, STATUS_MDT);
  // As long as it is set, MIE cannot be.
  csr_set(MSTATUS, STATUS_MIE);
  CHECK_EQ(csr_read(MSTATUS) & STATUS_MIE, 0);
}

static void mdt_keeps_mie_clear(void) {
  csr_clear(MSTATUS, STATUS_MDT);
  csr_set(MSTATUS, STATUS_MIE);
  CHECK_EQ(csr_read(MSTATUS) & (STATUS_MDT | STATUS_MIE), STATUS_MIE);
  csr_set(MSTATUS, STATUS_MDT | STATUS_MIE);
  CHECK_EQ(csr_read(MSTATUS) & (STATUS_MDT | STATUS_MIE), STATUS_MDT);
  csr_write(MSTATUS, (csr_read(MSTATUS) & ~STATUS_MDT) | STATUS_MIE);
  CHECK_EQ(csr_read(MSTATUS) & (STATUS_MDT | STATUS_MIE), STATUS_MIE);
  csr_clear(MSTATUS, STATUS_MIE);
}

static void traps_set_mdt_and_returns_clear_it(void) {
  RUN(MODE_U, ".word 0");
  EXPECT(BY_M, C_ILLEGAL);
  CHECK_EQ(trap.status & STATUS_MDT, STATUS_MDT);
  RUN(MODE_M, "csrr a0, mstatus");
  CHECK_EQ(trap.a0 & STATUS_MDT, 0);
  // sret in M-mode is a return from M-mode.
  RUN(MODE_M, "csrs mstatus, a0\nla t0, 1f\ncsrw sepc, t0\nli t0, 0x100\ncsrs sstatus, t0\nsret\n1: li t0, 0",
      STATUS_MDT);
  EXPECT_OK();
}

static void sdt_needs_dte(void) {
  csr_set(SSTATUS, STATUS_SDT);
  csr_set(VSSTATUS, STATUS_SDT);
  CHECK_EQ((csr_read(SSTATUS) | csr_read(VSSTATUS)) & STATUS_SDT, 0);
  CHECK_EQ(csr_write_read(HENVCFG, ENVCFG_DTE) & ENVCFG_DTE, 0);
  csr_write(MENVCFG, ENVCFG_DTE);
  csr_set(VSSTATUS, STATUS_SDT);
  CHECK_EQ(csr_read(VSSTATUS) & STATUS_SDT, 0);
  CHECK_EQ(csr_write_read(HENVCFG, ENVCFG_DTE) & ENVCFG_DTE, ENVCFG_DTE);
  csr_set(SSTATUS, STATUS_SDT | STATUS_SIE);
  csr_set(VSSTATUS, STATUS_SDT | STATUS_SIE);
  CHECK_EQ(csr_read(SSTATUS) & (STATUS_SDT | STATUS_SIE), STATUS_SDT);
  CHECK_EQ(csr_read(VSSTATUS) & (STATUS_SDT | STATUS_SIE), STATUS_SDT);
  CHECK_EQ(csr_read(MSTATUS) & STATUS_SDT, STATUS_SDT);
  csr_write(HENVCFG, 0);
  CHECK_EQ(csr_read(VSSTATUS) & STATUS_SDT, 0);
  csr_write(MENVCFG, 0);
  CHECK_EQ(csr_read(SSTATUS) & STATUS_SDT, 0);
  // medeleg[16] is a read-only zero.
  CHECK_EQ(csr_write_read(MEDELEG, -1ull) & BIT(C_DOUBLE_TRAP), 0);
}

static void double_trap_in_hs(void) {
  csr_write(MENVCFG, ENVCFG_DTE);
  delegate_to_hs();
  RUN(MODE_U, ".word 0");
  EXPECT(BY_HS, C_ILLEGAL);
  CHECK_EQ(trap.status & STATUS_SDT, STATUS_SDT);
  // The handler that is under way cannot take another one.
  RUN(MODE_HS, "li t0, 1 << 24\ncsrs sstatus, t0\nld a0, 0(zero)");
  EXPECT(BY_M, C_DOUBLE_TRAP);
  EXPECT_OFFSET(8);
  CHECK_EQ(trap.tval2, C_LOAD_ACCESS);
  CHECK_EQ(trap.tval, 0);
  CHECK_EQ(trap.status & STATUS_MPP, STATUS_MPP_S);
  CHECK_EQ(trap.tinst, transformed(ENCODING("ld a0, 0(zero)"), 0));
  // Calls to M-mode are no trap into S-mode.
  RUN(MODE_HS, "li t0, 1 << 24\ncsrs sstatus, t0");
  EXPECT_OK();
}

static void double_trap_in_vs(void) {
  csr_write(MENVCFG, ENVCFG_DTE);
  csr_write(HENVCFG, ENVCFG_DTE);
  delegate_to_vs();
  RUN(MODE_VU, ".word 0");
  EXPECT(BY_VS, C_ILLEGAL);
  CHECK_EQ(trap.status & STATUS_SDT, STATUS_SDT);
  RUN(MODE_VS, "li t0, 1 << 24\ncsrs sstatus, t0\n.word 0");
  EXPECT(BY_M, C_DOUBLE_TRAP);
  CHECK_EQ(trap.tval2, C_ILLEGAL);
  CHECK_EQ(trap.status & STATUS_MPV, STATUS_MPV);
  csr_write(HENVCFG, 0);
  RUN(MODE_VS, "li t0, 1 << 24\ncsrs sstatus, t0\n.word 0");
  EXPECT(BY_VS, C_ILLEGAL);
}

static void returns_clear_sdt(void) {
  csr_write(MENVCFG, ENVCFG_DTE);
  csr_write(HENVCFG, ENVCFG_DTE);
  static const struct {
    enum mode to;
    uint64_t hs, vs;
  } cases[] = {{MODE_HS, STATUS_SDT, STATUS_SDT},
               {MODE_U, 0, STATUS_SDT},
               {MODE_VS, 0, STATUS_SDT},
               {MODE_VU, 0, 0}};
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    csr_set(SSTATUS, STATUS_SDT);
    csr_set(VSSTATUS, STATUS_SDT);
    RUN(cases[i].to, "nop");
    EXPECT_OK();
    CHECK_EQ(csr_read(SSTATUS) & STATUS_SDT, cases[i].hs);
    CHECK_EQ(csr_read(VSSTATUS) & STATUS_SDT, cases[i].vs);
  }
  // sret clears its own bit; to VU also the guest's.
  RUN(MODE_HS,
      "csrs sstatus, a0\nla t0, 1f\ncsrw sepc, t0\nli t0, 0x100\ncsrs sstatus, t0\nsret\n1: csrr a0, sstatus",
      STATUS_SDT);
  EXPECT_OK();
  CHECK_EQ(trap.a0 & STATUS_SDT, 0);
  RUN(MODE_VS,
      "csrs sstatus, a0\nla t0, 1f\ncsrw sepc, t0\nli t0, 0x100\ncsrs sstatus, t0\nsret\n1: csrr a0, sstatus",
      STATUS_SDT);
  EXPECT_OK();
  CHECK_EQ(trap.a0 & STATUS_SDT, 0);
}

void test_body(void) {
  RUN_PARTS(mdt_keeps_mie_clear, traps_set_mdt_and_returns_clear_it, sdt_needs_dte, double_trap_in_hs,
            double_trap_in_vs, returns_clear_sdt);
}
