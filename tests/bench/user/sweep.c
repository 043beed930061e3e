// SPDX-License-Identifier: Apache-2.0
// How the cost of an access grows with the working set, from 1 MiB to 1 GiB. A run is as many accesses for
// each, and goes on where the last one stopped.
#include "bench.h"

#define MIB (1ul << 20)
#define STEPS 16384
#define LINE_WORDS 8
#define PAGE_LINES 64

// The set that is laid out: line number order(i) holds the number of the one behind it, order(i + 1), and
// its own.
static struct {
  uint64_t *words, lines;
  unsigned half_bits;
  uint64_t visited, page;  // how far the chase and the walk have come
} set;

// A permutation of the lines (their number is a power of two): each step can be undone.
static uint64_t order(uint64_t i) {
  uint64_t mask = set.lines - 1;
  i = (i & mask) * 0x9e3779b97f4a7c15ull & mask;
  i ^= i >> set.half_bits;
  i = i * 0xd6e8feb86659fd93ull & mask;
  return i ^ i >> set.half_bits;
}

// All sizes share the memory of the largest.
static void lay_out(unsigned megabytes) {
  static unsigned laid_out;
  if (!set.words) set.words = get_pages(1024 * MIB);
  if (laid_out == megabytes) return;
  laid_out = megabytes;
  set.lines = megabytes * MIB / 64;
  for (set.half_bits = 0; set.lines >> 2 * set.half_bits > 2;) set.half_bits++;
  set.visited = set.page = 0;
  for (uint64_t i = 0, line = order(0); i < set.lines; i++) {
    uint64_t next = order(i + 1);
    set.words[line * LINE_WORDS] = next;
    set.words[line * LINE_WORDS + 1] = line;
    line = next;
  }
}

static uint64_t chase(unsigned megabytes) {
  lay_out(megabytes);
  uint64_t line = order(set.visited);
  for (unsigned i = 0; i < STEPS; i++) line = set.words[line * LINE_WORDS];
  set.visited += STEPS;
  return line == order(set.visited);
}

// One access a page, pages in turn.
static uint64_t stride(unsigned megabytes) {
  lay_out(megabytes);
  uint64_t pages = set.lines / PAGE_LINES, page = set.page, sum = 0;
  for (unsigned i = 0; i < STEPS; i++) {
    sum += set.words[page * PAGE_LINES * LINE_WORDS + 1];
    if (++page == pages) page = 0;
  }
  uint64_t span = pages < STEPS ? pages : STEPS;
  uint64_t numbers = STEPS / span * (set.page * span + span * (span - 1) / 2);
  set.page = page;
  return sum == numbers * PAGE_LINES;
}

#define SIZES(row) row(1) row(4) row(16) row(64) row(256) row(1024)
#define RUNS(size)                                              \
  static uint64_t chase_##size(void) { return chase(size); }    \
  static uint64_t stride_##size(void) { return stride(size); }
#define ROWS(size)                                                                                    \
  {"sweep", "sweep-chase-" #size "MiB", chase_##size, 1, .megabytes = size, .steps = STEPS},          \
  {"sweep", "sweep-stride-" #size "MiB", stride_##size, 1, .megabytes = size, .steps = STEPS},

SIZES(RUNS)
const struct bench sweep_benches[] = {SIZES(ROWS){0}};
