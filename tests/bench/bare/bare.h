// SPDX-License-Identifier: Apache-2.0
// Frame of the bare-metal benchmarks: programs in HS mode with a guest in VS mode and no software
// below them but a few lines of M mode. A program defines the table `benches`.
#ifndef GSTAGE_TESTS_BENCH_BARE_H
#define GSTAGE_TESTS_BENCH_BARE_H

#include <stdbool.h>
#include <stdint.h>

#define csr_read(csr)                                          \
  ({                                                           \
    uint64_t value_;                                           \
    asm volatile("csrr %0, " csr : "=r"(value_) : : "memory"); \
    value_;                                                    \
  })
#define csr_write(csr, value) asm volatile("csrw " csr ", %0" : : "r"((uint64_t)(value)) : "memory")

// By number where the assembler needs an extension for the name.
#define STIMECMP "0x14d"
#define VSSTATUS "0x200"
#define VSTVEC "0x205"
#define VSATP "0x280"
#define HSTATUS "0x600"
#define HEDELEG "0x602"
#define HIDELEG "0x603"
#define HCOUNTEREN "0x606"
#define HTVAL "0x643"
#define HTINST "0x64a"
#define HGATP "0x680"

#define BIT(n) (1ull << (n))
#define PAGE 4096ull

// A guest's address space: the machine's RAM one to one, so that its code is where it is linked, and
// private pages of 4 KiB in both stages. Nothing is mapped at the device in the second stage.
#define GUEST_DATA 0x40000000ull
#define GUEST_PAGES 512
#define GUEST_DEVICE 0x10000000ull

#define GUEST_LOAD_FAULT 21
#define VIRTUAL_INSTRUCTION 22
#define VS_CALL 10

// How many guests there are is a program's choice (meson.build): each has 2 MiB to clear and to fill.
#ifndef VCPUS
#define VCPUS 2
#endif

// switch.S knows the offsets: x[0] is the pc.
struct vcpu {
  uint64_t x[32];
  uint64_t host_sp;
  uint64_t hgatp, vsatp;
  uint64_t* data_table;  // the second stage's table of the private pages
  unsigned vmid;
};
extern struct vcpu vcpus[VCPUS];

// One benchmark. run() does `n` iterations of it and says whether all of them did what they should.
struct bench {
  const char* name;
  bool (*run)(uint64_t n);
  bool two_harts;  // left out where there is one
};
extern const struct bench benches[];

void put_string(const char* text);
// Prepares a guest to run `code` in VS mode with a0 = argument, and makes it the one loaded.
void guest_start(struct vcpu* vcpu, const void* code, uint64_t argument);
void guest_load(const struct vcpu* vcpu);
// Runs the loaded guest up to its next exit; returns scause.
uint64_t guest_run(struct vcpu* vcpu);
// Maps or unmaps a private page in the second stage; fences nothing.
void guest_page(struct vcpu* vcpu, unsigned page, bool present);

void fence_vvma_all(void);
void fence_gvma_all(void);

// Waits, in a bounded way, until secondary harts have started; false if there is none.
bool secondary_present(void);
#endif
