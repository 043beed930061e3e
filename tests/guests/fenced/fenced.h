// SPDX-License-Identifier: Apache-2.0
#ifndef FENCED_H
#define FENCED_H

#include <stdbool.h>
#include <stdint.h>

enum fence {
  nothing,
#define FENCE_ROW(name, text) name,
#include "fences.h"
#undef FENCE_ROW
};
#ifndef WITHOUT
#define WITHOUT nothing
#endif
// Executes the fence unless the program was built without it.
#define FENCE(name, statement)          \
  do {                                  \
    if (WITHOUT != name) { statement; } \
  } while (0)

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define csr_write(number, value) asm volatile("csrw " TEXT(number) ", %0" : : "r"((uint64_t)(value)) : "memory")
#define csr_set(number, value) asm volatile("csrs " TEXT(number) ", %0" : : "r"((uint64_t)(value)) : "memory")
#define HSTATUS 0x600
#define HEDELEG 0x602
#define VSATP 0x280
#define HGATP 0x680

// The fences, with both operands, one, or none (x0).
#define FENCE_R(funct7, rs1, rs2) asm volatile(".insn r 0x73, 0, " TEXT(funct7) ", x0, %0, %1" : : rs1, rs2 : "memory")
#define OPERAND(value) "r"((uint64_t)(value))
#define FENCE_BOTH(funct7, address, id) FENCE_R(funct7, OPERAND(address), OPERAND(id))
#define FENCE_ID(funct7, id) \
  asm volatile(".insn r 0x73, 0, " TEXT(funct7) ", x0, x0, %0" : : OPERAND(id) : "memory")
#define FENCE_ADDRESS(funct7, address) \
  asm volatile(".insn r 0x73, 0, " TEXT(funct7) ", x0, %0, x0" : : OPERAND(address) : "memory")
#define FENCE_ALL(funct7) asm volatile(".insn r 0x73, 0, " TEXT(funct7) ", x0, x0, x0" : : : "memory")
#define SFENCE_VMA 0x09
#define SINVAL_VMA 0x0b
#define HFENCE_VVMA 0x11
#define HINVAL_VVMA 0x13
#define HFENCE_GVMA 0x31
#define HINVAL_GVMA 0x33
#define SFENCE_W_INVAL() asm volatile(".word 0x18000073" : : : "memory")
#define SFENCE_INVAL_IR() asm volatile(".word 0x18100073" : : : "memory")

#define PTE_V 1
#define PTE_R 2
#define PTE_W 4
#define PTE_X 8
#define PTE_U 16
#define PTE_G 32
#define PTE_AD 0xc0
#define PTE_RW (PTE_V | PTE_R | PTE_W | PTE_AD)
#define SV39 (8ull << 60)
#define PAGE 4096

typedef uint64_t page_t[512];

// What a load or store answers when it trapped.
#define TRAPPED (~0ull)

// entry.S
uint64_t probe_load(uint64_t address);
uint64_t probe_store(uint64_t address, uint64_t value);
uint64_t probe_hlv(uint64_t address);
// Runs the guest at `entry`, V=1, with the arguments; its a0 at the ecall, or TRAPPED.
uint64_t guest_run(const void *entry, uint64_t a0, uint64_t a1, uint64_t a2);
extern const char guest_load[];        // loads from a0
extern const char guest_store[];       // stores a1 to a0
extern const char guest_remap[];       // stores a2 to the entry at a1, fences a0, loads from a0
extern const char guest_remap_bare[];  // the same without the fence
extern const char guest_call[];        // fence.i, calls a0
extern const char guest_call_bare[];   // the same without the fence
void hypervisor_trap(void);
void put_string(const char *text);
void put_hex(uint64_t number);
void enter_hypervisor(void (*entry)(void)) __attribute__((noreturn));

// tables.c
uint64_t *new_page(void);
uint64_t pte(const void *page, uint64_t flags);
uint64_t satp(const uint64_t *root, uint64_t asid);
uint64_t *entry_of(uint64_t *root, uint64_t address, unsigned level);
void map(uint64_t *root, uint64_t address, const void *page, uint64_t flags);
uint64_t *new_space(void);
uint64_t *new_guest_stage(void);

#endif
