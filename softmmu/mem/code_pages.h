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
/// the translator drops the blocks that were hit.
class CodePages {
 public:
  /// Called with the range that was written; may be called from any thread.
  using Invalidate = std::function<void(Paddr first, std::uint64_t size)>;

  /// Covers one RAM range; called while the machine is built.
  void add_range(Paddr base, std::uint64_t size, const void* host);
  void set_invalidate(Invalidate invalidate) { invalidate_ = std::move(invalidate); }
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
  /// Whether a write entry may stay, asked after it was made and a seq_cst fence: the page has no code, and
  /// who translates some next will look for the entry.
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
  std::vector<Range> ranges_;
  std::vector<Tlb*> tlbs_;
  std::mutex protect_mutex_;
  Invalidate invalidate_;
};

}  // namespace gstage
