// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "softmmu/mem/tlb_counts.h"

namespace gstage {

/// Where the code of a block begins, by the block's key.
struct JumpSlot {
  std::uint64_t key;  ///< 0: the slot is empty
  const void* code;
};
static_assert(sizeof(JumpSlot) == 16);

/// What a hart knows of jumps: the blocks that its dispatcher was asked for, by host address and kind of code
/// (the flags that it was translated for). No translation of addresses is in there, so a fence has nothing to
/// drop, and a page that is mapped again, or elsewhere, or by another process, has its jumps at once.
/// Generated code looks at a key's slot and the one behind it. By the hart's own thread.
///
/// Most blocks are jumped to once, when they are new, and are not to be entered. The table grows when so
/// many were driven out that growing would have cost less.
class JumpTable {
 public:
  JumpTable();
  ~JumpTable();
  JumpTable(const JumpTable&) = delete;
  JumpTable& operator=(const JumpTable&) = delete;

  /// What makes a key of a block's host address when it is added: for blocks of these flags (below 2^15).
  /// Host addresses of user space have 47 bits. The lower part has the same address find other slots.
  static constexpr std::uint64_t kind(std::uint32_t flags) {
    return flags * (std::uint64_t{1} << 48 | 0x16a2);
  }
  static std::uint64_t key_of(const std::byte* host, std::uint32_t flags) {
    return reinterpret_cast<std::uintptr_t>(host) + kind(flags);
  }
  /// Its upper bits, from kSlotShift on, are the number of the key's slot in a table of all slots that there
  /// can be. What lies within a few bytes has its slots side by side, so that the blocks of a function share
  /// cache lines, and those of a page lie within 8 KiB. Pages mix them differently.
  static constexpr unsigned kSlotShift = 3;
  static constexpr unsigned kHashShift = 9;
  static constexpr std::uint64_t hash(std::uint64_t key) { return key ^ key >> kHashShift; }
  /// Null: not known.
  static const void* find(const JumpSlot* slots, std::uint32_t mask, std::uint64_t key) {
    const JumpSlot* const slot = slots + ((hash(key) & mask) >> kSlotShift);
    return slot[0].key == key ? slot[0].code : slot[1].key == key ? slot[1].code : nullptr;
  }

  void enter(std::uint64_t key, const void* code);
  [[nodiscard]] const void* find(std::uint64_t key) const { return find(slots_, mask_, key); }
  /// Forgets everything.
  void clear();
  /// Stays the same for ever. One slot more than the mask tells.
  [[nodiscard]] const JumpSlot* slots() const { return slots_; }
  /// Of `hash`: where it has the number of a slot. There are a power of two of slots. `enter` and `clear`
  /// change it.
  [[nodiscard]] std::uint32_t mask() const { return mask_; }
  [[nodiscard]] const TlbCounts& counts() const { return counts_; }

 private:
  static constexpr std::uint32_t kFirstMask = ((1u << 12) - 1) << kSlotShift;
  static constexpr std::uint32_t kLastMask = ((1u << 20) - 1) << kSlotShift;
  static constexpr std::size_t kBytes = ((kLastMask >> kSlotShift) + 2) * sizeof(JumpSlot);

  [[nodiscard]] std::uint32_t size() const { return (mask_ >> kSlotShift) + 1; }
  [[nodiscard]] JumpSlot* slot_of(std::uint64_t key) const {
    return slots_ + ((hash(key) & mask_) >> kSlotShift);
  }
  bool put(std::uint64_t key, const void* code);
  void grow();

  JumpSlot* const slots_;  ///< address space for the most that there can be, whose memory is zero at first
  std::uint32_t mask_ = kFirstMask;
  std::uint32_t conflicts_ = 0;  ///< since the table has grown
  TlbCounts counts_;
};

/// Where a hart looks that knows no jumps.
inline constexpr std::array<JumpSlot, 2> kNoJumps{};

}  // namespace gstage
