// SPDX-License-Identifier: Apache-2.0
// A trap in M-mode while mstatus.MDT is set stops the hart and, with it, the machine: exit code 1.
#include "priv.h"

void test_body(void) {
  csr_set(MSTATUS, BIT(42));
  asm volatile(".word 0");
  // Not reached; to pass would be wrong here.
  asm volatile("li gp, 77\nj test_fail");
}
