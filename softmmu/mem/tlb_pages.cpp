// SPDX-License-Identifier: Apache-2.0
#include "softmmu/mem/tlb_pages.h"

#include <algorithm>

#include <sys/mman.h>

#include "softmmu/base/check.h"

namespace gstage {

namespace {

/// Zeroed, and without memory where nothing is stored.
void* map_zeros(std::size_t bytes) {
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(memory != MAP_FAILED);
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  return memory;
}

std::uint64_t bit_of(std::uint32_t number) { return std::uint64_t{1} << (number % 64); }

}  // namespace

TlbPages::TlbPages() : store_(static_cast<Store*>(map_zeros(sizeof(Store)))) {}

TlbPages::~TlbPages() { munmap(store_, sizeof(Store)); }

unsigned TlbPages::shift_of(const TlbPage& page, Stage stage) {
  const unsigned shift = stage == kFirstStage ? page.origin.page_shift : page.origin.gpa_shift;
  return std::clamp<unsigned>(shift, kPageShift, 63);
}

TlbPage& TlbPages::oldest() {
  do hand_ = hand_ == limit_ ? 1 : hand_ + 1;
  while ((store_->used[hand_ / 64] & bit_of(hand_)) == 0);
  return store_->pages[hand_];
}

TlbPage& TlbPages::add(std::uint64_t page, std::uint64_t addend, const TlbOrigin& origin) {
  CHECK(!is_full());
  std::uint32_t number = free_;
  const std::uint32_t end = end_.load(std::memory_order_relaxed);
  if (number != 0)
    free_ = store_->pages[number].next;
  else
    number = end;
  TlbPage& to = store_->pages[number];
  store_word(to.page, page);
  to.addend = addend;
  to.origin = origin;
  to.is_readable = to.is_executable = false;
  to.entered = 0;
  std::uint32_t& head = store_->heads[bucket_of(page)];
  to.next = head;
  head = number;
  for (const Stage stage : {kFirstStage, kGStage})
    if (is_listed(to, stage)) list(to, stage);
  store_->used[number / 64] |= bit_of(number);
  std::uint64_t& globals = store_->global[number / 64];
  globals = origin.is_global ? globals | bit_of(number) : globals & ~bit_of(number);
  ++count_;
  if (number == end) end_.store(end + 1, std::memory_order_release);
  return to;
}

bool TlbPages::extend() {
  if (limit_ == kMost || ++driven_out_ < kDrivenOut * limit_) return false;
  limit_ = 2 * limit_ + 1;
  driven_out_ = 0;
  std::fill_n(store_->heads.begin(), std::size_t{1} << bucket_bits_, 0);
  if (bucket_bits_ < kBucketBits) ++bucket_bits_;
  for_each([&](TlbPage& page) {
    std::uint32_t& head = store_->heads[bucket_of(page.page)];
    page.next = head;
    head = number_of(page);
  });
  return true;
}

void TlbPages::allow_writes(TlbPage& page, std::uint64_t host_page) {
  std::atomic_ref(store_->write_numbers[number_of(page)])
      .store(write_number(host_page), std::memory_order_relaxed);
  std::atomic_ref(page.write_host).store(host_page, std::memory_order_seq_cst);
}

void TlbPages::list(TlbPage& page, Stage stage) {
  shifts_[stage] |= std::uint64_t{1} << shift_of(page, stage);
  std::uint32_t& head = *head_of(page, stage);
  page.links[stage] = {0, head};
  if (head != 0) store_->pages[head].links[stage].previous = number_of(page);
  head = number_of(page);
}

void TlbPages::unlist(TlbPage& page, Stage stage) {
  const TlbPage::Link link = page.links[stage];
  if (link.next != 0) store_->pages[link.next].links[stage].previous = link.previous;
  (link.previous != 0 ? store_->pages[link.previous].links[stage].next : *head_of(page, stage)) = link.next;
}

void TlbPages::remove(TlbPage& page) {
  const std::uint32_t number = number_of(page);
  std::uint32_t* from = &store_->heads[bucket_of(page.page)];
  while (*from != number) from = &store_->pages[*from].next;
  *from = page.next;
  for (const Stage stage : {kFirstStage, kGStage})
    if (is_listed(page, stage)) unlist(page, stage);
  store_word(page.write_host, 0);
  store_->used[number / 64] &= ~bit_of(number);
  page.next = free_;
  free_ = number;
  --count_;
}

void TlbPages::give_back() {
  constexpr std::uint32_t kMuch = 1u << 12;
  CHECK(is_empty());
  driven_out_ = 0;
  if (limit_ < kMuch) return;
  // Pages that left one by one have put their places into the list of free ones, which goes with the memory.
  reset();
  madvise(store_, sizeof(Store), MADV_DONTNEED);
  limit_ = kFirst;
  bucket_bits_ = kFirstBucketBits;
}

void TlbPages::reset() {
  const std::uint32_t end = end_.load(std::memory_order_relaxed);
  std::fill_n(store_->used.begin(), (end + 63) / 64, 0);
  // A context that held much once is not to keep its memory.
  constexpr std::uint32_t kMuch = 1u << 14;
  if (end > kMuch) madvise(store_->pages.data(), sizeof store_->pages, MADV_DONTNEED);
  end_.store(1, std::memory_order_release);
  count_ = free_ = hand_ = 0;
  shifts_ = {};
}

}  // namespace gstage
