// SPDX-License-Identifier: Apache-2.0
#include "softmmu/mem/tlb.h"

#include <algorithm>
#include <bit>

#include "softmmu/base/bits.h"
#include "softmmu/mem/code_pages.h"

namespace gstage {

namespace {

constexpr unsigned kWrite = static_cast<unsigned>(TlbAccess::kWrite);
constexpr unsigned kFetch = static_cast<unsigned>(TlbAccess::kFetch);

/// Tags of write entries are shared with other threads; the others are treated alike, it costs nothing.
std::uint64_t load_tag(const TlbEntry& e) { return __atomic_load_n(&e.tag, __ATOMIC_ACQUIRE); }
void store_tag(TlbEntry& e, std::uint64_t tag) {
  std::atomic_ref(e.tag).store(tag, std::memory_order_release);
}

bool is_same_page(std::uint64_t a, std::uint64_t b, unsigned shift) {
  return shift >= 64 || ((a ^ b) >> shift) == 0;
}

unsigned leaf_shift(unsigned shift) { return std::clamp<unsigned>(shift, kPageShift, 63); }

/// The bucket of the G-stage leaf of this size that holds the guest physical address.
unsigned gpa_bucket(std::uint64_t gpa, unsigned shift) {
  return hash_bits(gpa >> shift, std::countr_zero(kGpaBuckets));
}

/// The bit of a slot in its word of a SlotSet.
std::uint64_t slot_bit(unsigned slot) { return std::uint64_t{1} << (slot % 64); }

/// The bit of a page's group of jumps.
std::uint64_t group_bit(std::uint64_t page) {
  static_assert(kJumpCacheSize / kJumpGroup == 64);
  return std::uint64_t{1} << (jump_index(page) / kJumpGroup);
}

unsigned filter_bit(std::uint64_t host_page) {
  return hash_bits(host_page >> kPageShift, std::countr_zero(kWriteFilterBits));
}

}  // namespace

const char* tlb_flush_name(TlbFlush reason) {
  static constexpr std::array kNames{"context recycled",
                                     "fence without operands",
                                     "fence by ASID/VMID",
                                     "fence by address",
                                     "PMP changed",
                                     "page now holds code",
                                     "reset"};
  static_assert(kNames.size() == static_cast<unsigned>(TlbFlush::kCount));
  return kNames[static_cast<unsigned>(reason)];
}

TlbContext::TlbContext() {
  for (auto& table : tables) table.fill(TlbEntry{kNoTag, 0});
  clear_jumps();
  is_empty = true;
}

/// Calls `visit(access, slot)` for each. The bits may be cleared meanwhile.
template <class Visit>
void TlbContext::for_slots(const std::array<SlotSet, 3>& slots, Visit&& visit) {
  for (const TlbAccess access : {TlbAccess::kRead, TlbAccess::kWrite, TlbAccess::kFetch}) {
    const SlotSet& set = slots[static_cast<unsigned>(access)];
    for (unsigned word = 0; word < set.size(); ++word)
      for (std::uint64_t rest = set[word]; rest != 0; rest &= rest - 1)
        visit(access, 64 * word + static_cast<unsigned>(std::countr_zero(rest)));
  }
}

void TlbContext::clear() {
  if (is_empty) return;
  for (std::uint64_t rest = jump_groups; rest != 0; rest &= rest - 1)
    std::fill_n(&jumps[kJumpGroup * static_cast<unsigned>(std::countr_zero(rest))], kJumpGroup,
                JumpEntry{kNoPc, nullptr});
  for_slots(used, [&](TlbAccess access, unsigned slot) { store_tag(table(access)[slot], kNoTag); });
  used = global = {};
  jump_groups = 0;
  for (auto& word : write_filter) word.store(0, std::memory_order_relaxed);
  superpage_low = ~std::uint64_t{0};
  superpage_high = 0;
  if (gpa_shifts != 0) gpa_slots = {};
  gpa_buckets = {};
  gpa_shifts = 0;
  is_empty = true;
}

void TlbContext::clear_jumps() { jumps.fill(JumpEntry{kNoPc, nullptr}); }

void TlbContext::clear_page_jumps(Vaddr vaddr) {
  const std::uint64_t page = vaddr.page().value;
  if ((jump_groups & group_bit(page)) != 0) {
    JumpEntry* const group = &jumps[jump_index(page)];
    for (unsigned i = 0; i < kJumpGroup; ++i)
      if ((group[i].pc & ~kPageMask) == page) group[i] = JumpEntry{kNoPc, nullptr};
  }
  JumpEntry* const set = &jumps[jump_index(page - 2)];
  for (unsigned way = 0; way < 2; ++way)
    if (set[way].pc == page - 2) set[way] = JumpEntry{kNoPc, nullptr};
}

void TlbContext::drop_entry(TlbAccess access, unsigned slot) {
  TlbEntry& entry = table(access)[slot];
  if (access == TlbAccess::kFetch) clear_page_jumps(Vaddr{entry.tag});
  store_tag(entry, kNoTag);
  used[static_cast<unsigned>(access)][slot / 64] &= ~slot_bit(slot);
}

template <class Drop>
void TlbContext::drop_entries_if(Drop&& drop) {
  for_slots(used, [&](TlbAccess access, unsigned slot) {
    const unsigned which = static_cast<unsigned>(access);
    const std::uint64_t tag = load_tag(tables[which][slot]);
    if (tag != kNoTag && drop(tag, origins[which][slot])) drop_entry(access, slot);
  });
}

void TlbContext::clear_page(Vaddr vaddr, bool spare_global) {
  if (is_empty) return;
  const auto drop = [&](std::uint64_t tag, const TlbOrigin& origin) {
    return is_same_page(tag, vaddr.value, std::max<unsigned>(origin.page_shift, kPageShift)) &&
           !(spare_global && origin.is_global);
  };
  if (vaddr.value >= superpage_low && vaddr.value <= superpage_high) {
    drop_entries_if(drop);
    return;
  }
  const unsigned slot = tlb_index(vaddr.value);
  // Without a fetch entry the page has no jumps but perhaps the one that straddles into it.
  if (tables[kFetch][slot].tag != vaddr.page().value) clear_page_jumps(vaddr);
  for (const TlbAccess access : {TlbAccess::kRead, TlbAccess::kWrite, TlbAccess::kFetch}) {
    const unsigned which = static_cast<unsigned>(access);
    const std::uint64_t tag = load_tag(tables[which][slot]);
    if (tag != kNoTag && drop(tag, origins[which][slot])) drop_entry(access, slot);
  }
}

void TlbContext::clear_non_global() {
  if (is_empty) return;
  std::array<SlotSet, 3> others = used;
  for (unsigned which = 0; which < others.size(); ++which)
    for (unsigned word = 0; word < others[which].size(); ++word) others[which][word] &= ~global[which][word];
  for_slots(others, [&](TlbAccess access, unsigned slot) {
    // What another thread withheld meanwhile has nothing more to drop.
    if (load_tag(table(access)[slot]) != kNoTag) drop_entry(access, slot);
  });
}

void TlbContext::clear_gpa_bucket(TlbAccess access, unsigned bucket, std::uint64_t gpa) {
  const unsigned which = static_cast<unsigned>(access);
  const std::uint64_t in_use = std::uint64_t{1} << bucket;
  if ((gpa_buckets[which] & in_use) == 0) return;
  SlotSet& slots = gpa_slots[which][bucket];
  std::uint64_t left = 0;
  for (unsigned word = 0; word < slots.size(); ++word) {
    for (std::uint64_t rest = slots[word]; rest != 0; rest &= rest - 1) {
      const unsigned slot = 64 * word + static_cast<unsigned>(std::countr_zero(rest));
      const TlbOrigin& origin = origins[which][slot];
      const unsigned shift = leaf_shift(origin.gpa_shift);
      const bool is_here =
          load_tag(tables[which][slot]) != kNoTag && gpa_bucket(origin.gpa_page, shift) == bucket;
      if (is_here && !is_same_page(origin.gpa_page, gpa, shift)) continue;
      if (is_here) drop_entry(access, slot);
      slots[word] &= ~(rest & -rest);
    }
    left |= slots[word];
  }
  if (left == 0) gpa_buckets[which] &= ~in_use;
}

void TlbContext::clear_gpa(Gpa gpa) {
  if (is_empty) return;
  for (std::uint64_t shifts = gpa_shifts; shifts != 0; shifts &= shifts - 1) {
    const unsigned bucket = gpa_bucket(gpa.value, static_cast<unsigned>(std::countr_zero(shifts)));
    for (const TlbAccess access : {TlbAccess::kRead, TlbAccess::kWrite, TlbAccess::kFetch})
      clear_gpa_bucket(access, bucket, gpa.value);
  }
}

/// Puts an entry into the slot, and what belongs to it where fences look.
void TlbContext::fill(TlbAccess access, unsigned slot, const TlbEntry& entry, const TlbOrigin& origin) {
  const unsigned which = static_cast<unsigned>(access);
  if (which == kWrite) {
    const unsigned filter = filter_bit(entry.tag + entry.addend);
    auto& word = write_filter[filter / 64];
    const std::uint64_t old = word.load(std::memory_order_relaxed);
    if ((old & slot_bit(filter)) == 0) word.store(old | slot_bit(filter), std::memory_order_relaxed);
  }
  if (which == kFetch) jump_groups |= group_bit(entry.tag);
  if (origin.page_shift > kPageShift) {
    const std::uint64_t mask =
        origin.page_shift >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << origin.page_shift) - 1;
    superpage_low = std::min(superpage_low, entry.tag & ~mask);
    superpage_high = std::max(superpage_high, entry.tag | mask);
  }
  origins[which][slot] = origin;
  used[which][slot / 64] |= slot_bit(slot);
  std::uint64_t& globals = global[which][slot / 64];
  globals = origin.is_global ? globals | slot_bit(slot) : globals & ~slot_bit(slot);
  if (origin.gpa_shift != kNoGStage) {
    const unsigned gpa_shift = leaf_shift(origin.gpa_shift);
    gpa_shifts |= std::uint64_t{1} << gpa_shift;
    const unsigned bucket = gpa_bucket(origin.gpa_page, gpa_shift);
    gpa_buckets[which] |= std::uint64_t{1} << bucket;
    gpa_slots[which][bucket][slot / 64] |= slot_bit(slot);
  }
  is_empty = false;
  // The old tag must not be seen with the new addend by a thread that looks for the host page of both.
  TlbEntry& to = tables[which][slot];
  std::atomic_ref(to.addend).store(entry.addend, std::memory_order_release);
  store_tag(to, entry.tag);
}

void TlbContext::insert(TlbAccess access, Vaddr vaddr, const void* host_page, const TlbOrigin& origin) {
  const std::uint64_t page = vaddr.page().value;
  const unsigned slot = tlb_index(page);
  const TlbEntry& old = table(access)[slot];
  const std::uint64_t addend = reinterpret_cast<std::uint64_t>(host_page) - page;
  // The invariant of jumps: those of the page that leaves go with it, also when the same page comes back with
  // another translation.
  if (access == TlbAccess::kFetch && old.tag != kNoTag && (old.tag != page || old.addend != addend))
    drop_entry(access, slot);
  fill(access, slot, {page, addend}, origin);
}

void TlbContext::adopt_jumps(const TlbContext& from) {
  for (std::uint64_t rest = jump_groups; rest != 0; rest &= rest - 1) {
    const unsigned first = kJumpGroup * static_cast<unsigned>(std::countr_zero(rest));
    for (unsigned i = first; i < first + kJumpGroup; ++i) {
      const JumpEntry& jump = from.jumps[i];
      // What straddles into another page stays behind: that page might not come along.
      if (jump.pc == kNoPc || (jump.pc & kPageMask) == kPageSize - 2) continue;
      if (tables[kFetch][tlb_index(jump.pc)].tag == (jump.pc & ~kPageMask)) jumps[i] = jump;
    }
  }
}

void TlbContext::adopt_global(const TlbContext& from, const CodePages& code_pages) {
  for_slots(from.global, [&](TlbAccess access, unsigned slot) {
    const unsigned which = static_cast<unsigned>(access);
    const TlbEntry& entry = from.tables[which][slot];
    const TlbEntry copy{load_tag(entry), entry.addend};
    if (copy.tag != kNoTag) fill(access, slot, copy, from.origins[which][slot]);
  });
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for_slots({SlotSet{}, used[kWrite], SlotSet{}}, [&](TlbAccess access, unsigned slot) {
    if (!code_pages.may_write(Paddr{origins[kWrite][slot].paddr_page})) drop_entry(access, slot);
  });
  adopt_jumps(from);
}

void TlbContext::drop_write(Vaddr vaddr) {
  const unsigned slot = tlb_index(vaddr.value);
  if (load_tag(tables[kWrite][slot]) == vaddr.page().value) drop_entry(TlbAccess::kWrite, slot);
}

bool TlbContext::withhold_write(const void* host_page) {
  const std::uint64_t host = reinterpret_cast<std::uint64_t>(host_page);
  const std::uint64_t word = write_filter[filter_bit(host) / 64].load(std::memory_order_relaxed);
  if ((word >> (filter_bit(host) % 64) & 1) == 0) return false;
  bool is_dropped = false;
  for (auto& entry : tables[kWrite]) {
    const std::uint64_t tag = load_tag(entry);
    const std::uint64_t addend = std::atomic_ref(entry.addend).load(std::memory_order_relaxed);
    if (tag == kNoTag || tag + addend != host) continue;
    // The hart may have put another page here meanwhile: losing that one costs it a walk, nothing else.
    store_tag(entry, kNoTag);
    is_dropped = true;
  }
  return is_dropped;
}

TlbContext& Tlb::context(const TlbKey& key) {
  for (auto& context : contexts_) {
    if (context == nullptr || !context->in_use || context->key != key) continue;
    touch(*context);
    return *context;
  }
  TlbContext& context = take_place();
  context.key = key;
  context.in_use = true;
  touch(context);
  return context;
}

/// A context that was never used, or else the one not used for longest.
TlbContext& Tlb::take_place() {
  TlbContext* oldest = nullptr;
  for (unsigned place = 0; place < kContexts; ++place) {
    auto& context = contexts_[place];
    if (context == nullptr) {
      context = std::make_unique<TlbContext>();
      shared_[place].store(context.get(), std::memory_order_release);
      return *context;
    }
    if (oldest == nullptr || context->used_at < oldest->used_at) oldest = context.get();
  }
  oldest->clear();
  count(TlbFlush::kEviction);
  return *oldest;
}

void Tlb::clear(TlbFlush reason) {
  for_each([](TlbContext& context) { context.clear(); });
  count(reason);
}

void Tlb::withhold_writes(const void* host_page) {
  bool is_dropped = false;
  for (auto& shared : shared_) {
    TlbContext* const context = shared.load(std::memory_order_acquire);
    if (context != nullptr && context->withhold_write(host_page)) is_dropped = true;
  }
  if (is_dropped) count(TlbFlush::kCodePage);
}

void Tlb::clear_jumps() {
  for_each([](TlbContext& context) { context.clear_jumps(); });
}

}  // namespace gstage
