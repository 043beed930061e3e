// SPDX-License-Identifier: Apache-2.0
// Page tables of the privileged tests.

#include "priv.h"

struct space hs_space, vs_space, g_space;
uint64_t page_a[512] __attribute__((aligned(4096)));
uint64_t page_b[512] __attribute__((aligned(4096)));
uint64_t page_c[512] __attribute__((aligned(4096)));
uint64_t page_d[512] __attribute__((aligned(4096)));

#define POOL_PAGES 256
static uint64_t pool[POOL_PAGES][512] __attribute__((aligned(16384)));
static unsigned pool_used;

void lost_in_m(uint64_t cause, uint64_t epc, uint64_t tval);

// Zeroed table pages; `count` is 4 for a G-stage root, which is 16 KiB and aligned to that.
static uint64_t *table(unsigned count) {
  pool_used = (pool_used + count - 1) / count * count;
  if (pool_used + count > POOL_PAGES) lost_in_m(0, 0, pool_used);
  uint64_t *page = pool[pool_used];
  pool_used += count;
  for (unsigned i = 0; i < 512 * count; i++) page[i] = 0;
  return page;
}

uint64_t pte_for(const void *page, uint64_t flags) {
  return (uint64_t)page >> 12 << 10 | flags;
}

uint64_t *pte_of(struct space *space, uint64_t from, int level) {
  uint64_t *page = space->root;
  for (int at = space->levels - 1;; at--) {
    bool wide = space->gstage && at == space->levels - 1;
    uint64_t *entry = &page[from >> (12 + 9 * at) & (wide ? 2047 : 511)];
    if (at == level) return entry;
    if (!(*entry & PTE_V)) *entry = pte_for(table(1), PTE_V);
    page = (uint64_t *)(*entry >> 10 << 12);
  }
}

uint64_t *map(struct space *space, uint64_t from, uint64_t to, uint64_t flags, int level) {
  uint64_t *entry = pte_of(space, from, level);
  *entry = pte_for((void *)to, flags);
  return entry;
}

void space_init(struct space *space, int levels, bool gstage) {
  space->root = table(gstage ? 4 : 1);
  space->levels = levels;
  space->gstage = gstage;
  if (gstage) {
    map(space, 0x80000000, 0x80000000, PTE_RWX | PTE_U, 2);
  } else {
    map(space, 0x80000000, 0x80000000, PTE_RWX, 2);
    map(space, 0x80000000 + USER_OFFSET, 0x80000000, PTE_RWX | PTE_U, 2);
  }
}

uint64_t atp(const struct space *space, uint64_t id) {
  return SATP_MODE(SV39 + space->levels - 3) | id << 44 | (uint64_t)space->root >> 12;
}

// In M mode, these fence all of HS, VS and G stage for every VMID and ASID.
void fence_all(void) {
  asm volatile("sfence.vma\n.insn r 0x73, 0, 0x11, x0, x0, x0\n.insn r 0x73, 0, 0x31, x0, x0, x0"
               : : : "memory");
}

void enable_hs(int levels) {
  if (levels) space_init(&hs_space, levels, false);
  csr_write(SATP, levels ? atp(&hs_space, 0) : 0);
  fence_all();
}

void enable_guest(int vs_levels, int g_levels) {
  pool_used = 0;
  csr_write(SATP, 0);
  csr_write(VSATP, 0);
  if (vs_levels) space_init(&vs_space, vs_levels, false);
  if (g_levels) space_init(&g_space, g_levels, true);
  csr_write(HGATP, g_levels ? atp(&g_space, 1) : 0);
  csr_write(VSATP, vs_levels ? atp(&vs_space, 1) : 0);
  fence_all();
}
