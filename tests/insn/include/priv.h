// SPDX-License-Identifier: Apache-2.0
// Frame of the privileged tests, which are C programs in M mode.
//
// RUN(mode, "instructions", arguments...) executes a fragment in any privilege mode until its end or
// its first trap, and then is back in M mode with the outcome in `trap`. A check that fails prints
// its file and line; the program goes on and exits with the number of failures.
#ifndef GSTAGE_TESTS_INSN_PRIV_H
#define GSTAGE_TESTS_INSN_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "csrs.h"

enum mode { MODE_U = 0, MODE_HS = 1, MODE_M = 3, MODE_VU = 4, MODE_VS = 5 };
// Whose trap handler took the trap.
enum taker { BY_NONE = 0, BY_M = 1, BY_HS = 2, BY_VS = 3 };

// lib/run.S knows the offsets.
struct trap {
  uint64_t by;
  uint64_t cause, epc, tval;
  uint64_t tval2, tinst;       // zero when taken by VS mode
  uint64_t status, hstatus;    // mstatus, sstatus or vsstatus; hstatus when taken by HS mode
  uint64_t a0, a1;             // registers at the end of the fragment
  uint64_t start;              // address at which the fragment ran
};
extern struct trap trap;
extern unsigned failures;

void run(enum mode mode, const void *code, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3);
// A known state: everything off or zero, all memory open to all modes, nothing delegated.
void reset_state(void);
// Delegates what may be delegated: exceptions and interrupts of S level to HS mode.
void delegate_to_hs(void);
// And from there to VS mode what the standard lets hedeleg and hideleg hold.
void delegate_to_vs(void);
void check(bool good, const char *file, int line, uint64_t actual, uint64_t expected);
void put_line(const char *text, uint64_t value);

// A test program defines this.
void test_body(void);
// And may define this, which runs before the first write to a CSR.
void test_reset_values(void);
#define RUN_PARTS(...)                                                       \
  do {                                                                       \
    void (*const parts_[])(void) = {__VA_ARGS__};                            \
    for (unsigned i_ = 0; i_ < sizeof parts_ / sizeof *parts_; i_++) {       \
      reset_state();                                                         \
      parts_[i_]();                                                          \
    }                                                                        \
  } while (0)

// Fragments may use any register; arguments are in a0-a3. They run at another address than linked
// (the user alias below), so they must be position-independent. t3 is free for fragments' labels.
#define EXIT_MARK 0x7e57
#define CODE(text)                                                                          \
  ({                                                                                        \
    const void *code_;                                                                      \
    asm volatile(".pushsection .frag,\"ax\"\n.balign 4\n.option push\n.option norvc\n"      \
                 ".Lfragment%=: " text "\nli a7, 0x7e57\necall\n.option pop\n.popsection\n" \
                 "la %0, .Lfragment%="                                                      \
                 : "=r"(code_));                                                            \
    code_;                                                                                  \
  })
#define RUN_(mode, text, a, b, c, d, ...) \
  run(mode, CODE(text), (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d))
#define RUN(mode, ...) RUN_(mode, __VA_ARGS__, 0, 0, 0, 0, 0)

#define CHECK_EQ(actual, expected) \
  ({                                                                                              \
    uint64_t actual_ = (uint64_t)(actual), expected_ = (uint64_t)(expected);                      \
    check(actual_ == expected_, __FILE__, __LINE__, actual_, expected_);                          \
  })
#define CHECK(condition) check((condition), __FILE__, __LINE__, 0, 0)
// Outcome of the last RUN: it ended without a trap, or with this one.
#define EXPECT_OK() check(trap.by == BY_NONE, __FILE__, __LINE__, trap.by << 32 | trap.cause, 0)
#define EXPECT(taker, number)                                                              \
  check(trap.by == (taker) && trap.cause == (number), __FILE__, __LINE__,                  \
        trap.by << 60 ^ trap.cause, (uint64_t)(taker) << 60 ^ (number))
#define EXPECT_OFFSET(offset) CHECK_EQ(trap.epc - trap.start, offset)

#define SECOND 10000000ull  // of mtime

// For changes that the standard lets take effect with a delay: within half a minute, however slow the host is.
#define EVENTUALLY(condition)                                                         \
  ({                                                                                  \
    bool seen_ = false;                                                               \
    const uint64_t start_ = CLINT_MTIME;                                              \
    do                                                                                \
      for (int i_ = 0; i_ < 100000 && !seen_; i_++) seen_ = (condition) != 0;         \
    while (!seen_ && CLINT_MTIME - start_ < 30 * SECOND); /* the time may wrap */      \
    seen_;                                                                            \
  })

// An instruction as the assembler encodes it, for comparison with tval or tinst.
#define ENCODING(text)                                                                          \
  ({                                                                                            \
    uint32_t word_;                                                                             \
    asm volatile(".pushsection .rodata\n.balign 4\n.option push\n.option norvc\n.Lword%=: " text \
                 "\n.option pop\n.popsection\nlwu %0, .Lword%="                                 \
                 : "=r"(word_));                                                                \
    word_;                                                                                      \
  })

// Transforms the encoding of a 32-bit load, store, atomic or hypervisor load/store for tinst, with
// the address offset in bits 19:15 (chapter "Transformed Instruction or Pseudoinstruction").
uint32_t transformed(uint32_t insn, unsigned address_offset);

// --- Page tables -----------------------------------------------------------------------------

struct space {
  uint64_t *root;
  int levels;      // 3, 4 or 5
  bool gstage;     // the root has 2 more bits
};

// Where fragments of U and VU mode run when paging is on: all RAM again, with U set.
#define USER_OFFSET 0x100000000ull
// Free for tests, in all of the three spaces.
#define TEST_VA 0x40000000ull
#define TEST_GPA 0x40000000ull
#define PAGE 4096ull

#define PTE_V 1ull
#define PTE_R 2ull
#define PTE_W 4ull
#define PTE_X 8ull
#define PTE_U 16ull
#define PTE_G 32ull
#define PTE_A 64ull
#define PTE_D 128ull
#define PTE_RSW 0x300ull
#define PTE_AD (PTE_A | PTE_D)
#define PTE_RW (PTE_V | PTE_R | PTE_W | PTE_AD)
#define PTE_RWX (PTE_RW | PTE_X)

extern struct space hs_space, vs_space, g_space;

// Creates a space whose RAM gigapage is mapped one to one, plus (not G-stage) the user alias.
void space_init(struct space *space, int levels, bool gstage);
// Maps one page of the level (0: 4 KiB, 1: 2 MiB, 2: 1 GiB) and returns its entry, to be changed at
// will by the test (which then has to fence).
uint64_t *map(struct space *space, uint64_t from, uint64_t to, uint64_t flags, int level);
uint64_t *pte_of(struct space *space, uint64_t from, int level);
uint64_t atp(const struct space *space, uint64_t id);
uint64_t pte_for(const void *page, uint64_t flags);
// Turns stages on. `levels` 0 is Bare. Ends with fences of everything.
void enable_hs(int levels);
void enable_guest(int vs_levels, int g_levels);
void fence_all(void);

extern uint64_t page_a[512], page_b[512], page_c[512], page_d[512];

#endif
