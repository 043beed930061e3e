// SPDX-License-Identifier: Apache-2.0
#include "rt.h"

char **environment;

int run_main(int count, char **arguments);
void enter(long *stack);

#if defined(__riscv)
asm(".globl _start\n_start: .option push\n.option norelax\nla gp, __global_pointer$\n.option pop\n"
    "mv a0, sp\nandi sp, sp, -16\ncall enter\n");

long syscall6(long number, const long args[6]) {
  register long a0 asm("a0") = args[0];
  register long a1 asm("a1") = args[1];
  register long a2 asm("a2") = args[2];
  register long a3 asm("a3") = args[3];
  register long a4 asm("a4") = args[4];
  register long a5 asm("a5") = args[5];
  register long a7 asm("a7") = number;
  asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7) : "memory");
  return a0;
}

// a0: flags, a1: the new stack, a2: function. The child must not touch the parent's stack.
long clone_thread(long flags, void *stack, void (*function)(void));
asm(".globl clone_thread\nclone_thread: mv t3, a2\nli a2, 0\nli a3, 0\nli a4, 0\nli a7, 220\necall\n"
    "bnez a0, 1f\njalr t3\nli a0, 0\nli a7, 93\necall\n1: ret\n");
#else
asm(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall enter\n");

long syscall6(long number, const long args[6]) {
  long result = number;
  register long r10 asm("r10") = args[3];
  register long r8 asm("r8") = args[4];
  register long r9 asm("r9") = args[5];
  asm volatile("syscall"
               : "+a"(result)
               : "D"(args[0]), "S"(args[1]), "d"(args[2]), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

long clone_thread(long flags, void *stack, void (*function)(void));
asm(".globl clone_thread\nclone_thread: push %rbx\nmov %rdx, %rbx\nxor %edx, %edx\nxor %r10d, %r10d\n"
    "xor %r8d, %r8d\nmov $56, %eax\nsyscall\ntest %eax, %eax\njnz 1f\ncall *%rbx\nxor %edi, %edi\nmov $60, %eax\n"
    "syscall\n1: pop %rbx\nret\n");
// x86-64 has no return from signals of the kernel's own.
void signal_return(void);
asm(".globl signal_return\nsignal_return: mov $15, %eax\nsyscall\n");
#endif

void enter(long *stack) {
  environment = (char **)(stack + 2 + stack[0]);
  exit_with(run_main((int)stack[0], (char **)(stack + 1)));
}

_Noreturn void exit_with(int code) {
  for (;;) SYS(exit_group, code);
}

_Noreturn void give_up(const char *what) {
  print("FAIL ");
  print(what);
  print("\n");
  exit_with(1);
}

uint64_t now_ns(enum clock clock) {
  uint64_t time[2];
  SYS(clock_gettime, clock, (long)time);
  return time[0] * 1000000000 + time[1];
}

// A line is one write, so that nothing of the kernel's gets between its parts.
static char line[256];
static size_t line_used;

static void put(char c) {
  line[line_used++] = c;
  if (c != '\n' && line_used < sizeof line) return;
  SYS(write, 1, (long)line, (long)line_used);
  line_used = 0;
}

void print(const char *text) {
  while (*text) put(*text++);
}

void print_number(uint64_t value) {
  if (value >= 10) print_number(value / 10);
  put((char)('0' + value % 10));
}

void *get_pages(size_t bytes) {
  // Readable and writable; private and anonymous.
  long at = SYS(mmap, 0, (long)bytes, 3, 0x22, -1, 0);
  if (at < 0 && at > -4096) give_up("mmap");
  return (void *)at;
}

void free_pages(void *pages, size_t bytes) {
  SYS(munmap, (long)pages, (long)bytes);
}

bool equal(const char *a, const char *b) {
  for (; *a && *a == *b; a++) b++;
  return *a == *b;
}

void start_thread(void (*function)(void), void *stack_top) {
  long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  if (clone_thread(flags, stack_top, function) < 0) give_up("clone");
}

// To the kernel a process that shares all of this one's memory, so that wait4 sees its end.
void start_worker(void (*function)(void), void *stack_top) {
  if (clone_thread(CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD, stack_top, function) < 0) give_up("clone");
}

void wait_for_workers(unsigned count) {
  for (; count; count--) {
    if (SYS(wait4, -1, 0, 0, 0) < 0) give_up("wait4");
  }
}

// Masks of up to 1024 processors, as the kernel writes them.
#define MASK_WORDS 16

unsigned harts_online(void) {
  uint64_t mask[MASK_WORDS] = {0};
  unsigned count = 0;
  if (SYS(sched_getaffinity, 0, sizeof mask, (long)mask) < 0) give_up("sched_getaffinity");
  for (unsigned i = 0; i < 64 * MASK_WORDS; i++) count += mask[i / 64] >> i % 64 & 1;
  return count;
}

void stay_on_hart(unsigned n) {
  uint64_t mask[MASK_WORDS] = {0}, mine[MASK_WORDS] = {0};
  if (SYS(sched_getaffinity, 0, sizeof mask, (long)mask) < 0) give_up("sched_getaffinity");
  for (unsigned i = 0; i < 64 * MASK_WORDS; i++) {
    if (mask[i / 64] >> i % 64 & 1 && n-- == 0) mine[i / 64] = 1ull << i % 64;
  }
  if (SYS(sched_setaffinity, 0, sizeof mine, (long)mine)) give_up("sched_setaffinity");
}

void on_signal(int number, void (*handler)(int)) {
#if defined(__riscv)
  const struct {
    void (*handler)(int);
    unsigned long flags, mask;
  } action = {handler, 0, 0};
#else
  const struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
  } action = {handler, 0x4000000, signal_return, 0};
#endif
  if (SYS(rt_sigaction, number, (long)&action, 0, 8)) give_up("rt_sigaction");
}

void *memcpy(void *to, const void *from, size_t size) {
  uint8_t *out = to;
  const uint8_t *in = from;
  for (; size >= 32; size -= 32, out += 32, in += 32) {
    uint64_t a = ((const uint64_t *)in)[0], b = ((const uint64_t *)in)[1];
    uint64_t c = ((const uint64_t *)in)[2], d = ((const uint64_t *)in)[3];
    ((uint64_t *)out)[0] = a;
    ((uint64_t *)out)[1] = b;
    ((uint64_t *)out)[2] = c;
    ((uint64_t *)out)[3] = d;
  }
  for (; size; size--) *out++ = *in++;
  return to;
}

void *memset(void *to, int value, size_t size) {
  uint8_t *out = to;
  uint64_t word = (uint8_t)value * 0x0101010101010101ull;
  for (; size >= 32; size -= 32, out += 32) {
    for (int i = 0; i < 4; i++) ((uint64_t *)out)[i] = word;
  }
  for (; size; size--) *out++ = (uint8_t)value;
  return to;
}
