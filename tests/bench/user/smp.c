// SPDX-License-Identifier: Apache-2.0
// Several harts: workers, each on a hart of its own, that have nothing in common, or that contend. Each does
// the same piece of work however many there are, so that N workers who take as long as one have N times
// its throughput.
#include "bench.h"
#include "sync.h"

#define MAX_WORKERS 4
#define STACK 131072
#define PAGE 4096

static unsigned workers, started, ready;
static uint64_t results[MAX_WORKERS];

// The number of the calling worker, once all are where they stay.
static unsigned join(void) {
  unsigned number = __atomic_fetch_add(&started, 1, __ATOMIC_ACQ_REL);
  stay_on_hart(number);
  __atomic_fetch_add(&ready, 1, __ATOMIC_ACQ_REL);
  while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) < workers) {
  }
  return number;
}

static uint64_t run_workers(unsigned count, void (*function)(void)) {
  static uint8_t *stacks;
  if (!stacks) stacks = get_pages(MAX_WORKERS * STACK);
  workers = count;
  started = ready = 0;
  for (unsigned i = 0; i < count; i++) {
    results[i] = 0;
    start_worker(function, stacks + (i + 1) * STACK);
  }
  wait_for_workers(count);
  uint64_t sum = 0;
  for (unsigned i = 0; i < count; i++) sum += results[i];
  return sum;
}

// Integer work in 32 KiB of its own: long beside the start and the end of a worker.
static void independent(void) {
  enum { kWords = 4096, kRounds = 24000000 };
  unsigned me = join();
  uint64_t words[kWords], state = 9, sum = 0;
  for (unsigned i = 0; i < kWords; i++) words[i] = i;
  for (unsigned i = 0; i < kRounds; i++) {
    uint64_t *word = &words[next_random(&state) % kWords];
    sum = (sum << 1 ^ sum >> 63) + *word;
    *word += sum & 0xff;
  }
  results[me] = sum & 0xffffff;
}

static uint32_t lock_word;
static uint64_t counter;

// One mutex around one addition.
static void locks(void) {
  unsigned me = join();
  for (unsigned i = 0; i < 100000; i++) {
    lock(&lock_word);
    counter++;
    unlock(&lock_word);
  }
  results[me] = 100000;
}

// One word that all add to.
static void atomics(void) {
  unsigned me = join();
  for (unsigned i = 0; i < 500000; i++) __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
  results[me] = 500000;
}

// A token goes round: each step wakes a hart that waits, which takes an inter-processor interrupt.
static uint32_t token;
static void wakes(void) {
  unsigned me = join();
  for (unsigned i = 0; i < 200; i++) {
    uint32_t mine = i * workers + me, now;
    while ((now = __atomic_load_n(&token, __ATOMIC_ACQUIRE)) != mine) futex_wait(&token, now);
    __atomic_store_n(&token, mine + 1, __ATOMIC_RELEASE);
    futex_wake(&token, MAX_WORKERS);
    results[me]++;
  }
}

// The first worker changes what a page allows, which each time all others have to be told, who read it.
static volatile uint8_t *page;
static bool all_changed;

static void shootdowns(void) {
  enum { kChanges = 50, kReadOnly = 1, kReadWrite = 3 };
  unsigned me = join();
  if (me == 0) {
    for (unsigned i = 1; i <= kChanges; i++) {
      if (SYS(mprotect, (long)page, PAGE, i % 2 ? kReadOnly : kReadWrite)) give_up("mprotect");
      if (i % 2 == 0) page[0] = 1;
    }
    __atomic_store_n(&all_changed, true, __ATOMIC_RELEASE);
  }
  uint64_t wrong = 0;
  while (!__atomic_load_n(&all_changed, __ATOMIC_ACQUIRE)) wrong += page[0] != 1;
  results[me] = wrong ? 0 : kChanges;
}

static uint64_t count_with(unsigned number, void (*function)(void)) {
  counter = 0;
  uint64_t done = run_workers(number, function);
  return counter == done ? done : 0;
}

static uint64_t run_wakes(unsigned count) {
  token = 0;
  return run_workers(count, wakes);
}

static uint64_t run_shootdowns(unsigned count) {
  all_changed = false;
  if (!page) page = get_pages(PAGE);
  page[0] = 1;
  return run_workers(count, shootdowns);
}

static uint64_t independent_1(void) { return run_workers(1, independent); }
static uint64_t independent_2(void) { return run_workers(2, independent); }
static uint64_t independent_4(void) { return run_workers(4, independent); }
static uint64_t lock_1(void) { return count_with(1, locks); }
static uint64_t lock_2(void) { return count_with(2, locks); }
static uint64_t lock_4(void) { return count_with(4, locks); }
static uint64_t atomic_1(void) { return count_with(1, atomics); }
static uint64_t atomic_2(void) { return count_with(2, atomics); }
static uint64_t atomic_4(void) { return count_with(4, atomics); }
static uint64_t wake_2(void) { return run_wakes(2); }
static uint64_t wake_4(void) { return run_wakes(4); }
static uint64_t shootdown_2(void) { return run_shootdowns(2); }
static uint64_t shootdown_4(void) { return run_shootdowns(4); }

const struct bench smp_benches[] = {
    {"smp", "independent-1", independent_1, 11854788, .harts = 1},
    {"smp", "independent-2", independent_2, 23709576, .harts = 2},
    {"smp", "independent-4", independent_4, 47419152, .harts = 4},
    {"smp", "lock-1", lock_1, 100000, .harts = 1},
    {"smp", "lock-2", lock_2, 200000, .harts = 2},
    {"smp", "lock-4", lock_4, 400000, .harts = 4},
    {"smp", "atomic-1", atomic_1, 500000, .harts = 1},
    {"smp", "atomic-2", atomic_2, 1000000, .harts = 2},
    {"smp", "atomic-4", atomic_4, 2000000, .harts = 4},
    {"smp", "wake-2", wake_2, 400, .harts = 2},
    {"smp", "wake-4", wake_4, 800, .harts = 4},
    {"smp", "shootdown-2", shootdown_2, 100, .harts = 2},
    {"smp", "shootdown-4", shootdown_4, 200, .harts = 4},
    {0},
};
