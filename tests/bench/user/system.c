// SPDX-License-Identifier: Apache-2.0
// What a kernel is asked for most.
#include "bench.h"
#include "sync.h"

#define STACK 65536

static uint64_t calls(void) {
  uint64_t good = 0;
  for (int i = 0; i < 1000; i++) good += SYS(getppid) >= 0;
  return good;
}

static long fork_now(void) {
  long child = SYS(clone, SIGCHLD, 0, 0, 0, 0);
  if (child < 0) give_up("fork");
  return child;
}

static int wait_for(long child) {
  int status = -1;
  SYS(wait4, child, (long)&status, 0, 0);
  return status;
}

static void make_pipe(int ends[2]) {
  if (SYS(pipe2, (long)ends, 0)) give_up("pipe2");
}

// The other process answers each byte by its successor and ends when the pipe does.
static _Noreturn void echo(int in, int out) {
  for (uint8_t byte; SYS(read, in, (long)&byte, 1) == 1;) {
    byte++;
    SYS(write, out, (long)&byte, 1);
  }
  exit_with(0);
}

static uint64_t pipe_ping_pong(void) {
  int to[2], from[2];
  make_pipe(to);
  make_pipe(from);
  long child = fork_now();
  if (child == 0) {
    SYS(close, to[1]);
    echo(to[0], from[1]);
  }
  uint64_t sum = 0;
  for (int i = 0; i < 500; i++) {
    uint8_t byte = (uint8_t)i;
    SYS(write, to[1], (long)&byte, 1);
    SYS(read, from[0], (long)&byte, 1);
    sum += byte;
  }
  for (int i = 0; i < 2; i++) {
    SYS(close, to[i]);
    SYS(close, from[i]);
  }
  wait_for(child);
  return sum;
}

static uint64_t fork_exit(void) {
  uint64_t sum = 0;
  for (int i = 1; i <= 10; i++) {
    long child = fork_now();
    if (child == 0) exit_with(i);
    sum += (uint64_t)wait_for(child) >> 8;
  }
  return sum;
}

static uint64_t fork_exec(void) {
  static const char *const arguments[] = {"bench", "true", NULL};
  uint64_t good = 0;
  for (int i = 0; i < 5; i++) {
    long child = fork_now();
    if (child == 0) {
      SYS(execve, (long)"/proc/self/exe", (long)arguments, (long)environment);
      exit_with(1);
    }
    good += wait_for(child) == 0;
  }
  return good;
}

static uint64_t page_faults(void) {
  enum { kPages = 1024 };
  uint8_t *pages = get_pages(kPages * 4096);
  uint64_t sum = 0;
  for (int i = 0; i < kPages; i++) pages[i * 4096] = 1;
  for (int i = 0; i < kPages; i++) sum += pages[i * 4096];
  free_pages(pages, kPages * 4096);
  return sum;
}

static volatile unsigned signals;
static void count_signal(int number) {
  (void)number;
  signals = signals + 1;
}

static uint64_t signal(void) {
  signals = 0;
  on_signal(SIGUSR1, count_signal);
  long self = SYS(getpid);
  for (int i = 0; i < 500; i++) SYS(kill, self, SIGUSR1);
  return signals;
}

// Two threads in turn: each waits until `turn` is its own.
static uint32_t turn, lock_word;
static volatile bool other_done;
static uint64_t counter;
static uint8_t *thread_stack;

static void take_turns(uint32_t mine) {
  for (int i = 0; i < 250; i++) {
    while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != mine) futex_wait(&turn, 1 - mine);
    __atomic_store_n(&turn, 1 - mine, __ATOMIC_RELEASE);
    futex_wake(&turn, 1);
  }
}

static void second_turns(void) {
  take_turns(1);
  __atomic_store_n(&other_done, true, __ATOMIC_RELEASE);
}

// The stack serves the next run: a thread that has said that it is done needs it no longer but to exit,
// so two of them alternate.
static void start_other(void (*function)(void)) {
  static unsigned which;
  if (!thread_stack) thread_stack = get_pages(2 * STACK);
  other_done = false;
  which = 1 - which;
  start_thread(function, thread_stack + (which + 1) * STACK);
}

static void wait_other(void) {
  // Polling would wait for the next tick of a single hart's scheduler.
  while (!__atomic_load_n(&other_done, __ATOMIC_ACQUIRE)) SYS(sched_yield);
}

static uint64_t futex_ping_pong(void) {
  turn = 0;
  start_other(second_turns);
  take_turns(0);
  wait_other();
  return turn;
}

static void contend(void) {
  for (int i = 0; i < 2000; i++) {
    lock(&lock_word);
    counter++;
    // Now and then the other finds it taken, on a single hart as well.
    if (i % 16 == 0) SYS(sched_yield);
    unlock(&lock_word);
  }
}

static void second_contend(void) {
  contend();
  __atomic_store_n(&other_done, true, __ATOMIC_RELEASE);
}

static uint64_t contention(void) {
  counter = 0;
  start_other(second_contend);
  contend();
  wait_other();
  return counter;
}

const struct bench system_benches[] = {
    {"system", "syscall", calls, 1000, 0},
    {"system", "pipe-ping-pong", pipe_ping_pong, 62530, 0},
    {"system", "fork-exit", fork_exit, 55, 0},
    {"system", "fork-exec", fork_exec, 5, 0},
    {"system", "page-fault", page_faults, 1024, 0},
    {"system", "signal", signal, 500, 0},
    {"system", "futex-ping-pong", futex_ping_pong, 0, 0},
    {"system", "lock-contention", contention, 4000, 0},
    {0, 0, 0, 0, 0},
};
