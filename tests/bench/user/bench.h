// SPDX-License-Identifier: Apache-2.0
// One benchmark: a piece of work that takes about a millisecond on hardware or less, and its result.
#ifndef GSTAGE_TESTS_BENCH_BENCH_H
#define GSTAGE_TESTS_BENCH_BENCH_H

#include "rt.h"

struct bench {
  const char *group, *name;
  uint64_t (*run)(void);
  uint64_t result;     // what run() has to return
  unsigned megabytes;  // of memory; left out where there is less
  unsigned harts;      // left out where there are fewer
  unsigned steps;      // what run() does this many of is what the figure is of; 0: the run itself
};

extern const struct bench integer_benches[], float_benches[], memory_benches[], system_benches[], smp_benches[],
    sweep_benches[], layout_benches[];

// Knuth's MMIX generator: the same numbers everywhere.
static inline uint64_t next_random(uint64_t* state) {
  *state = *state * 6364136223846793005ull + 1442695040888963407ull;
  return *state >> 33;
}

#endif
