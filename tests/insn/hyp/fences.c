// SPDX-License-Identifier: Apache-2.0
// Fences of the two stages with all their operands: after the fence the changed entry counts. Also
// what needs no fence: a change of VMID, of ASID, or of the mode of either root with another id
// (chapters "Hypervisor Memory-Management Fence Instructions" and "Memory-Management Fences").

#include "priv.h"

#define AT (TEST_VA + 0x3000)
#define SFENCE "sfence.vma"
#define HFENCE_VVMA ".insn r 0x73, 0, 0x11, x0, "
#define HFENCE_GVMA ".insn r 0x73, 0, 0x31, x0, "

static uint64_t *vs_pte, *g_pte;

static void open(void) {
  enable_guest(3, 3);
  csr_write(VSATP, atp(&vs_space, 7));
  csr_write(HGATP, atp(&g_space, 9));
  vs_pte = map(&vs_space, AT, TEST_GPA, PTE_RWX, 0);
  g_pte = map(&g_space, TEST_GPA, (uint64_t)page_a, PTE_RWX | PTE_U, 0);
  map(&g_space, TEST_GPA + PAGE, (uint64_t)page_b, PTE_RWX | PTE_U, 0);
  page_a[0] = 0xaa;
  page_b[0] = 0xbb;
  page_c[0] = 0xcc;
  fence_all();
}

static uint64_t load(void) {
  RUN(MODE_VS, "ld a0, 0(a0)", AT);
  EXPECT_OK();
  return trap.a0;
}

// Fills the TLB, changes an entry, runs the fence in `mode` and looks again.
#define AFTER_VS_CHANGE(mode, text, a, b)                          \
  do {                                                             \
    *vs_pte = pte_for((void *)TEST_GPA, PTE_RWX);                  \
    fence_all();                                                   \
    CHECK_EQ(load(), 0xaa);                                        \
    *vs_pte = pte_for((void *)(TEST_GPA + PAGE), PTE_RWX);         \
    RUN(mode, text, a, b);                                         \
    EXPECT_OK();                                                   \
    CHECK_EQ(load(), 0xbb);                                        \
  } while (0)

static void vs_stage(void) {
  open();
  AFTER_VS_CHANGE(MODE_VS, SFENCE, 0, 0);
  AFTER_VS_CHANGE(MODE_VS, "sfence.vma a0", AT, 0);
  AFTER_VS_CHANGE(MODE_VS, "sfence.vma a0", AT + 0xabc, 0);
  AFTER_VS_CHANGE(MODE_VS, "sfence.vma x0, a1", 0, 7);
  AFTER_VS_CHANGE(MODE_VS, "sfence.vma a0, a1", AT, 7);
  AFTER_VS_CHANGE(MODE_HS, HFENCE_VVMA "x0, x0", 0, 0);
  AFTER_VS_CHANGE(MODE_HS, HFENCE_VVMA "a0, x0", AT, 0);
  AFTER_VS_CHANGE(MODE_HS, HFENCE_VVMA "x0, a1", 0, 7);
  AFTER_VS_CHANGE(MODE_HS, HFENCE_VVMA "a0, a1", AT, 7);
  AFTER_VS_CHANGE(MODE_M, HFENCE_VVMA "a0, a1", AT, 7);
  // Bits of the ASID operand beyond ASIDMAX are ignored.
  AFTER_VS_CHANGE(MODE_HS, HFENCE_VVMA "x0, a1", 0, 7 | 1ull << 16);
  // A global entry: an ASID-only fence may spare it, an address fence must not.
  *vs_pte |= PTE_G;
  fence_all();
  load();
  *vs_pte = pte_for((void *)TEST_GPA, PTE_RWX | PTE_G);
  RUN(MODE_VS, "sfence.vma a0", AT);
  CHECK_EQ(load(), 0xaa);
}

#define AFTER_G_CHANGE(mode, text, a, b)                           \
  do {                                                             \
    *g_pte = pte_for(page_a, PTE_RWX | PTE_U);                     \
    fence_all();                                                   \
    CHECK_EQ(load(), 0xaa);                                        \
    *g_pte = pte_for(page_c, PTE_RWX | PTE_U);                     \
    RUN(mode, text, a, b);                                         \
    EXPECT_OK();                                                   \
    CHECK_EQ(load(), 0xcc);                                        \
  } while (0)

static void g_stage(void) {
  open();
  AFTER_G_CHANGE(MODE_HS, HFENCE_GVMA "x0, x0", 0, 0);
  AFTER_G_CHANGE(MODE_HS, HFENCE_GVMA "a0, x0", TEST_GPA >> 2, 0);
  AFTER_G_CHANGE(MODE_HS, HFENCE_GVMA "a0, x0", (TEST_GPA + 0xabc) >> 2, 0);
  AFTER_G_CHANGE(MODE_HS, HFENCE_GVMA "x0, a1", 0, 9);
  AFTER_G_CHANGE(MODE_HS, HFENCE_GVMA "a0, a1", TEST_GPA >> 2, 9);
  AFTER_G_CHANGE(MODE_M, HFENCE_GVMA "a0, a1", TEST_GPA >> 2, 9);
  AFTER_G_CHANGE(MODE_HS, HFENCE_GVMA "x0, a1", 0, 9 | 1ull << 14);
  // The G-stage page may hold a VS-stage table. HFENCE.GVMA need not reach what was cached of the
  // VS stage, so that both fences are needed.
  for (int i = 0; i < 512; i++) page_b[i] = page_c[i] = 0;
  *pte_of(&vs_space, TEST_VA, 1) = pte_for((void *)TEST_GPA, PTE_V);
  page_b[3] = pte_for((void *)0x80000000, PTE_RWX);
  page_c[3] = pte_for(page_d, PTE_RWX);
  page_d[0] = 0xdd;
  *g_pte = pte_for(page_b, PTE_RWX | PTE_U);
  fence_all();
  load();
  *g_pte = pte_for(page_c, PTE_RWX | PTE_U);
  RUN(MODE_HS, HFENCE_GVMA "a0, a1\n" HFENCE_VVMA "a2, x0", TEST_GPA >> 2, 9, AT);
  CHECK_EQ(load(), 0xdd);
}

// Permissions and fetches follow fences as loads do.
static void permissions(void) {
  open();
  page_a[0] = 0x00008067;  // ret
  page_b[0] = 0x00008067;
  asm volatile("fence.i" : : : "memory");
  RUN(MODE_VS, "sd zero, 8(a0)\njalr a0", AT);
  EXPECT_OK();
  *vs_pte = pte_for((void *)TEST_GPA, PTE_V | PTE_R | PTE_AD);
  RUN(MODE_VS, "sfence.vma a0\nld a1, 0(a0)\nsd zero, 8(a0)", AT);
  EXPECT(BY_M, C_STORE_PAGE);
  RUN(MODE_VS, "jalr a0", AT);
  EXPECT(BY_M, C_FETCH_PAGE);
  *vs_pte = pte_for((void *)TEST_GPA, PTE_RWX);
  RUN(MODE_VS, "sfence.vma a0\njalr a0", AT);
  EXPECT_OK();
  *g_pte = pte_for(page_a, PTE_V | PTE_R | PTE_U | PTE_AD);
  RUN(MODE_HS, HFENCE_GVMA "a0, x0", TEST_GPA >> 2);
  RUN(MODE_VS, "jalr a0", AT);
  EXPECT(BY_M, C_FETCH_GUEST);
}

// Two guests and two address spaces of one guest share nothing, without any fence between them.
static void switching_without_fences(void) {
  static struct space other_g, other_vs;
  open();
  space_init(&other_g, 3, true);
  map(&other_g, TEST_GPA, (uint64_t)page_c, PTE_RWX | PTE_U, 0);
  space_init(&other_vs, 4, false);
  map(&other_vs, AT, TEST_GPA + PAGE, PTE_RWX, 0);
  fence_all();
  for (int i = 0; i < 20; i++) {
    csr_write(VSATP, atp(&vs_space, 7));
    CHECK_EQ(load(), 0xaa);
    csr_write(HGATP, atp(&other_g, 10));
    CHECK_EQ(load(), 0xcc);
    csr_write(HGATP, atp(&g_space, 9));
    csr_write(VSATP, atp(&other_vs, 8));
    CHECK_EQ(load(), 0xbb);
    csr_write(VSATP, 0);
    RUN(MODE_VS, "ld a0, 0(a0)", TEST_GPA);
    CHECK_EQ(trap.a0, 0xaa);
  }
  // The HS level's address space under the same ASID is another matter still.
  enable_hs(3);
  map(&hs_space, AT, (uint64_t)page_d, PTE_RWX, 0);
  page_d[0] = 0xdd;
  csr_write(SATP, atp(&hs_space, 7));
  csr_write(VSATP, atp(&vs_space, 7));
  fence_all();
  for (int i = 0; i < 10; i++) {
    RUN(MODE_HS, "ld a0, 0(a0)", AT);
    EXPECT_OK();
    CHECK_EQ(trap.a0, 0xdd);
    CHECK_EQ(load(), 0xaa);
  }
  // An HS-level sfence.vma does not have to, and a fence of another VMID must not, break this guest.
  RUN(MODE_HS, "sfence.vma\n" HFENCE_GVMA "x0, a1", 0, 33);
  CHECK_EQ(load(), 0xaa);
}

// henvcfg.ADUE and menvcfg.ADUE take effect after the fences that the standard names.
static void environment_changes(void) {
  open();
  csr_write(MENVCFG, ENVCFG_ADUE);
  csr_write(HENVCFG, ENVCFG_ADUE);
  *vs_pte = pte_for((void *)TEST_GPA, PTE_V | PTE_R | PTE_W);
  fence_all();
  CHECK_EQ(load(), 0xaa);
  CHECK_EQ(*vs_pte & PTE_AD, PTE_A);
  *vs_pte &= ~PTE_AD;
  csr_write(HENVCFG, 0);
  RUN(MODE_HS, HFENCE_VVMA "x0, x0");
  RUN(MODE_VS, "ld a0, 0(a0)", AT);
  EXPECT(BY_M, C_LOAD_PAGE);
}

void test_body(void) {
  RUN_PARTS(vs_stage, g_stage, permissions, switching_without_fences, environment_changes);
}
