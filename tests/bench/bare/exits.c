// SPDX-License-Identifier: Apache-2.0
// What it costs to leave a guest and to come back.

#include "bare.h"

#define TOUCHED_PAGES 64

uint64_t guest_run_calls(struct vcpu *vcpu);

// Guests' code in VS mode; all end with a call whose a7 is not zero.
#define GUEST_CODE(name, body)                                                    \
  void name(void);                                                                \
  asm(".text\n.balign 4\n.globl " #name "\n" #name ":\n.option push\n.option norvc\n" body \
      "li a7, 1\necall\n.option pop\n")

GUEST_CODE(call_loop, "1: ecall\naddi a0, a0, -1\nbnez a0, 1b\n");
GUEST_CODE(wfi_loop, "1: wfi\naddi a0, a0, -1\nbnez a0, 1b\n");
GUEST_CODE(device_loop, "li a1, 0x10000000\nli a2, 0\n"
                        "1: lw a3, 8(a1)\nadd a2, a2, a3\naddi a0, a0, -1\nbnez a0, 1b\n");
// a2 sums the first word of each page: page i holds i + 1.
GUEST_CODE(touch_loop, "li a5, 4096\nli a2, 0\n"
                       "1: ecall\nli a3, 64\nli a1, 0x40000000\n"
                       "2: ld a4, 0(a1)\nadd a2, a2, a4\nadd a1, a1, a5\naddi a3, a3, -1\nbnez a3, 2b\n"
                       "addi a0, a0, -1\nbnez a0, 1b\n");
// Touches all private pages, over and over, one iteration a page.
GUEST_CODE(sweep_loop, "li a5, 4096\nli a2, 0\n"
                       "1: li a3, 512\nli a1, 0x40000000\n"
                       "2: ld a4, 0(a1)\nadd a2, a2, a4\nadd a1, a1, a5\naddi a0, a0, -1\nbeqz a0, 3f\n"
                       "addi a3, a3, -1\nbnez a3, 2b\nj 1b\n3:\n");

static bool is_last(const struct vcpu *vcpu) {
  return vcpu->x[17] == 1;
}

static bool ecall_least(uint64_t n) {
  guest_start(&vcpus[0], call_loop, n);
  return guest_run_calls(&vcpus[0]) == VS_CALL && vcpus[0].x[10] == 0;
}

// Exits of one cause, answered by skipping the instruction.
static bool skipped(const void *code, uint64_t n, uint64_t cause) {
  struct vcpu *vcpu = &vcpus[0];
  guest_start(vcpu, code, n);
  uint64_t exits = 0;
  for (; guest_run(vcpu) == cause && !is_last(vcpu); exits++) vcpu->x[0] += 4;
  return exits == n;
}

static bool ecall_full(uint64_t n) {
  return skipped(call_loop, n, VS_CALL);
}

static bool wfi(uint64_t n) {
  return skipped(wfi_loop, n, VIRTUAL_INSTRUCTION);
}

// Emulates a load by what htval and htinst tell ("Transformed Instruction or Pseudoinstruction for
// mtinst or htinst"): bit 1 of htinst is clear if the original was compressed.
static bool device(uint64_t n) {
  struct vcpu *vcpu = &vcpus[0];
  guest_start(vcpu, device_loop, n);
  uint64_t value = 0, sum = 0;
  while (guest_run(vcpu) == GUEST_LOAD_FAULT) {
    uint64_t insn = csr_read(HTINST);
    uint64_t gpa = csr_read(HTVAL) << 2 | (csr_read("stval") & 3);
    if (gpa != GUEST_DEVICE + 8 || (insn & 0x707d) != 0x2001) return false;
    vcpu->x[insn >> 7 & 31] = ++value & 0xffff;
    sum += value & 0xffff;
    vcpu->x[0] += insn & 2 ? 4 : 2;
  }
  return is_last(vcpu) && value == n && vcpu->x[12] == sum;
}

static bool touch(uint64_t n) {
  bool good = skipped(touch_loop, n, VS_CALL);
  return good && vcpus[0].x[12] == n * (TOUCHED_PAGES * (TOUCHED_PAGES + 1) / 2);
}

static void unmap_half(struct vcpu *vcpu, unsigned first) {
  for (unsigned i = 0; i < GUEST_PAGES / 2; i++) guest_page(vcpu, first + i, false);
  asm volatile(".insn r 0x73, 0, 0x31, x0, x0, %0" : : "r"((uint64_t)vcpu->vmid) : "memory");
}

// A page is mapped when it faults. While one half of the pages is swept the other is taken away, all
// under one fence of the VMID, so that every touch of the sweep faults.
static bool fault_storm(uint64_t n) {
  struct vcpu *vcpu = &vcpus[0];
  guest_start(vcpu, sweep_loop, n);
  unmap_half(vcpu, 0);
  uint64_t faults = 0;
  while (guest_run(vcpu) == GUEST_LOAD_FAULT) {
    uint64_t page = ((csr_read(HTVAL) << 2) - GUEST_DATA) / PAGE;
    if (page >= GUEST_PAGES) return false;
    if (page % (GUEST_PAGES / 2) == 0) unmap_half(vcpu, GUEST_PAGES / 2 - (unsigned)page);
    guest_page(vcpu, (unsigned)page, true);
    faults++;
  }
  for (unsigned i = 0; i < GUEST_PAGES; i++) guest_page(vcpu, i, true);
  fence_gvma_all();
  return is_last(vcpu) && faults == n;
}

const struct bench benches[] = {
    {"ecall", ecall_least, false},
    {"ecall-all-registers", ecall_full, false},
    {"wfi-exit", wfi, false},
    {"mmio-exit", device, false},
    {"exit-touch-64-pages", touch, false},
    {"guest-page-fault", fault_storm, false},
    {0, 0, false},
};
