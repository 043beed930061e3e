// SPDX-License-Identifier: Apache-2.0
// A guest kernel in VS mode. It believes that it owns a machine: it builds page tables, takes timer
// and software interrupts, and drives a console; only the mailbox goes through hypercalls.

#include "csr.h"
#include "layout.h"

static uint64_t root[512] __attribute__((aligned(4096)));
static uint64_t ram_table[512] __attribute__((aligned(4096)));
static uint64_t shared_table[2][512] __attribute__((aligned(4096)));
static uint64_t console_table[2][512] __attribute__((aligned(4096)));

static volatile uint64_t *const shared = (volatile uint64_t *)GUEST_SHARED_VA;
static volatile uint8_t *const console = (volatile uint8_t *)GUEST_CONSOLE_VA;
static volatile unsigned ticks, messages;

static uint64_t hypercall(uint64_t number, uint64_t argument) {
  register uint64_t a0 asm("a0") = argument;
  register uint64_t a7 asm("a7") = number;
  asm volatile("ecall" : "+r"(a0) : "r"(a7) : "memory");
  return a0;
}

static uint64_t pte(uint64_t target, uint64_t flags) {
  return target >> 12 << PTE_PPN_SHIFT | flags | PTE_V;
}

static void map_page(uint64_t vaddr, uint64_t gpa, uint64_t tables[2][512]) {
  const uint64_t flags = PTE_R | PTE_W | PTE_A | PTE_D;
  root[vaddr >> 30 & 511] = pte((uint64_t)tables[0], 0);
  tables[0][vaddr >> 21 & 511] = pte((uint64_t)tables[1], 0);
  tables[1][vaddr >> 12 & 511] = pte(gpa, flags);
}

// First-stage tables: RAM one to one in a 2 MiB page, the shared page and the console elsewhere.
static void enable_paging(void) {
  root[GUEST_RAM >> 30 & 511] = pte((uint64_t)ram_table, 0);
  ram_table[GUEST_RAM >> 21 & 511] = pte(GUEST_RAM, PTE_R | PTE_W | PTE_X | PTE_A | PTE_D);
  map_page(GUEST_SHARED_VA, GUEST_SHARED, shared_table);
  map_page(GUEST_CONSOLE_VA, GUEST_CONSOLE, console_table);
  csr_write("satp", SATP_SV39 | (uint64_t)root >> 12);
  asm volatile("sfence.vma" : : : "memory");
}

static void put_char(char c) {
  while (!(console[CONSOLE_STATUS] & 0x20)) {
  }
  console[CONSOLE_DATA] = c;
}

static void put_string(const char *text) {
  while (*text) put_char(*text++);
}

static void put_number(uint64_t value) {
  if (value >= 10) put_number(value / 10);
  put_char('0' + value % 10);
}

static void say(uint64_t id, const char *what, uint64_t number) {
  put_string("guest ");
  put_number(id);
  put_string(what);
  put_number(number);
  put_string("\n");
}

static void set_timer(void) {
  csr_write(CSR_STIMECMP, csr_read("time") + 5000);
}

// A virtual software interrupt means that a message waits. It stays pending until CALL_RECV, so the
// handler masks it; the waiting loop below unmasks it again.
void guest_interrupt(void);
void guest_interrupt(void) {
  uint64_t cause = csr_read("scause");
  if (cause == (INTERRUPT | IRQ_S_TIMER)) {
    ticks++;
    set_timer();
  } else if (cause == (INTERRUPT | IRQ_S_SOFT)) {
    messages++;
    csr_clear("sie", BIT(IRQ_S_SOFT));
  } else {
    // An unknown hypercall number makes the hypervisor report us.
    hypercall(cause, csr_read("sepc"));
  }
}

// Waits for a message. Interrupts are off between the test and WFI, which ends all the same when
// one is pending: nothing can be lost in between.
static uint64_t wait_message(void) {
  for (;;) {
    csr_set("sie", BIT(IRQ_S_SOFT));
    csr_clear("sstatus", SSTATUS_SIE);
    uint64_t message = hypercall(CALL_RECV, 0);
    if (message != -1ull) {
      csr_set("sstatus", SSTATUS_SIE);
      return message;
    }
    asm volatile("wfi" : : : "memory");
    csr_set("sstatus", SSTATUS_SIE);
  }
}

static void send(uint64_t message) {
  while (hypercall(CALL_SEND, message) != 0) hypercall(CALL_YIELD, 0);
}

static void ping(uint64_t id) {
  for (uint64_t i = 1; i <= ROUNDS; i++) {
    say(id, ": ping ", i);
    shared[i - 1] = i * i;
    *(volatile uint32_t *)(console + CONSOLE_ROUND) = i;
    send(i);
    if (wait_message() != i) say(id, ": wrong answer to ", i);
  }
}

static void pong(uint64_t id) {
  for (uint64_t i = 1; i <= ROUNDS; i++) {
    uint64_t message = wait_message();
    say(id, ": pong ", message);
    // The answer's entry depends on what the other guest wrote.
    shared[ROUNDS + message - 1] = shared[message - 1] * 3 + message;
    *(volatile uint32_t *)(console + CONSOLE_ROUND) = i;
    send(message);
  }
}

void guest_main(uint64_t id);
void guest_main(uint64_t id) {
  enable_paging();
  set_timer();
  csr_set("sie", BIT(IRQ_S_SOFT) | BIT(IRQ_S_TIMER));
  csr_set("sstatus", SSTATUS_SIE);
  if (id == 0) {
    ping(id);
  } else {
    pong(id);
  }
  // Compute for a while, so that ticks of both worlds fall into running code.
  uint64_t start = csr_read("time");
  while (csr_read("time") - start < 50000) {
  }
  uint64_t expected = 0, found = 0;
  for (uint64_t i = 1; i <= ROUNDS; i++) expected = expected * 31 + i * i;
  for (uint64_t i = 1; i <= ROUNDS; i++) expected = expected * 31 + i * i * 3 + i;
  for (int i = 0; i < 2 * ROUNDS; i++) found = found * 31 + shared[i];
  if (found != expected) say(id, ": wrong checksum ", found);
  else if (ticks == 0) say(id, ": no timer interrupt, messages ", messages);
  else say(id, ": checksum ", found);
  hypercall(CALL_DONE, ticks ? found : 0);
}
