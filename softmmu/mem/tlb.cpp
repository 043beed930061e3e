// SPDX-License-Identifier: Apache-2.0
#include "softmmu/mem/tlb.h"

#include <algorithm>
#include <bit>

#include "softmmu/mem/code_pages.h"

namespace gstage {

namespace {

unsigned filter_bit(std::uint64_t host_page) {
  return hash_bits(host_page >> kPageShift, std::countr_zero(kWriteFilterBits));
}

unsigned bit_of(TlbAccess access) { return 1u << static_cast<unsigned>(access); }

TlbEvent recalled(TlbAccess access) {
  return access == TlbAccess::kRead    ? TlbEvent::kReadRecalled
         : access == TlbAccess::kWrite ? TlbEvent::kWriteRecalled
                                       : TlbEvent::kFetchRecalled;
}

std::uint64_t write_host_of(const TlbPage& page) {
  return __atomic_load_n(&page.write_host, __ATOMIC_SEQ_CST);
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

const char* tlb_event_name(TlbEvent event) {
  static constexpr std::array kNames{
      "loads recalled",    "stores recalled",  "fetches recalled", "pages walked for", "pages taken over",
      "first level grown", "pages driven out", "jumps looked for", "jumps driven out", "jumps grown"};
  static_assert(kNames.size() == static_cast<unsigned>(TlbEvent::kCount));
  return kNames[static_cast<unsigned>(event)];
}

void TlbContext::drop_straddler(std::uint64_t pc) {
  JumpEntry& straddler = straddlers_[straddler_index(pc)];
  if (straddler.pc == pc) straddler = {kNoPc, nullptr};
}

void TlbContext::drop_entries(TlbPage& page) {
  for (const TlbAccess access : {TlbAccess::kRead, TlbAccess::kWrite, TlbAccess::kFetch})
    if ((page.entered & bit_of(access)) != 0) tables_.drop(access, page.page);
  page.entered = 0;
}

/// Those that have a part of the page.
void TlbContext::drop_straddlers(const TlbPage& page) {
  if (!page.is_executable) return;
  drop_straddler(page.page + (kPageSize - 2));
  drop_straddler(page.page - 2);
}

void TlbContext::drop(TlbPage& page) {
  // What follows finds the page for writing until it has no right to.
  std::atomic_ref(page.write_host).store(0, std::memory_order_seq_cst);
  drop_entries(page);
  drop_straddlers(page);
  pages_.remove(page);
}

void TlbContext::clear() {
  if (is_empty()) return;
  pages_.clear([&](TlbPage& page) {
    drop_entries(page);
    drop_straddlers(page);
  });
  for (auto& word : write_filter_) word.store(0, std::memory_order_relaxed);
}

void TlbContext::clear_page(Vaddr vaddr, bool spare_global) {
  if (is_empty()) return;
  const auto drop_unless_spared = [&](TlbPage& page) {
    if (!(spare_global && page.origin.is_global)) drop(page);
  };
  // What came through a larger leaf is found by that.
  TlbPage* const page = pages_.find(vaddr.page().value);
  if (page != nullptr && page->origin.page_shift <= kPageShift) drop_unless_spared(*page);
  pages_.for_leaf(TlbPages::kFirstStage, vaddr.value, drop_unless_spared);
}

void TlbContext::clear_non_global() {
  if (is_empty()) return;
  pages_.for_each([&](TlbPage& page) { drop(page); }, true);
}

void TlbContext::clear_gpa(Gpa gpa) {
  if (is_empty()) return;
  pages_.for_leaf(TlbPages::kGStage, gpa.value, [&](TlbPage& page) { drop(page); });
}

void TlbContext::grow() {
  pages_.for_each([&](TlbPage& page) { drop_entries(page); });
  tables_.grow();
  conflicts_ = 0;
  counts_.add(TlbEvent::kGrown);
}

/// Enters the page, which is allowed for the access, into the first level.
void TlbContext::fill(TlbAccess access, TlbPage& page) {
  if (conflicts_ >= kConflicts + 2 * pages_.count() && tables_.can_grow()) grow();
  if (tables_.enter(access, page.page, page.addend)) ++conflicts_;
  page.entered |= bit_of(access);
}

void TlbContext::allow(TlbAccess access, TlbPage& page) {
  if (access == TlbAccess::kRead) page.is_readable = true;
  if (access == TlbAccess::kFetch) page.is_executable = true;
  if (access != TlbAccess::kWrite) return;
  const std::uint64_t host = page.page + page.addend;
  const unsigned filter = filter_bit(host);
  auto& word = write_filter_[filter / 64];
  const std::uint64_t bit = std::uint64_t{1} << (filter % 64);
  const std::uint64_t old = word.load(std::memory_order_relaxed);
  if ((old & bit) == 0) word.store(old | bit, std::memory_order_relaxed);
  pages_.allow_writes(page, host);
}

/// A page that the second level does not have.
TlbPage& TlbContext::add(std::uint64_t page, std::uint64_t addend, const TlbOrigin& origin) {
  if (pages_.is_full() && !pages_.extend()) {
    drop(pages_.oldest());
    counts_.add(TlbEvent::kDrivenOut);
  }
  return pages_.add(page, addend, origin);
}

void TlbContext::insert(TlbAccess access, Vaddr vaddr, const void* host_page, const TlbOrigin& origin) {
  const std::uint64_t address = vaddr.page().value;
  const std::uint64_t addend = reinterpret_cast<std::uint64_t>(host_page) - address;
  TlbPage* page = pages_.find(address);
  // Another translation of the same page: the page tables were changed, and no fence has come yet.
  if (page != nullptr && (page->addend != addend || page->origin != origin)) {
    drop(*page);
    page = nullptr;
  }
  if (page == nullptr) {
    page = &add(address, addend, origin);
    counts_.add(TlbEvent::kWalked);
  }
  allow(access, *page);
  fill(access, *page);
}

const TlbPage* TlbContext::recall(TlbAccess access, Vaddr vaddr) {
  TlbPage* const page = pages_.find(vaddr.page().value);
  if (page == nullptr) return nullptr;
  if (access == TlbAccess::kRead ? !page->is_readable : access == TlbAccess::kFetch && !page->is_executable)
    return nullptr;
  if (access == TlbAccess::kWrite && write_host_of(*page) == 0) return nullptr;
  fill(access, *page);
  counts_.add(recalled(access));
  if (access != TlbAccess::kWrite) return page;
  // Who withholds the page takes the right away and looks at the first level then; this is the mirror image.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (write_host_of(*page) != 0) return page;
  tables_.drop(TlbAccess::kWrite, page->page);
  return nullptr;
}

bool TlbContext::adopt_global(const TlbContext& from, Vaddr vaddr, const CodePages& code_pages) {
  const TlbPage* const page = from.pages_.find(vaddr.page().value);
  if (page == nullptr || !page->origin.is_global || pages_.find(page->page) != nullptr) return false;
  TlbPage& own = add(page->page, page->addend, page->origin);
  counts_.add(TlbEvent::kAdopted);
  own.is_readable = page->is_readable;
  own.is_executable = page->is_executable;
  if (write_host_of(*page) == 0) return true;
  allow(TlbAccess::kWrite, own);
  // Who loads from data most often stores there, too.
  if (own.is_readable) fill(TlbAccess::kRead, own);
  fill(TlbAccess::kWrite, own);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!code_pages.may_write(Paddr{page->origin.paddr_page})) drop_write(vaddr);
  return true;
}

void TlbContext::drop_write(Vaddr vaddr) {
  TlbPage* const page = pages_.find(vaddr.page().value);
  if (page == nullptr) return;
  std::atomic_ref(page->write_host).store(0, std::memory_order_seq_cst);
  tables_.drop(TlbAccess::kWrite, page->page);
}

bool TlbContext::withhold_write(const void* host_page) {
  const std::uint64_t host = reinterpret_cast<std::uint64_t>(host_page);
  const std::uint64_t word = write_filter_[filter_bit(host) / 64].load(std::memory_order_relaxed);
  if ((word >> (filter_bit(host) % 64) & 1) == 0) return false;
  // The hart may have put another page in the slot meanwhile: losing that one costs it a look at the second
  // level, nothing else.
  return pages_.withhold_writes(host, [&](std::uint64_t page) { tables_.drop_write_slot(page); });
}

void TlbContext::give_back() {
  tables_.give_back();
  pages_.give_back();
  conflicts_ = 0;
  relative = nullptr;
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
      if (is_small_) context->tables_.keep_small();
      shared_[place].store(context.get(), std::memory_order_release);
      return *context;
    }
    if (oldest == nullptr || context->used_at < oldest->used_at) oldest = context.get();
  }
  oldest->clear();
  oldest->give_back();
  count(TlbFlush::kEviction);
  return *oldest;
}

void Tlb::clear(TlbFlush reason) {
  for_each([](TlbContext& context) { context.clear(); });
  count(reason);
}

std::uint64_t Tlb::events(TlbEvent event) const {
  std::uint64_t sum = jump_table_.counts().of(event);
  for (const auto& shared : shared_)
    if (const TlbContext* const context = shared.load(std::memory_order_acquire))
      sum += context->counts().of(event);
  return sum;
}

void Tlb::withhold_writes(const void* host_page) {
  bool is_dropped = false;
  for (auto& shared : shared_) {
    TlbContext* const context = shared.load(std::memory_order_acquire);
    if (context != nullptr && context->withhold_write(host_page)) is_dropped = true;
  }
  if (is_dropped) count(TlbFlush::kCodePage);
}

void Tlb::forget(Vaddr page) {
  for (auto& shared : shared_)
    if (TlbContext* const context = shared.load(std::memory_order_acquire); context != nullptr)
      for (const TlbAccess access : {TlbAccess::kRead, TlbAccess::kWrite, TlbAccess::kFetch})
        context->tables_.drop(access, page.page().value);
}

void Tlb::forget_all() {
  for (auto& shared : shared_)
    if (TlbContext* const context = shared.load(std::memory_order_acquire); context != nullptr)
      context->tables_.forget();
}

void Tlb::clear_jumps() {
  for_each([](TlbContext& context) { context.clear_straddlers(); });
  jump_table_.clear();
}

}  // namespace gstage
