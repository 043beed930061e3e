// SPDX-License-Identifier: Apache-2.0
// Privilege modes and delegation (chapter "Machine-Level ISA", trap entry and return), without H.

#include "priv.h"

// ecall from each mode, delegated and not; the fields that trap entry writes.
static void environment_calls(void) {
  RUN(MODE_U, "nop\necall");
  EXPECT(BY_M, C_U_ECALL);
  EXPECT_OFFSET(4);
  CHECK_EQ(trap.tval, 0);
  CHECK_EQ(trap.status & STATUS_MPP, 0);
  RUN(MODE_HS, "ecall");
  EXPECT(BY_M, C_HS_ECALL);
  CHECK_EQ(trap.status & STATUS_MPP, STATUS_MPP_S);
  RUN(MODE_M, "ecall");
  EXPECT(BY_M, C_M_ECALL);
  CHECK_EQ(trap.status & STATUS_MPP, STATUS_MPP);
  csr_write(MEDELEG, BIT(C_U_ECALL));
  RUN(MODE_U, "ecall");
  EXPECT(BY_HS, C_U_ECALL);
  EXPECT_OFFSET(0);
  CHECK_EQ(trap.status & STATUS_SPP, 0);
  csr_write(MEDELEG, BIT(C_HS_ECALL));
  RUN(MODE_HS, "ecall");
  EXPECT(BY_HS, C_HS_ECALL);
  CHECK_EQ(trap.status & STATUS_SPP, STATUS_SPP);
  // A trap in M mode is never delegated.
  csr_write(MEDELEG, -1ull);
  RUN(MODE_M, "ebreak");
  EXPECT(BY_M, C_BREAKPOINT);
  // medeleg[11], calls from M mode, is read-only zero.
  CHECK_EQ(csr_read(MEDELEG) & BIT(C_M_ECALL), 0);
}

// xPIE, xIE and xPP through trap and return.
static void interrupt_stack(void) {
  csr_set(MSTATUS, STATUS_MPIE);
  RUN(MODE_U, "ecall");
  // mret moved MPIE to MIE; the trap moved MIE to MPIE and cleared MIE.
  CHECK_EQ(trap.status & (STATUS_MIE | STATUS_MPIE), STATUS_MPIE);
  csr_clear(MSTATUS, STATUS_MPIE);
  RUN(MODE_U, "ecall");
  CHECK_EQ(trap.status & (STATUS_MIE | STATUS_MPIE), 0);
  csr_write(MEDELEG, BIT(C_ILLEGAL));
  csr_set(MSTATUS, STATUS_SIE);
  RUN(MODE_U, ".word 0");
  EXPECT(BY_HS, C_ILLEGAL);
  CHECK_EQ(trap.status & (STATUS_SIE | STATUS_SPIE | STATUS_SPP), STATUS_SPIE);
  csr_clear(MSTATUS, STATUS_SIE);
  RUN(MODE_HS, ".word 0");
  CHECK_EQ(trap.status & (STATUS_SIE | STATUS_SPIE | STATUS_SPP), STATUS_SPP);
  // mret to less than M clears MPRV; MPP becomes U, MPIE one.
  csr_set(MSTATUS, STATUS_MPRV);
  RUN(MODE_HS, "ecall");
  CHECK_EQ(trap.status & STATUS_MPRV, 0);
  RUN(MODE_M, "la t0, 1f\ncsrw mepc, t0\nli t0, 0x1800\ncsrs mstatus, t0\ncsrc mstatus, 8\nmret\n1: csrr a0, mstatus");
  EXPECT_OK();
  CHECK_EQ(trap.a0 & (STATUS_MPP | STATUS_MPIE), STATUS_MPIE);
}

// sret to U and to S, with its effect on sstatus; sepc without bit 0.
static void supervisor_return(void) {
  RUN(MODE_HS, "la t0, 1f\naddi t0, t0, 1\ncsrw sepc, t0\nli t0, 0x100\ncsrs sstatus, t0\nli t0, 0x20\n"
      "csrs sstatus, t0\nsret\nunimp\n1: csrr a0, sstatus");
  EXPECT_OK();
  CHECK_EQ(trap.a0 & (STATUS_SPP | STATUS_SPIE | STATUS_SIE), STATUS_SPIE | STATUS_SIE);
  csr_clear(MSTATUS, STATUS_SIE);
  RUN(MODE_HS, "la t0, 1f\ncsrw sepc, t0\nli t0, 0x100\ncsrc sstatus, t0\nsret\n1: csrr a0, sscratch");
  EXPECT(BY_M, C_ILLEGAL);
  CHECK_EQ(trap.status & STATUS_MPP, 0);
  // sret in M mode works as well and, going below M, clears MPRV.
  csr_set(MSTATUS, STATUS_MPRV);
  RUN(MODE_M, "la t0, 1f\ncsrw sepc, t0\nli t0, 0x100\ncsrs sstatus, t0\nsret\n1: ecall");
  EXPECT(BY_M, C_HS_ECALL);
  CHECK_EQ(trap.status & STATUS_MPRV, 0);
  // mret and sret where they are not allowed.
  RUN(MODE_HS, "mret");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_U, "mret");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_U, "sret");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_U, "sfence.vma");
  EXPECT(BY_M, C_ILLEGAL);
}

// TVM, TW and TSR bind HS mode (chapter "Virtualization Support in mstatus").
static void virtualization_bits(void) {
  csr_set(MSTATUS, STATUS_TSR);
  RUN(MODE_HS, "sret");
  EXPECT(BY_M, C_ILLEGAL);
  csr_clear(MSTATUS, STATUS_TSR);
  csr_set(MSTATUS, STATUS_TVM);
  RUN(MODE_HS, "sfence.vma");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_HS, "csrr a0, satp");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_HS, "csrw satp, zero");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_M, "csrr a0, satp\nsfence.vma");
  EXPECT_OK();
  csr_clear(MSTATUS, STATUS_TVM);
  RUN(MODE_HS, "csrr a0, satp\nsfence.vma\nsfence.vma a0, a0");
  EXPECT_OK();
  csr_set(MSTATUS, STATUS_TW);
  RUN(MODE_HS, "wfi");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_U, "wfi");
  EXPECT(BY_M, C_ILLEGAL);
  csr_clear(MSTATUS, STATUS_TW);
  // With TW=0 a pending interrupt completes WFI at once, though it cannot be taken.
  csr_write(MIE, BIT(SSI));
  csr_set(MIP, BIT(SSI));
  csr_write(MIDELEG, BIT(SSI));
  RUN(MODE_HS, "wfi\nli a0, 5");
  EXPECT_OK();
  CHECK_EQ(trap.a0, 5);
  csr_write(MIE, 0);
  csr_write(MIP, 0);
}

// WARL fields of mstatus and its view sstatus.
static void status_fields(void) {
  uint64_t keep = csr_read(MSTATUS);
  csr_write(MSTATUS, (keep & ~STATUS_MPP) | 2ull << 11);
  CHECK((csr_read(MSTATUS) & STATUS_MPP) != 2ull << 11);
  // UXL and SXL are 2; big-endian is not implemented.
  csr_write(MSTATUS, -1ull & ~STATUS_MPRV);
  CHECK_EQ(csr_read(MSTATUS) >> 32 & 0x3f, 0xa);
  CHECK_EQ(csr_read(MSTATUS) & STATUS_UBE, 0);
  CHECK_EQ(csr_read(SSTATUS), STATUS_SD | 2ull << 32 | STATUS_MXR | STATUS_SUM | STATUS_FS | STATUS_SPP |
                                  STATUS_SPIE | STATUS_SIE);
  csr_write(SSTATUS, 0);
  CHECK_EQ(csr_read(MSTATUS) & (STATUS_MXR | STATUS_SUM | STATUS_FS | STATUS_SPP | STATUS_SPIE | STATUS_SIE), 0);
  CHECK_EQ(csr_read(MSTATUS) & (STATUS_TVM | STATUS_TW | STATUS_TSR | STATUS_MPIE | STATUS_MIE),
           STATUS_TVM | STATUS_TW | STATUS_TSR | STATUS_MPIE | STATUS_MIE);
  csr_write(MSTATUS, 0);
  CHECK_EQ(csr_read(SSTATUS), 2ull << 32);
  csr_write(MSTATUS, keep);
}

// WARL behaviour of the trap CSRs and of the delegation registers.
static void trap_registers(void) {
  CHECK_EQ(csr_write_read(MEPC, -1ull), -2ull);
  CHECK_EQ(csr_write_read(SEPC, -1ull), -2ull);
  CHECK_EQ(csr_write_read(MSCRATCH, 0x123456789abcdef0), 0x123456789abcdef0);
  csr_write(MSCRATCH, 0);
  CHECK_EQ(csr_write_read(SSCRATCH, 0x0fedcba987654321), 0x0fedcba987654321);
  CHECK_EQ(csr_write_read(MTVAL, -1ull), -1ull);
  CHECK_EQ(csr_write_read(STVAL, 0x8000000000000001), 0x8000000000000001);
  CHECK_EQ(csr_write_read(MCAUSE, IRQ(11)), IRQ(11));
  CHECK_EQ(csr_write_read(SCAUSE, C_STORE_PAGE), C_STORE_PAGE);
  CHECK_EQ(csr_write_read(STVEC, 0x80001001), 0x80001001);
  CHECK_EQ(csr_write_read(STVEC, 0x80001000), 0x80001000);
  CHECK((csr_write_read(STVEC, 0x80001002) & 3) < 2);
  // M-level interrupts cannot be delegated; with H the VS-level ones always are.
  csr_write(MIDELEG, -1ull);
  CHECK_EQ(csr_read(MIDELEG) & (BIT(MSI) | BIT(MTI) | BIT(MEI)), 0);
  CHECK_EQ(csr_read(MIDELEG) & 0xffff & ~BIT(13), 0x666 | (csr_read(MIDELEG) & BIT(12)));
  csr_write(MIDELEG, 0);
  CHECK_EQ(csr_read(MIDELEG) & ~BIT(12), BIT(VSSI) | BIT(VSTI) | BIT(VSEI));
  CHECK_EQ(csr_write_read(MCOUNTEREN, -1ull) & 7, 7);
  CHECK_EQ(csr_write_read(SCOUNTEREN, -1ull) & 7, 7);
  CHECK_EQ(csr_read(MCOUNTEREN) >> 32, 0);
}

// misa: bits that are there, and that clearing C while pc is not 4-byte aligned is refused.
static void machine_isa(void) {
  uint64_t misa = csr_read(MISA);
  CHECK_EQ(misa >> 62, 2);
  const char *letters = "ACDFHIMSU";
  for (; *letters; letters++) CHECK_EQ(misa >> (*letters - 'A') & 1, 1);
}

void test_body(void) {
  RUN_PARTS(environment_calls, interrupt_stack, supervisor_return, virtualization_bits, status_fields,
            trap_registers, machine_isa);
}
