// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "softmmu/base/types.h"

namespace gstage {

/// One slot of a direct-mapped table. Generated code reads it: an access hits when `tag` equals the page of
/// its last byte, and then the byte lies at host address vaddr + addend.
struct TlbEntry {
  std::uint64_t tag;
  std::uint64_t addend;
};
static_assert(sizeof(TlbEntry) == 16);

/// What a table of a context is for.
enum class TlbAccess : std::uint8_t { kRead, kWrite, kFetch };

/// Never equal to a page address.
inline constexpr std::uint64_t kNoTag = ~std::uint64_t{0};

/// The first level's sizes: a table begins with 2^10 slots and grows while pages that are in use share slots.
inline constexpr std::array<std::uint8_t, 4> kTlbBits{10, 13, 16, 18};
inline constexpr unsigned kTlbSize = 1u << kTlbBits.front();

/// Shifted right by so much, an address is the offset in bytes of its page's slot, but for the fold: the
/// number of the page is folded once, so that pages at a multiple of a large power of two do not share a
/// slot, nor, in a table that has grown, the host's cache sets. Pages side by side have their slots in one
/// host page.
inline constexpr unsigned kTlbShift = kPageShift - 4;
static_assert(sizeof(TlbEntry) == 1u << (kPageShift - kTlbShift));
inline constexpr unsigned kTlbFold = 12;

/// What selects a page's slot from its folded address, as an offset in bytes, where a table has 2^`bits`
/// slots.
constexpr std::uint32_t tlb_mask(unsigned bits) {
  return ((1u << bits) - 1) * static_cast<std::uint32_t>(sizeof(TlbEntry));
}
inline constexpr std::uint32_t kTlbFirstMask = tlb_mask(kTlbBits.front());
/// The number of the address's slot under the mask; by default that of a table which has not grown.
constexpr std::size_t tlb_index(std::uint64_t vaddr, std::uint32_t mask = kTlbFirstMask) {
  return ((vaddr >> kTlbShift ^ vaddr >> (kTlbShift + kTlbFold)) & mask) / sizeof(TlbEntry);
}

/// The first level of a context's tables: what generated code looks up inline.
///
/// All memory is zero at first, which is never found: a last byte in page 0 is looked for in page 0's slot
/// or, when the access begins at the end of the address space, in the last page's. These are marked empty.
class TlbTables {
 public:
  TlbTables();
  ~TlbTables();
  TlbTables(const TlbTables&) = delete;
  TlbTables& operator=(const TlbTables&) = delete;

  [[nodiscard]] TlbEntry* table(TlbAccess access) const { return tables_[static_cast<unsigned>(access)]; }
  /// See tlb_mask. Other threads read it when they withhold a page.
  [[nodiscard]] std::uint32_t mask() const { return mask_.load(std::memory_order_relaxed); }

  /// Enters the page. Whether another one was in its place.
  bool enter(TlbAccess access, std::uint64_t page, std::uint64_t addend);
  /// Any thread: removes the page from the table.
  void drop(TlbAccess access, std::uint64_t page);
  /// Any thread: empties the slot of the page for writing, whatever is there.
  void drop_write_slot(std::uint64_t page);

  /// Any thread, of tables that keep their size: empties all of them.
  void forget();
  /// From now on they do not grow.
  void keep_small() { may_grow_ = false; }

  [[nodiscard]] bool can_grow() const { return may_grow_ && step_ + 1 < steps_; }
  /// How often it has grown.
  [[nodiscard]] unsigned step() const { return step_; }
  /// All slots must have been emptied.
  void grow();
  /// All slots were emptied: where they take much memory gives it back and begins with the first size again.
  void give_back();

 private:
  static constexpr unsigned kTables = 3;
  static constexpr unsigned kMostTouched = 192;  ///< host pages that an empty context may keep

  [[nodiscard]] std::size_t slots() const { return std::size_t{1} << kTlbBits[steps_ - 1]; }
  [[nodiscard]] std::size_t bytes() const;
  void mark_empty();

  unsigned steps_ = kTlbBits.size();  ///< sizes that there is room for
  std::array<TlbEntry*, kTables> tables_{};
  std::uint64_t* touched_pages_ = nullptr;  ///< behind the tables: a bit for each of their host pages
  std::atomic<std::uint32_t> mask_{kTlbFirstMask};
  unsigned step_ = 0;
  unsigned touched_ = 0;  ///< host pages that have memory
  bool may_grow_ = true;
};

}  // namespace gstage
