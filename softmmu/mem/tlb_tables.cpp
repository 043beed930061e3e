// SPDX-License-Identifier: Apache-2.0
#include "softmmu/mem/tlb_tables.h"

#include <sys/mman.h>

#include "softmmu/base/check.h"

namespace gstage {

namespace {

/// Tags of write entries are shared with other threads; the others are treated alike, it costs nothing.
std::uint64_t load_tag(const TlbEntry& e) { return __atomic_load_n(&e.tag, __ATOMIC_ACQUIRE); }
void store_tag(TlbEntry& e, std::uint64_t tag) {
  std::atomic_ref(e.tag).store(tag, std::memory_order_release);
}

}  // namespace

std::size_t TlbTables::bytes() const {
  const std::size_t tables = kTables * slots() * sizeof(TlbEntry);
  return tables + (tables >> kPageShift) / 8;
}

TlbTables::TlbTables() {
  void* memory = MAP_FAILED;
  // Address space is all that it takes, which may be limited; then the tables do not grow as far.
  for (; steps_ != 0; --steps_) {
    memory =
        mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED) break;
  }
  CHECK(memory != MAP_FAILED);
  // A huge page would be taken for each few entries.
  madvise(memory, bytes(), MADV_NOHUGEPAGE);
  for (unsigned i = 0; i < kTables; ++i) tables_[i] = static_cast<TlbEntry*>(memory) + i * slots();
  touched_pages_ = reinterpret_cast<std::uint64_t*>(tables_[0] + kTables * slots());
  mark_empty();
}

TlbTables::~TlbTables() { munmap(tables_[0], bytes()); }

/// The slots where memory that was never written would be found.
void TlbTables::mark_empty() {
  for (TlbEntry* const table : tables_)
    for (const std::size_t slot : {std::size_t{0}, tlb_index(~std::uint64_t{0}, mask())})
      store_tag(table[slot], kNoTag);
}

bool TlbTables::enter(TlbAccess access, std::uint64_t page, std::uint64_t addend) {
  TlbEntry& to = table(access)[tlb_index(page, mask())];
  const std::size_t host_page = static_cast<std::size_t>(&to - tables_[0]) * sizeof(TlbEntry) >> kPageShift;
  std::uint64_t& word = touched_pages_[host_page / 64];
  const std::uint64_t bit = std::uint64_t{1} << (host_page % 64);
  if ((word & bit) == 0) {
    word |= bit;
    ++touched_;
  }
  const std::uint64_t old = load_tag(to);
  // The old tag must not be seen with the new addend by a thread that looks for the host page of both.
  std::atomic_ref(to.addend).store(addend, std::memory_order_release);
  store_tag(to, page);
  return old != kNoTag && old != 0 && old != page;
}

void TlbTables::drop(TlbAccess access, std::uint64_t page) {
  TlbEntry& entry = table(access)[tlb_index(page, mask_.load(std::memory_order_seq_cst))];
  if (load_tag(entry) == page) store_tag(entry, kNoTag);
}

void TlbTables::drop_write_slot(std::uint64_t page) {
  TlbEntry& entry = table(TlbAccess::kWrite)[tlb_index(page, mask_.load(std::memory_order_seq_cst))];
  store_tag(entry, kNoTag);
}

void TlbTables::forget() {
  const std::size_t count = tlb_index(~std::uint64_t{0}, mask()) + 1;
  for (TlbEntry* const table : tables_)
    // Memory that was never written need not be: see mark_empty.
    for (std::size_t slot = 0; slot < count; ++slot)
      if (const std::uint64_t tag = load_tag(table[slot]); tag != kNoTag && (tag != 0 || slot == 0))
        store_tag(table[slot], kNoTag);
}

void TlbTables::grow() {
  ++step_;
  mask_.store(tlb_mask(kTlbBits[step_]), std::memory_order_seq_cst);
  mark_empty();
}

void TlbTables::give_back() {
  if (touched_ <= kMostTouched) return;
  step_ = 0;
  mask_.store(kTlbFirstMask, std::memory_order_seq_cst);
  madvise(tables_[0], bytes(), MADV_DONTNEED);
  mark_empty();
  touched_ = 0;
}

}  // namespace gstage
