// SPDX-License-Identifier: Apache-2.0
// The hypervisor's entry in C, its console, lock and memory functions.

#include "minivisor.h"

static volatile uint8_t *const uart = (volatile uint8_t *)UART;
static int held;
static bool ready;

// One lock for mailboxes and the console: contention is no concern of an example.
void lock(void) {
  while (__atomic_exchange_n(&held, 1, __ATOMIC_ACQUIRE)) {
  }
}

void unlock(void) {
  __atomic_store_n(&held, 0, __ATOMIC_RELEASE);
}

void put_char(char c) {
  while (!(uart[5] & 0x20)) {
  }
  uart[0] = c;
}

void put_string(const char *text) {
  while (*text) put_char(*text++);
}

void put_number(uint64_t value) {
  if (value >= 10) put_number(value / 10);
  put_char('0' + value % 10);
}

void put_hex(uint64_t value) {
  put_string("0x");
  for (int shift = 60; shift >= 0; shift -= 4) put_char("0123456789abcdef"[value >> shift & 15]);
}

void power_off(uint32_t code) {
  *(volatile uint32_t *)TEST_DEVICE = code;
  for (;;) {
  }
}

void panic(const char *why, uint64_t value) {
  put_string("minivisor: ");
  put_string(why);
  put_string(" ");
  put_hex(value);
  put_string("\n");
  power_off(0x3333 | 1 << 16);
}

void hypervisor_panic(void) {
  put_string("trap in the hypervisor, sepc ");
  put_hex(csr_read("sepc"));
  panic(" scause", csr_read("scause"));
}

void *memcpy(void *to, const void *from, unsigned long size) {
  for (unsigned long i = 0; i < size; i++) ((char *)to)[i] = ((const char *)from)[i];
  return to;
}

void *memset(void *to, int value, unsigned long size) {
  for (unsigned long i = 0; i < size; i++) ((char *)to)[i] = (char)value;
  return to;
}

// What each hart sets once: VS-level interrupts and the guest's own exceptions go straight to the
// guest; page faults of the second stage, hypercalls and virtual instructions come to us.
static void setup_hart(void) {
  csr_write(CSR_HEDELEG, BIT(0) | BIT(EXC_BREAKPOINT) | BIT(EXC_U_CALL) | BIT(12) | BIT(13) | BIT(15));
#ifndef WITHOUT_HIDELEG  // docs/debugging.md looks for it
  csr_write(CSR_HIDELEG, BIT(IRQ_VS_SOFT) | BIT(IRQ_VS_TIMER) | BIT(IRQ_VS_EXT));
#endif
  csr_write(CSR_HCOUNTEREN, 2);  // the guest may read time
  csr_write(CSR_HENVCFG, ENVCFG_STCE);
  csr_write("sie", BIT(IRQ_S_SOFT) | BIT(IRQ_S_TIMER));
  csr_write(CSR_STIMECMP, -1ull);
  // Nothing may be left of translations under these VMIDs.
  asm volatile(".insn r 0x73, 0, 0x31, x0, x0, x0" : : : "memory");  // hfence.gvma
}

void hypervisor_main(uint64_t hart);
void hypervisor_main(uint64_t hart) {
  if (hart == 0) {
    put_string("minivisor: 2 guests, VMIDs 1 and 2\n");
    for (int i = 0; i < GUESTS; i++) {
      gstage_build(i);
      vcpu_init(&vcpus[i], i);
    }
    __atomic_store_n(&ready, true, __ATOMIC_RELEASE);
  }
  while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)) {
  }
  harts[hart].id = hart;
  setup_hart();
  scheduler_loop(&harts[hart]);
}
