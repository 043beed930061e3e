// SPDX-License-Identifier: Apache-2.0
// An interrupt storm. Two harts and an APLIC send MSIs to the supervisor file and two guest files of both
// harts at once, ten million of them; each must arrive, and once. An identity that pends already cannot pend
// twice, so a sender uses it again only after it was claimed. Needs -smp 2, aia=aplic-imsic and aia-guests=2.
//
// AIA: "Incoming MSI Controller (IMSIC)", "Advanced Platform-Level Interrupt Controller (APLIC)".

#include <stdbool.h>
#include <stdint.h>

#define HARTS 2
#define FILES 3        // the supervisor's and two guests'
#define SENDERS 3      // the harts, and the APLIC
#define EACH 16        // identities of a sender in a file; the APLIC's are half as many, for it has 95 sources
#ifndef TOTAL
#define TOTAL 10000000ull
#endif
#define PATIENCE 100000000ull  // ticks of 100 ns

#define IMSIC_S 0x28000000ull
#define GUEST_BITS 2
#define APLIC_M 0xc000000ull
#define APLIC_S 0xd000000ull
#define TEST_DEVICE 0x100000ull
#define WORD(address) (*(volatile uint32_t*)(address))

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define csr_read(number)                                            \
  ({                                                                \
    uint64_t value_;                                                \
    asm volatile("csrr %0, " TEXT(number) : "=r"(value_) : : "memory");  \
    value_;                                                         \
  })
#define csr_write(number, value) asm volatile("csrw " TEXT(number) ", %0" : : "r"((uint64_t)(value)) : "memory")
// Reads and claims.
#define csr_take(number)                                                    \
  ({                                                                        \
    uint64_t value_;                                                        \
    asm volatile("csrrw %0, " TEXT(number) ", zero" : "=r"(value_) : : "memory"); \
    value_;                                                                 \
  })
#define SISELECT 0x150
#define SIREG 0x151
#define STOPEI 0x15c
#define VSISELECT 0x250
#define VSIREG 0x251
#define VSTOPEI 0x25c
#define HSTATUS 0x600
#define HIE 0x604
#define HGEIE 0x607
#define HGEIP 0xe12

void put_string(const char* text);
void put_hex(uint64_t number);

static _Atomic uint32_t is_under_way[HARTS][FILES][1 + SENDERS * EACH];
static struct {
  _Atomic uint64_t sent, received, unexpected;
  uint64_t room[5];  // a cache line each
} count[HARTS];
static _Atomic uint32_t is_ready[HARTS], is_done[HARTS];

static unsigned my_hart(void) {
  unsigned hart;
  asm("mv %0, tp" : "=r"(hart));
  return hart;
}

static void claimed(unsigned file, uint64_t top) {
  const unsigned hart = my_hart(), identity = top >> 16;
  const bool is_expected = identity <= SENDERS * EACH && is_under_way[hart][file][identity] == 1;
  if (!is_expected) {
    count[hart].unexpected++;
    return;
  }
  count[hart].received++;
  is_under_way[hart][file][identity] = 0;
}

__attribute__((interrupt("supervisor"), aligned(4))) static void interrupt(void) {
  uint64_t top;
  while ((top = csr_take(STOPEI)) != 0) claimed(0, top);
  const uint64_t files = csr_read(HGEIP);
  for (unsigned guest = 1; guest < FILES; guest++) {
    if ((files >> guest & 1) == 0) continue;
    csr_write(HSTATUS, (uint64_t)guest << 12);  // VGEIN
    while ((top = csr_take(VSTOPEI)) != 0) claimed(guest, top);
  }
}

static unsigned source_of(unsigned hart, unsigned file, unsigned n) {
  return 1 + (hart * FILES + file) * (EACH / 2) + n;
}

// The root domain gives all sources to the supervisor's, where each is an MSI to one identity.
static void set_up_aplic(void) {
  WORD(APLIC_M + 0x1bc0) = 0x24000000 >> 12;
  WORD(APLIC_M + 0x1bc4) = 1 << 12;  // LHXW: one bit of hart index
  WORD(APLIC_M + 0x1bc8) = IMSIC_S >> 12;
  WORD(APLIC_M + 0x1bcc) = GUEST_BITS << 20;  // LHXS
  WORD(APLIC_S) = 1 << 8 | 1 << 2;            // IE, delivery by MSI
  for (unsigned hart = 0; hart < HARTS; hart++) {
    for (unsigned file = 0; file < FILES; file++) {
      for (unsigned n = 0; n < EACH / 2; n++) {
        const unsigned source = source_of(hart, file, n);
        WORD(APLIC_M + 4 * source) = 1 << 10;  // delegated
        WORD(APLIC_S + 4 * source) = 1;        // detached
        WORD(APLIC_S + 0x3000 + 4 * source) = hart << 18 | file << 12 | (1 + HARTS * EACH + n);
        WORD(APLIC_S + 0x1edc) = source;  // setienum
      }
    }
  }
}

static void set_up_files(void) {
  csr_write(SISELECT, 0x70);
  csr_write(SIREG, 1);
  csr_write(SISELECT, 0xc0);
  csr_write(SIREG, -1);
  for (unsigned guest = 1; guest < FILES; guest++) {
    csr_write(HSTATUS, (uint64_t)guest << 12);
    csr_write(VSISELECT, 0x70);
    csr_write(VSIREG, 1);
    csr_write(VSISELECT, 0xc0);
    csr_write(VSIREG, -1);
  }
  csr_write(HGEIE, 6);
  csr_write(HIE, 1 << 12);  // SGEI
  csr_write(sie, 1 << 9);   // SEI
}

static void send(unsigned sender, unsigned hart, unsigned file, unsigned n) {
  const unsigned identity = 1 + sender * EACH + n;
  _Atomic uint32_t* const flag = &is_under_way[hart][file][identity];
  if (*flag != 0) return;
  *flag = 1;
  count[my_hart()].sent++;
  asm volatile("fence rw, rw" : : : "memory");
  if (sender < HARTS)
    WORD(IMSIC_S + ((uint64_t)hart << (12 + GUEST_BITS)) + file * 4096) = identity;
  else
    WORD(APLIC_S + 0x1cdc) = source_of(hart, file, n);  // setipnum
}

static void say(const char* what, uint64_t number) {
  put_string(what);
  put_hex(number);
  put_string("\n");
}

static bool is_anything_under_way(bool is_said) {
  bool is_any = false;
  for (unsigned hart = 0; hart < HARTS; hart++) {
    for (unsigned file = 0; file < FILES; file++) {
      for (unsigned identity = 1; identity <= SENDERS * EACH; identity++) {
        if (is_under_way[hart][file][identity] == 0) continue;
        is_any = true;
        if (is_said) say("lost: hart, file, identity", hart << 16 | file << 8 | identity);
      }
    }
  }
  return is_any;
}

// The harts share the APLIC's sources: each has those of one hart's files.
static void storm(void) {
  const unsigned me = my_hart();
  for (unsigned round = 0; count[me].sent < TOTAL / HARTS; round++) {
    for (unsigned hart = 0; hart < HARTS; hart++)
      for (unsigned file = 0; file < FILES; file++) send(me, hart, file, (round + 5 * file) % EACH);
    for (unsigned file = 0; file < FILES; file++) send(HARTS, me, file, round % (EACH / 2));
  }
}

static void supervisor(void) {
  const unsigned me = my_hart();
  csr_write(stvec, interrupt);
  set_up_files();
  asm volatile("csrsi sstatus, 2");
  is_ready[me] = 1;
  while (!is_ready[0] || !is_ready[1]) {
  }
  storm();
  is_done[me] = 1;
  if (me != 0)
    for (;;) asm volatile("wfi");
  while (!is_done[1]) {
  }
  const uint64_t end = csr_read(time) + PATIENCE;
  while (is_anything_under_way(false) && csr_read(time) < end) {
  }
  const uint64_t sent = count[0].sent + count[1].sent, received = count[0].received + count[1].received;
  const uint64_t unexpected = count[0].unexpected + count[1].unexpected;
  say("sent", sent);
  say("received", received);
  say("unexpected", unexpected);
  is_anything_under_way(true);
  const bool is_good = sent >= TOTAL && received == sent && unexpected == 0;
  if (is_good) put_string("MARK storm done\n");
  WORD(TEST_DEVICE) = is_good ? 0x5555 : 0x13333;
}

static void enter_supervisor(unsigned hart) {
  asm volatile("mv tp, %0" : : "r"((uint64_t)hart));
  csr_write(pmpaddr0, -1);
  csr_write(pmpcfg0, 0x1f);
  csr_write(mideleg, -1);
  csr_write(mcounteren, -1);
  csr_write(mepc, supervisor);
  csr_write(mstatus, 1 << 11 | 3 << 13);  // MPP: S; the handler saves the floating-point registers
  asm volatile("mret");
  __builtin_unreachable();
}

int test_main(void) {
  set_up_aplic();
  enter_supervisor(0);
  return 0;
}

// Until then the first hart clears the variables.
void secondary_main(unsigned hart) {
  while (!is_ready[0]) {
  }
  enter_supervisor(hart);
}
