// SPDX-License-Identifier: Apache-2.0
// 1 to 64 MiB of code: functions of 64 bytes that are written by this program and called in turn. An
// iteration is one instruction executed: 13 of a function and 3 of the loop that calls it.

#include "bare.h"

#define MIB (1ull << 20)
#define CODE ((uint32_t *)0x84000000)  // behind this program, up to the end of 128 MiB of RAM
#define CODE_BYTES (64 * MIB)
#define FUNCTION_BYTES 64ull
#define INSNS_A_CALL 16ull
#define BODY_INSNS 12

#define ADDI_A0(imm) (0x00050513u | (uint32_t)(imm) << 20)
#define RET 0x00008067u

// Function f adds this to a0 by each of its instructions but the last, which returns.
static uint32_t step_of(uint64_t f) {
  return (uint32_t)f & 0x3ff;
}

static void write_functions(uint64_t first, uint64_t count) {
  for (uint64_t f = first; f < first + count; f++) {
    uint32_t *code = CODE + f * (FUNCTION_BYTES / sizeof *CODE);
    for (int i = 0; i < BODY_INSNS; i++) code[i] = ADDI_A0(step_of(f));
    code[BODY_INSNS] = RET;
  }
  asm volatile("fence.i" : : : "memory");
}

// Calls what lies from a1 to a2 in turn; returns a0.
uint64_t call_functions(uint64_t sum, const void *from, const void *to);
asm(".text\n.balign 4\n.globl call_functions\ncall_functions: mv t0, ra\n.option push\n.option norvc\n"
    "1: jalr ra, 0(a1)\naddi a1, a1, 64\nbne a1, a2, 1b\n.option pop\njr t0\n");

// What the functions below f add up to: whole rounds of the 1024 steps, and a part.
static uint64_t sum_below(uint64_t f) {
  uint64_t part = f % 1024;
  return BODY_INSNS * (f / 1024 * (1024 * 1023 / 2) + part * (part - 1) / 2);
}

static bool call_range(uint64_t from, uint64_t to) {
  const char *code = (const char *)CODE;
  return call_functions(0, code + from * FUNCTION_BYTES, code + to * FUNCTION_BYTES) == sum_below(to) - sum_below(from);
}

// Calls n / 16 of the functions in `bytes` of code, from where the last call stopped. All have been called
// before: what is measured is how they are found again.
static bool call_in_turn(uint64_t n, uint64_t bytes) {
  static uint64_t prepared, at;
  uint64_t functions = bytes / FUNCTION_BYTES;
  if (prepared != bytes) {
    prepared = bytes;
    at = 0;
    write_functions(0, functions);
    if (!call_range(0, functions)) return false;
  }
  for (uint64_t left = n / INSNS_A_CALL; left;) {
    uint64_t now = functions - at < left ? functions - at : left;
    if (!call_range(at, at + now)) return false;
    left -= now;
    at = (at + now) % functions;
  }
  return true;
}

static bool code_1m(uint64_t n) {
  return call_in_turn(n, MIB);
}

static bool code_4m(uint64_t n) {
  return call_in_turn(n, 4 * MIB);
}

static bool code_16m(uint64_t n) {
  return call_in_turn(n, 16 * MIB);
}

static bool code_64m(uint64_t n) {
  return call_in_turn(n, 64 * MIB);
}

// Code that runs for the first time: it is written, page by page, and called once.
static bool code_seen_first(uint64_t n) {
  static uint64_t at;
  uint64_t in_page = PAGE / FUNCTION_BYTES, functions = CODE_BYTES / FUNCTION_BYTES;
  for (uint64_t left = n / INSNS_A_CALL; left;) {
    uint64_t now = in_page - at % in_page < left ? in_page - at % in_page : left;
    if (at % in_page == 0) write_functions(at, in_page);
    if (!call_range(at, at + now)) return false;
    left -= now;
    at = (at + now) % functions;
  }
  return true;
}

const struct bench benches[] = {
    {"code-seen-first", code_seen_first, false},
    {"code-1MiB", code_1m, false},
    {"code-4MiB", code_4m, false},
    {"code-16MiB", code_16m, false},
    {"code-64MiB", code_64m, false},
    {0, 0, false},
};
