// SPDX-License-Identifier: Apache-2.0
// Smmpm, Smnpm and Ssnpm (chapter "Pointer Masking Extensions"): whose field masks whose accesses, by how many
// bits, with which extension, and what is not masked.
#include "priv.h"

#define PMM(n) ((uint64_t)(n) << 32)
#define PMM_MASK PMM(3)
#define HUPMM(n) ((uint64_t)(n) << 48)
#define TAG16 0x5a5a000000000000ull
#define TAG7 0xaa00000000000000ull

static uint64_t cell = 0x1234567890abcdef;

static void fields_are_warl(void) {
  static const int kRows[] = {0, 2, 3};
  for (unsigned i = 0; i < 3; i++) {
    uint64_t value = PMM(kRows[i]);
    CHECK_EQ(csr_write_read(MENVCFG, value) & PMM_MASK, value);
    CHECK_EQ(csr_write_read(SENVCFG, value) & PMM_MASK, value);
    CHECK_EQ(csr_write_read(HENVCFG, value) & PMM_MASK, value);
    CHECK_EQ(csr_write_read(MSECCFG, value) & PMM_MASK, value);
    CHECK_EQ(csr_write_read(HSTATUS, HUPMM(kRows[i])) & HUPMM(3), HUPMM(kRows[i]));
    // The reserved value changes nothing.
    CHECK_EQ(csr_write_read(MENVCFG, PMM(1)) & PMM_MASK, value);
    CHECK_EQ(csr_write_read(SENVCFG, PMM(1)) & PMM_MASK, value);
    CHECK_EQ(csr_write_read(HENVCFG, PMM(1)) & PMM_MASK, value);
    CHECK_EQ(csr_write_read(MSECCFG, PMM(1)) & PMM_MASK, value);
    CHECK_EQ(csr_write_read(HSTATUS, HUPMM(1)) & HUPMM(3), HUPMM(kRows[i]));
  }
}

// All fields zero, then one with the value.
static void set_one(int field, uint64_t n) {
  csr_write(MSECCFG, field == 0 ? PMM(n) : 0);
  csr_write(MENVCFG, field == 1 ? PMM(n) : 0);
  csr_write(SENVCFG, field == 2 ? PMM(n) : 0);
  csr_write(HENVCFG, field == 3 ? PMM(n) : 0);
  csr_write(HSTATUS, field == 4 ? HUPMM(n) : 0);
}

// Bare: physical addresses. A field masks the accesses of its modes and no others.
static void each_field_has_its_modes(void) {
  static const struct {
    enum mode mode;
    int field;
  } kModes[] = {{MODE_M, 0}, {MODE_HS, 1}, {MODE_U, 2}, {MODE_VU, 2}, {MODE_VS, 3}};
  for (unsigned m = 0; m < 5; m++) {
    for (int field = 0; field < 5; field++) {
      set_one(field, 3);
      RUN(kModes[m].mode, "ld a0, 0(a0)\nsd a0, 0(a1)", (uint64_t)&cell | TAG16, (uint64_t)&cell | TAG16);
      if (field == kModes[m].field) {
        EXPECT_OK();
        CHECK_EQ(trap.a0, cell);
      } else {
        EXPECT(BY_M, C_LOAD_ACCESS);
        CHECK_EQ(trap.tval, (uint64_t)&cell | TAG16);
      }
    }
    // Seven bits leave nine of the sixteen.
    set_one(kModes[m].field, 2);
    RUN(kModes[m].mode, "ld a0, 0(a0)", (uint64_t)&cell | TAG7);
    EXPECT_OK();
    RUN(kModes[m].mode, "ld a0, 0(a0)", (uint64_t)&cell | TAG16);
    EXPECT(BY_M, C_LOAD_ACCESS);
    CHECK_EQ(trap.tval, ((uint64_t)&cell | TAG16) & ~0ull >> 7);
  }
  set_one(5, 0);
}

// Accesses of all kinds; the second one finds the translation of the first.
static void all_kinds_of_accesses(void) {
  csr_write(SENVCFG, PMM(3));
  static uint64_t page[1024] __attribute__((aligned(4096)));
  uint64_t at = (uint64_t)page | TAG16;
  RUN(MODE_U, "li t0, 7\nsd t0, 0(a0)\nld a0, 0(a1)", at, at + (1ull << 60));
  EXPECT_OK();
  CHECK_EQ(trap.a0, 7);
  RUN(MODE_U, "amoadd.d t1, a1, (a0)\n1: lr.d t0, (a0)\naddi t0, t0, 1\nsc.d t1, t0, (a0)\nbnez t1, 1b", at, 5);
  EXPECT_OK();
  CHECK_EQ(page[0], 13);
  RUN(MODE_U, "fmv.d.x fa0, a1\nfsd fa0, 8(a0)\nfld fa1, 8(a0)\nfmv.x.d a0, fa1", at, 99);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 99);
  // Across two pages.
  RUN(MODE_U, "sd a1, 0(a0)\nld a0, 0(a0)", at + 4092, 0x0123456789abcdef);
  EXPECT_OK();
  CHECK_EQ(trap.a0, 0x0123456789abcdef);
  CHECK_EQ(*(volatile uint32_t *)((uint64_t)page + 4092), 0x89abcdef);
  // Jumps are not masked.
  RUN(MODE_U, "jr a0", at);
  EXPECT(BY_M, C_FETCH_ACCESS);
  CHECK_EQ(trap.tval, at);
}

// Virtual addresses are sign-extended from the highest bit that is left, and so is tval.
static void virtual_addresses_are_sign_extended(void) {
  enable_hs(4);
  uint64_t *entry = map(&hs_space, TEST_VA, (uint64_t)&cell & ~(PAGE - 1), PTE_RW, 0);
  csr_write(MENVCFG, PMM(3));
  uint64_t at = TEST_VA + ((uint64_t)&cell & (PAGE - 1));
  RUN(MODE_HS, "ld a0, 0(a0)", at | TAG16);
  EXPECT_OK();
  CHECK_EQ(trap.a0, cell);
  RUN(MODE_HS, "ld a0, 0(a0)", 0x0000800000000000 | TAG16);
  EXPECT(BY_M, C_LOAD_PAGE);
  CHECK_EQ(trap.tval, 0xffff800000000000);
  RUN(MODE_HS, "sd a0, 0(a0)", 0x7fff000000000123);
  EXPECT(BY_M, C_STORE_PAGE);
  CHECK_EQ(trap.tval, 0x123);
  // A fence for the untagged address is one for all tags.
  RUN(MODE_HS, "ld t0, 0(a0)\nsd zero, 0(a2)\nsfence.vma a1, zero\nld a0, 0(a0)", at | TAG16, at, entry);
  EXPECT(BY_M, C_LOAD_PAGE);
  CHECK_EQ(trap.tval, at);
}

static void mxr_and_mprv(void) {
  csr_write(MENVCFG, PMM(3));
  csr_set(SSTATUS, STATUS_MXR);
  RUN(MODE_HS, "ld a0, 0(a0)", (uint64_t)&cell | TAG16);
  EXPECT(BY_M, C_LOAD_ACCESS);
  csr_clear(SSTATUS, STATUS_MXR);
  // MPRV: the settings of the mode in MPP.
  csr_write(MENVCFG, 0);
  csr_write(SENVCFG, PMM(3));
  RUN(MODE_M, "li t0, 0x1800\ncsrc mstatus, t0\nli t0, 1 << 17\ncsrs mstatus, t0\nld a0, 0(a0)\ncsrc mstatus, t0",
      (uint64_t)&cell | TAG16);
  EXPECT_OK();
  CHECK_EQ(trap.a0, cell);
}

// HLV and HSV: henvcfg for VS; for VU senvcfg, or from U-mode HUPMM. HLVX is never masked.
static void hypervisor_accesses(void) {
  uint64_t at = (uint64_t)&cell | TAG16;
  for (int spvp = 0; spvp < 2; spvp++) {
    for (int from_user = 0; from_user < 2; from_user++) {
      int right = spvp ? 3 : from_user ? 4 : 2;
      for (int field = 0; field < 5; field++) {
        set_one(field, 3);
        csr_set(HSTATUS, (spvp ? HSTATUS_SPVP : 0) | HSTATUS_HU);
        RUN(from_user ? MODE_U : MODE_HS, ".4byte 0x6c054573", at);  // hlv.d a0, (a0)
        if (field == right) {
          EXPECT_OK();
          CHECK_EQ(trap.a0, cell);
        } else {
          EXPECT(BY_M, C_LOAD_ACCESS);
        }
        RUN(from_user ? MODE_U : MODE_HS, ".4byte 0x68354573", at);  // hlvx.wu a0, (a0)
        EXPECT(BY_M, C_LOAD_ACCESS);
        CHECK_EQ(trap.tval, at);
      }
    }
  }
  set_one(5, 0);
}

void test_body(void) {
  RUN_PARTS(fields_are_warl, each_field_has_its_modes, all_kinds_of_accesses, virtual_addresses_are_sign_extended,
            mxr_and_mprv, hypervisor_accesses);
}
