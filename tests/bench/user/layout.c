// SPDX-License-Identifier: Apache-2.0
// One program at many places: code and data of an interpreter's loop, page by page, moved over the address space. A
// run does the same instructions in the same order wherever they lie.
#include "bench.h"

#define PAGE 4096ul
#define MIB (1ul << 20)
#define GIB (1ul << 30)
#define PAGES 64  // of code, and as many of data
#define PROGRAM 8192
#define OFFSET 0x240  // in its page, of all code and data

// What is moved: acc = f(word, acc); the word is stored as it was.
extern const char operation_begin[], operation_end[];
#if defined(__riscv)
asm(".balign 4\noperation_begin: ld a2, 0(a0)\nadd a1, a1, a2\nslli a3, a1, 3\nxor a1, a1, a3\nsd a2, 8(a0)\n"
    "mv a0, a1\nret\noperation_end:\n");
#else
asm("operation_begin: mov (%rdi), %rdx\nadd %rdx, %rsi\nlea 0(,%rsi,8), %rcx\nxor %rcx, %rsi\nmov %rdx, 8(%rdi)\n"
    "mov %rsi, %rax\nret\noperation_end:\n");
#endif

typedef uint64_t operation(uint64_t *word, uint64_t acc);

// Where n of them lie: side by side, at multiples of a distance, or at random.
struct places {
  uint64_t distance;  // 0: at random
  uint64_t seed;
};

static struct {
  operation *code[PAGES];
  uint64_t *data[PAGES];
  uint8_t program[PROGRAM][2];
} machine;

// Maps a page there, or, where something else lies, a page further on.
static uint8_t *map_at(uint64_t address) {
  for (;; address += PAGE) {
    // Readable, writable and executable; private, anonymous, and nowhere else (MAP_FIXED_NOREPLACE).
    if (SYS(mmap, (long)address, PAGE, 7, 0x100022, -1, 0) == (long)address) return (uint8_t *)address;
  }
}

// All that is mapped here lies between 64 and 192 GiB, where nothing else is on either machine.
static void map_pages(uint8_t *pages[PAGES], const struct places *places, uint64_t base) {
  uint64_t state = places->seed;
  for (unsigned i = 0; i < PAGES; i++) {
    uint64_t random = (next_random(&state) << 20 ^ next_random(&state)) % (60 * GIB);
    pages[i] = map_at(base + (places->distance ? i * places->distance : random & -PAGE));
  }
}

static void unmap_all(void) {
  for (unsigned i = 0; i < PAGES && machine.data[0]; i++) {
    free_pages((void *)((uint64_t)machine.code[i] & -PAGE), PAGE);
    free_pages((void *)((uint64_t)machine.data[i] & -PAGE), PAGE);
  }
}

static void lay_out(const struct places *code, const struct places *data) {
  static const struct places *code_now, *data_now;
  if (code == code_now && data == data_now) return;
  unmap_all();
  code_now = code, data_now = data;
  uint8_t *pages[PAGES];
  uint64_t state = 1;
  map_pages(pages, code, 64 * GIB);
  for (unsigned i = 0; i < PAGES; i++) {
    memcpy(pages[i] + OFFSET, operation_begin, (size_t)(operation_end - operation_begin));
    machine.code[i] = (operation *)(pages[i] + OFFSET);
  }
#if defined(__riscv)
  asm volatile("fence.i" ::: "memory");
#endif
  map_pages(pages, data, 128 * GIB);
  for (unsigned i = 0; i < PAGES; i++) {
    machine.data[i] = (uint64_t *)(pages[i] + OFFSET);
    *machine.data[i] = next_random(&state);
  }
  for (unsigned i = 0; i < PROGRAM; i++) {
    machine.program[i][0] = next_random(&state) % PAGES;
    machine.program[i][1] = next_random(&state) % PAGES;
  }
}

static uint64_t interpret(const struct places *code, const struct places *data) {
  lay_out(code, data);
  uint64_t acc = 1;
  for (unsigned i = 0; i < PROGRAM; i++)
    acc = machine.code[machine.program[i][0]](machine.data[machine.program[i][1]], acc);
  return acc;
}

static const struct places packed = {PAGE, 0}, at_256k = {MIB / 4, 0}, at_2m = {2 * MIB, 0}, at_4m = {4 * MIB, 0},
                           at_1g = {GIB, 0}, random_1 = {0, 1}, random_2 = {0, 2}, random_3 = {0, 3};

#define LAYOUTS(row) row(packed) row(at_256k) row(at_2m) row(at_4m) row(at_1g) row(random_1) row(random_2) row(random_3)
#define RUNS(places)                                                              \
  static uint64_t code_##places(void) { return interpret(&places, &packed); }     \
  static uint64_t data_##places(void) { return interpret(&packed, &places); }     \
  static uint64_t both_##places(void) { return interpret(&places, &places); }
#define ROWS(places)                                                              \
  {"layout", "layout-code-" #places, code_##places, RESULT, .steps = PROGRAM},    \
  {"layout", "layout-data-" #places, data_##places, RESULT, .steps = PROGRAM},    \
  {"layout", "layout-both-" #places, both_##places, RESULT, .steps = PROGRAM},
#define RESULT 5571981605677498845ul

LAYOUTS(RUNS)
const struct bench layout_benches[] = {LAYOUTS(ROWS){0}};
