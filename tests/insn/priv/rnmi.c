// SPDX-License-Identifier: Apache-2.0
// Smrnmi with Smdbltrp (chapter "Smrnmi"): the registers, NMIE as the enable of all interrupts and of MPRV, and
// the double trap of M-mode, which enters the handler of non-maskable interrupts.
#include "priv.h"

#define MNSCRATCH 0x740
#define MNEPC 0x741
#define MNCAUSE 0x742
#define MNSTATUS 0x744
#define NMIE BIT(3)
#define MNPV BIT(7)
#define MNPP (3ull << 11)
#define STATUS_MDT BIT(42)

uint64_t seen_cause, seen_epc, seen_status;

// Records and goes on after the instruction.
void rnmi_handler(void);
asm(".balign 4\n.globl rnmi_handler\nrnmi_handler:\n"
    "csrw 0x740, t0\ncsrw mscratch, t1\n"
    "la t1, seen_cause\ncsrr t0, 0x742\nsd t0, 0(t1)\n"
    "la t1, seen_status\ncsrr t0, 0x744\nsd t0, 0(t1)\n"
    "la t1, seen_epc\ncsrr t0, 0x741\nsd t0, 0(t1)\n"
    "addi t0, t0, 4\ncsrw 0x741, t0\n"
    "csrr t1, mscratch\ncsrr t0, 0x740\n.4byte 0x70200073\n");  // mnret

// Takes an interrupt: it is switched off, and a0 says so.
void interrupt_handler(void);
asm(".balign 4\n.globl interrupt_handler\ninterrupt_handler:\n"
    "li t0, 0x2000000\nsw zero, 0(t0)\nli a0, 1\nmret\n");

// Whether an interrupt that is pending and enabled is taken.
static uint64_t takes_interrupt(void) {
  csr_write(MTVEC, (uint64_t)interrupt_handler);
  CLINT_MSIP = 1;
  csr_write(MIE, BIT(MSI));
  register uint64_t taken asm("a0") = 0;
  asm volatile("csrs mstatus, 8\nnop\nnop\ncsrc mstatus, 8" : "+r"(taken) : : "t0", "memory");
  CLINT_MSIP = 0;
  csr_write(MIE, 0);
  csr_write(MTVEC, (uint64_t)rnmi_handler);
  return taken;
}

void test_reset_values(void) {
  CHECK_EQ(csr_read(MNSTATUS) & NMIE, 0);
  csr_clear(MSTATUS, STATUS_MDT);
  CHECK_EQ(takes_interrupt(), 0);
  csr_set(MNSTATUS, NMIE);
  CHECK_EQ(takes_interrupt(), 1);
}

static void registers(void) {
  CHECK_EQ(csr_write_read(MNSCRATCH, -1ull), -1ull);
  CHECK_EQ(csr_write_read(MNEPC, -1ull), -2ull);
  CHECK_EQ(csr_write_read(MNCAUSE, BIT(63) | 5), BIT(63) | 5);
  CHECK_EQ(csr_write_read(MNSTATUS, -1ull), NMIE | MNPV | MNPP);
  // NMIE cannot be cleared, and MNPP is not 2.
  CHECK_EQ(csr_write_read(MNSTATUS, 0), NMIE);
  CHECK_EQ(csr_write_read(MNSTATUS, 2ull << 11), NMIE);
  RUN(MODE_HS, "csrr a0, 0x744");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_HS, ".4byte 0x70200073");
  EXPECT(BY_M, C_ILLEGAL);
}

static void double_trap_enters_the_handler(void) {
  csr_write(MTVEC, (uint64_t)rnmi_handler);
  csr_write(MEPC, 0x1234);
  csr_set(MSTATUS, STATUS_MDT);
  uint64_t expected;
  asm volatile(".option push\n.option norvc\nla %0, 1f\n1: .word 0\n.option pop" : "=r"(expected) : : "memory");
  CHECK_EQ(seen_cause, C_ILLEGAL);
  CHECK_EQ(seen_epc, expected);
  CHECK_EQ(seen_status, MNPP);
  CHECK_EQ(csr_read(MNSTATUS) & NMIE, NMIE);
  // Nothing of the first trap is lost, and M-mode is still the one that cannot trap.
  CHECK_EQ(csr_read(MEPC), 0x1234);
  CHECK_EQ(csr_read(MSTATUS) & STATUS_MDT, STATUS_MDT);
}

static void mnret_goes_to_the_mode_of_mnstatus(void) {
  RUN(MODE_M,
      "la t0, 1f\ncsrw 0x741, t0\ncsrw 0x744, a0\nli t0, 1 << 17\ncsrs mstatus, t0\n.4byte 0x70200073\n1: .word 0",
      MNPV | 1ull << 11);
  EXPECT(BY_M, C_ILLEGAL);
  CHECK_EQ(trap.status & (STATUS_MPP | STATUS_MPV | STATUS_MPRV), STATUS_MPP_S | STATUS_MPV);
}

void test_body(void) {
  RUN_PARTS(registers, double_trap_enters_the_handler, mnret_goes_to_the_mode_of_mnstatus);
}
