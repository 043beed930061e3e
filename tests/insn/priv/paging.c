// SPDX-License-Identifier: Apache-2.0
// Sv39, Sv48 and Sv57 of HS and U mode: levels, permissions, A and D, reserved bits, SUM, MXR, MPRV,
// fences with operands, fetches across pages (chapter "Supervisor-Level ISA", virtual memory).

#include "priv.h"

#define AT (TEST_VA + 0x3000)

static uint64_t *pte;

static void open(int levels) {
  csr_write(SATP, 0);
  enable_guest(0, 0);  // frees the tables of the part before
  enable_hs(levels);
  pte = map(&hs_space, AT, (uint64_t)page_a, PTE_RWX, 0);
  page_a[0] = 0xaa;
  page_b[0] = 0xbb;
  fence_all();
}

static void levels_and_superpages(void) {
  for (int levels = 3; levels <= 5; levels++) {
    open(levels);
    RUN(MODE_HS, "ld a0, 0(a0)\nsd a0, 8(a1)", AT, AT);
    EXPECT_OK();
    CHECK_EQ(trap.a0, 0xaa);
    CHECK_EQ(page_a[1], 0xaa);
    page_a[1] = 0;
    // A leaf at every level; level 0 was above. The leaf covers RAM so that page_b is inside.
    for (int level = 1; level < levels; level++) {
      uint64_t size = 1ull << (12 + 9 * level);
      uint64_t va = level < 3 ? TEST_VA * (level + 3) : 1ull << (12 + 9 * level);
      uint64_t target = (uint64_t)page_b & ~(size - 1);
      uint64_t *leaf = map(&hs_space, va, target, PTE_RWX, level);
      fence_all();
      RUN(MODE_HS, "ld a0, 0(a0)", va + ((uint64_t)page_b & (size - 1)));
      EXPECT_OK();
      CHECK_EQ(trap.a0, 0xbb);
      // Misaligned superpage.
      *leaf |= 1ull << 10;
      fence_all();
      RUN(MODE_HS, "ld a0, 0(a0)", va);
      EXPECT(BY_M, C_LOAD_PAGE);
      *leaf = 0;
    }
    // Addresses that are not sign-extended fault with the full address.
    uint64_t bad = 1ull << (12 + 9 * levels - 1) | AT;
    RUN(MODE_HS, "ld a0, 0(a0)", bad);
    EXPECT(BY_M, C_LOAD_PAGE);
    CHECK_EQ(trap.tval, bad);
    RUN(MODE_HS, "sd a0, 0(a0)", bad | 1ull << 63);
    EXPECT(BY_M, C_STORE_PAGE);
    RUN(MODE_HS, "jr a0", bad);
    EXPECT(BY_M, C_FETCH_PAGE);
    CHECK_EQ(trap.tval, bad);
    // The upper half works.
    uint64_t high = -(1ull << 30);
    map(&hs_space, high, (uint64_t)page_a, PTE_RWX, 0);
    fence_all();
    RUN(MODE_HS, "ld a0, 0(a0)", high);
    EXPECT_OK();
    CHECK_EQ(trap.a0, 0xaa);
    // A pointer at the last level and a non-leaf with A, D or U set are reserved.
    *pte = pte_for(page_a, PTE_V);
    fence_all();
    RUN(MODE_HS, "ld a0, 0(a0)", AT);
    EXPECT(BY_M, C_LOAD_PAGE);
    *pte = pte_for(page_a, PTE_RWX);
    uint64_t *parent = pte_of(&hs_space, AT, 1);
    static const uint64_t reserved[] = {PTE_A, PTE_D, PTE_U, 1ull << 54, 1ull << 61, 1ull << 63};
    for (unsigned i = 0; i < 6; i++) {
      *parent |= reserved[i];
      fence_all();
      RUN(MODE_HS, "ld a0, 0(a0)", AT);
      EXPECT(BY_M, C_LOAD_PAGE);
      *parent &= ~reserved[i];
    }
    *parent |= PTE_G | PTE_RSW;
    fence_all();
    RUN(MODE_HS, "ld a0, 0(a0)", AT);
    EXPECT_OK();
  }
}

struct row {
  uint64_t flags;
  unsigned s_load, s_store, s_fetch, u_load, u_store, u_fetch;
};
#define BASE (PTE_V | PTE_AD)
#define ALL_FAULT C_LOAD_PAGE, C_STORE_PAGE, C_FETCH_PAGE
static const struct row rows[] = {
    {BASE | PTE_R | PTE_W | PTE_X, 0, 0, 0, ALL_FAULT},
    {BASE | PTE_R, 0, C_STORE_PAGE, C_FETCH_PAGE, ALL_FAULT},
    {BASE | PTE_X, C_LOAD_PAGE, C_STORE_PAGE, 0, ALL_FAULT},
    {BASE | PTE_R | PTE_W, 0, 0, C_FETCH_PAGE, ALL_FAULT},
    {BASE | PTE_R | PTE_X, 0, C_STORE_PAGE, 0, ALL_FAULT},
    {BASE | PTE_W, ALL_FAULT, ALL_FAULT},
    {BASE | PTE_W | PTE_X, ALL_FAULT, ALL_FAULT},
    {BASE | PTE_R | PTE_W | PTE_X | PTE_U, ALL_FAULT, 0, 0, 0},
    {BASE | PTE_R | PTE_U, ALL_FAULT, 0, C_STORE_PAGE, C_FETCH_PAGE},
    {BASE | PTE_X | PTE_U, ALL_FAULT, C_LOAD_PAGE, C_STORE_PAGE, 0},
    {PTE_AD | PTE_R | PTE_W | PTE_X, ALL_FAULT, ALL_FAULT},
    {PTE_V | PTE_D | PTE_R | PTE_W | PTE_X, ALL_FAULT, ALL_FAULT},
    {PTE_V | PTE_A | PTE_R | PTE_W | PTE_X, 0, C_STORE_PAGE, 0, ALL_FAULT},
    {BASE | PTE_R | PTE_W | PTE_X | PTE_G | PTE_RSW, 0, 0, 0, ALL_FAULT},
    {BASE | PTE_R | PTE_W | PTE_X | BIT(54), ALL_FAULT, ALL_FAULT},
    {BASE | PTE_R | PTE_W | PTE_X | BIT(60), ALL_FAULT, ALL_FAULT},
    {BASE | PTE_R | PTE_W | PTE_X | BIT(61), ALL_FAULT, ALL_FAULT},
    {BASE | PTE_R | PTE_W | PTE_X | BIT(62), ALL_FAULT, ALL_FAULT},
    {BASE | PTE_R | PTE_W | PTE_X | BIT(63), ALL_FAULT, ALL_FAULT},
};

static void expect_row(unsigned cause, unsigned row) {
  bool good = cause ? trap.by == BY_M && trap.cause == cause && trap.tval == AT : trap.by == BY_NONE;
  if (!good) put_line("permission row", row);
  check(good, __FILE__, __LINE__, trap.cause, cause);
}

static void permissions(void) {
  open(3);
  page_a[0] = 0x00008067;  // ret
  asm volatile("fence.i" : : : "memory");
  for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
    *pte = pte_for(page_a, rows[i].flags);
    fence_all();
    for (int user = 0; user < 2; user++) {
      enum mode mode = user ? MODE_U : MODE_HS;
      unsigned load = user ? rows[i].u_load : rows[i].s_load;
      unsigned store = user ? rows[i].u_store : rows[i].s_store;
      RUN(mode, "lw a1, 0(a0)", AT);
      expect_row(load, i);
      RUN(mode, "sd zero, 0(a1)", AT, AT);
      expect_row(store, i);
      page_a[0] = 0x00008067;
      asm volatile("fence.i" : : : "memory");
      RUN(mode, "lr.w a1, (a0)", AT);
      expect_row(load, i);
      RUN(mode, "sc.w a1, a1, (a0)", AT);
      expect_row(store, i);
      RUN(mode, "amoor.w a1, zero, (a0)", AT);
      expect_row(store, i);
      RUN(mode, "flw fa0, 0(a0)", AT);
      expect_row(load, i);
      page_a[0] = 0x00008067;  // the sc may have succeeded
      asm volatile("fence.i" : : : "memory");
      RUN(mode, "jalr a0", AT);
      expect_row(user ? rows[i].u_fetch : rows[i].s_fetch, i);
    }
  }
}

// SUM, MXR, and MPRV with each previous mode.
static void status_bits(void) {
  open(3);
  *pte = pte_for(page_a, PTE_RWX | PTE_U);
  fence_all();
  csr_set(MSTATUS, STATUS_SUM);
  RUN(MODE_HS, "ld a1, 0(a0)\nsd a1, 8(a0)", AT);
  EXPECT_OK();
  RUN(MODE_HS, "jr a0", AT);
  EXPECT(BY_M, C_FETCH_PAGE);
  RUN(MODE_HS, "ld a1, 0(a0)\nli a2, 0x40000\ncsrc sstatus, a2\nld a1, 0(a0)", AT);
  EXPECT(BY_M, C_LOAD_PAGE);
  EXPECT_OFFSET(12);
  csr_clear(MSTATUS, STATUS_SUM);
  *pte = pte_for(page_a, PTE_V | PTE_X | PTE_AD);
  fence_all();
  RUN(MODE_HS, "ld a0, 0(a0)", AT);
  EXPECT(BY_M, C_LOAD_PAGE);
  csr_set(MSTATUS, STATUS_MXR);
  RUN(MODE_HS, "ld a1, 0(a0)\nld a1, 8(a0)", AT);
  EXPECT_OK();
  RUN(MODE_HS, "sd a1, 8(a0)", AT);
  EXPECT(BY_M, C_STORE_PAGE);
  csr_clear(MSTATUS, STATUS_MXR);
  *pte = pte_for(page_a, PTE_RWX);
  fence_all();
#define AS(mode_bits, text)                                                                              \
  csr_clear(MSTATUS, STATUS_MPP);                                                                        \
  RUN(MODE_M, "li a3, 0x1800\ncsrc mstatus, a3\ncsrs mstatus, a1\n" text "\ncsrc mstatus, a2", AT,        \
      STATUS_MPRV | (mode_bits), STATUS_MPRV)
  AS(STATUS_MPP_S, "ld a0, 0(a0)");
  EXPECT_OK();
  AS(0, "ld a0, 0(a0)");
  EXPECT(BY_M, C_LOAD_PAGE);
  CHECK_EQ(trap.status & STATUS_MPP, STATUS_MPP);
  AS(0, "sd a0, 0(a0)");
  EXPECT(BY_M, C_STORE_PAGE);
  // MPP=M: no translation, so a hole of the memory map stays one though the tables map it.
  map(&hs_space, 0x01000000, (uint64_t)page_a, PTE_RWX, 0);
  fence_all();
#undef AT
#define AT 0x01000000
  AS(STATUS_MPP_S, "ld a0, 0(a0)");
  EXPECT_OK();
  AS(STATUS_MPP, "ld a0, 0(a0)");
  EXPECT(BY_M, C_LOAD_ACCESS);
#undef AT
#define AT (TEST_VA + 0x3000)
}

// Svadu: menvcfg.ADUE makes the walk set A and D; without it the bits stay (Svade).
static void accessed_and_dirty(void) {
  open(4);
  const uint64_t flags = PTE_V | PTE_R | PTE_W | PTE_X;
  csr_write(MENVCFG, ENVCFG_ADUE);
  *pte = pte_for(page_a, flags);
  fence_all();
  RUN(MODE_HS, "ld a0, 0(a0)", AT);
  EXPECT_OK();
  CHECK_EQ(*pte, pte_for(page_a, flags | PTE_A));
  RUN(MODE_HS, "sd zero, 8(a0)", AT);
  EXPECT_OK();
  CHECK_EQ(*pte, pte_for(page_a, flags | PTE_AD));
  *pte = pte_for(page_a, flags);
  fence_all();
  page_a[0] = 0x00008067;
  RUN(MODE_HS, "fence.i\njalr a0", AT);
  EXPECT_OK();
  CHECK_EQ(*pte, pte_for(page_a, flags | PTE_A));
  *pte = pte_for(page_a, flags);
  fence_all();
  RUN(MODE_HS, "amoadd.d a1, zero, (a0)", AT);
  EXPECT_OK();
  CHECK_EQ(*pte, pte_for(page_a, flags | PTE_AD));
  // A failing store does not set D.
  *pte = pte_for(page_a, PTE_V | PTE_R);
  fence_all();
  RUN(MODE_HS, "sd zero, 8(a0)", AT);
  EXPECT(BY_M, C_STORE_PAGE);
  CHECK_EQ(*pte, pte_for(page_a, PTE_V | PTE_R));
  csr_write(MENVCFG, 0);
  *pte = pte_for(page_a, flags);
  fence_all();
  RUN(MODE_HS, "ld a0, 0(a0)", AT);
  EXPECT(BY_M, C_LOAD_PAGE);
  CHECK_EQ(*pte, pte_for(page_a, flags));
}

#define AFTER(text, a, b)                             \
  do {                                                \
    *pte = pte_for(page_a, PTE_RWX);                  \
    fence_all();                                      \
    RUN(MODE_HS, "ld a0, 0(a0)", AT);                 \
    CHECK_EQ(trap.a0, 0xaa);                          \
    *pte = pte_for(page_b, PTE_RWX);                  \
    RUN(MODE_HS, text "\nld a0, 0(a2)", a, b, AT);    \
    EXPECT_OK();                                      \
    CHECK_EQ(trap.a0, 0xbb);                          \
  } while (0)

static void fences(void) {
  open(3);
  csr_write(SATP, atp(&hs_space, 5));
  AFTER("sfence.vma", 0, 0);
  AFTER("sfence.vma a0", AT, 0);
  AFTER("sfence.vma a0", AT + 0xfff, 0);
  AFTER("sfence.vma x0, a1", 0, 5);
  AFTER("sfence.vma a0, a1", AT, 5);
  // Other ASIDs, without any fence.
  static struct space other;
  space_init(&other, 3, false);
  map(&other, AT, (uint64_t)page_c, PTE_RWX, 0);
  page_c[0] = 0xcc;
  *pte = pte_for(page_a, PTE_RWX);
  fence_all();
  for (int i = 0; i < 10; i++) {
    csr_write(SATP, atp(&hs_space, 5));
    RUN(MODE_HS, "ld a0, 0(a0)", AT);
    CHECK_EQ(trap.a0, 0xaa);
    csr_write(SATP, atp(&other, 6));
    RUN(MODE_HS, "ld a0, 0(a0)", AT);
    CHECK_EQ(trap.a0, 0xcc);
    csr_write(SATP, 0);
    RUN(MODE_HS, "ld a0, 0(a0)", page_b);
    CHECK_EQ(trap.a0, 0xbb);
  }
  // A superpage that becomes small pages: a fence of one address inside is enough for that address.
  csr_write(SATP, atp(&hs_space, 5));
  uint64_t va = TEST_VA * 3, inside = va + ((uint64_t)page_b & 0x1fffff);
  uint64_t *big = map(&hs_space, va, (uint64_t)page_b & ~0x1fffffull, PTE_RWX, 1);
  fence_all();
  RUN(MODE_HS, "ld a0, 0(a0)", inside);
  CHECK_EQ(trap.a0, 0xbb);
  *big = 0;
  map(&hs_space, inside, (uint64_t)page_c, PTE_RWX, 0);
  RUN(MODE_HS, "sfence.vma a0\nld a0, 0(a0)", inside);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 0xcc);
}

// Accesses and fetches that cross into a page that faults.
static void crossing(void) {
  open(3);
  *pte_of(&hs_space, AT + PAGE, 0) = 0;
  RUN(MODE_HS, "ld a1, 0(a0)", AT + PAGE - 4);
  EXPECT(BY_M, C_LOAD_PAGE);
  CHECK_EQ(trap.tval, AT + PAGE);
  page_a[511] = 0;
  RUN(MODE_HS, "sd a0, 0(a0)", AT + PAGE - 4);
  EXPECT(BY_M, C_STORE_PAGE);
  CHECK_EQ(trap.tval, AT + PAGE);
  // The standard would let the first bytes be written; this machine checks both pages first.
  CHECK_EQ(page_a[511], 0);
  // Both pages present, not contiguous in memory.
  map(&hs_space, AT + PAGE, (uint64_t)page_c, PTE_RWX, 0);
  fence_all();
  RUN(MODE_HS, "sd a1, 0(a0)\nld a0, 0(a0)", AT + PAGE - 3, 0x1122334455667788);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 0x1122334455667788);
  CHECK_EQ(page_a[511] >> 40, 0x667788);
  CHECK_EQ(page_c[0] & 0xffffffffff, 0x1122334455);
  // An instruction across the boundary: addi a0, a0, 77 then ret.
  page_a[511] = 0x0513ull << 48 | 0x000100010001ull;
  page_c[0] = 0x04d5ull | 0x8082ull << 16;
  *pte_of(&hs_space, AT + PAGE, 0) = 0;
  fence_all();
  RUN(MODE_HS, "fence.i\njr a0", AT + PAGE - 8);
  EXPECT(BY_M, C_FETCH_PAGE);
  CHECK_EQ(trap.epc, AT + PAGE - 2);
  CHECK_EQ(trap.tval, AT + PAGE);
  map(&hs_space, AT + PAGE, (uint64_t)page_c, PTE_RWX, 0);
  fence_all();
  RUN(MODE_HS, "mv a1, a0\nli a0, 1\njalr a1", AT + PAGE - 8);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 78);
  // The second page remapped, without any store to code.
  page_d[0] = 0x0075ull | 0x8082ull << 16;
  *pte_of(&hs_space, AT + PAGE, 0) = pte_for(page_d, PTE_RWX);
  RUN(MODE_HS, "fence.i\nsfence.vma\nmv a1, a0\nli a0, 1\njalr a1", AT + PAGE - 8);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 8);
}

// The same code reached at two addresses, and one address with changing code behind it.
static void aliases(void) {
  open(3);
  uint32_t *code = (uint32_t *)page_a;
  code[0] = 0x00000517;  // auipc a0, 0
  code[1] = 0x00008067;  // ret
  page_b[0] = 0x8067ull << 32 | 0x06300513;  // li a0, 99; ret
  map(&hs_space, AT + 4 * PAGE, (uint64_t)page_a, PTE_RWX, 0);
  fence_all();
  RUN(MODE_HS, "fence.i\njalr a0", AT);
  CHECK_EQ(trap.a0, AT);
  RUN(MODE_HS, "jalr a0", AT + 4 * PAGE);
  CHECK_EQ(trap.a0, AT + 4 * PAGE);
  *pte = pte_for(page_b, PTE_RWX);
  RUN(MODE_HS, "sfence.vma\njalr a0", AT);
  CHECK_EQ(trap.a0, 99);
  RUN(MODE_HS, "jalr a0", AT + 4 * PAGE);
  CHECK_EQ(trap.a0, AT + 4 * PAGE);
  // Written through one alias, run through the other.
  RUN(MODE_HS, "li a1, 0x02a00513\nsw a1, 0(a0)\nfence.i\nli a1, 0x4000\nadd a0, a0, a1\nnop\njalr a0", AT);
  CHECK_EQ(trap.a0, AT + 4 * PAGE);
  *pte = pte_for(page_a, PTE_RWX);
  fence_all();
  RUN(MODE_HS, "li a1, 0x02a00513\nsw a1, 0(a0)\nfence.i\nli a1, 0x4000\nadd a0, a0, a1\nnop\njalr a0", AT);
  CHECK_EQ(trap.a0, 42);
}

// A root or a table outside of memory is an access fault of the original type.
static void tables_outside_memory(void) {
  open(3);
  *pte_of(&hs_space, AT, 1) = pte_for((void *)0x01000000, PTE_V);
  fence_all();
  RUN(MODE_HS, "ld a0, 0(a0)", AT);
  EXPECT(BY_M, C_LOAD_ACCESS);
  CHECK_EQ(trap.tval, AT);
  RUN(MODE_HS, "sd a0, 0(a0)", AT);
  EXPECT(BY_M, C_STORE_ACCESS);
  RUN(MODE_HS, "jr a0", AT);
  EXPECT(BY_M, C_FETCH_ACCESS);
}

void test_body(void) {
  RUN_PARTS(levels_and_superpages, permissions, status_bits, accessed_and_dirty, fences, crossing, aliases,
            tables_outside_memory);
}
