// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "softmmu/base/types.h"

namespace gstage {

class Tlb;

/// Which pages of RAM hold translated code. Stores to them take the slow path, which reports them here, and
/// the translator drops the blocks that were hit. Pages whose stores somebody else wants to see (`watch`) are
/// treated alike.
class CodePages {
 public:
  /// Called with the range that was written; may be called from any thread.
  using Invalidate = std::function<void(Paddr first, std::uint64_t size)>;

  /// Covers one RAM range; called while the machine is built.
  void add_range(Paddr base, std::uint64_t size, const void* host);
  void set_invalidate(Invalidate invalidate) { invalidate_ = std::move(invalidate); }
  /// The same for watched pages; once, while the machine is built.
  void set_watcher(Invalidate watcher) { watcher_ = std::move(watcher); }
  /// Harts whose write tables must drop a page once it holds code.
  void add_tlb(Tlb& tlb) { tlbs_.push_back(&tlb); }

  /// To be called by a hart before it enters the page into its write table; cheap when it was called before.
  /// (Pages that were never noted are not searched for by `protect`.)
  void note_writable(Paddr page);
  /// Marks the page as holding code and withholds it from every hart's write tables, before its bytes are
  /// read. Pages outside RAM (ROM) are ignored. Cheap for a page that is protected already. Any thread.
  /// Returns whether a hart may have had a write entry: its thread may have stores to finish there, which
  /// passed their check before, until it leaves the block that it is in.
  bool protect(Paddr page);
  /// The page holds no code any more.
  void unprotect(Paddr page);
  [[nodiscard]] bool has_code(Paddr paddr) const;
  /// From now on the watcher is told of each store to the page, after it: the page is withheld from all write
  /// tables for good. Cheap for a page that is watched already. Any thread.
  void watch(Paddr page);
  /// Whether stores to the page are to be reported: it holds code, or is watched.
  [[nodiscard]] bool is_reported(Paddr paddr) const;
  /// Whether a write entry may stay, asked after it was made and a seq_cst fence: stores to the page are not
  /// reported, and who translates some next will look for the entry.
  [[nodiscard]] bool may_write(Paddr paddr) const;
  /// To be called after (never before) bytes were written by a slow path, a device or a loader.
  void written(Paddr first, std::uint64_t size);

 private:
  using Flag = std::atomic<std::uint8_t>;
  struct Unmap {
    std::size_t bytes = 0;
    void operator()(Flag* flags) const;
  };
  struct Range {
    std::uint64_t base;
    std::uint64_t size;
    const std::byte* host;
    std::unique_ptr<Flag[], Unmap> pages;  ///< a mapping, so that flags of pages never used cost no memory
  };
  [[nodiscard]] const Range* range(Paddr paddr) const;
  [[nodiscard]] Flag* flag(Paddr paddr) const;
  [[nodiscard]] bool has_flag(Paddr paddr, std::uint8_t bits) const;
  void report(Paddr first, std::uint64_t last, std::uint8_t bit, const Invalidate& to) const;
  std::vector<Range> ranges_;
  std::vector<Tlb*> tlbs_;
  std::mutex protect_mutex_;
  Invalidate invalidate_;
  Invalidate watcher_;  ///< null: no page is watched
};

}  // namespace gstage
