// SPDX-License-Identifier: Apache-2.0
#include "softmmu/mem/code_pages.h"

#include <algorithm>

#include <sys/mman.h>

#include "softmmu/base/check.h"
#include "softmmu/mem/tlb.h"

namespace gstage {

namespace {

constexpr std::uint8_t kHasCode = 1;   ///< stores must be reported
constexpr std::uint8_t kWithheld = 2;  ///< and no hart has a write entry any more
constexpr std::uint8_t kWritable = 4;  ///< some hart may have a write entry
constexpr std::uint8_t kWatched = 8;   ///< stores must be reported to the watcher, for good

}  // namespace

void CodePages::Unmap::operator()(Flag* flags) const { munmap(static_cast<void*>(flags), bytes); }

void CodePages::add_range(Paddr base, std::uint64_t size, const void* host) {
  static_assert(sizeof(Flag) == 1 && Flag::is_always_lock_free);
  const std::size_t count = size >> kPageShift;
  void* const flags =
      mmap(nullptr, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(flags != MAP_FAILED);
  ranges_.push_back(Range{base.value, size, static_cast<const std::byte*>(host),
                          std::unique_ptr<Flag[], Unmap>(static_cast<Flag*>(flags), Unmap{count})});
}

const CodePages::Range* CodePages::range(Paddr paddr) const {
  for (const Range& r : ranges_)
    if (paddr.value - r.base < r.size) return &r;
  return nullptr;
}

CodePages::Flag* CodePages::flag(Paddr paddr) const {
  const Range* const r = range(paddr);
  return r == nullptr ? nullptr : &r->pages[(paddr.value - r->base) >> kPageShift];
}

void CodePages::note_writable(Paddr page) {
  Flag* const f = flag(page);
  if (f == nullptr || (f->load(std::memory_order_relaxed) & kWritable) != 0) return;
  f->fetch_or(kWritable, std::memory_order_seq_cst);
}

bool CodePages::protect(Paddr page) {
  const Range* const r = range(page);
  if (r == nullptr) return false;
  const std::uint64_t index = (page.value - r->base) >> kPageShift;
  Flag& f = r->pages[index];
  if ((f.load(std::memory_order_acquire) & kWithheld) != 0) return false;
  // One at a time, so that nobody reads the bytes while another still withholds the page.
  const std::lock_guard lock(protect_mutex_);
  if ((f.load(std::memory_order_acquire) & kWithheld) != 0) return false;
  // A hart does note_writable, insert, fence, may_write; this is the mirror image: either the hart sees
  // kHasCode (or, when that is over by then, no kWritable) and takes its entry back, or its kWritable and its
  // entry are seen here.
  std::uint8_t old = f.load(std::memory_order_relaxed);
  while (!f.compare_exchange_weak(old, kHasCode | (old & kWatched), std::memory_order_seq_cst)) {
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if ((old & kWritable) != 0)
    for (Tlb* const tlb : tlbs_) tlb->withhold_writes(r->host + (index << kPageShift));
  f.fetch_or(kWithheld, std::memory_order_seq_cst);
  return (old & kWritable) != 0;
}

void CodePages::unprotect(Paddr page) {
  Flag* const f = flag(page);
  if (f != nullptr)
    f->fetch_and(static_cast<std::uint8_t>(~(kHasCode | kWithheld)), std::memory_order_seq_cst);
}

bool CodePages::has_flag(Paddr paddr, std::uint8_t bits) const {
  const Flag* const f = flag(paddr);
  return f != nullptr && (f->load(std::memory_order_acquire) & bits) != 0;
}

bool CodePages::has_code(Paddr paddr) const { return has_flag(paddr, kHasCode); }
bool CodePages::is_reported(Paddr paddr) const { return has_flag(paddr, kHasCode | kWatched); }

void CodePages::watch(Paddr page) {
  const Range* const r = range(page);
  if (r == nullptr) return;
  const std::uint64_t index = (page.value - r->base) >> kPageShift;
  Flag& f = r->pages[index];
  if ((f.load(std::memory_order_acquire) & kWatched) != 0) return;
  // As protect does it, but that kWritable may stay: who sees kWatched enters the page no more.
  const std::lock_guard lock(protect_mutex_);
  const std::uint8_t old = f.fetch_or(kWatched, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if ((old & kWritable) != 0)
    for (Tlb* const tlb : tlbs_) tlb->withhold_writes(r->host + (index << kPageShift));
}

bool CodePages::may_write(Paddr paddr) const {
  const Flag* const f = flag(paddr);
  constexpr std::uint8_t kDecisive = kHasCode | kWatched | kWritable;
  return f == nullptr || (f->load(std::memory_order_acquire) & kDecisive) == kWritable;
}

void CodePages::written(Paddr first, std::uint64_t size) {
  if (size == 0) return;
  // protect: flag, fence, bytes are read. Here: bytes are written, fence, flag. One of the two sees the
  // other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::uint64_t last = first.value + (size - 1);
  report(first, last, kHasCode, invalidate_);
  if (watcher_) report(first, last, kWatched, watcher_);
}

void CodePages::report(Paddr first, std::uint64_t last, std::uint8_t bit, const Invalidate& to) const {
  std::uint64_t at = first.value;
  while (true) {
    // The pages with the flag that follow each other, as one range.
    std::uint64_t end = at;
    while (end <= last && has_flag(Paddr{end}, bit)) end = (end | kPageMask) + 1;
    if (end != at && to) to(Paddr{at}, std::min(end - 1, last) - at + 1);
    const std::uint64_t next = end == at ? (at | kPageMask) + 1 : end;
    if (next > last || next <= at) return;
    at = next;
  }
}

}  // namespace gstage
