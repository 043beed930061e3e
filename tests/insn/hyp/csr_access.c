// SPDX-License-Identifier: Apache-2.0
// Every CSR number, read and written, from every mode: the one access rule (chapters "CSR Address
// Mapping Conventions" and, for V=1, "Trap Cause Codes" of H) against the list of CSRs that exist.

#include "priv.h"

struct row {
  uint16_t first, count;
};

// What the hart of this project has. The high halves of RV32 and debug registers are not here.
static const struct row rows[] = {
    {0x001, 3},                                              // fflags, frm, fcsr
    {SSTATUS, 1}, {SIE, 3}, {SENVCFG, 1}, {SSCRATCH, 5}, {STIMECMP, 1}, {SATP, 1},
    {VSSTATUS, 1}, {VSIE, 2}, {VSSCRATCH, 5}, {VSTIMECMP, 1}, {VSATP, 1},
    {MSTATUS, 7}, {MENVCFG, 1}, {MCOUNTINHIBIT, 1}, {0x323, 29}, {MSCRATCH, 5}, {MTINST, 2},
    {PMPCFG0, 1}, {PMPCFG2, 1}, {PMPADDR(0), 16},
    {HSTATUS, 1}, {HEDELEG, 2}, {HIE, 1}, {HTIMEDELTA, 1}, {HCOUNTEREN, 1}, {HGEIE, 1}, {HENVCFG, 1},
    {HTVAL, 1}, {HIP, 1}, {HVIP, 1}, {HTINST, 1}, {HGATP, 1},
    {MSECCFG, 1}, {0xb00, 1}, {0xb02, 30}, {0xc00, 32}, {HGEIP, 1}, {0xf11, 5},
};

static bool exists(unsigned csr) {
  for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (csr >= rows[i].first && csr < rows[i].first + rows[i].count) return true;
  }
  return false;
}

static bool is_read_only(unsigned csr) {
  return csr >> 10 == 3;
}

static unsigned level_of(unsigned csr) {
  return csr >> 8 & 3;
}

static bool allowed_in_hs(unsigned csr, bool write) {
  return exists(csr) && level_of(csr) < 3 && !(write && is_read_only(csr));
}

// The exception that the access must raise, or 0. All counters and stimecmp are enabled.
static unsigned expected(unsigned csr, enum mode mode, bool write) {
  if (!exists(csr) || (write && is_read_only(csr))) return C_ILLEGAL;
  static const unsigned reach[] = {[MODE_U] = 0, [MODE_HS] = 2, [MODE_M] = 3, [MODE_VU] = 0, [MODE_VS] = 1};
  if (level_of(csr) <= reach[mode]) return 0;
  bool v = mode == MODE_VS || mode == MODE_VU;
  return v && allowed_in_hs(csr, write) ? C_VIRTUAL : C_ILLEGAL;
}

static uint32_t buffer[8] __attribute__((aligned(32)));

static void attempt(unsigned csr, enum mode mode, bool write) {
  // csrrs with rs1=x0 reads; with rs1=a1 it is a write, here of no bit.
  buffer[0] = csr << 20 | (write ? 11 : 0) << 15 | 2 << 12 | 10 << 7 | 0x73;
  asm volatile("fence.i" : : : "memory");
  run(mode, buffer, 0, 0, 0, 0);
}

static void report(unsigned csr, enum mode mode, bool write, unsigned wanted) {
  unsigned found = trap.by == BY_NONE ? 0 : trap.cause;
  if (found == wanted) {
    // mtval has the instruction, or zero.
    if (wanted && trap.tval != 0) check(trap.tval == buffer[0], __FILE__, __LINE__, trap.tval, buffer[0]);
    return;
  }
  put_line(write ? "write of csr" : "read of csr", csr);
  put_line("  mode", mode);
  check(false, __FILE__, __LINE__, found, wanted);
}

static const enum mode modes[] = {MODE_M, MODE_HS, MODE_U, MODE_VS, MODE_VU};

static void sweep_existing(void) {
  for (unsigned csr = 0; csr < 4096; csr++) {
    if (!exists(csr)) continue;
    for (unsigned i = 0; i < 5; i++) {
      for (int write = 0; write < 2; write++) {
        // The test's own frame lives in mscratch and mtvec; a write of no bit does not hurt them.
        attempt(csr, modes[i], write);
        report(csr, modes[i], write, expected(csr, modes[i], write));
      }
    }
  }
}

// Other numbers may belong to further extensions, but never to a mode below their level.
static void sweep_others(void) {
  for (unsigned csr = 0; csr < 4096; csr++) {
    if (exists(csr) || level_of(csr) == 0) continue;
    for (unsigned i = 1; i < 5; i++) {
      unsigned reach = modes[i] == MODE_HS ? 2 : modes[i] == MODE_VS ? 1 : 0;
      if (level_of(csr) <= reach) continue;
      attempt(csr, modes[i], true);
      bool v = modes[i] >= MODE_VU;
      bool good = trap.by != BY_NONE &&
                  (trap.cause == C_ILLEGAL || (v && level_of(csr) != 3 && trap.cause == C_VIRTUAL));
      if (!good) report(csr, modes[i], true, C_ILLEGAL);
    }
  }
  // Numbers that the standard leaves to custom use or to RV32.
  static const uint16_t never[] = {0x310, 0x5c0, 0x612, 0x615,
                                   0x61a, 0x31a, 0x757, 0x800, 0x9c0, 0xb80, 0xbc0, 0xc80, 0xcc0, 0xfff};
  for (unsigned i = 0; i < sizeof never / sizeof *never; i++) {
    for (unsigned m = 0; m < 5; m++) {
      attempt(never[i], modes[m], false);
      report(never[i], modes[m], false, C_ILLEGAL);
    }
  }
}

void test_body(void) {
  const uint32_t *end = CODE("nop");
  for (int i = 0; i < 4; i++) buffer[i] = end[i];
  csr_write(MENVCFG, ENVCFG_STCE);
  csr_write(HENVCFG, ENVCFG_STCE);
  csr_write(MCOUNTEREN, -1ull);
  csr_write(HCOUNTEREN, -1ull);
  csr_write(SCOUNTEREN, -1ull);
  sweep_existing();
  sweep_others();
}
