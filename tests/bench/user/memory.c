// SPDX-License-Identifier: Apache-2.0
// Memory: plain copies, and accesses that a TLB or a cache feels.
#include "bench.h"

#define MIB (1ul << 20)
#define PAGE 4096ul

static uint8_t *buffers(void) {
  static uint8_t *both;
  if (!both) {
    both = get_pages(2 * MIB);
    memset(both, 0x5a, MIB);
  }
  return both;
}

static uint64_t copy(size_t size, unsigned times) {
  uint8_t *from = buffers(), *to = from + MIB;
  uint64_t sum = 0;
  for (unsigned i = 0; i < times; i++) {
    from[i % size] = (uint8_t)i;
    memcpy(to, from, size);
    sum += to[i % size];
  }
  return sum;
}

static uint64_t fill(size_t size, unsigned times) {
  uint8_t *to = buffers() + MIB;
  uint64_t sum = 0;
  for (unsigned i = 0; i < times; i++) {
    memset(to, (int)i, size);
    sum += to[size - 1];
  }
  return sum;
}

static uint64_t copy_64(void) { return copy(64, 4096); }
static uint64_t copy_4k(void) { return copy(4096, 256); }
static uint64_t copy_1m(void) { return copy(MIB, 1); }
static uint64_t fill_64(void) { return fill(64, 4096); }
static uint64_t fill_4k(void) { return fill(4096, 256); }
static uint64_t fill_1m(void) { return fill(MIB, 2); }

// One cycle through all lines of 64 bytes in random order (Sattolo's shuffle).
static uint64_t *make_cycle(size_t bytes) {
  uint64_t *lines = get_pages(bytes), state = 7;
  size_t count = bytes / 64;
  for (size_t i = 0; i < count; i++) lines[i * 8] = i;
  for (size_t i = count - 1; i > 0; i--) {
    size_t j = (next_random(&state) << 16 ^ next_random(&state)) % i;
    uint64_t swap = lines[i * 8];
    lines[i * 8] = lines[j * 8];
    lines[j * 8] = swap;
  }
  return lines;
}

static uint64_t chase(const uint64_t *lines, uint64_t *at, unsigned steps) {
  for (unsigned i = 0; i < steps; i++) *at = lines[*at * 8];
  return 1;
}

static uint64_t chase_1m(void) {
  static uint64_t *lines, at;
  if (!lines) lines = make_cycle(MIB);
  // Once around and back at the start.
  chase(lines, &at, MIB / 64);
  return at;
}

// A run goes on where the last one stopped: the set is far larger than what one run sees. That it is a
// cycle through memory as it was laid out is checked at the start.
static uint64_t chase_256m(void) {
  static uint64_t *lines, at;
  if (!lines) lines = make_cycle(256 * MIB);
  uint64_t before = at;
  chase(lines, &at, 16384);
  return at != before;
}

static uint64_t stride(void) {
  static uint8_t *pages;
  enum { kPages = 16384 };
  if (!pages) {
    pages = get_pages(kPages * PAGE);
    for (unsigned i = 0; i < kPages; i++) pages[i * PAGE] = (uint8_t)i;
  }
  uint64_t sum = 0;
  for (unsigned i = 0; i < kPages; i++) sum += pages[i * PAGE];
  return sum;
}

const struct bench memory_benches[] = {
    {"memory", "memcpy-64B", copy_64, 522240, 0},      {"memory", "memcpy-4KiB", copy_4k, 32640, 0},
    {"memory", "memcpy-1MiB", copy_1m, 0, 0},     {"memory", "memset-64B", fill_64, 522240, 0},
    {"memory", "memset-4KiB", fill_4k, 32640, 0},     {"memory", "memset-1MiB", fill_1m, 1, 0},
    {"memory", "chase-1MiB", chase_1m, 0, 0},     {"memory", "chase-256MiB", chase_256m, 1, 256},
    {"memory", "stride-64MiB", stride, 2088960, 64}, {0, 0, 0, 0, 0},
};
