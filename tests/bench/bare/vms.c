// SPDX-License-Identifier: Apache-2.0
// One to eight guests in turn on one hart: what a change of worlds costs as they become more. Each goes
// through 64 pages of its own before it gives way. An iteration is one such change.

#include "bare.h"

#define WORKING_SET_PAGES 64

// Sums the first words of 64 private pages in a2, then calls.
void sweep_and_call(void);
asm(".text\n.balign 4\n.globl sweep_and_call\nsweep_and_call:\n.option push\n.option norvc\n"
    "li a5, 4096\nli a2, 0\nli a7, 0\n"
    "1: li a3, 64\nli a1, 0x40000000\n"
    "2: ld a4, 0(a1)\nadd a2, a2, a4\nadd a1, a1, a5\naddi a3, a3, -1\nbnez a3, 2b\n"
    "ecall\nj 1b\n.option pop\n");

static bool take_turns(uint64_t n, unsigned guests) {
  for (unsigned id = 0; id < guests; id++) guest_start(&vcpus[id], sweep_and_call, 0);
  for (uint64_t i = 0; i < n; i++) {
    struct vcpu *vcpu = &vcpus[i % guests];
    guest_load(vcpu);
    if (guest_run(vcpu) != VS_CALL) return false;
    vcpu->x[0] += 4;
  }
  uint64_t sweep = WORKING_SET_PAGES * (WORKING_SET_PAGES + 1) / 2;
  for (unsigned id = 0; id < guests; id++) {
    if (vcpus[id].x[12] != sweep * ((n + guests - 1 - id) / guests)) return false;
  }
  return true;
}

static bool switch_1(uint64_t n) {
  return take_turns(n, 1);
}

static bool switch_2(uint64_t n) {
  return take_turns(n, 2);
}

static bool switch_4(uint64_t n) {
  return take_turns(n, 4);
}

static bool switch_8(uint64_t n) {
  return take_turns(n, 8);
}

const struct bench benches[] = {
    {"switch-1VM", switch_1, false},
    {"switch-2VM", switch_2, false},
    {"switch-4VM", switch_4, false},
    {"switch-8VM", switch_8, false},
    {0, 0, false},
};
