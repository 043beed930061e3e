// SPDX-License-Identifier: Apache-2.0
// Timer interrupts of HS mode, and inter-processor interrupts through the CLINT: to oneself, and to a
// second hart and back (needs -smp 2; without it that line is left out).

#include "bare.h"

#define CLINT_MSIP ((volatile uint32_t *)0x2000000)
#define SSI BIT(1)
#define STI BIT(5)
#define SIE BIT(1)

// a0: iterations; returns the number of interrupts taken. The handler counts in t3 and acknowledges.
uint64_t timer_loop(uint64_t n);
uint64_t ipi_loop(uint64_t n, volatile uint32_t *msip);
asm(".text\n.balign 4\n"
    "interrupt: csrr t4, scause\nandi t4, t4, 0xff\naddi t4, t4, -5\nbnez t4, 1f\n"
    "li t4, -1\ncsrw 0x14d, t4\naddi t3, t3, 1\nsret\n"
    "1: csrci sip, 2\naddi t3, t3, 1\nsret\n"
    ".globl timer_loop\ntimer_loop:\nla t0, interrupt\ncsrw stvec, t0\nli t3, 0\n"
    "1: addi t5, t3, 1\ncsrw 0x14d, zero\n"
    "2: bne t3, t5, 2b\naddi a0, a0, -1\nbnez a0, 1b\nmv a0, t3\nret\n"
    ".globl ipi_loop\nipi_loop:\nla t0, interrupt\ncsrw stvec, t0\nli t3, 0\nli t6, 1\n"
    "1: addi t5, t3, 1\nsw t6, 0(a1)\n"
    "2: bne t3, t5, 2b\naddi a0, a0, -1\nbnez a0, 1b\nmv a0, t3\nret\n"
    ".globl echo_interrupt\n.balign 4\n"
    "echo_interrupt: csrci sip, 2\nli t0, 0x2000000\nli t1, 1\nsw t1, 0(t0)\nsret\n");

void echo_interrupt(void);
void secondary_main(void);
void secondary_up_now(void);
void host_trap(void);

static void interrupts_on(bool on) {
  csr_write("sie", SSI | STI);
  if (on) {
    asm volatile("csrs sstatus, %0" : : "r"(SIE));
  } else {
    asm volatile("csrc sstatus, %0" : : "r"(SIE));
  }
}

static bool timer(uint64_t n) {
  csr_write(STIMECMP, -1ull);
  interrupts_on(true);
  bool good = timer_loop(n) == n;
  interrupts_on(false);
  csr_write("stvec", host_trap);
  return good;
}

static bool ipi_to(uint64_t n, unsigned hart) {
  interrupts_on(true);
  bool good = ipi_loop(n, &CLINT_MSIP[hart]) == n;
  interrupts_on(false);
  csr_write("stvec", host_trap);
  return good;
}

static bool ipi_self(uint64_t n) {
  return ipi_to(n, 0);
}

// Hart 1 answers each interrupt by one to hart 0.
static bool ipi_other(uint64_t n) {
  return ipi_to(n, 1);
}

void secondary_main(void) {
  csr_write("stvec", echo_interrupt);
  interrupts_on(true);
  secondary_up_now();
  for (;;) asm volatile("wfi");
}

const struct bench benches[] = {
    {"timer-interrupt", timer, false},
    {"ipi-self", ipi_self, false},
    {"ipi-round-trip", ipi_other, true},
    {0, 0, false},
};
