// SPDX-License-Identifier: Apache-2.0
#include "priv.h"

struct trap trap;
unsigned failures;

void m_trap(void);
void hs_trap(void);
void vs_trap(void);
int test_main(void);
void lost_in_m(uint64_t cause, uint64_t epc, uint64_t tval);
void put_string(const char *text);
void put_hex(uint64_t value);
void test_fail(void);

void put_line(const char *text, uint64_t value) {
  put_string(text);
  put_hex(value);
  put_string("\n");
}

static void put_decimal(unsigned value) {
  char digits[12];
  int at = sizeof digits - 1;
  digits[at] = 0;
  do {
    digits[--at] = '0' + value % 10;
    value /= 10;
  } while (value);
  put_string(digits + at);
}

static const char *base_name(const char *path) {
  const char *name = path;
  for (; *path; path++) {
    if (*path == '/') name = path + 1;
  }
  return name;
}

void check(bool good, const char *file, int line, uint64_t actual, uint64_t expected) {
  if (good) return;
  failures++;
  put_string("FAIL ");
  put_string(base_name(file));
  put_string(":");
  put_decimal(line);
  put_string(": found");
  put_hex(actual);
  put_string(" expected");
  put_hex(expected);
  put_string(" (by, cause, epc, tval:");
  put_hex(trap.by);
  put_hex(trap.cause);
  put_hex(trap.epc);
  put_hex(trap.tval);
  put_string(")\n");
}

// A trap outside of run(): nothing can be concluded any more.
void lost_in_m(uint64_t cause, uint64_t epc, uint64_t tval) {
  put_line("trap in the test program: cause", cause);
  put_line("  epc", epc);
  put_line("  tval", tval);
  asm volatile("li gp, 126\nj test_fail");
}

static void reset_interrupts(void) {
  csr_write(MIE, 0);
  csr_write(MIP, 0);
  csr_write(MIDELEG, 0);
  csr_write(HIDELEG, 0);
  csr_write(HVIP, 0);
  csr_write(HIE, 0);
  csr_write(HGEIE, 0);
  CLINT_MSIP = 0;
  CLINT_MTIMECMP = -1ull;
  csr_write(MENVCFG, ENVCFG_STCE);
  csr_write(STIMECMP, -1ull);
  csr_write(VSTIMECMP, -1ull);
  csr_write(MENVCFG, 0);
  csr_write(HTIMEDELTA, 0);
}

void reset_state(void) {
  csr_write(MTVEC, (uint64_t)m_trap);
  csr_write(MSCRATCH, 0);
  // Keep FS on; MPRV, TVM, TW, TSR, SUM, MXR and all the rest off.
  csr_write(MSTATUS, STATUS_FS | 0xa00000000ull);
  csr_write(HSTATUS, 2ull << 32);
  csr_write(VSSTATUS, STATUS_FS | 2ull << 32);
  csr_write(MEDELEG, 0);
  csr_write(HEDELEG, 0);
  reset_interrupts();
  csr_write(SATP, 0);
  csr_write(VSATP, 0);
  csr_write(HGATP, 0);
  csr_write(MCOUNTEREN, 0);
  csr_write(HCOUNTEREN, 0);
  csr_write(SCOUNTEREN, 0);
  csr_write(HENVCFG, 0);
  csr_write(SENVCFG, 0);
  csr_write(STVEC, (uint64_t)hs_trap);
  csr_write(VSTVEC, (uint64_t)vs_trap);
  // Entry 15 opens everything; the entries before it are the tests'.
  csr_write(PMPCFG0, 0);
  csr_write(PMPADDR(15), -1ull);
  csr_write(PMPCFG2, 0x1full << 56);
  fence_all();
}

void delegate_to_hs(void) {
  csr_write(MEDELEG, ~(BIT(C_U_ECALL) | BIT(C_HS_ECALL) | BIT(C_VS_ECALL) | BIT(C_M_ECALL)));
  csr_write(MIDELEG, BIT(SSI) | BIT(STI) | BIT(SEI));
}

void delegate_to_vs(void) {
  delegate_to_hs();
  csr_write(HEDELEG, -1ull);
  csr_write(HIDELEG, -1ull);
}

uint32_t transformed(uint32_t insn, unsigned address_offset) {
  uint32_t offset = address_offset << 15;
  switch (insn & 0x7f) {
    case 0x03:  // loads keep rd and funct3
    case 0x07: return (insn & 0x00007fff) | offset;
    case 0x23:  // stores keep rs2 and funct3
    case 0x27: return (insn & 0x01f0707f) | offset;
    default: return (insn & 0xfff07fff) | offset;  // AMO and hypervisor forms
  }
}

// Runs before anything is written: the place to look at reset values.
__attribute__((weak)) void test_reset_values(void) {}

int test_main(void) {
  test_reset_values();
  // So that vm tests may rely on the hart's state being the same at each body.
  reset_state();
  test_body();
  return failures > 100 ? 100 : failures;
}
