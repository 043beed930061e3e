// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "softmmu/base/bits.h"
#include "tcg/runtime/block.h"

namespace gstage::tcg {

/// Where the code of blocks begins that the dispatcher asked for, by key. It is dense, and what lies together
/// in guest code lies together here, so that a look costs less than one at the blocks, which take ten times
/// the memory. It need not hold a block: straddling ones are not entered, nor what finds no slot.
///
/// `find` and `has_room` may be called by any thread at any time, the rest under the translator's lock. For
/// that a slot belongs to its key until `clear`: only its code changes.
class CodeIndex {
 public:
  CodeIndex();
  ~CodeIndex();
  CodeIndex(const CodeIndex&) = delete;
  CodeIndex& operator=(const CodeIndex&) = delete;

  /// The code of the live block with this key, or null: then the block cache is to be asked.
  [[nodiscard]] const void* find(const BlockKey& key) const {
    const std::uint64_t tag = tag_of(key);
    const Slot* const slot = tag == kNoTag ? nullptr : slot_of(tag);
    // A slot is filled with the tag last: as long as that is missing, the code may be another key's.
    if (slot == nullptr || slot->tag.load(std::memory_order_acquire) != tag) return nullptr;
    return slot->code.load(std::memory_order_acquire);
  }
  /// Whether `enter` could enter it.
  [[nodiscard]] bool has_room(const BlockKey& key) const {
    const std::uint64_t tag = tag_of(key);
    return tag != kNoTag && slot_of(tag) != nullptr;
  }
  /// Notes the code of a live block.
  void enter(const BlockKey& key, const void* code);
  /// The block is dead.
  void remove(const BlockKey& key);
  /// Forgets everything. Only while no hart runs.
  void clear();

 private:
  static constexpr unsigned kBits = 17;
  static constexpr unsigned kPageBits = 6;  ///< a guest page's own slots, as many as it needs in the mean …
  static constexpr unsigned kLineBits = 2;  ///< … of which so many share a cache line
  static constexpr unsigned kWays = 16;     ///< looked at before the key counts as absent
  static constexpr std::uint64_t kNoTag = 0;
  struct Slot {
    std::atomic<std::uint64_t> tag;
    std::atomic<const void*> code;
  };
  static_assert(sizeof(Slot) << kLineBits == 64);
  static constexpr std::size_t kBytes = sizeof(Slot) << kBits;

  /// Addresses of the host's user space have no more than 48 bits. kNoTag: not to be entered.
  [[nodiscard]] static std::uint64_t tag_of(const BlockKey& key) {
    if (key.second_page != nullptr || key.limit != 0 || key.flags >> 16 != 0) return kNoTag;
    return reinterpret_cast<std::uintptr_t>(key.host) | std::uint64_t{key.flags} << 48;
  }
  /// The first slot to look at. The offset in the page chooses one of the page's cache lines.
  [[nodiscard]] static std::size_t home_of(std::uint64_t tag) {
    constexpr unsigned kLinesBits = kPageBits - kLineBits;
    const std::size_t line = (tag & kPageMask) >> (kPageShift - kLinesBits);
    return std::size_t{hash_bits(tag >> kPageShift, kBits - kPageBits)} << kPageBits | line << kLineBits;
  }
  /// The slot that has the tag, or else the one to put it in, or null.
  [[nodiscard]] Slot* slot_of(std::uint64_t tag) const {
    const std::size_t home = home_of(tag);
    for (unsigned way = 0; way < kWays; ++way) {
      Slot& slot = slots_[home ^ way];
      const std::uint64_t here = slot.tag.load(std::memory_order_acquire);
      if (here == tag || here == kNoTag) return &slot;
    }
    return nullptr;
  }

  Slot* const slots_;
};

}  // namespace gstage::tcg
