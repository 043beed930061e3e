// SPDX-License-Identifier: Apache-2.0
#include "tcg/runtime/block_cache.h"

#include <algorithm>

#include "softmmu/base/bits.h"
#include "softmmu/base/check.h"

namespace gstage::tcg {

namespace {

/// The bits of a page's 64-byte lines from byte offset `first` to `last`.
std::uint64_t line_mask(std::uint64_t first, std::uint64_t last) {
  const std::uint64_t from = (first & kPageMask) / 64;
  const std::uint64_t to = (last & kPageMask) / 64;
  return (~std::uint64_t{0} >> (63 - to)) & (~std::uint64_t{0} << from);
}

/// The part of the block's code that lies in the page of `page_base`, as physical addresses.
struct Extent {
  std::uint64_t first;
  std::uint64_t last;
};
Extent extent_in(const Block& block, std::uint64_t page_base) {
  if (block.region != nullptr) {
    for (const RegionPage& page : block.region->pages)
      if (page.paddr.value == page_base) return {page_base + page.first, page_base + page.last};
    CHECK(false);
  }
  const std::uint64_t first = block.paddr.value;
  const std::uint64_t page_left = kPageSize - (first & kPageMask);
  const std::uint64_t here = std::min<std::uint64_t>(block.bytes, page_left);
  // If two virtual pages are one physical page, the block has that page's last bytes and its first.
  const bool is_around = here < block.bytes && block.key.second_page + (first & kPageMask) == block.key.host;
  if (is_around) return {page_base, page_base | kPageMask};
  if (block.paddr.page().value == page_base) return {first, first + here - 1};
  return {page_base, page_base + (block.bytes - here) - 1};
}

}  // namespace

BlockCache::BlockCache(CodePages& code_pages)
    : code_pages_(code_pages),
      buckets_(static_cast<Bucket*>(std::calloc(std::size_t{1} << kBucketBits, sizeof(Bucket)))) {
  CHECK(buckets_ != nullptr);
}

unsigned BlockCache::bucket_of(const BlockKey& key) {
  // The blocks of a page share a few cache lines of buckets.
  constexpr unsigned kInPageBits = 6;
  const auto host = reinterpret_cast<std::uintptr_t>(key.host);
  const unsigned page =
      hash_bits((host >> kPageShift) ^ std::uint64_t{key.flags} << 40, kBucketBits - kInPageBits);
  const auto in_page = static_cast<unsigned>((host >> 1 ^ host >> 7) & ((1u << kInPageBits) - 1));
  return page << kInPageBits | in_page;
}

Block* BlockCache::find(const BlockKey& key) const {
  Block* block = buckets_[bucket_of(key)].load(std::memory_order_acquire);
  while (block != nullptr && block->key != key) block = block->next.load(std::memory_order_acquire);
  return block;
}

Block& BlockCache::make() {
  if (made_ % kChunk == 0 && made_ / kChunk == chunks_.size())
    chunks_.push_back(std::make_unique<Block[]>(kChunk));
  Block& block = chunks_[made_ / kChunk][made_ % kChunk];
  ++made_;
  return block;
}

void BlockCache::publish(Block& block, Paddr second) {
  const auto enter = [&](std::uint64_t page) {
    const Extent extent = extent_in(block, page);
    enter_page(block, page, extent.first, extent.last);
  };
  if (block.region != nullptr) {
    for (const RegionPage& page : block.region->pages) enter(page.paddr.value);
  } else {
    const std::uint64_t page = block.paddr.page().value;
    enter(page);
    if (block.key.second_page != nullptr && second.value != page) enter(second.value);
  }
  Bucket& bucket = buckets_[bucket_of(block.key)];
  block.next.store(bucket.load(std::memory_order_relaxed), std::memory_order_relaxed);
  bucket.store(&block, std::memory_order_release);
}

void BlockCache::enter_page(Block& block, std::uint64_t page, std::uint64_t first, std::uint64_t last) {
  PageCode& code = pages_[page >> kPageShift];
  code.lines |= line_mask(first, last);
  code.blocks.push_back(&block);
}

void BlockCache::remove(Block& block) {
  // Readers may stand on the block: its own link stays.
  Bucket* at = &buckets_[bucket_of(block.key)];
  for (Block* b = at->load(std::memory_order_relaxed); b != &block; b = at->load(std::memory_order_relaxed)) {
    CHECK(b != nullptr);
    at = &b->next;
  }
  at->store(block.next.load(std::memory_order_relaxed), std::memory_order_release);
  index_.remove(block.key);
  block.is_dead.store(true, std::memory_order_release);
}

void BlockCache::forget(Block& block) { remove(block); }

void BlockCache::invalidate(Paddr first, std::uint64_t size, const std::function<void(Block&)>& on_dead) {
  if (size == 0) return;
  const std::uint64_t last = first.value + (size - 1);
  for (std::uint64_t page = first.page().value;; page += kPageSize) {
    invalidate_page(page, std::max(first.value, page), std::min(last, page | kPageMask), on_dead);
    if (last - page < kPageSize) return;
  }
}

void BlockCache::invalidate_page(std::uint64_t page, std::uint64_t first, std::uint64_t last,
                                 const std::function<void(Block&)>& on_dead) {
  const auto found = pages_.find(page >> kPageShift);
  if (found == pages_.end()) {
    code_pages_.unprotect(Paddr{page});
    return;
  }
  PageCode& code = found->second;
  if ((code.lines & line_mask(first, last)) == 0) return;
  code.lines = 0;
  std::erase_if(code.blocks, [&](Block* block) {
    if (block->is_dead.load(std::memory_order_relaxed)) return true;
    const Extent extent = extent_in(*block, page);
    if (extent.last < first || extent.first > last) {
      code.lines |= line_mask(extent.first, extent.last);
      return false;
    }
    remove(*block);
    on_dead(*block);
    return true;
  });
  if (!code.blocks.empty()) return;
  pages_.erase(found);
  code_pages_.unprotect(Paddr{page});
}

void BlockCache::clear() {
  for (unsigned i = 0; i < 1u << kBucketBits; ++i) buckets_[i].store(nullptr, std::memory_order_relaxed);
  index_.clear();
  for (const auto& [page, code] : pages_) code_pages_.unprotect(Paddr{page << kPageShift});
  pages_.clear();
  chunks_.clear();
  made_ = 0;
}

}  // namespace gstage::tcg
