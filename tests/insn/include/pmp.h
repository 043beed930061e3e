// SPDX-License-Identifier: Apache-2.0
// PMP entries for tests: the first eight are collected and then written at once. (Entry 15 opens everything that no
// entry before it matches, see reset_state.)
#ifndef GSTAGE_TESTS_INSN_PMP_H
#define GSTAGE_TESTS_INSN_PMP_H

#include "priv.h"

#define PMP_R 1
#define PMP_W 2
#define PMP_X 4
#define PMP_TOR 0x08
#define PMP_NA4 0x10
#define PMP_NAPOT 0x18
#define PMP_L 0x80
#define MML 1
#define MMWP 2
#define RLB 4

// What pmpaddr holds for a naturally aligned range of 8 bytes or more.
static inline uint64_t napot(const void *base, uint64_t size) { return (uint64_t)base >> 2 | ((size >> 3) - 1); }

static inline void write_pmpaddr(unsigned entry, uint64_t value) {
  switch (entry) {
    case 0: csr_write(PMPADDR(0), value); break;
    case 1: csr_write(PMPADDR(1), value); break;
    case 2: csr_write(PMPADDR(2), value); break;
    case 3: csr_write(PMPADDR(3), value); break;
    case 4: csr_write(PMPADDR(4), value); break;
    case 5: csr_write(PMPADDR(5), value); break;
    case 6: csr_write(PMPADDR(6), value); break;
    default: csr_write(PMPADDR(7), value); break;
  }
}

static uint64_t pmp_rules;

// Before the first of new rules the old ones go: with new addresses they might match anything.
static inline void drop_old_rules(void) {
  if (pmp_rules == 0) csr_write(PMPCFG0, 0);
}

// A naturally aligned range of 4 bytes or more.
static inline void rule_napot(unsigned entry, const void *base, uint64_t size, uint64_t cfg) {
  drop_old_rules();
  write_pmpaddr(entry, size == 4 ? (uint64_t)base >> 2 : napot(base, size));
  pmp_rules |= (cfg | (size == 4 ? PMP_NA4 : PMP_NAPOT)) << 8 * entry;
}

// Any range of words; takes two entries.
static inline void rule_range(unsigned entry, const void *from, const void *to, uint64_t cfg) {
  drop_old_rules();
  write_pmpaddr(entry, (uint64_t)from >> 2);
  write_pmpaddr(entry + 1, (uint64_t)to >> 2);
  pmp_rules |= (cfg | PMP_TOR) << 8 * (entry + 1);
}

// The rules collected so far, and no others, are in force.
static inline void commit_rules(void) {
  csr_write(PMPCFG0, pmp_rules);
  pmp_rules = 0;
  fence_all();
}

// No rules; locks can be undone.
static inline void begin_rules(void) {
  csr_write(MSECCFG, RLB);
  commit_rules();
}

// Locked rules bind M mode, too.
static inline uint64_t lock_for(enum mode mode) { return mode == MODE_M ? PMP_L : 0; }

#endif
