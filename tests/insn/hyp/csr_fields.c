// SPDX-License-Identifier: Apache-2.0
// Fields of the hypervisor CSRs and VS CSRs: reset, WARL, aliases (chapter "Hypervisor and Virtual
// Supervisor CSRs"). Reset values that the standard leaves open are those of this machine: zero,
// but menvcfg has the hart update A and D.

#include "priv.h"

void test_reset_values(void) {
  CHECK_EQ(csr_read(HSTATUS), 2ull << 32);
  CHECK_EQ(csr_read(HEDELEG), 0);
  CHECK_EQ(csr_read(HIDELEG), 0);
  CHECK_EQ(csr_read(HIE), 0);
  CHECK_EQ(csr_read(HVIP), 0);
  CHECK_EQ(csr_read(HGATP), 0);
  CHECK_EQ(csr_read(VSATP), 0);
  CHECK_EQ(csr_read(SATP), 0);
  CHECK_EQ(csr_read(HTIMEDELTA), 0);
  CHECK_EQ(csr_read(HTVAL), 0);
  CHECK_EQ(csr_read(HTINST), 0);
  CHECK_EQ(csr_read(MTVAL2), 0);
  CHECK_EQ(csr_read(MTINST), 0);
  CHECK_EQ(csr_read(HGEIE), 0);
  CHECK_EQ(csr_read(HGEIP), 0);
  CHECK_EQ(csr_read(MSTATUS) & (STATUS_MIE | STATUS_MPRV | STATUS_MPV | STATUS_GVA), 0);
  CHECK_EQ(csr_read(MCAUSE), 0);
  CHECK_EQ(csr_read(PMPCFG0) | csr_read(PMPCFG2), 0);
  CHECK_EQ(csr_read(MSECCFG), 0);
  // Svadu without Svade.
  CHECK_EQ(csr_read(MENVCFG), ENVCFG_ADUE);
  CHECK_EQ(csr_read(HENVCFG), 0);
}

static void hypervisor_status(void) {
  const uint64_t writable = HSTATUS_VTSR | HSTATUS_VTW | HSTATUS_VTVM | HSTATUS_HU | HSTATUS_SPVP |
                            HSTATUS_SPV | HSTATUS_GVA;
  // VSXL is 2 and VSBE 0 for good; VGEIN is bounded by GEILEN.
  CHECK_EQ(csr_write_read(HSTATUS, -1ull & ~HSTATUS_VGEIN), writable | 2ull << 32);
  CHECK_EQ(csr_write_read(HSTATUS, 0), 2ull << 32);
  for (int bit = 0; bit < 64; bit++) {
    if (writable >> bit & 1) CHECK_EQ(csr_write_read(HSTATUS, BIT(bit)), BIT(bit) | 2ull << 32);
  }
}

static void delegation(void) {
  csr_write(HEDELEG, -1ull);
  // Table "Bits of hedeleg that must be writable or must be read-only zero".
  const uint64_t must = 0x1fe | BIT(12) | BIT(13) | BIT(15);
  const uint64_t never = BIT(9) | BIT(10) | BIT(11) | BIT(16) | BIT(20) | BIT(21) | BIT(22) | BIT(23);
  CHECK_EQ(csr_read(HEDELEG) & must, must);
  CHECK_EQ(csr_read(HEDELEG) & never, 0);
  CHECK_EQ(csr_read(HEDELEG) & (BIT(14) | BIT(17)), 0);
  CHECK_EQ(csr_write_read(HEDELEG, 0), 0);
  csr_write(HIDELEG, -1ull);
  CHECK_EQ(csr_read(HIDELEG) & 0x1fff, BIT(VSSI) | BIT(VSTI) | BIT(VSEI));
  CHECK_EQ(csr_write_read(HIDELEG, 0), 0);
  CHECK_EQ(csr_write_read(HIDELEG, BIT(VSTI)), BIT(VSTI));
}

// hvip, hip, hie, and their views in mip, mie, vsip and vsie.
static void interrupt_registers(void) {
  const uint64_t vs = BIT(VSSI) | BIT(VSTI) | BIT(VSEI);
  CHECK_EQ(csr_write_read(HVIP, -1ull) & 0xffff & ~BIT(13), vs);
  CHECK_EQ(csr_read(HIP) & 0xffff, vs);
  CHECK_EQ(csr_read(MIP) & vs, vs);
  // Only VSSIP can be written in hip, as an alias of hvip's.
  csr_write(HIP, 0);
  CHECK_EQ(csr_read(HIP) & 0xffff, BIT(VSTI) | BIT(VSEI));
  CHECK_EQ(csr_read(HVIP) & 0xffff & ~BIT(13), BIT(VSTI) | BIT(VSEI));
  csr_set(HIP, BIT(VSSI));
  CHECK_EQ(csr_read(HVIP) & BIT(VSSI), BIT(VSSI));
  csr_write(HVIP, 0);
  // mip's aliases: VSSIP writable through mip too.
  csr_set(MIP, BIT(VSSI));
  CHECK_EQ(csr_read(HVIP), BIT(VSSI));
  csr_clear(MIP, BIT(VSSI));
  CHECK_EQ(csr_read(HVIP), 0);

  csr_write(HIE, -1ull);
  CHECK_EQ(csr_read(HIE) & 0xffff & ~BIT(SGEI), vs);
  CHECK_EQ(csr_read(MIE) & vs, vs);
  // Bits of sie and hie exclude each other, whatever mideleg says.
  csr_write(MIDELEG, BIT(SSI) | BIT(STI) | BIT(SEI));
  csr_write(SIE, -1ull);
  CHECK_EQ(csr_read(SIE) & csr_read(HIE), 0);
  CHECK_EQ(csr_read(SIE) & 0x1fff, BIT(SSI) | BIT(STI) | BIT(SEI));
  csr_write(MIE, 0);
  CHECK_EQ(csr_read(HIE) | csr_read(SIE), 0);
  csr_set(MIE, vs);
  CHECK_EQ(csr_read(HIE), vs);
  csr_write(HIE, 0);
}

// vsip and vsie show the bits that hideleg delegates, one position lower.
static void virtual_interrupt_views(void) {
  const uint64_t vs = BIT(VSSI) | BIT(VSTI) | BIT(VSEI);
  static const int numbers[] = {VSSI, VSTI, VSEI};
  csr_write(HIDELEG, 0);
  csr_write(HVIP, vs);
  csr_write(HIE, vs);
  CHECK_EQ(csr_read(VSIP), 0);
  CHECK_EQ(csr_read(VSIE), 0);
  csr_write(VSIE, -1ull);
  CHECK_EQ(csr_read(VSIE) & 0x1fff, 0);
  for (int i = 0; i < 3; i++) {
    csr_write(HIDELEG, BIT(numbers[i]));
    CHECK_EQ(csr_read(VSIP), BIT(numbers[i] - 1));
    CHECK_EQ(csr_read(VSIE) & 0x1fff, BIT(numbers[i] - 1));
    csr_write(HIE, 0);
    csr_write(VSIE, -1ull);
    CHECK_EQ(csr_read(HIE), BIT(numbers[i]));
    csr_write(VSIE, 0);
    CHECK_EQ(csr_read(HIE), 0);
    csr_write(HIE, vs);
  }
  // In vsip only SSIP is writable.
  csr_write(HIDELEG, vs);
  csr_write(VSIP, 0);
  CHECK_EQ(csr_read(HVIP), BIT(VSTI) | BIT(VSEI));
  csr_write(HVIP, 0);
  csr_write(VSIP, -1ull);
  CHECK_EQ(csr_read(HVIP) & 0x1fff, BIT(VSSI));
  RUN(MODE_VS, "csrr a0, sip\ncsrci sip, 2\ncsrr a1, sip");
  EXPECT_OK();
  CHECK_EQ(trap.a0 & 0x1fff, BIT(SSI));
  CHECK_EQ(trap.a1 & 0x1fff, 0);
  CHECK_EQ(csr_read(HVIP), 0);
}

// htimedelta, hcounteren, hgeie, htval, htinst and M's partners hold what is written.
static void plain_registers(void) {
  CHECK_EQ(csr_write_read(HTIMEDELTA, 0xfedcba9876543210), 0xfedcba9876543210);
  csr_write(HTIMEDELTA, 0);
  csr_write(HCOUNTEREN, -1ull);
  CHECK_EQ(csr_read(HCOUNTEREN) & 7, 7);
  CHECK_EQ(csr_read(HCOUNTEREN) >> 32, 0);
  CHECK_EQ(csr_write_read(HCOUNTEREN, 0), 0);
  CHECK_EQ(csr_write_read(HGEIE, -1ull) & 1, 0);
  csr_write(HGEIE, 0);
  CHECK_EQ(csr_read(HGEIP) & 1, 0);
  CHECK_EQ(csr_write_read(HTVAL, 0x2000123), 0x2000123);
  CHECK_EQ(csr_write_read(HTVAL, 0), 0);
  CHECK_EQ(csr_write_read(HTINST, 0x3020), 0x3020);
  CHECK_EQ(csr_write_read(HTINST, 0), 0);
  CHECK_EQ(csr_write_read(MTVAL2, 0x2000123), 0x2000123);
  CHECK_EQ(csr_write_read(MTINST, 0x3000), 0x3000);
  const uint64_t m = STATUS_MPV | STATUS_GVA;
  csr_set(MSTATUS, m);
  CHECK_EQ(csr_read(MSTATUS) & m, m);
  csr_clear(MSTATUS, m);
  CHECK_EQ(csr_read(MSTATUS) & m, 0);
}

// menvcfg and henvcfg: fields of extensions that are absent are read-only zero, and fields of
// henvcfg are read-only zero while the same field of menvcfg is zero.
static void environment(void) {
  csr_write(MENVCFG, -1ull);
  uint64_t m = csr_read(MENVCFG);
  CHECK_EQ(m & (ENVCFG_FIOM | ENVCFG_ADUE | ENVCFG_STCE), ENVCFG_FIOM | ENVCFG_ADUE | ENVCFG_STCE);
  CHECK_EQ(m & ~(1 | 0xfcull | 3ull << 32 | BIT(59) | BIT(60) | BIT(61) | BIT(62) | BIT(63)), 0);
  csr_write(HENVCFG, -1ull);
  CHECK_EQ(csr_read(HENVCFG) & (ENVCFG_FIOM | ENVCFG_ADUE | ENVCFG_STCE), ENVCFG_FIOM | ENVCFG_ADUE | ENVCFG_STCE);
  csr_write(MENVCFG, 0);
  CHECK_EQ(csr_read(MENVCFG), 0);
  CHECK_EQ(csr_read(HENVCFG) & (ENVCFG_ADUE | ENVCFG_STCE), 0);
  csr_write(HENVCFG, -1ull);
  CHECK_EQ(csr_read(HENVCFG) & (ENVCFG_ADUE | ENVCFG_STCE), 0);
  csr_write(SENVCFG, -1ull);
  CHECK_EQ(csr_read(SENVCFG) & 1, 1);
  csr_write(SENVCFG, 0);
  CHECK_EQ(csr_read(SENVCFG), 0);
  // CBIE=0b10 is reserved; where Zicbom is absent the field is zero.
  csr_write(MENVCFG, 2 << 4);
  CHECK((csr_read(MENVCFG) >> 4 & 3) != 2);
  csr_write(MENVCFG, 0);
}

static void check_atp_mode(uint64_t value) {
  csr_write(HGATP, value);
  CHECK_EQ(csr_read(HGATP), value & ~3ull);
}

// hgatp: four modes, 14 bits of VMID, a root aligned to 16 KiB, every field WARL by itself.
static void guest_translation_register(void) {
  csr_write(HGATP, SATP_MODE(SV39) | 0x3fffull << 44 | 0x80003);
  CHECK_EQ(csr_read(HGATP), SATP_MODE(SV39) | 0x3fffull << 44 | 0x80000);
  csr_write(HGATP, SATP_MODE(SV39) | 0xffffull << 44);
  CHECK_EQ(csr_read(HGATP) >> 44 & 0xffff, 0x3fff);
  check_atp_mode(SATP_MODE(SV48) | 5ull << 44 | 0x80004);
  check_atp_mode(SATP_MODE(SV57) | 5ull << 44 | 0x80008);
  check_atp_mode(0);
  // An unsupported mode does not drop the write whole (contrast satp): VMID and PPN change.
  csr_write(HGATP, SATP_MODE(SV39) | 5ull << 44 | 0x80000);
  csr_write(HGATP, SATP_MODE(15) | 6ull << 44 | 0x80010);
  unsigned mode = csr_read(HGATP) >> 60;
  CHECK(mode == 0 || (mode >= SV39 && mode <= SV57));
  CHECK_EQ(csr_read(HGATP) << 4 >> 4, 6ull << 44 | 0x80010);
  csr_write(HGATP, 0);
  // satp: 16 bits of ASID, unsupported modes drop the write.
  csr_write(SATP, SATP_MODE(SV48) | 0xffffull << 44 | 0x80001);
  CHECK_EQ(csr_read(SATP), SATP_MODE(SV48) | 0xffffull << 44 | 0x80001);
  csr_write(SATP, SATP_MODE(11) | 1ull << 44 | 0x80002);
  CHECK_EQ(csr_read(SATP), SATP_MODE(SV48) | 0xffffull << 44 | 0x80001);
  csr_write(SATP, 0);
  const uint64_t widest = SATP_MODE(SV57) | 0xffffull << 44 | 0x80001;
  CHECK_EQ(csr_write_read(VSATP, widest), widest);
  // With V=1 a write of an unsupported mode to satp has no effect on vsatp.
  csr_write(VSATP, 0);
  RUN(MODE_VS, "csrw satp, a0\ncsrr a0, satp", SATP_MODE(15) | 3ull << 44 | 0x80002);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 0);
  CHECK_EQ(csr_read(VSATP), 0);
  for (int m = 1; m < 8; m++) {
    RUN(MODE_VS, "csrw satp, a0\ncsrr a0, satp", SATP_MODE(m) | 3ull << 44 | 0x80002);
    CHECK_EQ(trap.a0, 0);
  }
}

static void vs_status(void) {
  const uint64_t fields = STATUS_MXR | STATUS_SUM | STATUS_FS | STATUS_SPP | STATUS_SPIE | STATUS_SIE;
  csr_write(VSSTATUS, -1ull);
  CHECK_EQ(csr_read(VSSTATUS), STATUS_SD | 2ull << 32 | fields);
  csr_write(VSSTATUS, 0);
  CHECK_EQ(csr_read(VSSTATUS), 2ull << 32);
  CHECK_EQ(csr_write_read(VSEPC, -1ull), -2ull);
  CHECK_EQ(csr_write_read(VSTVEC, 0x80001001), 0x80001001);
  CHECK_EQ(csr_write_read(VSTVAL, -1ull), -1ull);
  CHECK_EQ(csr_write_read(VSCAUSE, IRQ(9)), IRQ(9));
  CHECK_EQ(csr_write_read(VSCAUSE, C_STORE_PAGE), C_STORE_PAGE);
  CHECK_EQ(csr_write_read(VSSCRATCH, 0x1234567890abcdef), 0x1234567890abcdef);
}

// With V=1 a supervisor CSR is its VS replica, and the HS one keeps its value.
#define CHECK_REPLICA(s, vs, hs_value, vs_value, new_value)                                      \
  do {                                                                                           \
    csr_write(s, hs_value);                                                                      \
    csr_write(vs, vs_value);                                                                     \
    RUN(MODE_VS, "csrrw a0, " STRINGIFY(s) ", a0\ncsrr a1, " STRINGIFY(s), new_value);           \
    EXPECT_OK();                                                                                 \
    CHECK_EQ(trap.a0, vs_value);                                                                 \
    CHECK_EQ(trap.a1, new_value);                                                                \
    CHECK_EQ(csr_read(s), hs_value);                                                             \
    CHECK_EQ(csr_read(vs), new_value);                                                           \
  } while (0)

static void replicas(void) {
  CHECK_REPLICA(SSCRATCH, VSSCRATCH, 0x111, 0x222, 0x333);
  CHECK_REPLICA(SEPC, VSEPC, 0x1110, 0x2220, 0x3330);
  CHECK_REPLICA(SCAUSE, VSCAUSE, 5, 7, 13);
  CHECK_REPLICA(STVAL, VSTVAL, 0x111, 0x222, 0x333);
  CHECK_REPLICA(STVEC, VSTVEC, 0x80000110, 0x80000220, 0x80000331);
  CHECK_REPLICA(SSTATUS, VSSTATUS, 2ull << 32 | STATUS_SUM | STATUS_FS | STATUS_SD, 2ull << 32 | STATUS_SPP,
                2ull << 32 | STATUS_MXR);
  CHECK_REPLICA(SATP, VSATP, 0, 0, 0);
  csr_write(MENVCFG, ENVCFG_STCE);
  csr_write(HENVCFG, ENVCFG_STCE);
  csr_write(MCOUNTEREN, 2);
  csr_write(HCOUNTEREN, 2);
  CHECK_REPLICA(STIMECMP, VSTIMECMP, -1ull, -2ull, -3ull);
  csr_write(MIDELEG, BIT(SSI) | BIT(STI) | BIT(SEI));
  csr_write(HIDELEG, BIT(VSSI) | BIT(VSTI) | BIT(VSEI));
  CHECK_REPLICA(SIE, VSIE, BIT(SSI), BIT(STI), BIT(SEI));
  // scounteren and senvcfg have no replica.
  csr_write(SCOUNTEREN, 1);
  RUN(MODE_VS, "csrrw a0, scounteren, a0", 5);
  CHECK_EQ(trap.a0, 1);
  CHECK_EQ(csr_read(SCOUNTEREN), 5);
  RUN(MODE_VS, "csrrw a0, 0x10a, a0", 1);
  EXPECT_OK();
  CHECK_EQ(csr_read(SENVCFG), 1);
  csr_write(SIE, 0);
  csr_write(VSIE, 0);
}

// Whether an instruction traps in M mode, without the frame's handler, which needs H itself.
#define TRAPS(text)                                                                               \
  ({                                                                                              \
    uint64_t trapped_;                                                                            \
    asm volatile("la t0, 1f\ncsrrw t0, mtvec, t0\nli %0, 1\n" text "\nli %0, 0\n.balign 4\n"     \
                 "1: csrw mtvec, t0" : "=&r"(trapped_) : : "t0", "t1", "t2", "memory");           \
    trapped_ && csr_read(MCAUSE) == C_ILLEGAL;                                                    \
  })

// misa.H cleared: all of H is illegal. Where the bit is hardwired there is nothing to see.
static void without_h(void) {
  csr_clear(MISA, BIT(7));
  if (!(csr_read(MISA) & BIT(7))) {
    CHECK(TRAPS("csrr t1, 0x600"));
    CHECK(TRAPS("csrr t1, 0x680"));
    CHECK(TRAPS("csrr t1, 0x200"));
    CHECK(TRAPS("csrr t1, 0xe12"));
    CHECK(TRAPS("csrr t1, 0x34b"));
    CHECK(TRAPS(".insn r 0x73, 0, 0x31, x0, x0, x0"));
    CHECK(TRAPS("la t1, page_a\n.insn r 0x73, 4, 0x30, t2, t1, x0"));
    csr_set(MSTATUS, STATUS_MPV);
    CHECK_EQ(csr_read(MSTATUS) & STATUS_MPV, 0);
    CHECK_EQ(csr_read(MIDELEG) & BIT(VSSI), 0);
  }
  csr_set(MISA, BIT(7));
  CHECK_EQ(csr_read(MISA) & BIT(7), BIT(7));
}

void test_body(void) {
  RUN_PARTS(hypervisor_status, delegation, interrupt_registers, virtual_interrupt_views, plain_registers,
            environment, guest_translation_register, vs_status, replicas, without_h);
}
