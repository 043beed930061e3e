// SPDX-License-Identifier: Apache-2.0
#include "softmmu/mem/tlb.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "softmmu/base/bits.h"

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

TlbContext::TlbContext() { clear(); }

void TlbContext::clear() {
  if (is_empty) return;
  for (auto& table : tables)
    for (auto& entry : table) std::atomic_ref(entry.tag).store(kNoTag, std::memory_order_relaxed);
  clear_jumps();
  for (auto& word : write_filter) word.store(0, std::memory_order_relaxed);
  superpage_low = ~std::uint64_t{0};
  superpage_high = 0;
  gpa_slots = {};
  gpa_shifts = 0;
  is_empty = true;
}

void TlbContext::clear_jumps() { jumps.fill(JumpEntry{kNoPc, nullptr}); }

void TlbContext::clear_page_jumps(Vaddr vaddr) {
  const std::uint64_t page = vaddr.page().value;
  JumpEntry* const group = &jumps[jump_index(page)];
  for (unsigned i = 0; i < kJumpGroup; ++i)
    if ((group[i].pc & ~kPageMask) == page) group[i] = JumpEntry{kNoPc, nullptr};
  JumpEntry* const set = &jumps[jump_index(page - 2)];
  for (unsigned way = 0; way < 2; ++way)
    if (set[way].pc == page - 2) set[way] = JumpEntry{kNoPc, nullptr};
}

void TlbContext::drop_entry(TlbAccess access, unsigned slot) {
  TlbEntry& entry = table(access)[slot];
  if (access == TlbAccess::kFetch) clear_page_jumps(Vaddr{entry.tag});
  store_tag(entry, kNoTag);
}

template <class Drop>
void TlbContext::drop_entries_if(Drop&& drop) {
  for (const TlbAccess access : {TlbAccess::kRead, TlbAccess::kWrite, TlbAccess::kFetch}) {
    const unsigned which = static_cast<unsigned>(access);
    for (unsigned slot = 0; slot < kTlbSize; ++slot) {
      const std::uint64_t tag = load_tag(tables[which][slot]);
      if (tag != kNoTag && drop(tag, origins[which][slot])) drop_entry(access, slot);
    }
  }
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
  drop_entries_if([](std::uint64_t, const TlbOrigin& origin) { return !origin.is_global; });
}

void TlbContext::clear_gpa_bucket(TlbAccess access, unsigned bucket, std::uint64_t gpa) {
  const unsigned which = static_cast<unsigned>(access);
  SlotSet& slots = gpa_slots[which][bucket];
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
  }
}

void TlbContext::clear_gpa(Gpa gpa) {
  if (is_empty) return;
  for (std::uint64_t shifts = gpa_shifts; shifts != 0; shifts &= shifts - 1) {
    const unsigned bucket = gpa_bucket(gpa.value, static_cast<unsigned>(std::countr_zero(shifts)));
    for (const TlbAccess access : {TlbAccess::kRead, TlbAccess::kWrite, TlbAccess::kFetch})
      clear_gpa_bucket(access, bucket, gpa.value);
  }
}

void TlbContext::insert(TlbAccess access, Vaddr vaddr, const void* host_page, const TlbOrigin& origin) {
  const std::uint64_t page = vaddr.page().value;
  const std::uint64_t host = reinterpret_cast<std::uint64_t>(host_page);
  const unsigned slot = tlb_index(page);
  const unsigned which = static_cast<unsigned>(access);
  TlbEntry& entry = tables[which][slot];
  const std::uint64_t addend = host - page;
  // The invariant of jumps: those of the page that leaves go with it, also when the same page comes back with
  // another translation.
  if (which == kFetch && entry.tag != kNoTag && (entry.tag != page || entry.addend != addend))
    drop_entry(access, slot);
  if (which == kWrite) {
    auto& word = write_filter[filter_bit(host) / 64];
    const std::uint64_t bit = std::uint64_t{1} << (filter_bit(host) % 64);
    const std::uint64_t old = word.load(std::memory_order_relaxed);
    if ((old & bit) == 0) word.store(old | bit, std::memory_order_relaxed);
  }
  if (origin.page_shift > kPageShift) {
    const std::uint64_t mask =
        origin.page_shift >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << origin.page_shift) - 1;
    superpage_low = std::min(superpage_low, page & ~mask);
    superpage_high = std::max(superpage_high, page | mask);
  }
  origins[which][slot] = origin;
  const unsigned gpa_shift = leaf_shift(origin.gpa_shift);
  gpa_shifts |= std::uint64_t{1} << gpa_shift;
  gpa_slots[which][gpa_bucket(origin.gpa_page, gpa_shift)][slot / 64] |= std::uint64_t{1} << (slot % 64);
  is_empty = false;
  // The old tag must not be seen with the new addend by a thread that looks for the host page of both.
  std::atomic_ref(entry.addend).store(addend, std::memory_order_release);
  store_tag(entry, page);
}

void TlbContext::adopt_table(const TlbContext& from, TlbAccess access,
                             const std::function<void(Paddr)>& note_writable) {
  const unsigned which = static_cast<unsigned>(access);
  for (unsigned slot = 0; slot < kTlbSize; ++slot) {
    const TlbEntry& entry = from.tables[which][slot];
    const TlbOrigin& origin = from.origins[which][slot];
    const std::uint64_t tag = load_tag(entry);
    if (tag == kNoTag || !origin.is_global) continue;
    if (access == TlbAccess::kWrite) note_writable(Paddr{origin.paddr_page});
    insert(access, Vaddr{tag}, reinterpret_cast<const void*>(tag + entry.addend), origin);
  }
}

void TlbContext::adopt_jumps(const TlbContext& from) {
  for (unsigned i = 0; i < kJumpCacheSize; ++i) {
    const JumpEntry& jump = from.jumps[i];
    // What straddles into another page stays behind: that page might not come along.
    if (jump.pc == kNoPc || (jump.pc & kPageMask) == kPageSize - 2) continue;
    if (tables[kFetch][tlb_index(jump.pc)].tag == (jump.pc & ~kPageMask)) jumps[i] = jump;
  }
}

void TlbContext::adopt_global(const TlbContext& from, const std::function<void(Paddr)>& note_writable,
                              const std::function<bool(Paddr)>& has_code) {
  for (const TlbAccess access : {TlbAccess::kRead, TlbAccess::kWrite, TlbAccess::kFetch})
    adopt_table(from, access, note_writable);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  for (unsigned slot = 0; slot < kTlbSize; ++slot)
    if (load_tag(tables[kWrite][slot]) != kNoTag && has_code(Paddr{origins[kWrite][slot].paddr_page}))
      store_tag(tables[kWrite][slot], kNoTag);
  adopt_jumps(from);
}

void TlbContext::drop_write(Vaddr vaddr) {
  TlbEntry& entry = tables[kWrite][tlb_index(vaddr.value)];
  if (load_tag(entry) == vaddr.page().value) store_tag(entry, kNoTag);
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

Tlb::Tlb() { std::iota(order_.begin(), order_.end(), std::uint8_t{0}); }

TlbContext& Tlb::find_context(const TlbKey& key) {
  unsigned at = 0;
  while (at < kContexts && contexts_[order_[at]] != nullptr && contexts_[order_[at]]->key != key) ++at;
  const bool is_new = at == kContexts || contexts_[order_[at]] == nullptr;
  if (at == kContexts) --at;
  const std::uint8_t place = order_[at];
  std::copy_backward(order_.begin(), order_.begin() + at, order_.begin() + at + 1);
  order_[0] = place;
  auto& context = contexts_[place];
  if (!is_new) return *context;
  if (context == nullptr) {
    context = std::make_unique<TlbContext>();
    shared_[place].store(context.get(), std::memory_order_release);
  } else {
    context->clear();
    count(TlbFlush::kEviction);
  }
  context->key = key;
  context->in_use = true;
  return *context;
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
