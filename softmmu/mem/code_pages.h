// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
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

  /// Marks the page as holding code and withholds it from every hart's write tables, before its bytes are
  /// read. Pages outside RAM (ROM) are ignored.
  void protect(Paddr page);
  /// The page holds no code any more.
  void unprotect(Paddr page);
  [[nodiscard]] bool has_code(Paddr paddr) const;
  /// To be called after (never before) bytes were written by a slow path, a device or a loader.
  void written(Paddr first, std::uint64_t size);

 private:
  struct Range {
    std::uint64_t base;
    std::uint64_t size;
    const std::byte* host;
    std::unique_ptr<std::atomic<std::uint8_t>[]> pages;
  };
  [[nodiscard]] std::atomic<std::uint8_t>* flag(Paddr paddr) const;
  std::vector<Range> ranges_;
  std::vector<Tlb*> tlbs_;
  Invalidate invalidate_;
};

}  // namespace gstage
