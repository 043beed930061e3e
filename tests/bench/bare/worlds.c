// SPDX-License-Identifier: Apache-2.0
// What a hypervisor does between exits: it reads the guest's memory, fences, switches worlds.

#include "bare.h"

#define WORKING_SET_PAGES 256

// Sums the first words of 1 MiB of private pages in a2, then calls.
void sweep_and_call(void);
asm(".text\n.balign 4\n.globl sweep_and_call\nsweep_and_call:\n.option push\n.option norvc\n"
    "li a5, 4096\nli a2, 0\nli a7, 0\n"
    "1: li a3, 256\nli a1, 0x40000000\n"
    "2: ld a4, 0(a1)\nadd a2, a2, a4\nadd a1, a1, a5\naddi a3, a3, -1\nbnez a3, 2b\n"
    "ecall\nj 1b\n.option pop\n");

static inline uint64_t hlv_d(uint64_t vaddr) {
  uint64_t value;
  asm volatile(".insn r 0x73, 4, 0x36, %0, %1, x0" : "=r"(value) : "r"(vaddr) : "memory");
  return value;
}

// hlv uses the guest's translation at the privilege of hstatus.SPVP.
static void as_guest_supervisor(void) {
  asm volatile("csrs 0x600, %0" : : "r"(BIT(8)));
  guest_load(&vcpus[0]);
}

static bool hlv(uint64_t n) {
  as_guest_supervisor();
  uint64_t sum = 0;
  for (uint64_t i = 0; i < n; i++) sum += hlv_d(GUEST_DATA);
  return sum == n;
}

static bool hlv_pages(uint64_t n) {
  as_guest_supervisor();
  uint64_t sum = 0, expected = 0;
  for (uint64_t i = 0; i < n; i++) {
    uint64_t page = i % WORKING_SET_PAGES;
    sum += hlv_d(GUEST_DATA + page * PAGE);
    expected += page + 1;
  }
  return sum == expected;
}

static bool hfence_gvma(uint64_t n) {
  as_guest_supervisor();
  // rs1 holds the guest physical address shifted right by 2.
  uint64_t at = GUEST_DATA >> 2, vmid = vcpus[0].vmid;
  for (uint64_t i = 0; i < n; i++) asm volatile(".insn r 0x73, 0, 0x31, x0, %0, %1" : : "r"(at), "r"(vmid) : "memory");
  return hlv_d(GUEST_DATA) == 1;
}

static bool hfence_vvma(uint64_t n) {
  as_guest_supervisor();
  uint64_t at = GUEST_DATA, asid = 1;
  for (uint64_t i = 0; i < n; i++) asm volatile(".insn r 0x73, 0, 0x11, x0, %0, %1" : : "r"(at), "r"(asid) : "memory");
  return hlv_d(GUEST_DATA) == 1;
}

// The entry that the fence dropped is wanted again at once.
static bool hfence_gvma_refill(uint64_t n) {
  as_guest_supervisor();
  uint64_t at = GUEST_DATA >> 2, vmid = vcpus[0].vmid, sum = 0;
  for (uint64_t i = 0; i < n; i++) {
    asm volatile(".insn r 0x73, 0, 0x31, x0, %0, %1" : : "r"(at), "r"(vmid) : "memory");
    sum += hlv_d(GUEST_DATA);
  }
  return sum == n;
}

static bool sfence_vma(uint64_t n) {
  uint64_t at = GUEST_DATA, asid = 1;
  for (uint64_t i = 0; i < n; i++) asm volatile("sfence.vma %0, %1" : : "r"(at), "r"(asid) : "memory");
  return true;
}

// Two guests in turn, each of which goes through 1 MiB of its own before it gives way.
static bool world_switch(uint64_t n) {
  for (int id = 0; id < 2; id++) guest_start(&vcpus[id], sweep_and_call, 0);
  for (uint64_t i = 0; i < n; i++) {
    struct vcpu *vcpu = &vcpus[i & 1];
    guest_load(vcpu);
    if (guest_run(vcpu) != VS_CALL) return false;
    vcpu->x[0] += 4;
  }
  uint64_t sweep = WORKING_SET_PAGES * (WORKING_SET_PAGES + 1) / 2;
  return vcpus[0].x[12] == sweep * ((n + 1) / 2) && vcpus[1].x[12] == sweep * (n / 2);
}

// The same without the working set: only the change of worlds.
static bool world_switch_bare(uint64_t n) {
  for (int id = 0; id < 2; id++) {
    guest_start(&vcpus[id], sweep_and_call, 0);
    if (guest_run(&vcpus[id]) != VS_CALL) return false;
  }
  uint64_t calls = 0;
  for (uint64_t i = 0; i < n; i++) {
    struct vcpu *vcpu = &vcpus[i & 1];
    guest_load(vcpu);
    calls += guest_run(vcpu) == VS_CALL;
  }
  return calls == n;
}

static bool sscratch(uint64_t n) {
  csr_write("sscratch", 3);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < n; i++) sum += csr_read("sscratch");
  return sum == 3 * n;
}

const struct bench benches[] = {
    {"sscratch-read", sscratch, false},
    {"hlv", hlv, false},
    {"hlv-256-pages", hlv_pages, false},
    {"hfence-gvma-address", hfence_gvma, false},
    {"hfence-vvma-address", hfence_vvma, false},
    {"hfence-gvma-refill", hfence_gvma_refill, false},
    {"sfence-vma-address", sfence_vma, false},
    {"world-switch", world_switch_bare, false},
    {"world-switch-2x1MiB", world_switch, false},
    {0, 0, false},
};
