// SPDX-License-Identifier: Apache-2.0
// With an extension's property off its instructions and CSRs are illegal: on a hart without Zfa, Zfh, Zfhmin, Zabha,
// Zacas, Zknd, Zkne, Zknh, Zkr, Zksed and Zksh, one encoding of each of their instructions.
#include "priv.h"

#define ENCODINGS(X) \
  X(0x099988af) X(0x066a0e2f) X(0x234f88af) X(0x605a8faf) X(0x42d004af) X(0x811d0faf) X(0xa1c0802f) \
  X(0xc3968aaf) X(0xe79a85af) X(0x0b8d9daf) X(0x050a18af) X(0x23d79c2f) X(0x63299eaf) X(0x46dd9daf) \
  X(0x81a014af) X(0xa51d9d2f) X(0xc6ef102f) X(0xe217942f) X(0x2dd389af) X(0x2816182f) X(0x2841abaf) \
  X(0x2c973faf) X(0x2965c52f) X(0xf01c8bd3) X(0x2939ad53) X(0x29e6b5d3) X(0x404d9053) X(0x4056ffd3) \
  X(0xa003c8d3) X(0xa129db53) X(0xf21f8553) X(0x2bbf2bd3) X(0x2abeb853) X(0x424932d3) X(0x42547bd3) \
  X(0xa2a247d3) X(0xa3e5d7d3) X(0xc2879853) X(0xf4170ed3) X(0x2d72ae53) X(0x2d91b853) X(0x444c0253) \
  X(0x445926d3) X(0xa46dc4d3) X(0xa5d3dcd3) X(0x5b729187) X(0x8f419027) X(0x40224ed3) X(0x440f27d3) \
  X(0x422433d3) X(0x4417c7d3) X(0xe40284d3) X(0xf4078bd3) X(0xecccccc3) X(0x0c367fc7) X(0x0c6c7ccb) \
  X(0xc48c9dcf) X(0x05170bd3) X(0x0c124c53) X(0x149fc353) X(0x1ccdbe53) X(0x5c091e53) X(0x242a01d3) \
  X(0x24a49c53) X(0x24ad2953) X(0x2d7d8953) X(0x2d3b9553) X(0xa41b0253) X(0xa5ee1d53) X(0xa4aea353) \
  X(0xe4009c53) X(0xc4057ad3) X(0xc411ff53) X(0xc42b7053) X(0xc4337a53) X(0xd402c3d3) X(0xd41b86d3) \
  X(0xd4253753) X(0xd4368f53) X(0x3a3e83b3) X(0x3e2e89b3) X(0x30059513) X(0x334306b3) X(0x36fc04b3) \
  X(0x31751313) X(0x7ef40b33) X(0x10079f93) X(0x101c9993) X(0x10299113) X(0x103e1093) X(0x104c9713) \
  X(0x10599713) X(0x106e1713) X(0x107e1913) X(0x71d28cb3) X(0xf5e90d33) X(0x10861a93) X(0x109f1a13)

static void instructions(void) {
  csr_set(MSTATUS, 0x6000);  // FS is not what makes them illegal
#define X(encoding)               \
  RUN(MODE_M, ".4byte " #encoding); \
  EXPECT(BY_M, C_ILLEGAL);        \
  CHECK_EQ(trap.tval, encoding);
  ENCODINGS(X)
#undef X
}

static void entropy_source(void) {
  RUN(MODE_M, "csrrw a0, 0x015, x0");
  EXPECT(BY_M, C_ILLEGAL);
  csr_write(MSECCFG, 3ull << 8);
  CHECK_EQ(csr_read(MSECCFG), 0);
}

void test_body(void) { RUN_PARTS(instructions, entropy_source); }
