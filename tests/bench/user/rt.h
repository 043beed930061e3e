// SPDX-License-Identifier: Apache-2.0
// All the run-time that the benchmark programs have: Linux system calls of riscv64 and x86-64, so that
// no C library is in the figures and the same source runs in the emulator and on its host.
#ifndef GSTAGE_TESTS_BENCH_RT_H
#define GSTAGE_TESTS_BENCH_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__riscv)
enum {
  NR_close = 57,
  NR_pipe2 = 59,
  NR_read = 63,
  NR_write = 64,
  NR_exit = 93,
  NR_exit_group = 94,
  NR_futex = 98,
  NR_clock_gettime = 113,
  NR_sched_setaffinity = 122,
  NR_sched_getaffinity = 123,
  NR_kill = 129,
  NR_rt_sigaction = 134,
  NR_prctl = 167,
  NR_getpid = 172,
  NR_getppid = 173,
  NR_sched_yield = 124,
  NR_sysinfo = 179,
  NR_socket = 198,
  NR_bind = 200,
  NR_listen = 201,
  NR_accept = 202,
  NR_connect = 203,
  NR_sendto = 206,
  NR_recvfrom = 207,
  NR_setsockopt = 208,
  NR_munmap = 215,
  NR_clone = 220,
  NR_execve = 221,
  NR_mmap = 222,
  NR_mprotect = 226,
  NR_wait4 = 260,
};
#elif defined(__x86_64__)
enum {
  NR_read = 0,
  NR_write = 1,
  NR_close = 3,
  NR_mmap = 9,
  NR_mprotect = 10,
  NR_munmap = 11,
  NR_rt_sigaction = 13,
  NR_getpid = 39,
  NR_socket = 41,
  NR_connect = 42,
  NR_accept = 43,
  NR_sendto = 44,
  NR_recvfrom = 45,
  NR_bind = 49,
  NR_listen = 50,
  NR_setsockopt = 54,
  NR_clone = 56,
  NR_execve = 59,
  NR_exit = 60,
  NR_wait4 = 61,
  NR_kill = 62,
  NR_sysinfo = 99,
  NR_getppid = 110,
  NR_prctl = 157,
  NR_sched_yield = 24,
  NR_futex = 202,
  NR_sched_setaffinity = 203,
  NR_sched_getaffinity = 204,
  NR_clock_gettime = 228,
  NR_exit_group = 231,
  NR_pipe2 = 293,
};
#endif

long syscall6(long number, const long args[6]);
#define SYS(name, ...) syscall6(NR_##name, (const long[6]){__VA_ARGS__})

#define CLONE_VM 0x100
#define CLONE_FS 0x200
#define CLONE_FILES 0x400
#define CLONE_SIGHAND 0x800
#define CLONE_THREAD 0x10000
#define CLONE_SYSVSEM 0x40000
#define CLONE_CHILD_CLEARTID 0x200000
#define SIGCHLD 17
#define SIGUSR1 10

extern char** environment;

// As the kernel numbers them: CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID.
enum clock { WALL_CLOCK = 1, CPU_CLOCK = 2 };
uint64_t now_ns(enum clock clock);
// Written to the standard output by the line.
void print(const char* text);
void print_number(uint64_t value);
_Noreturn void exit_with(int code);
// Ends the program with a message: an operation that cannot fail did.
_Noreturn void give_up(const char* what);
// Zeroed memory, never freed; or freed by free_pages.
void* get_pages(size_t bytes);
void free_pages(void* pages, size_t bytes);
bool equal(const char* a, const char* b);
// The harts (processors of the host) that this process may run on.
unsigned harts_online(void);
// Keeps the calling thread on the n-th of them.
void stay_on_hart(unsigned n);
// Runs function on a second thread with this stack; the thread ends when it returns.
void start_thread(void (*function)(void), void* stack_top);
// The same, but its end is waited for with wait_for_workers.
void start_worker(void (*function)(void), void* stack_top);
void wait_for_workers(unsigned count);
void on_signal(int number, void (*handler)(int));

void* memcpy(void* to, const void* from, size_t size);
void* memset(void* to, int value, size_t size);

#endif
