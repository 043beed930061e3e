// SPDX-License-Identifier: Apache-2.0
// Changes of V: trap entry, trap return, delegation through both levels, and what each of them
// writes (chapters "Trap Entry" and "Trap Return" of H).

#include "priv.h"

// Causes and previous modes as M mode sees them.
static void traps_to_m(void) {
  RUN(MODE_VS, "ecall");
  EXPECT(BY_M, C_VS_ECALL);
  CHECK_EQ(trap.status & (STATUS_MPV | STATUS_MPP), STATUS_MPV | STATUS_MPP_S);
  RUN(MODE_VU, "ecall");
  EXPECT(BY_M, C_U_ECALL);
  CHECK_EQ(trap.status & (STATUS_MPV | STATUS_MPP), STATUS_MPV);
  RUN(MODE_HS, "ecall");
  EXPECT(BY_M, C_HS_ECALL);
  CHECK_EQ(trap.status & (STATUS_MPV | STATUS_MPP), STATUS_MPP_S);
  RUN(MODE_U, "ecall");
  CHECK_EQ(trap.status & (STATUS_MPV | STATUS_MPP), 0);
  // hstatus and vsstatus are not touched by a trap into M mode.
  csr_write(HSTATUS, HSTATUS_SPVP);
  RUN(MODE_VU, "ecall");
  CHECK_EQ(csr_read(HSTATUS), HSTATUS_SPVP | 2ull << 32);
  // MPV is ignored when MPP is M.
  csr_set(MSTATUS, STATUS_MPV | STATUS_MPP);
  RUN(MODE_M, "la t0, 1f\ncsrw mepc, t0\nli t0, 1\nslli t0, t0, 39\ncsrs mstatus, t0\nli t0, 0x1800\n"
      "csrs mstatus, t0\nmret\n1: csrr a0, mstatus\ncsrr a1, 0x600");
  EXPECT_OK();
  CHECK_EQ(trap.a0 & (STATUS_MPV | STATUS_MPP), 0);
}

// SPV, SPP and SPVP by previous mode; SPVP stays when V was 0.
static void traps_to_hs(void) {
  csr_write(MEDELEG, BIT(C_U_ECALL) | BIT(C_VS_ECALL) | BIT(C_ILLEGAL));
  RUN(MODE_VS, "ecall");
  EXPECT(BY_HS, C_VS_ECALL);
  CHECK_EQ(trap.status & STATUS_SPP, STATUS_SPP);
  CHECK_EQ(trap.hstatus, HSTATUS_SPV | HSTATUS_SPVP | 2ull << 32);
  RUN(MODE_VU, "ecall");
  EXPECT(BY_HS, C_U_ECALL);
  CHECK_EQ(trap.status & STATUS_SPP, 0);
  CHECK_EQ(trap.hstatus, HSTATUS_SPV | 2ull << 32);
  csr_write(HSTATUS, HSTATUS_SPVP | HSTATUS_GVA | HSTATUS_SPV);
  RUN(MODE_U, "ecall");
  EXPECT(BY_HS, C_U_ECALL);
  CHECK_EQ(trap.hstatus, HSTATUS_SPVP | 2ull << 32);
  RUN(MODE_HS, ".word 0");
  EXPECT(BY_HS, C_ILLEGAL);
  CHECK_EQ(trap.status & STATUS_SPP, STATUS_SPP);
  CHECK_EQ(trap.hstatus, HSTATUS_SPVP | 2ull << 32);
  // The interrupt stack is the HS level's own, independent of vsstatus.
  csr_set(MSTATUS, STATUS_SIE);
  csr_clear(VSSTATUS, STATUS_SIE);
  RUN(MODE_VS, "ecall");
  CHECK_EQ(trap.status & (STATUS_SIE | STATUS_SPIE), STATUS_SPIE);
  CHECK_EQ(csr_read(VSSTATUS) & (STATUS_SIE | STATUS_SPIE | STATUS_SPP), 0);
}

// Delegated twice: VS mode takes it; nothing at the HS level changes.
static void traps_to_vs(void) {
  csr_write(MEDELEG, -1ull);
  csr_clear(MEDELEG, BIT(C_VS_ECALL) | BIT(C_HS_ECALL));
  csr_write(HEDELEG, BIT(C_U_ECALL) | BIT(C_BREAKPOINT) | BIT(C_ILLEGAL));
  csr_write(HSTATUS, HSTATUS_SPVP);
  csr_write(SEPC, 0x1110);
  csr_write(SCAUSE, 0x11);
  csr_write(STVAL, 0x111);
  csr_set(VSSTATUS, STATUS_SIE);
  uint64_t before = csr_read(SSTATUS);
  RUN(MODE_VU, "nop\necall");
  EXPECT(BY_VS, C_U_ECALL);
  EXPECT_OFFSET(4);
  CHECK_EQ(trap.status & (STATUS_SPP | STATUS_SPIE | STATUS_SIE), STATUS_SPIE);
  RUN(MODE_VS, "ebreak");
  EXPECT(BY_VS, C_BREAKPOINT);
  CHECK_EQ(trap.tval == 0 || trap.tval == trap.epc, 1);
  CHECK_EQ(trap.status & STATUS_SPP, STATUS_SPP);
  CHECK_EQ(csr_read(HSTATUS), HSTATUS_SPVP | 2ull << 32);
  CHECK_EQ(csr_read(SSTATUS), before);
  CHECK_EQ(csr_read(SEPC), 0x1110);
  CHECK_EQ(csr_read(SCAUSE), 0x11);
  CHECK_EQ(csr_read(STVAL), 0x111);
  // V=0: hedeleg does not apply.
  RUN(MODE_U, "ebreak");
  EXPECT(BY_HS, C_BREAKPOINT);
  CHECK_EQ(trap.hstatus & HSTATUS_SPV, 0);
  // hedeleg without medeleg: M mode.
  csr_clear(MEDELEG, BIT(C_BREAKPOINT));
  RUN(MODE_VU, "ebreak");
  EXPECT(BY_M, C_BREAKPOINT);
  // vsstatus is where sret in VS mode goes from.
  csr_clear(VSSTATUS, STATUS_SIE);
  csr_write(SEPC, 0x1110);
  RUN(MODE_VS, "la t0, 1f\ncsrw sepc, t0\nli t0, 0x120\ncsrs sstatus, t0\nsret\nunimp\n1: csrr a0, sstatus\n"
      "csrr a1, sepc");
  EXPECT_OK();
  CHECK_EQ(trap.a0 & (STATUS_SPP | STATUS_SPIE | STATUS_SIE), STATUS_SPIE | STATUS_SIE);
  CHECK_EQ(csr_read(SEPC), 0x1110);
  CHECK_EQ(csr_read(VSEPC), trap.a1);
  RUN(MODE_VS, "la t0, 1f\ncsrw sepc, t0\nli t0, 0x100\ncsrc sstatus, t0\nsret\n1: ecall");
  EXPECT(BY_VS, C_U_ECALL);
}

// sret in HS mode: SPV and SPP select one of four modes; SPV becomes 0, SPVP stays.
static void return_from_hs(void) {
#define SRET_TO(spv, spp)                                                                          \
  RUN(MODE_HS, "la t0, 1f\ncsrw sepc, t0\ncsrw 0x600, a0\ncsrc sstatus, a2\ncsrs sstatus, a1\nsret\n1: ecall", \
      (spv ? HSTATUS_SPV : 0) | HSTATUS_SPVP, spp ? STATUS_SPP : 0, STATUS_SPP)
  SRET_TO(1, 1);
  EXPECT(BY_M, C_VS_ECALL);
  CHECK_EQ(csr_read(HSTATUS), HSTATUS_SPVP | 2ull << 32);
  SRET_TO(1, 0);
  EXPECT(BY_M, C_U_ECALL);
  CHECK_EQ(trap.status & STATUS_MPV, STATUS_MPV);
  CHECK_EQ(csr_read(HSTATUS), HSTATUS_SPVP | 2ull << 32);
  SRET_TO(0, 1);
  EXPECT(BY_M, C_HS_ECALL);
  SRET_TO(0, 0);
  EXPECT(BY_M, C_U_ECALL);
  CHECK_EQ(trap.status & STATUS_MPV, 0);
  // From M mode too.
  csr_write(HSTATUS, HSTATUS_SPV);
  RUN(MODE_M, "la t0, 1f\ncsrw sepc, t0\nli t0, 0x100\ncsrs sstatus, t0\nsret\n1: ecall");
  EXPECT(BY_M, C_VS_ECALL);
}

// VTSR, VTW and VTVM; mstatus.TSR and TVM do not bind VS mode, TW does.
static void virtual_virtualization_bits(void) {
  csr_write(HSTATUS, HSTATUS_VTSR);
  RUN(MODE_VS, "sret");
  EXPECT(BY_M, C_VIRTUAL);
  csr_write(HSTATUS, HSTATUS_VTVM);
  RUN(MODE_VS, "sfence.vma");
  EXPECT(BY_M, C_VIRTUAL);
  RUN(MODE_VS, "csrr a0, satp");
  EXPECT(BY_M, C_VIRTUAL);
  RUN(MODE_VS, "csrw satp, zero");
  EXPECT(BY_M, C_VIRTUAL);
  CHECK(trap.tval == 0 || trap.tval == ENCODING("csrw satp, zero"));
  csr_write(HSTATUS, HSTATUS_VTW);
  RUN(MODE_VS, "wfi");
  EXPECT(BY_M, C_VIRTUAL);
  CHECK_EQ(trap.tinst, 0);
  CHECK_EQ(trap.status & STATUS_GVA, 0);
  csr_set(MSTATUS, STATUS_TW);
  RUN(MODE_VS, "wfi");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_VU, "wfi");
  EXPECT(BY_M, C_ILLEGAL);
  csr_write(HSTATUS, 0);
  RUN(MODE_VS, "wfi");
  EXPECT(BY_M, C_ILLEGAL);
  csr_clear(MSTATUS, STATUS_TW);
  // WFI in VU mode is a virtual instruction whatever VTW is; sret and fences too.
  RUN(MODE_VU, "wfi");
  EXPECT(BY_M, C_VIRTUAL);
  RUN(MODE_VU, "sret");
  EXPECT(BY_M, C_VIRTUAL);
  RUN(MODE_VU, "sfence.vma");
  EXPECT(BY_M, C_VIRTUAL);
  RUN(MODE_VU, "mret");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_VS, "mret");
  EXPECT(BY_M, C_ILLEGAL);
  csr_set(MSTATUS, STATUS_TSR | STATUS_TVM);
  RUN(MODE_VS, "csrr a0, satp\nsfence.vma\nla t0, 1f\ncsrw sepc, t0\nli t0, 0x100\ncsrs sstatus, t0\nsret\n1: nop");
  EXPECT_OK();
  RUN(MODE_VU, "sret");
  EXPECT(BY_M, C_VIRTUAL);
}

// mstatus.TVM binds hgatp and hfence.gvma in HS mode, not vsatp and hfence.vvma.
static void trap_virtual_memory(void) {
  csr_set(MSTATUS, STATUS_TVM);
  RUN(MODE_HS, "csrr a0, 0x680");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_HS, "csrw 0x680, zero");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_HS, ".insn r 0x73, 0, 0x31, x0, x0, x0");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_HS, "csrr a0, 0x280\ncsrw 0x280, zero\n.insn r 0x73, 0, 0x11, x0, x0, x0");
  EXPECT_OK();
  RUN(MODE_M, ".insn r 0x73, 0, 0x31, x0, x0, x0\ncsrr a0, 0x680");
  EXPECT_OK();
  // An access to hgatp from VS is judged as though TVM were 0.
  RUN(MODE_VS, "csrr a0, 0x680");
  EXPECT(BY_M, C_VIRTUAL);
}

// Hypervisor instructions by mode: allowed in M and HS, virtual with V=1, illegal in U without HU.
#define BY_MODE(text)                         \
  do {                                        \
    RUN(MODE_M, text, page_a, page_a);        \
    EXPECT_OK();                              \
    RUN(MODE_HS, text, page_a, page_a);       \
    EXPECT_OK();                              \
    RUN(MODE_VS, text, page_a, page_a);       \
    EXPECT(BY_M, C_VIRTUAL);                  \
    CHECK_EQ(trap.tinst, 0);                  \
    RUN(MODE_VU, text, page_a, page_a);       \
    EXPECT(BY_M, C_VIRTUAL);                  \
    RUN(MODE_U, text, page_a, page_a);        \
    EXPECT(BY_M, C_ILLEGAL);                  \
  } while (0)
#define BY_HU(text)                           \
  do {                                        \
    csr_write(HSTATUS, 0);                    \
    BY_MODE(text);                            \
    csr_write(HSTATUS, HSTATUS_HU);           \
    RUN(MODE_U, text, page_a, page_a);        \
    EXPECT_OK();                              \
    RUN(MODE_VU, text, page_a, page_a);       \
    EXPECT(BY_M, C_VIRTUAL);                  \
  } while (0)

static void hypervisor_instructions(void) {
  BY_MODE(".insn r 0x73, 0, 0x11, x0, x0, x0");  // hfence.vvma
  BY_MODE(".insn r 0x73, 0, 0x11, x0, a0, a1");
  BY_MODE(".insn r 0x73, 0, 0x31, x0, x0, x0");  // hfence.gvma
  BY_MODE(".insn r 0x73, 0, 0x31, x0, a0, a1");
  BY_HU(".insn r 0x73, 4, 0x30, a2, a0, x0");    // hlv.b
  BY_HU(".insn r 0x73, 4, 0x30, a2, a0, x1");    // hlv.bu
  BY_HU(".insn r 0x73, 4, 0x32, a2, a0, x0");    // hlv.h
  BY_HU(".insn r 0x73, 4, 0x32, a2, a0, x1");    // hlv.hu
  BY_HU(".insn r 0x73, 4, 0x32, a2, a0, x3");    // hlvx.hu
  BY_HU(".insn r 0x73, 4, 0x34, a2, a0, x0");    // hlv.w
  BY_HU(".insn r 0x73, 4, 0x34, a2, a0, x1");    // hlv.wu
  BY_HU(".insn r 0x73, 4, 0x34, a2, a0, x3");    // hlvx.wu
  BY_HU(".insn r 0x73, 4, 0x36, a2, a0, x0");    // hlv.d
  BY_HU(".insn r 0x73, 4, 0x31, x0, a0, a1");    // hsv.b
  BY_HU(".insn r 0x73, 4, 0x33, x0, a0, a1");    // hsv.h
  BY_HU(".insn r 0x73, 4, 0x35, x0, a0, a1");    // hsv.w
  BY_HU(".insn r 0x73, 4, 0x37, x0, a0, a1");    // hsv.d
  // HU does not open the fences to U mode.
  csr_write(HSTATUS, HSTATUS_HU);
  RUN(MODE_U, ".insn r 0x73, 0, 0x11, x0, x0, x0");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_U, ".insn r 0x73, 0, 0x31, x0, x0, x0");
  EXPECT(BY_M, C_ILLEGAL);
  // Encodings next to them do not exist: hlv.d with rs2=1, hlvx.d, hlvx.bu, rd of a store.
  RUN(MODE_M, ".insn r 0x73, 4, 0x36, a2, a0, x1", page_a);
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_M, ".insn r 0x73, 4, 0x36, a2, a0, x3", page_a);
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_M, ".insn r 0x73, 4, 0x30, a2, a0, x3", page_a);
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_M, ".insn r 0x73, 4, 0x37, a2, a0, x3", page_a);
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_M, ".insn r 0x73, 0, 0x31, a2, x0, x0");
  EXPECT(BY_M, C_ILLEGAL);
}

// Floating point under two FS fields: either Off is illegal (never virtual), both become dirty.
static void virtual_fs(void) {
  const uint64_t clean = 2ull << 13;
  csr_clear(MSTATUS, STATUS_FS);
  csr_set(MSTATUS, clean);
  csr_clear(VSSTATUS, STATUS_FS);
  RUN(MODE_VS, "fadd.d fa0, fa0, fa0");
  EXPECT(BY_M, C_ILLEGAL);
  RUN(MODE_VU, "csrr a0, fcsr");
  EXPECT(BY_M, C_ILLEGAL);
  // The HS level runs with its own field alone.
  RUN(MODE_HS, "fmv.x.d a0, fa0");
  EXPECT_OK();
  csr_set(VSSTATUS, clean);
  csr_clear(MSTATUS, STATUS_FS);
  RUN(MODE_VS, "fld fa0, 0(a0)", page_a);
  EXPECT(BY_M, C_ILLEGAL);
  // SD of each view depends on its own FS.
  csr_set(MSTATUS, clean);
  CHECK_EQ(csr_read(VSSTATUS) >> 63, 0);
  RUN(MODE_VS, "fmv.d.x fa0, a0");
  EXPECT_OK();
  CHECK_EQ(csr_read(VSSTATUS) & (STATUS_FS | STATUS_SD), STATUS_FS | STATUS_SD);
  CHECK_EQ(csr_read(SSTATUS) & (STATUS_FS | STATUS_SD), STATUS_FS | STATUS_SD);
  // V=0 does not touch vsstatus.FS.
  csr_clear(VSSTATUS, STATUS_FS);
  csr_set(VSSTATUS, clean);
  RUN(MODE_HS, "fmv.d.x fa0, a0");
  EXPECT_OK();
  CHECK_EQ(csr_read(VSSTATUS) & (STATUS_FS | STATUS_SD), clean);
}

// GVA: set by every trap that writes a guest virtual address, clear for the others.
static void gva_bits(void) {
  RUN(MODE_VS, "ebreak");
  EXPECT(BY_M, C_BREAKPOINT);
  CHECK_EQ(trap.status >> 38 & 1, trap.tval != 0);
  RUN(MODE_VS, "addi a0, a0, 1\nlr.d a1, (a0)", page_a);
  EXPECT(BY_M, C_LOAD_MISALIGNED);
  CHECK_EQ(trap.status & STATUS_GVA, STATUS_GVA);
  CHECK_EQ(trap.tval, (uint64_t)page_a + 1);
  RUN(MODE_HS, "addi a0, a0, 1\nlr.d a1, (a0)", page_a);
  CHECK_EQ(trap.status & STATUS_GVA, 0);
  csr_set(MSTATUS, STATUS_GVA);
  RUN(MODE_VS, ".word 0");
  CHECK_EQ(trap.status & STATUS_GVA, 0);
  CHECK_EQ(trap.tval2, 0);
  delegate_to_hs();
  RUN(MODE_VS, "ebreak");
  EXPECT(BY_HS, C_BREAKPOINT);
  CHECK_EQ(trap.hstatus >> 6 & 1, trap.tval != 0);
  RUN(MODE_VS, "addi a0, a0, 2\nsc.w a1, a1, (a0)", page_a);
  EXPECT(BY_HS, C_STORE_MISALIGNED);
  CHECK_EQ(trap.hstatus & (HSTATUS_GVA | HSTATUS_SPV), HSTATUS_GVA | HSTATUS_SPV);
  RUN(MODE_VS, "csrr a0, 0x600");
  EXPECT(BY_HS, C_VIRTUAL);
  CHECK_EQ(trap.hstatus & HSTATUS_GVA, 0);
  CHECK_EQ(trap.tval2, 0);
  // Access faults: a hole of the memory map.
  RUN(MODE_VS, "ld a0, 0(a0)", 0x01000000);
  EXPECT(BY_HS, C_LOAD_ACCESS);
  CHECK_EQ(trap.hstatus & HSTATUS_GVA, HSTATUS_GVA);
  CHECK_EQ(trap.tval2, 0);
  CHECK_EQ(trap.tval, 0x01000000);
}

void test_body(void) {
  RUN_PARTS(traps_to_m, traps_to_hs, traps_to_vs, return_from_hs, virtual_virtualization_bits,
            trap_virtual_memory, hypervisor_instructions, virtual_fs, gva_bits);
}
