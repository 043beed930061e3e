// SPDX-License-Identifier: Apache-2.0
// What a guest-page fault reports: cause, tval, htval/mtval2, htinst/mtinst, GVA, SPV, SPVP, for
// explicit and implicit accesses (chapters "Guest-Page Faults" and "Transformed Instruction or
// Pseudoinstruction for mtinst or htinst").

#include "priv.h"

#define AT (TEST_VA + 0x3000)
#define HOLE (TEST_GPA + 0x5000)  // a guest physical page that the G stage does not map

static void open_hole(void) {
  enable_guest(3, 3);
  map(&vs_space, AT, HOLE, PTE_RWX, 0);
  map(&vs_space, AT + PAGE, TEST_GPA, PTE_RWX, 0);
  map(&vs_space, AT + 2 * PAGE, HOLE, PTE_RWX | PTE_U, 0);
  map(&g_space, TEST_GPA, (uint64_t)page_a, PTE_RWX | PTE_U, 0);
  *pte_of(&g_space, HOLE, 0) = 0;
  fence_all();
}

// One explicit access: what M mode and what HS mode see of it.
#define EXPLICIT_(text, cause_, tinst_)                            \
  do {                                                             \
    csr_write(MEDELEG, 0);                                         \
    RUN(MODE_VS, text, AT + 8);                                    \
    EXPECT(BY_M, cause_);                                          \
    CHECK_EQ(trap.tval, AT + 8);                                   \
    CHECK_EQ(trap.tval2, (HOLE + 8) >> 2);                         \
    CHECK_EQ(trap.tinst, tinst_);                                  \
    CHECK_EQ(trap.status & STATUS_GVA, STATUS_GVA);                \
    EXPECT_OFFSET(0);                                              \
    csr_write(MEDELEG, BIT(cause_));                               \
    csr_write(HEDELEG, -1ull);                                     \
    RUN(MODE_VS, text, AT + 8);                                    \
    EXPECT(BY_HS, cause_);                                         \
    CHECK_EQ(trap.tval, AT + 8);                                   \
    CHECK_EQ(trap.tval2, (HOLE + 8) >> 2);                         \
    CHECK_EQ(trap.tinst, tinst_);                                  \
    CHECK_EQ(trap.hstatus & (HSTATUS_GVA | HSTATUS_SPV | HSTATUS_SPVP), HSTATUS_GVA | HSTATUS_SPV | HSTATUS_SPVP); \
  } while (0)
#define EXPLICIT(text, cause_) EXPLICIT_(text, cause_, transformed(ENCODING(text), 0))
// A compressed access is reported as its expansion with bit 1 cleared.
#define COMPRESSED(text, expansion, cause_) \
  EXPLICIT_(".option rvc\n" text, cause_, transformed(ENCODING(expansion), 0) & ~2u)

static void loads_and_stores(void) {
  open_hole();
  EXPLICIT("lb a1, 0(a0)", C_LOAD_GUEST);
  EXPLICIT("lbu s5, 0(a0)", C_LOAD_GUEST);
  EXPLICIT("lh a1, 0(a0)", C_LOAD_GUEST);
  EXPLICIT("lhu t6, 0(a0)", C_LOAD_GUEST);
  EXPLICIT("lw a1, 0(a0)", C_LOAD_GUEST);
  EXPLICIT("lwu zero, 0(a0)", C_LOAD_GUEST);
  EXPLICIT("ld a1, 0(a0)", C_LOAD_GUEST);
  EXPLICIT("sb a1, 0(a0)", C_STORE_GUEST);
  EXPLICIT("sh s7, 0(a0)", C_STORE_GUEST);
  EXPLICIT("sw zero, 0(a0)", C_STORE_GUEST);
  EXPLICIT("sd t6, 0(a0)", C_STORE_GUEST);
  EXPLICIT("flw fa1, 0(a0)", C_LOAD_GUEST);
  EXPLICIT("fld fs5, 0(a0)", C_LOAD_GUEST);
  EXPLICIT("fsw fa1, 0(a0)", C_STORE_GUEST);
  EXPLICIT("fsd ft11, 0(a0)", C_STORE_GUEST);
}

static void atomics(void) {
  open_hole();
  EXPLICIT("lr.w a1, (a0)", C_LOAD_GUEST);
  EXPLICIT("lr.d.aqrl a1, (a0)", C_LOAD_GUEST);
  EXPLICIT("sc.w a1, a2, (a0)", C_STORE_GUEST);
  EXPLICIT("sc.d.rl s5, a2, (a0)", C_STORE_GUEST);
  EXPLICIT("amoswap.w a1, a2, (a0)", C_STORE_GUEST);
  EXPLICIT("amoadd.d a1, a2, (a0)", C_STORE_GUEST);
  EXPLICIT("amoxor.w.aq zero, a2, (a0)", C_STORE_GUEST);
  EXPLICIT("amoand.d.rl a1, s7, (a0)", C_STORE_GUEST);
  EXPLICIT("amoor.w a1, a2, (a0)", C_STORE_GUEST);
  EXPLICIT("amomin.d a1, a2, (a0)", C_STORE_GUEST);
  EXPLICIT("amomax.w a1, a2, (a0)", C_STORE_GUEST);
  EXPLICIT("amominu.d a1, a2, (a0)", C_STORE_GUEST);
  EXPLICIT("amomaxu.w.aqrl a1, a2, (a0)", C_STORE_GUEST);
}

static void compressed_accesses(void) {
  open_hole();
  COMPRESSED("c.lw a1, 0(a0)", "lw a1, 0(a0)", C_LOAD_GUEST);
  COMPRESSED("c.ld a5, 0(a0)", "ld a5, 0(a0)", C_LOAD_GUEST);
  COMPRESSED("c.sw s1, 0(a0)", "sw s1, 0(a0)", C_STORE_GUEST);
  COMPRESSED("c.sd a1, 0(a0)", "sd a1, 0(a0)", C_STORE_GUEST);
  COMPRESSED("c.fld fa1, 0(a0)", "fld fa1, 0(a0)", C_LOAD_GUEST);
  COMPRESSED("c.fsd fs1, 0(a0)", "fsd fs1, 0(a0)", C_STORE_GUEST);
  // The stack-pointer forms, whose sp is set up by a first instruction.
#define STACK_FORM(text, expansion, cause_)                                       \
  RUN(MODE_VS, "mv sp, a0\n.option rvc\n" text, AT);                              \
  EXPECT(BY_M, cause_);                                                           \
  CHECK_EQ(trap.tval, AT + 8);                                                    \
  CHECK_EQ(trap.tinst, transformed(ENCODING(expansion), 0) & ~2u)
  csr_write(MEDELEG, 0);
  STACK_FORM("c.lwsp s5, 8(sp)", "lw s5, 8(sp)", C_LOAD_GUEST);
  STACK_FORM("c.ldsp s5, 8(sp)", "ld s5, 8(sp)", C_LOAD_GUEST);
  STACK_FORM("c.swsp s5, 8(sp)", "sw s5, 8(sp)", C_STORE_GUEST);
  STACK_FORM("c.sdsp t6, 8(sp)", "sd t6, 8(sp)", C_STORE_GUEST);
  STACK_FORM("c.fldsp fs5, 8(sp)", "fld fs5, 8(sp)", C_LOAD_GUEST);
  STACK_FORM("c.fsdsp fs5, 8(sp)", "fsd fs5, 8(sp)", C_STORE_GUEST);
}

// HLV, HLVX and HSV: SPV=0 with GVA=1, and SPVP unchanged.
#define HYPERVISOR(text, cause_)                                                            \
  do {                                                                                      \
    csr_write(MEDELEG, BIT(cause_));                                                        \
    csr_write(HSTATUS, HSTATUS_SPVP);                                                       \
    RUN(MODE_HS, text, AT + 8);                                                             \
    EXPECT(BY_HS, cause_);                                                                  \
    CHECK_EQ(trap.tval, AT + 8);                                                            \
    CHECK_EQ(trap.tval2, (HOLE + 8) >> 2);                                                  \
    CHECK_EQ(trap.tinst, transformed(ENCODING(text), 0));                                   \
    CHECK_EQ(trap.hstatus, HSTATUS_GVA | HSTATUS_SPVP | 2ull << 32);                        \
    csr_write(MEDELEG, 0);                                                                  \
    RUN(MODE_M, text, AT + 8);                                                              \
    EXPECT(BY_M, cause_);                                                                   \
    CHECK_EQ(trap.status & (STATUS_GVA | STATUS_MPV | STATUS_MPP), STATUS_GVA | STATUS_MPP); \
  } while (0)

static void hypervisor_accesses(void) {
  open_hole();
  HYPERVISOR(".insn r 0x73, 4, 0x30, a2, a0, x0", C_LOAD_GUEST);
  HYPERVISOR(".insn r 0x73, 4, 0x32, s5, a0, x1", C_LOAD_GUEST);
  HYPERVISOR(".insn r 0x73, 4, 0x32, a2, a0, x3", C_LOAD_GUEST);
  HYPERVISOR(".insn r 0x73, 4, 0x34, a2, a0, x3", C_LOAD_GUEST);
  HYPERVISOR(".insn r 0x73, 4, 0x36, a2, a0, x0", C_LOAD_GUEST);
  HYPERVISOR(".insn r 0x73, 4, 0x31, x0, a0, a1", C_STORE_GUEST);
  HYPERVISOR(".insn r 0x73, 4, 0x37, x0, a0, s5", C_STORE_GUEST);
  // From U mode with HU: SPP=0, SPV=0, SPVP as it was.
  csr_write(MEDELEG, BIT(C_LOAD_GUEST));
  csr_write(HSTATUS, HSTATUS_HU | HSTATUS_SPVP);
  RUN(MODE_U, ".insn r 0x73, 4, 0x36, a2, a0, x0", AT);
  EXPECT(BY_HS, C_LOAD_GUEST);
  CHECK_EQ(trap.hstatus, HSTATUS_HU | HSTATUS_GVA | HSTATUS_SPVP | 2ull << 32);
  CHECK_EQ(trap.status & STATUS_SPP, 0);
}

// SPVP and SPP follow VS and VU.
static void previous_privilege(void) {
  open_hole();
  csr_write(MEDELEG, BIT(C_LOAD_GUEST) | BIT(C_FETCH_GUEST));
  RUN(MODE_VU, "ld a1, 0(a0)", AT + 2 * PAGE);
  EXPECT(BY_HS, C_LOAD_GUEST);
  CHECK_EQ(trap.hstatus & (HSTATUS_GVA | HSTATUS_SPV | HSTATUS_SPVP), HSTATUS_GVA | HSTATUS_SPV);
  CHECK_EQ(trap.status & STATUS_SPP, 0);
  RUN(MODE_VS, "jr a0", AT + 4);
  EXPECT(BY_HS, C_FETCH_GUEST);
  CHECK_EQ(trap.tval, AT + 4);
  CHECK_EQ(trap.epc, AT + 4);
  CHECK_EQ(trap.tval2, (HOLE + 4) >> 2);
  CHECK_EQ(trap.tinst, 0);
  CHECK_EQ(trap.hstatus & (HSTATUS_GVA | HSTATUS_SPV | HSTATUS_SPVP), HSTATUS_GVA | HSTATUS_SPV | HSTATUS_SPVP);
}

// A guest-page fault can never be delegated to VS mode: hedeleg's bits are zero.
static void not_delegable(void) {
  open_hole();
  csr_write(MEDELEG, -1ull & ~(BIT(C_VS_ECALL) | BIT(C_HS_ECALL)));
  csr_write(HEDELEG, -1ull);
  RUN(MODE_VS, "ld a1, 0(a0)", AT);
  EXPECT(BY_HS, C_LOAD_GUEST);
  RUN(MODE_VS, "sd a1, 0(a0)", AT);
  EXPECT(BY_HS, C_STORE_GUEST);
  RUN(MODE_VS, "csrr a0, 0x600");
  EXPECT(BY_HS, C_VIRTUAL);
}

// Misaligned accesses and fetches that cross into the bad page report the page's first byte.
static void straddling(void) {
  open_hole();
  map(&vs_space, AT - PAGE, TEST_GPA, PTE_RWX, 0);
  fence_all();
  RUN(MODE_VS, "ld a1, 0(a0)", AT - 3);
  EXPECT(BY_M, C_LOAD_GUEST);
  CHECK_EQ(trap.tval, AT);
  CHECK_EQ(trap.tval2, HOLE >> 2);
  CHECK_EQ(trap.tinst, transformed(ENCODING("ld a1, 0(a0)"), 3));
  RUN(MODE_VS, "sw a1, 0(a0)", AT - 1);
  EXPECT(BY_M, C_STORE_GUEST);
  CHECK_EQ(trap.tval, AT);
  CHECK_EQ(trap.tval2, HOLE >> 2);
  CHECK_EQ(trap.tinst, transformed(ENCODING("sw a1, 0(a0)"), 1));
  // The first page bad, the second good.
  RUN(MODE_VS, "ld a1, 0(a0)", AT + PAGE - 3);
  EXPECT(BY_M, C_LOAD_GUEST);
  CHECK_EQ(trap.tval, AT + PAGE - 3);
  CHECK_EQ(trap.tval2, (HOLE + PAGE - 3) >> 2);
  CHECK_EQ(trap.tinst, transformed(ENCODING("ld a1, 0(a0)"), 0));
  // A 4-byte instruction whose second half is on the bad page: epc at its start.
  page_a[511] = 0x0013000100010001ull;  // c.nop, c.nop, c.nop, low half of a 32-bit nop
  asm volatile("fence.i" : : : "memory");
  RUN(MODE_VS, "jr a0", AT - 8);
  EXPECT(BY_M, C_FETCH_GUEST);
  CHECK_EQ(trap.epc, AT - 2);
  CHECK_EQ(trap.tval, AT);
  CHECK_EQ(trap.tval2, HOLE >> 2);
  CHECK_EQ(trap.tinst, 0);
}

// --- Implicit accesses ---------------------------------------------------------------------------

// A VS-stage table that lies on a page which the G stage treats as told.
static uint64_t *implicit_pte;
static void open_implicit(uint64_t g_flags) {
  enable_guest(3, 3);
  // Level-0 table of the test region at TEST_GPA, that is in page_b.
  for (int i = 0; i < 512; i++) page_b[i] = 0;
  uint64_t *level1 = pte_of(&vs_space, TEST_VA, 1);
  *level1 = pte_for((void *)TEST_GPA, PTE_V);
  implicit_pte = &page_b[3];
  *implicit_pte = pte_for(page_a, PTE_RWX);
  map(&g_space, TEST_GPA, (uint64_t)page_b, g_flags, 0);
  fence_all();
}

#define READ_PSEUDO 0x3000
#define WRITE_PSEUDO 0x3020

#define IMPLICIT(text, cause_, pseudo)                                                 \
  do {                                                                                 \
    csr_write(MEDELEG, 0);                                                             \
    RUN(MODE_VS, text, AT);                                                            \
    EXPECT(BY_M, cause_);                                                              \
    CHECK_EQ(trap.tval, AT);                                                           \
    CHECK_EQ(trap.tval2, (TEST_GPA + 24) >> 2);                                        \
    CHECK_EQ(trap.tinst, pseudo);                                                      \
    CHECK_EQ(trap.status & STATUS_GVA, STATUS_GVA);                                    \
    csr_write(MEDELEG, BIT(cause_));                                                   \
    RUN(MODE_VS, text, AT);                                                            \
    EXPECT(BY_HS, cause_);                                                             \
    CHECK_EQ(trap.tval, AT);                                                           \
    CHECK_EQ(trap.tval2, (TEST_GPA + 24) >> 2);                                        \
    CHECK_EQ(trap.tinst, pseudo);                                                      \
    CHECK_EQ(trap.hstatus & (HSTATUS_GVA | HSTATUS_SPV), HSTATUS_GVA | HSTATUS_SPV);   \
  } while (0)

// The walk's read fails: reported for the original access type, with the read pseudoinstruction.
static void implicit_reads(void) {
  static const uint64_t unreadable[] = {0, PTE_V | PTE_AD | PTE_U | PTE_X, PTE_V | PTE_AD | PTE_R | PTE_W,
                                        PTE_V | PTE_D | PTE_U | PTE_R | PTE_W};
  for (int i = 0; i < 4; i++) {
    open_implicit(unreadable[i]);
    IMPLICIT("ld a1, 0(a0)", C_LOAD_GUEST, READ_PSEUDO);
    IMPLICIT("sd a1, 0(a0)", C_STORE_GUEST, READ_PSEUDO);
    IMPLICIT("amoadd.d a1, a1, (a0)", C_STORE_GUEST, READ_PSEUDO);
    IMPLICIT("lr.d a1, (a0)", C_LOAD_GUEST, READ_PSEUDO);
    IMPLICIT("sc.d a1, a1, (a0)", C_STORE_GUEST, READ_PSEUDO);
    IMPLICIT("fld fa1, 0(a0)", C_LOAD_GUEST, READ_PSEUDO);
    IMPLICIT("jr a0", C_FETCH_GUEST, READ_PSEUDO);
    CHECK_EQ(trap.epc, AT);
    // HLV walks the same way.
    csr_write(HSTATUS, HSTATUS_SPVP);
    csr_write(MEDELEG, BIT(C_LOAD_GUEST));
    RUN(MODE_HS, ".insn r 0x73, 4, 0x36, a2, a0, x0", AT);
    EXPECT(BY_HS, C_LOAD_GUEST);
    CHECK_EQ(trap.tinst, READ_PSEUDO);
    CHECK_EQ(trap.tval2, (TEST_GPA + 24) >> 2);
    CHECK_EQ(trap.hstatus, HSTATUS_GVA | HSTATUS_SPVP | 2ull << 32);
  }
  // MXR at HS level makes an execute-only G-stage page readable for explicit loads only, so the
  // walk still fails... unless the page is readable.
  open_implicit(PTE_V | PTE_AD | PTE_U | PTE_R);
  RUN(MODE_VS, "ld a1, 0(a0)", AT);
  EXPECT_OK();
}

// A root that lies outside of the mapped guest memory.
static void implicit_root(void) {
  enable_guest(3, 3);
  csr_write(HSTATUS, HSTATUS_SPVP);
  csr_write(VSATP, SATP_MODE(SV39) | HOLE >> 12);
  fence_all();
  RUN(MODE_HS, ".insn r 0x73, 4, 0x36, a2, a0, x0", AT);
  EXPECT(BY_M, C_LOAD_GUEST);
  CHECK_EQ(trap.tval2, (HOLE + (AT >> 30) * 8) >> 2);
  CHECK_EQ(trap.tinst, READ_PSEUDO);
  RUN(MODE_HS, ".insn r 0x73, 4, 0x37, x0, a0, a1", AT);
  EXPECT(BY_M, C_STORE_GUEST);
  CHECK_EQ(trap.tinst, READ_PSEUDO);
}

// With Svadu the walk writes A and D into VS-stage entries. If the G stage forbids the write, the
// fault has the original access type and the write pseudoinstruction, and nothing is written.
static void implicit_writes(void) {
  const uint64_t read_only = PTE_V | PTE_AD | PTE_U | PTE_R;
  open_implicit(read_only);
  csr_write(MENVCFG, ENVCFG_ADUE);
  csr_write(HENVCFG, ENVCFG_ADUE);
  // RAM's G-stage mapping has A and D set already; only the test's entry is at stake.
  *implicit_pte = pte_for(page_a, PTE_V | PTE_R | PTE_W | PTE_X);
  fence_all();
  IMPLICIT("ld a1, 0(a0)", C_LOAD_GUEST, WRITE_PSEUDO);
  IMPLICIT("sd a1, 0(a0)", C_STORE_GUEST, WRITE_PSEUDO);
  IMPLICIT("jr a0", C_FETCH_GUEST, WRITE_PSEUDO);
  IMPLICIT("amoswap.w a1, a1, (a0)", C_STORE_GUEST, WRITE_PSEUDO);
  CHECK_EQ(*implicit_pte, pte_for(page_a, PTE_V | PTE_R | PTE_W | PTE_X));
  // A set, D clear: only stores need the write.
  *implicit_pte = pte_for(page_a, PTE_V | PTE_R | PTE_W | PTE_X | PTE_A);
  fence_all();
  csr_write(MEDELEG, 0);
  RUN(MODE_VS, "ld a1, 0(a0)", AT);
  EXPECT_OK();
  IMPLICIT("sd a1, 0(a0)", C_STORE_GUEST, WRITE_PSEUDO);
  // The G-stage page writable: the update happens.
  csr_write(MEDELEG, 0);
  *pte_of(&g_space, TEST_GPA, 0) = pte_for(page_b, PTE_V | PTE_AD | PTE_U | PTE_R | PTE_W);
  *implicit_pte = pte_for(page_a, PTE_V | PTE_R | PTE_W | PTE_X);
  fence_all();
  RUN(MODE_VS, "ld a1, 0(a0)", AT);
  EXPECT_OK();
  CHECK_EQ(*implicit_pte, pte_for(page_a, PTE_V | PTE_R | PTE_W | PTE_X | PTE_A));
  RUN(MODE_VS, "sd a1, 0(a0)", AT);
  EXPECT_OK();
  CHECK_EQ(*implicit_pte, pte_for(page_a, PTE_V | PTE_R | PTE_W | PTE_X | PTE_AD));
  // A page fault of the access itself writes nothing.
  *implicit_pte = pte_for(page_a, PTE_V | PTE_R);
  fence_all();
  RUN(MODE_VS, "sd a1, 0(a0)", AT);
  EXPECT(BY_M, C_STORE_PAGE);
  CHECK_EQ(*implicit_pte, pte_for(page_a, PTE_V | PTE_R));
}

// The G stage's own A and D under Svadu: menvcfg.ADUE governs it; walking needs A, updating a
// VS-stage entry needs D of the page that holds the entry.
static void gstage_updates(void) {
  open_implicit(PTE_V | PTE_U | PTE_R | PTE_W);
  uint64_t *g_pte = pte_of(&g_space, TEST_GPA, 0);
  csr_write(MENVCFG, ENVCFG_ADUE);
  csr_write(HENVCFG, ENVCFG_ADUE);
  fence_all();
  RUN(MODE_VS, "ld a1, 0(a0)", AT);
  EXPECT_OK();
  CHECK_EQ(*g_pte & PTE_AD, PTE_A);
  *implicit_pte = pte_for(page_a, PTE_V | PTE_R | PTE_W | PTE_X);
  fence_all();
  RUN(MODE_VS, "ld a1, 0(a0)", AT);
  EXPECT_OK();
  CHECK_EQ(*g_pte & PTE_AD, PTE_AD);
  CHECK_EQ(*implicit_pte & PTE_AD, PTE_A);
  // henvcfg.ADUE off: the VS stage behaves as Svade, the G stage still updates.
  csr_write(HENVCFG, 0);
  *g_pte &= ~PTE_AD;
  *implicit_pte &= ~PTE_AD;
  fence_all();
  RUN(MODE_VS, "ld a1, 0(a0)", AT);
  EXPECT(BY_M, C_LOAD_PAGE);
  CHECK_EQ(trap.tval2, 0);
  CHECK_EQ(*implicit_pte & PTE_AD, 0);
  CHECK_EQ(*g_pte & PTE_D, 0);
  // menvcfg.ADUE off: both are Svade.
  csr_write(MENVCFG, 0);
  *g_pte &= ~PTE_AD;
  *implicit_pte |= PTE_AD;
  fence_all();
  RUN(MODE_VS, "ld a1, 0(a0)", AT);
  EXPECT(BY_M, C_LOAD_GUEST);
  CHECK_EQ(trap.tinst, READ_PSEUDO);
  CHECK_EQ(*g_pte & PTE_AD, 0);
}

// The same for the page of the data itself: a load sets A of both stages, a store D of both, HLV and
// HSV like the guest's own accesses.
static void data_updates(void) {
  enable_guest(3, 3);
  const uint64_t flags = PTE_V | PTE_R | PTE_W | PTE_X;
  uint64_t *vs_pte = map(&vs_space, AT, TEST_GPA, flags, 0);
  uint64_t *g_pte = map(&g_space, TEST_GPA, (uint64_t)page_a, flags | PTE_U, 0);
  csr_write(MENVCFG, ENVCFG_ADUE);
  csr_write(HENVCFG, ENVCFG_ADUE);
  csr_write(HSTATUS, HSTATUS_SPVP);
  fence_all();
  for (int by_hlv = 0; by_hlv < 2; by_hlv++) {
    if (by_hlv) RUN(MODE_HS, ".insn r 0x73, 4, 0x36, a0, a0, x0", AT);
    else RUN(MODE_VS, "ld a0, 0(a0)", AT);
    EXPECT_OK();
    CHECK_EQ(*vs_pte & PTE_AD, PTE_A);
    CHECK_EQ(*g_pte & PTE_AD, PTE_A);
    if (by_hlv) RUN(MODE_HS, ".insn r 0x73, 4, 0x37, x0, a0, a1", AT);
    else RUN(MODE_VS, "sd zero, 0(a0)", AT);
    EXPECT_OK();
    CHECK_EQ(*vs_pte & PTE_AD, PTE_AD);
    CHECK_EQ(*g_pte & PTE_AD, PTE_AD);
    *vs_pte &= ~PTE_AD;
    *g_pte &= ~PTE_AD;
    fence_all();
  }
  // A store that the G stage forbids does not set the G-stage entry's D.
  *g_pte = pte_for(page_a, PTE_V | PTE_R | PTE_U);
  fence_all();
  RUN(MODE_VS, "sd zero, 0(a0)", AT);
  EXPECT(BY_M, C_STORE_GUEST);
  CHECK_EQ(trap.tval2, TEST_GPA >> 2);
  CHECK_EQ(*g_pte & PTE_D, 0);
}

// htval, mtval2 and tinst are zero for every trap that is not a guest-page fault.
static void nothing_to_report(void) {
  enable_guest(3, 3);
  csr_write(HTVAL, 0x1234);
  csr_write(HTINST, 0x3000);
  csr_write(MTVAL2, 0x1234);
  csr_write(MTINST, 0x3000);
  RUN(MODE_VS, "ld a1, 0(a0)", TEST_VA);
  EXPECT(BY_M, C_LOAD_PAGE);
  CHECK_EQ(trap.tval2, 0);
  CHECK(trap.tinst == 0 || trap.tinst == transformed(ENCODING("ld a1, 0(a0)"), 0));
  CHECK_EQ(trap.status & STATUS_GVA, STATUS_GVA);
  csr_write(MEDELEG, BIT(C_STORE_PAGE) | BIT(C_FETCH_PAGE) | BIT(C_VIRTUAL));
  RUN(MODE_VS, "sd a1, 0(a0)", TEST_VA);
  EXPECT(BY_HS, C_STORE_PAGE);
  CHECK_EQ(trap.tval2, 0);
  CHECK_EQ(trap.hstatus & HSTATUS_GVA, HSTATUS_GVA);
  csr_write(HTVAL, 0x1234);
  RUN(MODE_VS, "jr a0", TEST_VA);
  EXPECT(BY_HS, C_FETCH_PAGE);
  CHECK_EQ(trap.tval2, 0);
  CHECK_EQ(trap.tinst, 0);
  csr_write(HTVAL, 0x1234);
  RUN(MODE_VS, "csrr a0, 0x600");
  EXPECT(BY_HS, C_VIRTUAL);
  CHECK_EQ(trap.tval2, 0);
  CHECK_EQ(trap.tinst, 0);
  csr_write(MTVAL2, 0x1234);
  RUN(MODE_HS, "ecall");
  CHECK_EQ(trap.tval2, 0);
  CHECK_EQ(trap.tinst, 0);
}

void test_body(void) {
  RUN_PARTS(loads_and_stores, atomics, compressed_accesses, hypervisor_accesses, previous_privilege,
            not_delegable, straddling, implicit_reads, implicit_root, implicit_writes, gstage_updates,
            data_updates, nothing_to_report);
}
