// SPDX-License-Identifier: Apache-2.0
// Zkr: who may poll the entropy source, how, and what it answers (chapters "Entropy Source" and "Machine Security
// Configuration").
#include "priv.h"

#define USEED (1ull << 8)
#define SSEED (1ull << 9)
#define POLL "csrrw a0, 0x015, x0"

static void answers(void) {
  uint64_t some = 0, all = 0xffff;
  for (unsigned i = 0; i < 64; i++) {
    RUN(MODE_M, POLL, -1);
    EXPECT_OK();
    uint64_t status = trap.a0 >> 30, entropy = trap.a0 & 0x3fffffff;
    // ES16 with 16 bits, or WAIT with none.
    CHECK(status == 2 ? entropy < 0x10000 : status == 1 && entropy == 0);
    if (status != 2) continue;
    some |= entropy;
    all &= entropy;
  }
  CHECK_EQ(some, 0xffff);
  CHECK_EQ(all, 0);
}

// The value written is ignored, but there must be one.
static void reading_alone_is_illegal(void) {
  csr_write(MSECCFG, USEED | SSEED);
  for (enum mode mode = MODE_U; mode <= MODE_VS; mode++) {
    if (mode != MODE_U && mode != MODE_HS && mode != MODE_M && mode != MODE_VU && mode != MODE_VS) continue;
    RUN(mode, "csrrs a0, 0x015, x0");
    EXPECT(BY_M, C_ILLEGAL);
    RUN(mode, "csrrc a0, 0x015, x0");
    EXPECT(BY_M, C_ILLEGAL);
    RUN(mode, "csrrsi a0, 0x015, 0");
    EXPECT(BY_M, C_ILLEGAL);
    RUN(mode, "csrrci a0, 0x015, 0");
    EXPECT(BY_M, C_ILLEGAL);
  }
  RUN(MODE_M, "csrrw x0, 0x015, a1\ncsrrwi a0, 0x015, 0\ncsrrs a0, 0x015, a1\ncsrrc a0, 0x015, a1", 0, -1);
  EXPECT_OK();
  RUN(MODE_HS, "csrrwi x0, 0x015, 31\ncsrrsi a0, 0x015, 1\ncsrrci a0, 0x015, 1");
  EXPECT_OK();
}

static void gates(void) {
  for (unsigned open = 0; open < 4; open++) {
    const uint64_t bits = (open & 1 ? USEED : 0) | (open & 2 ? SSEED : 0);
    csr_write(MSECCFG, bits);
    CHECK_EQ(csr_read(MSECCFG), bits);
    RUN(MODE_M, POLL);
    EXPECT_OK();
    RUN(MODE_HS, POLL);
    if (open & 2) EXPECT_OK(); else EXPECT(BY_M, C_ILLEGAL);
    RUN(MODE_U, POLL);
    if (open & 1) EXPECT_OK(); else EXPECT(BY_M, C_ILLEGAL);
    for (enum mode mode = MODE_VU; mode <= MODE_VS; mode++) {
      RUN(mode, POLL);
      EXPECT(BY_M, open & 2 ? C_VIRTUAL : C_ILLEGAL);
    }
  }
}

void test_body(void) { RUN_PARTS(answers, reading_alone_is_illegal, gates); }
