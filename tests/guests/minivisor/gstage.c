// SPDX-License-Identifier: Apache-2.0
// The second stage of translation: guest physical to machine physical (chapter "Guest Physical
// Address Translation"). Sv39x4 is Sv39 with a root of 16 KiB, since guest physical addresses have
// 41 bits. All pages must have U set: the G-stage checks every access as a user access.

#include "minivisor.h"

static uint64_t root[GUESTS][2048] __attribute__((aligned(16384)));
static uint64_t ram_table[GUESTS][512] __attribute__((aligned(4096)));
static uint64_t shared_table[GUESTS][512] __attribute__((aligned(4096)));
static uint8_t ram[GUESTS][GUEST_RAM_SIZE] __attribute__((aligned(GUEST_RAM_SIZE)));
static uint64_t shared[512] __attribute__((aligned(4096)));

extern const char guest_image[], guest_image_end[];

static uint64_t pte(const volatile void *target, uint64_t flags) {
  return (uint64_t)target >> 12 << PTE_PPN_SHIFT | flags | PTE_V;
}

static unsigned index_of(uint64_t gpa, int level) {
  return gpa >> (12 + 9 * level) & (level == 2 ? 2047 : 511);
}

void gstage_build(int guest) {
  const uint64_t rw = PTE_R | PTE_W | PTE_U | PTE_A | PTE_D;
  memcpy(ram[guest], guest_image, guest_image_end - guest_image);
  // RAM is one 2 MiB page: a leaf at level 1. The shared page is a 4 KiB leaf at level 0, without X.
  root[guest][index_of(GUEST_RAM, 2)] = pte(ram_table[guest], 0);
  ram_table[guest][index_of(GUEST_RAM, 1)] = pte(ram[guest], rw | PTE_X);
  ram_table[guest][index_of(GUEST_SHARED, 1)] = pte(shared_table[guest], 0);
  shared_table[guest][index_of(GUEST_SHARED, 0)] = pte(shared, rw);
}

// VMIDs begin at 1, so that entries of VMID 0 (no guest yet) are never mistaken for a guest's.
uint64_t gstage_hgatp(int guest) {
  return HGATP_SV39X4 | (uint64_t)(guest + 1) << HGATP_VMID_SHIFT | (uint64_t)root[guest] >> 12;
}

uint64_t guest_ram(int guest) {
  return (uint64_t)ram[guest];
}

volatile uint64_t *shared_page(void) {
  return shared;
}
