// SPDX-License-Identifier: Apache-2.0
// Pages and page tables.
#include "fenced.h"

#define PAGES 512

static page_t pool[PAGES] __attribute__((aligned(4 * PAGE)));
static unsigned used;

// Zeroed; a hypervisor's root takes four, which the first ones asked for are.
uint64_t *new_page(void) { return pool[used++]; }

uint64_t pte(const void *page, uint64_t flags) { return (uint64_t)page >> 12 << 10 | flags; }

uint64_t satp(const uint64_t *root, uint64_t asid) { return SV39 | asid << 44 | (uint64_t)root >> 12; }

static unsigned index_of(uint64_t address, unsigned level) {
  const unsigned mask = level == 2 ? 2047 : 511;  // the root of a G-stage has 2048 entries
  return address >> (12 + 9 * level) & mask;
}

// The entry of the level, with the tables that lead to it.
uint64_t *entry_of(uint64_t *root, uint64_t address, unsigned level) {
  uint64_t *table = root;
  for (unsigned at = 2; at > level; at--) {
    uint64_t *entry = &table[index_of(address, at)];
    if ((*entry & PTE_V) == 0) *entry = pte(new_page(), PTE_V);
    table = (uint64_t *)(*entry >> 10 << 12);
  }
  return &table[index_of(address, level)];
}

void map(uint64_t *root, uint64_t address, const void *page, uint64_t flags) {
  *(volatile uint64_t *)entry_of(root, address, 0) = page == 0 ? 0 : pte(page, flags);
}

// An address space with the machine's RAM and devices one to one.
uint64_t *new_space(void) {
  uint64_t *const root = new_page();
  root[0] = pte((void *)0, PTE_RW);
  root[2] = pte((void *)0x80000000, PTE_RW | PTE_X);
  return root;
}

// The same of a G-stage.
uint64_t *new_guest_stage(void) {
  used = (used + 3) / 4 * 4;
  uint64_t *const root = new_page();
  used += 3;
  root[2] = pte((void *)0x80000000, PTE_RW | PTE_X | PTE_U);
  return root;
}
