// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "softmmu/mem/code_pages.h"
#include "tcg/runtime/block.h"
#include "tcg/runtime/code_index.h"

namespace gstage::tcg {

/// All translated blocks of a machine. They are found by key, without a lock, and by the guest memory that
/// they came from. What does not say "any thread" is called under the translator's lock.
class BlockCache {
 public:
  explicit BlockCache(CodePages& code_pages);

  /// The live block with this key, or null. Any thread.
  [[nodiscard]] Block* find(const BlockKey& key) const;
  /// The block's code if `note_wanted` was called for it; if not, null most often. Any thread.
  [[nodiscard]] const void* find_code(const BlockKey& key) const { return index_.find(key); }
  /// Whether `note_wanted` would help `find_code`. Any thread.
  [[nodiscard]] bool can_note(const BlockKey& key) const { return index_.has_room(key); }
  /// The dispatcher looked for the block more than once, and will again.
  void note_wanted(const Block& block) {
    if (!block.is_dead.load(std::memory_order_relaxed)) index_.enter(block.key, block.code);
  }
  /// An empty block for the caller to fill in and publish. Stays valid until `clear`.
  Block& make();
  /// Makes the block known. `second` is the physical page of a straddling block's end.
  void publish(Block& block, Paddr second);
  /// Forgets one live block. (Its pages' lists lose it when they are next looked through.)
  void forget(Block& block);
  /// Forgets live blocks that overlap the range and calls `on_dead` for each; unprotects pages that have no
  /// more blocks.
  void invalidate(Paddr first, std::uint64_t size, const std::function<void(Block&)>& on_dead);
  /// Forgets everything. Only while no hart runs.
  void clear();
  [[nodiscard]] std::size_t size() const { return made_; }

 private:
  static constexpr unsigned kBucketBits = 17;
  static constexpr std::size_t kChunk = 512;
  /// The blocks with code in one page of guest memory, the dead ones that are not swept yet among them, and
  /// the 64-byte lines that they cover.
  struct PageCode {
    std::uint64_t lines = 0;
    std::vector<Block*> blocks;
  };
  using Bucket = std::atomic<Block*>;

  [[nodiscard]] static unsigned bucket_of(const BlockKey& key);
  void enter_page(Block& block, std::uint64_t page, std::uint64_t first, std::uint64_t last);
  void remove(Block& block);
  void invalidate_page(std::uint64_t page, std::uint64_t first, std::uint64_t last,
                       const std::function<void(Block&)>& on_dead);

  CodePages& code_pages_;
  struct Free {
    void operator()(Bucket* buckets) const { std::free(buckets); }
  };
  std::unique_ptr<Bucket[], Free> buckets_;  ///< of calloc: what is not touched costs nothing
  CodeIndex index_;
  std::unordered_map<std::uint64_t, PageCode> pages_;  ///< by page number
  std::vector<std::unique_ptr<Block[]>> chunks_;
  std::size_t made_ = 0;
};

}  // namespace gstage::tcg
