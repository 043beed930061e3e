// SPDX-License-Identifier: Apache-2.0
// Two-stage translation: all combinations of modes, permissions of both stages, MXR and SUM of both
// levels, HLV/HSV/HLVX, MPRV with MPV (chapters "Two-Stage Address Translation" and "Hypervisor
// Virtual-Machine Load and Store Instructions").

#include "priv.h"

#define MAGIC 0x1122334455667788ull

// One page reached through both stages, which put it at different addresses.
static uint64_t *vs_pte, *g_pte;

static void open_page(int vs_levels, int g_levels) {
  enable_guest(vs_levels, g_levels);
  uint64_t target = g_levels ? TEST_GPA : (uint64_t)page_a;
  if (g_levels) g_pte = map(&g_space, TEST_GPA, (uint64_t)page_a, PTE_RWX | PTE_U, 0);
  if (vs_levels) vs_pte = map(&vs_space, TEST_VA + 0x3000, target, PTE_RWX, 0);
  fence_all();
  page_a[0] = MAGIC;
}

static uint64_t test_address(int vs_levels, int g_levels) {
  return vs_levels ? TEST_VA + 0x3000 : g_levels ? TEST_GPA : (uint64_t)page_a;
}

static void all_modes(void) {
  for (int vs = 2; vs <= 5; vs++) {
    for (int g = 2; g <= 5; g++) {
      int vs_levels = vs == 2 ? 0 : vs, g_levels = g == 2 ? 0 : g;
      open_page(vs_levels, g_levels);
      uint64_t at = test_address(vs_levels, g_levels);
      RUN(MODE_VS, "ld a0, 0(a0)\nsd a1, 8(a2)\nlw a1, 4(a2)", at, 0x77, at);
      EXPECT_OK();
      CHECK_EQ(trap.a0, MAGIC);
      CHECK_EQ(trap.a1, MAGIC >> 32);
      CHECK_EQ(page_a[1], 0x77);
      page_a[1] = 0;
      // The same from M mode by a hypervisor load at VS level.
      csr_write(HSTATUS, HSTATUS_SPVP);
      RUN(MODE_HS, ".insn r 0x73, 4, 0x36, a0, a0, x0", at);
      EXPECT_OK();
      CHECK_EQ(trap.a0, MAGIC);
      csr_write(HSTATUS, 0);
      // And by MPRV with MPV.
      RUN(MODE_M, "csrs mstatus, a1\nld a0, 0(a0)\ncsrc mstatus, a2", at, STATUS_MPRV | STATUS_MPV | STATUS_MPP_S,
          STATUS_MPRV);
      csr_clear(MSTATUS, STATUS_MPV | STATUS_MPP);
      EXPECT_OK();
    }
  }
}

// Superpages in either stage, and the offset within them.
static void superpages(void) {
  enable_guest(3, 3);
  // VS-stage 2 MiB page over a G-stage 4 KiB page.
  map(&vs_space, TEST_VA, TEST_GPA, PTE_RWX, 1);
  map(&g_space, TEST_GPA + 0x1ff000, (uint64_t)page_b, PTE_RWX | PTE_U, 0);
  map(&g_space, TEST_GPA, (uint64_t)page_a, PTE_RWX | PTE_U, 0);
  fence_all();
  page_a[3] = 33;
  page_b[511] = 44;
  RUN(MODE_VS, "ld a1, 24(a0)\nli a2, 0x1ffff8\nadd a0, a0, a2\nld a0, 0(a0)", TEST_VA);
  EXPECT_OK();
  CHECK_EQ(trap.a1, 33);
  CHECK_EQ(trap.a0, 44);
  // VS-stage 4 KiB page over a G-stage 1 GiB page is what all the other tests use for RAM.
  map(&vs_space, TEST_VA + 0x200000, (uint64_t)page_b, PTE_RWX, 0);
  fence_all();
  RUN(MODE_VS, "ld a0, 0xff8 - 0x800(a0)", TEST_VA + 0x200800);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 44);
  // A misaligned superpage is a fault of its stage.
  uint64_t *pte = map(&vs_space, TEST_VA + 0x400000, TEST_GPA + 0x1000, PTE_RWX, 1);
  fence_all();
  RUN(MODE_VS, "ld a0, 0(a0)", TEST_VA + 0x400000);
  EXPECT(BY_M, C_LOAD_PAGE);
  *pte = pte_for((void *)(TEST_GPA + 0x200000), PTE_RWX);
  map(&g_space, TEST_GPA + 0x200000, 0x80001000, PTE_RWX | PTE_U, 1);
  fence_all();
  RUN(MODE_VS, "ld a0, 0(a0)", TEST_VA + 0x400000);
  EXPECT(BY_M, C_LOAD_GUEST);
  CHECK_EQ(trap.tval2, (TEST_GPA + 0x200000) >> 2);
}

// Permission tables. Each row: flags of the VS-stage leaf, flags of the G-stage leaf, and the causes
// of a load, a store and a fetch in VS mode (0: allowed).
struct permission {
  uint64_t vs, g;
  unsigned load, store, fetch;
};
#define VS_BASE (PTE_V | PTE_AD)
#define G_BASE (PTE_V | PTE_AD | PTE_U)
#define RWX (PTE_R | PTE_W | PTE_X)
static const struct permission permissions[] = {
    {VS_BASE | RWX, G_BASE | RWX, 0, 0, 0},
    {VS_BASE | PTE_R, G_BASE | RWX, 0, C_STORE_PAGE, C_FETCH_PAGE},
    {VS_BASE | PTE_X, G_BASE | RWX, C_LOAD_PAGE, C_STORE_PAGE, 0},
    {VS_BASE | PTE_R | PTE_W, G_BASE | RWX, 0, 0, C_FETCH_PAGE},
    {VS_BASE | PTE_R | PTE_X, G_BASE | RWX, 0, C_STORE_PAGE, 0},
    {VS_BASE | PTE_W, G_BASE | RWX, C_LOAD_PAGE, C_STORE_PAGE, C_FETCH_PAGE},
    {VS_BASE | PTE_W | PTE_X, G_BASE | RWX, C_LOAD_PAGE, C_STORE_PAGE, C_FETCH_PAGE},
    {PTE_AD | RWX, G_BASE | RWX, C_LOAD_PAGE, C_STORE_PAGE, C_FETCH_PAGE},
    {VS_BASE | RWX | PTE_U, G_BASE | RWX, C_LOAD_PAGE, C_STORE_PAGE, C_FETCH_PAGE},
    {VS_BASE | RWX | PTE_RSW, G_BASE | RWX | PTE_RSW, 0, 0, 0},
    {VS_BASE | RWX | PTE_G, G_BASE | RWX | PTE_G, 0, 0, 0},
    {VS_BASE | RWX, G_BASE | PTE_R, 0, C_STORE_GUEST, C_FETCH_GUEST},
    {VS_BASE | RWX, G_BASE | PTE_X, C_LOAD_GUEST, C_STORE_GUEST, 0},
    {VS_BASE | RWX, G_BASE | PTE_R | PTE_W, 0, 0, C_FETCH_GUEST},
    {VS_BASE | RWX, G_BASE | PTE_R | PTE_X, 0, C_STORE_GUEST, 0},
    {VS_BASE | RWX, G_BASE | PTE_W | PTE_X, C_LOAD_GUEST, C_STORE_GUEST, C_FETCH_GUEST},
    {VS_BASE | RWX, G_BASE & ~PTE_V, C_LOAD_GUEST, C_STORE_GUEST, C_FETCH_GUEST},
    // G-stage accesses are user accesses: without U nothing is allowed.
    {VS_BASE | RWX, (G_BASE & ~PTE_U) | RWX, C_LOAD_GUEST, C_STORE_GUEST, C_FETCH_GUEST},
    // The VS stage is judged first.
    {VS_BASE | PTE_R, G_BASE & ~PTE_V, C_LOAD_GUEST, C_STORE_PAGE, C_FETCH_PAGE},
    // Svade: A and D clear fault in their stage.
    {(VS_BASE & ~PTE_A) | RWX, G_BASE | RWX, C_LOAD_PAGE, C_STORE_PAGE, C_FETCH_PAGE},
    {(VS_BASE & ~PTE_D) | RWX, G_BASE | RWX, 0, C_STORE_PAGE, 0},
    {VS_BASE | RWX, (G_BASE & ~PTE_A) | RWX, C_LOAD_GUEST, C_STORE_GUEST, C_FETCH_GUEST},
    {VS_BASE | RWX, (G_BASE & ~PTE_D) | RWX, 0, C_STORE_GUEST, 0},
    // Bits 60:54 are reserved; N and PBMT without their extensions or enables too.
    {VS_BASE | RWX | BIT(54), G_BASE | RWX, C_LOAD_PAGE, C_STORE_PAGE, C_FETCH_PAGE},
    {VS_BASE | RWX, G_BASE | RWX | BIT(60), C_LOAD_GUEST, C_STORE_GUEST, C_FETCH_GUEST},
    {VS_BASE | RWX | BIT(61), G_BASE | RWX, C_LOAD_PAGE, C_STORE_PAGE, C_FETCH_PAGE},
    {VS_BASE | RWX, G_BASE | RWX | BIT(62), C_LOAD_GUEST, C_STORE_GUEST, C_FETCH_GUEST},
};

static void expect_cause(unsigned cause, unsigned row) {
  bool good = cause ? trap.by == BY_M && trap.cause == cause : trap.by == BY_NONE;
  if (!good) put_line("permission row", row);
  check(good, __FILE__, __LINE__, trap.cause, cause);
}

static void permission_matrix(void) {
  open_page(3, 3);
  uint64_t at = TEST_VA + 0x3000;
  for (unsigned i = 0; i < sizeof permissions / sizeof *permissions; i++) {
    const struct permission *row = &permissions[i];
    *vs_pte = pte_for((void *)TEST_GPA, row->vs);
    *g_pte = pte_for(page_a, row->g);
    fence_all();
    page_a[0] = 0x00008067;  // ret
    asm volatile("fence.i" : : : "memory");
    RUN(MODE_VS, "ld a1, 0(a0)", at);
    expect_cause(row->load, i);
    RUN(MODE_VS, "sd zero, 8(a0)", at);
    expect_cause(row->store, i);
    // lr is a load; sc and amo are stores, even an sc that cannot succeed.
    RUN(MODE_VS, "lr.d a1, (a0)", at);
    expect_cause(row->load, i);
    RUN(MODE_VS, "sc.d a1, a1, (a0)", at);
    expect_cause(row->store, i);
    RUN(MODE_VS, "amoadd.d a1, zero, (a0)", at);
    expect_cause(row->store, i);
    page_a[0] = 0x00008067;  // the sc may have succeeded
    asm volatile("fence.i" : : : "memory");
    RUN(MODE_VS, "jalr a0", at);
    expect_cause(row->fetch, i);
    if (row->fetch) {
      CHECK_EQ(trap.tval, at);
      CHECK_EQ(trap.epc, at);
    }
  }
}

// VU pages, SUM of VS level; HS-level SUM does not matter.
static void user_pages(void) {
  open_page(3, 3);
  uint64_t at = TEST_VA + 0x3000;
  RUN(MODE_VU, "ld a0, 0(a0)", at);
  EXPECT(BY_M, C_LOAD_PAGE);
  *vs_pte = pte_for((void *)TEST_GPA, PTE_RWX | PTE_U);
  fence_all();
  RUN(MODE_VU, "ld a0, 0(a0)", at);
  EXPECT_OK();
  csr_set(MSTATUS, STATUS_SUM);
  RUN(MODE_VS, "ld a0, 0(a0)", at);
  EXPECT(BY_M, C_LOAD_PAGE);
  csr_clear(MSTATUS, STATUS_SUM);
  csr_set(VSSTATUS, STATUS_SUM);
  RUN(MODE_VS, "ld a1, 0(a0)\nsd a1, 16(a0)", at);
  EXPECT_OK();
  RUN(MODE_VS, "jr a0", at);
  EXPECT(BY_M, C_FETCH_PAGE);
  // Hypervisor loads: SPVP selects VU or VS, and vsstatus.SUM applies to the latter.
  csr_write(HSTATUS, 0);
  RUN(MODE_HS, ".insn r 0x73, 4, 0x36, a0, a0, x0", at);
  EXPECT_OK();
  csr_write(HSTATUS, HSTATUS_SPVP);
  RUN(MODE_HS, ".insn r 0x73, 4, 0x36, a0, a0, x0", at);
  EXPECT_OK();
  csr_clear(VSSTATUS, STATUS_SUM);
  csr_set(MSTATUS, STATUS_SUM);
  RUN(MODE_HS, ".insn r 0x73, 4, 0x36, a0, a0, x0", at);
  EXPECT(BY_M, C_LOAD_PAGE);
  *vs_pte = pte_for((void *)TEST_GPA, PTE_RWX);
  csr_write(HSTATUS, 0);
  fence_all();
  RUN(MODE_HS, ".insn r 0x73, 4, 0x36, a0, a0, x0", at);
  EXPECT(BY_M, C_LOAD_PAGE);
}

// MXR: vsstatus's opens the VS stage, sstatus's both; none of them opens HLVX or closes anything.
static void make_executable_readable(void) {
  open_page(3, 3);
  uint64_t at = TEST_VA + 0x3000;
  *vs_pte = pte_for((void *)TEST_GPA, VS_BASE | PTE_X);
  fence_all();
  csr_set(VSSTATUS, STATUS_MXR);
  RUN(MODE_VS, "ld a0, 0(a0)", at);
  EXPECT_OK();
  *g_pte = pte_for(page_a, G_BASE | PTE_X);
  fence_all();
  RUN(MODE_VS, "ld a0, 0(a0)", at);
  EXPECT(BY_M, C_LOAD_GUEST);
  csr_clear(VSSTATUS, STATUS_MXR);
  csr_set(MSTATUS, STATUS_MXR);
  RUN(MODE_VS, "ld a0, 0(a0)", at);
  EXPECT_OK();
  csr_write(HSTATUS, HSTATUS_SPVP);
  RUN(MODE_HS, ".insn r 0x73, 4, 0x36, a0, a0, x0", at);
  EXPECT_OK();
  csr_clear(MSTATUS, STATUS_MXR);
  RUN(MODE_HS, ".insn r 0x73, 4, 0x36, a0, a0, x0", at);
  EXPECT(BY_M, C_LOAD_PAGE);
  csr_set(VSSTATUS, STATUS_MXR);
  RUN(MODE_HS, ".insn r 0x73, 4, 0x36, a0, a0, x0", at);
  EXPECT(BY_M, C_LOAD_GUEST);
  CHECK_EQ(trap.tval2, TEST_GPA >> 2);
}

#define HLVX_HU ".insn r 0x73, 4, 0x32, a0, a0, x3"
#define HLVX_WU ".insn r 0x73, 4, 0x34, a0, a0, x3"

// HLVX needs X in both stages and no R; its faults are those of loads; MXR does nothing.
static void execute_loads(void) {
  open_page(3, 3);
  csr_write(HSTATUS, HSTATUS_SPVP);
  uint64_t at = TEST_VA + 0x3000;
  page_a[0] = 0xfffffffffffefdfc;
  *vs_pte = pte_for((void *)TEST_GPA, VS_BASE | PTE_X);
  *g_pte = pte_for(page_a, G_BASE | PTE_X);
  fence_all();
  RUN(MODE_HS, HLVX_HU, at);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 0xfdfc);
  RUN(MODE_HS, HLVX_WU, at);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 0xfffefdfc);
  *vs_pte = pte_for((void *)TEST_GPA, PTE_RW);
  fence_all();
  RUN(MODE_HS, HLVX_HU, at);
  EXPECT(BY_M, C_LOAD_PAGE);
  CHECK_EQ(trap.status & STATUS_GVA, STATUS_GVA);
  *vs_pte = pte_for((void *)TEST_GPA, PTE_RWX);
  *g_pte = pte_for(page_a, PTE_RW | PTE_U);
  fence_all();
  RUN(MODE_HS, HLVX_WU, at);
  EXPECT(BY_M, C_LOAD_GUEST);
  csr_set(MSTATUS, STATUS_MXR);
  csr_set(VSSTATUS, STATUS_MXR);
  RUN(MODE_HS, HLVX_WU, at);
  EXPECT(BY_M, C_LOAD_GUEST);
  // A plain load behind it must not profit from what HLVX was allowed (nor the other way round).
  csr_clear(MSTATUS, STATUS_MXR);
  csr_clear(VSSTATUS, STATUS_MXR);
  *g_pte = pte_for(page_a, G_BASE | PTE_X);
  fence_all();
  RUN(MODE_HS, "mv a1, a0\n" HLVX_WU "\n.insn r 0x73, 4, 0x36, a0, a1, x0", at);
  EXPECT(BY_M, C_LOAD_GUEST);
  EXPECT_OFFSET(8);
}

// Values and widths of all hypervisor loads and stores.
static void hypervisor_accesses(void) {
  open_page(3, 3);
  csr_write(HSTATUS, HSTATUS_SPVP);
  uint64_t at = TEST_VA + 0x3000;
  page_a[0] = 0xf1e2d3c4b5a69788;
#define LOADS(text, expected)   \
  RUN(MODE_HS, text, at);       \
  EXPECT_OK();                  \
  CHECK_EQ(trap.a0, expected)
  LOADS(".insn r 0x73, 4, 0x30, a0, a0, x0", 0xffffffffffffff88);
  LOADS(".insn r 0x73, 4, 0x30, a0, a0, x1", 0x88);
  LOADS(".insn r 0x73, 4, 0x32, a0, a0, x0", 0xffffffffffff9788);
  LOADS(".insn r 0x73, 4, 0x32, a0, a0, x1", 0x9788);
  LOADS(".insn r 0x73, 4, 0x32, a0, a0, x3", 0x9788);
  LOADS(".insn r 0x73, 4, 0x34, a0, a0, x0", 0xffffffffb5a69788);
  LOADS(".insn r 0x73, 4, 0x34, a0, a0, x1", 0xb5a69788);
  LOADS(".insn r 0x73, 4, 0x34, a0, a0, x3", 0xb5a69788);
  LOADS(".insn r 0x73, 4, 0x36, a0, a0, x0", 0xf1e2d3c4b5a69788);
#define STORES(text, expected)                 \
  page_a[0] = -1ull;                           \
  RUN(MODE_HS, text, at, 0x0123456789abcdef);  \
  EXPECT_OK();                                 \
  CHECK_EQ(page_a[0], expected)
  STORES(".insn r 0x73, 4, 0x31, x0, a0, a1", 0xffffffffffffffef);
  STORES(".insn r 0x73, 4, 0x33, x0, a0, a1", 0xffffffffffffcdef);
  STORES(".insn r 0x73, 4, 0x35, x0, a0, a1", 0xffffffff89abcdef);
  STORES(".insn r 0x73, 4, 0x37, x0, a0, a1", 0x0123456789abcdef);
  // In U mode with HU; SPVP still decides the level.
  csr_write(HSTATUS, HSTATUS_SPVP | HSTATUS_HU);
  RUN(MODE_U, ".insn r 0x73, 4, 0x36, a0, a0, x0", at);
  EXPECT_OK();
  csr_write(HSTATUS, HSTATUS_HU);
  RUN(MODE_U, ".insn r 0x73, 4, 0x36, a0, a0, x0", at);
  EXPECT(BY_M, C_LOAD_PAGE);
  // MPRV does not affect them.
  csr_write(HSTATUS, HSTATUS_SPVP);
  RUN(MODE_M, "csrs mstatus, a1\n.insn r 0x73, 4, 0x36, a0, a0, x0\ncsrc mstatus, a1", at, STATUS_MPRV);
  EXPECT_OK();
}

#define WITH_MPRV(mode_bits, access)                                                        \
  RUN(MODE_M, "csrs mstatus, a1\n" access "\ncsrc mstatus, a2", at, STATUS_MPRV | (mode_bits), STATUS_MPRV); \
  csr_clear(MSTATUS, STATUS_MPV | STATUS_MPP)

// Table "Effect of MPRV on the translation and protection of explicit memory accesses".
static void modify_privilege(void) {
  open_page(3, 3);
  uint64_t at = TEST_VA + 0x3000;
  page_a[0] = MAGIC;
  csr_clear(MSTATUS, STATUS_MPP | STATUS_MPV);
  WITH_MPRV(STATUS_MPV | STATUS_MPP_S, "ld a0, 0(a0)");
  EXPECT_OK();
  CHECK_EQ(trap.a0, MAGIC);
  csr_clear(MSTATUS, STATUS_MPP | STATUS_MPV);
  WITH_MPRV(STATUS_MPV, "ld a0, 0(a0)");
  EXPECT(BY_M, C_LOAD_PAGE);
  CHECK_EQ(trap.status & (STATUS_GVA | STATUS_MPV | STATUS_MPP), STATUS_GVA | STATUS_MPP);
  *g_pte = 0;
  fence_all();
  csr_clear(MSTATUS, STATUS_MPP | STATUS_MPV);
  WITH_MPRV(STATUS_MPV | STATUS_MPP_S, "sd a0, 0(a0)");
  EXPECT(BY_M, C_STORE_GUEST);
  CHECK_EQ(trap.tval2, TEST_GPA >> 2);
  CHECK_EQ(trap.status & STATUS_GVA, STATUS_GVA);
  // MPP=M: MPV is ignored, no translation.
  at = (uint64_t)page_a;
  csr_clear(MSTATUS, STATUS_MPP | STATUS_MPV);
  WITH_MPRV(STATUS_MPV | STATUS_MPP, "ld a0, 0(a0)");
  EXPECT_OK();
  CHECK_EQ(trap.a0, MAGIC);
}

// Addresses that do not fit: not sign-extended at the VS stage, too wide for the G stage.
static void wide_addresses(void) {
  static const unsigned bits[] = {39, 48, 57};
  for (int i = 0; i < 3; i++) {
    enable_guest(3 + i, 0);
    RUN(MODE_VS, "ld a0, 0(a0)", BIT(bits[i] - 1) | TEST_VA);
    EXPECT(BY_M, C_LOAD_PAGE);
    CHECK_EQ(trap.tval, BIT(bits[i] - 1) | TEST_VA);
    RUN(MODE_VS, "jr a0", BIT(63) | 0x80000000);
    EXPECT(BY_M, C_FETCH_PAGE);
    enable_guest(0, 3 + i);
    map(&g_space, BIT(bits[i] + 1) | TEST_GPA, (uint64_t)page_a, PTE_RWX | PTE_U, 0);
    RUN(MODE_VS, "ld a0, 0(a0)", BIT(bits[i] + 1) | TEST_GPA);
    EXPECT_OK();
    RUN(MODE_VS, "ld a0, 0(a0)", BIT(bits[i] + 2) | TEST_GPA);
    EXPECT(BY_M, C_LOAD_GUEST);
    CHECK_EQ(trap.tval, BIT(bits[i] + 2) | TEST_GPA);
    CHECK_EQ(trap.tval2, (BIT(bits[i] + 2) | TEST_GPA) >> 2);
    RUN(MODE_VS, "sd a0, 0(a0)", -8ull);
    EXPECT(BY_M, C_STORE_GUEST);
  }
}

void test_body(void) {
  RUN_PARTS(all_modes, superpages, permission_matrix, user_pages, make_executable_readable, execute_loads,
            hypervisor_accesses, modify_privilege, wide_addresses);
}
