// SPDX-License-Identifier: Apache-2.0
// M mode: what firmware would do. After machine_setup it is entered again only for inter-processor
// interrupts. All of it lives in the region that PMP denies to the modes below.

#include "csr.h"
#include "layout.h"

#define MACHINE __attribute__((section(".machine.text")))

void machine_vector(void);

static inline volatile uint32_t *msip(uint64_t hart) {
  return (volatile uint32_t *)(CLINT + 4 * hart);
}

// PMP entry 0 hides M mode's code and data from S and U mode, entry 1 opens all the rest. The lowest
// entry that matches decides, and M mode itself is not bound by entries that are not locked
// (chapter "Physical Memory Protection").
static MACHINE void set_protection(void) {
  csr_write("pmpaddr0", (RAM >> 2) | ((MACHINE_SIZE >> 3) - 1));
  csr_write("pmpaddr1", -1ull);
  csr_write("pmpcfg0", PMP_NAPOT | (PMP_NAPOT | PMP_RWX) << 8);
}

MACHINE void machine_setup(uint64_t hart);
MACHINE void machine_setup(uint64_t hart) {
  csr_write("mtvec", (uint64_t)machine_vector);
  set_protection();
  // Every trap is HS mode's business except its own calls to us. Bits of VS-level interrupts in
  // mideleg are read-only ones with H.
  csr_write("medeleg", ~(BIT(EXC_HS_CALL) | BIT(11)));
  csr_write("mideleg", BIT(IRQ_S_SOFT) | BIT(IRQ_S_TIMER) | BIT(IRQ_S_EXT));
  csr_write("mcounteren", 7);
  // STCE gives HS mode stimecmp, and henvcfg.STCE becomes writable.
  csr_write(CSR_MENVCFG, ENVCFG_STCE);
  *msip(hart) = 0;
  csr_write("mie", BIT(IRQ_M_SOFT));
  csr_clear("mstatus", MSTATUS_MPP_MASK);
  csr_set("mstatus", MSTATUS_MPP_S);
}

MACHINE uint64_t machine_trap(uint64_t a0, uint64_t a7);
MACHINE uint64_t machine_trap(uint64_t a0, uint64_t a7) {
  uint64_t cause = csr_read("mcause");
  if (cause == (INTERRUPT | IRQ_M_SOFT)) {
    // Hand the interrupt on: HS mode sees it as its own software interrupt.
    *msip(csr_read("mhartid")) = 0;
    csr_set("mip", BIT(IRQ_S_SOFT));
    return a0;
  }
  if (cause == EXC_HS_CALL && a7 == MACHINE_SEND_IPI && a0 < HARTS) {
    *msip(a0) = 1;
    csr_write("mepc", csr_read("mepc") + 4);
    return 0;
  }
  // A bug: end the machine with the cause as exit code.
  *(volatile uint32_t *)TEST_DEVICE = 0x3333 | (uint32_t)(cause + 1) << 16;
  for (;;) {
  }
}
