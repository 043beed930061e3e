// SPDX-License-Identifier: Apache-2.0
// Waiting for each other: futexes, and a mutex made of one.
#ifndef GSTAGE_TESTS_BENCH_SYNC_H
#define GSTAGE_TESTS_BENCH_SYNC_H

#include "rt.h"

static inline void futex_wait(uint32_t* word, uint32_t value) {
  SYS(futex, (long)word, 0, value, 0);
}

static inline void futex_wake(uint32_t* word, unsigned count) {
  SYS(futex, (long)word, 1, count);
}

// Three states: free, taken, taken and waited for.
static inline void lock(uint32_t* word) {
  uint32_t was = 0;
  if (__atomic_compare_exchange_n(word, &was, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return;
  while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0) futex_wait(word, 2);
}

static inline void unlock(uint32_t* word) {
  if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2) futex_wake(word, 1);
}

#endif
