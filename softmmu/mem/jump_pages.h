// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "softmmu/base/types.h"

namespace gstage {

/// Where the code of a block begins, by its offset in the page.
struct JumpSlot {
  std::uint64_t offset;
  const void* code;
};
static_assert(sizeof(JumpSlot) == 16);

/// The blocks of one page of guest memory that jumps lead to. Generated code looks at a block's slot and the
/// one behind it. Slots follow in memory, and one more than the mask tells.
struct JumpPage {
  std::uint64_t mask;  ///< of jump_hash: twice the number of slots, which is a power of two, minus 2
  std::uint64_t padding;
  /// Offsets are even.
  static constexpr std::uint64_t kNoOffset = 1;
  /// Twice the number of the offset's slot, in a page of all slots that there can be; no two share one there.
  /// Upper bits are mixed in, for much code begins at multiples of 16.
  static constexpr std::uint64_t hash(std::uint64_t offset) { return offset ^ offset >> 5; }

  [[nodiscard]] JumpSlot* slots() { return reinterpret_cast<JumpSlot*>(this + 1); }
  [[nodiscard]] const JumpSlot* slots() const { return reinterpret_cast<const JumpSlot*>(this + 1); }
  [[nodiscard]] std::size_t size() const { return mask / 2 + 2; }
  /// Null: not known.
  [[nodiscard]] const void* find(std::uint64_t offset) const {
    const JumpSlot* const slot = slots() + (hash(offset) & mask) / 2;
    return slot[0].offset == offset ? slot[0].code : slot[1].offset == offset ? slot[1].code : nullptr;
  }
};
static_assert(sizeof(JumpPage) == 16);

/// What a hart knows of jumps: for each page of code, by its host address, and for each kind of code (the
/// flags that it was translated for). No translation of addresses is in there, so a fence has nothing to drop
/// and a page that is mapped again, or elsewhere, or by another process, has its jumps at once. By the hart's
/// own thread.
class JumpPages {
 public:
  /// The page, to which the code is added. Addresses that were returned before stay good until `clear`.
  /// Null: there is no room, everything is to be cleared first.
  const JumpPage* enter(const std::byte* host_page, std::uint32_t flags, std::uint64_t offset,
                        const void* code);
  /// The same, and nothing is added.
  const JumpPage* page(const std::byte* host_page, std::uint32_t flags);
  /// Forgets everything.
  void clear();

 private:
  static constexpr std::size_t kFirstSlots = 16;
  static constexpr std::size_t kMostSlots = kPageSize / 2;
  static constexpr std::size_t kChunkBytes = std::size_t{64} << 10;
  static constexpr std::size_t kMostChunks = 512;

  struct Key {
    const std::byte* host_page;
    std::uint32_t flags;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return (reinterpret_cast<std::uintptr_t>(key.host_page) >> kPageShift) * 31 + key.flags;
    }
  };
  JumpPage* make(std::size_t slots);
  JumpPage** find(const std::byte* host_page, std::uint32_t flags);
  JumpPage* grow(const JumpPage& page);
  static bool put(JumpPage& page, std::uint64_t offset, const void* code, bool replaces);

  std::unordered_map<Key, JumpPage*, Hash> pages_;
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::size_t left_ = 0;  ///< bytes of the last chunk
};

}  // namespace gstage
