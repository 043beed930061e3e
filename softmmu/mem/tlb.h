// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "softmmu/base/bits.h"
#include "softmmu/base/types.h"
#include "softmmu/mem/jump_table.h"
#include "softmmu/mem/tlb_counts.h"
#include "softmmu/mem/tlb_pages.h"
#include "softmmu/mem/tlb_tables.h"

namespace gstage {

class CodePages;

/// Where the code of the block at virtual address `pc` begins, whose one instruction straddles two pages.
struct JumpEntry {
  std::uint64_t pc;
  const void* code;
};
static_assert(sizeof(JumpEntry) == 16);
/// Never equal to a pc, which is even.
inline constexpr std::uint64_t kNoPc = ~std::uint64_t{0};
/// What is known of straddling blocks, each at the one place that is its own.
inline constexpr unsigned kStraddlerBits = 8;
using Straddlers = std::array<JumpEntry, 1u << kStraddlerBits>;
inline constexpr std::uint32_t kStraddlerFactor = 0x9e3779b1;  ///< 2^32 over the golden ratio
constexpr unsigned straddler_index(std::uint64_t pc) {
  return static_cast<std::uint32_t>(pc >> kPageShift) * kStraddlerFactor >> (32 - kStraddlerBits);
}

/// The identity of a translation regime. The target packs into the words what it needs to tell regimes apart
/// (V, VMID, ASID, privilege, SUM, MXR, roots); softmmu only compares them.
struct TlbKey {
  std::array<std::uint64_t, 3> words{};
  /// Without the call of memcmp that std::array's would be: each change of mode compares keys.
  bool operator==(const TlbKey& other) const {
    return ((words[0] ^ other.words[0]) | (words[1] ^ other.words[1]) | (words[2] ^ other.words[2])) == 0;
  }
};

/// Why translations were dropped; counted for `-d tlb_stats` and the monitor.
enum class TlbFlush : std::uint8_t {
  kEviction,      ///< a context was recycled for another regime
  kFenceAll,      ///< sfence.vma/hfence without operands
  kFenceAsid,     ///< a fence that names an ASID or VMID only
  kFenceAddress,  ///< a fence that names an address: single pages
  kPmp,           ///< pmpcfg/pmpaddr/mseccfg changed
  kCodePage,      ///< write entries of a page that now holds translated code
  kReset,
  kCount
};
const char* tlb_flush_name(TlbFlush reason);

/// Bits of the filter that tells which host pages a context may have entered for writing.
inline constexpr unsigned kWriteFilterBits = 1u << 14;

/// The tables of one regime, in two levels.
///
/// The first (TlbTables) is what generated code looks up inline: direct-mapped, it holds no page that the
/// second does not hold. The second (TlbPages) holds all pages, in no order of addresses. A page that is in
/// another's way in the first level is brought back from the second without a walk; where that happens time
/// and again the first level grows, until the pages in use have slots of their own.
///
/// Whatever a fence drops it looks up in the second level, so that it takes time by what there is to drop.
///
/// A jump finds its block by the table for fetches and JumpTable, where there is nothing to drop. Invariant:
/// the straddling blocks that jumps lead to lie in pages that the second level holds for fetching. So a page
/// that goes takes along the two that it can have a part of.
///
/// The hart's own thread alone calls the methods. Other threads withhold pages from being written
/// (Tlb::withhold_writes), nothing else.
class TlbContext {
 public:
  TlbContext() { clear_straddlers(); }

  [[nodiscard]] TlbEntry* table(TlbAccess access) const { return tables_.table(access); }
  [[nodiscard]] std::uint32_t mask() const { return tables_.mask(); }
  [[nodiscard]] JumpEntry* straddlers() { return straddlers_.data(); }
  [[nodiscard]] bool is_empty() const { return pages_.is_empty(); }
  [[nodiscard]] std::uint32_t page_count() const { return pages_.count(); }
  /// Calls `visit(const TlbPage&)` for each page of the second level, in no order.
  template <class Visit>
  void for_each_page(Visit&& visit) {
    pages_.for_each([&](const TlbPage& page) { visit(page); });
  }
  [[nodiscard]] const TlbCounts& counts() const { return counts_; }

  /// Drops every entry and straddling block.
  void clear();
  /// Drops the entries (all three tables) and straddling blocks of the page, and where it lies in a
  /// superpage, of all of that.
  void clear_page(Vaddr vaddr, bool spare_global);
  /// Drops entries whose leaf is not global, and their straddling blocks.
  void clear_non_global();
  /// Drops entries that came through the guest physical page (or its superpage), and their straddling blocks.
  void clear_gpa(Gpa gpa);
  /// Enters a translation. Called by the hart's own thread only. A page that is entered for writing while
  /// other harts may translate code of it takes, in this order: CodePages::note_writable, insert, a seq_cst
  /// fence, CodePages::may_write, and where that is false drop_write again.
  void insert(TlbAccess access, Vaddr vaddr, const void* host_page, const TlbOrigin& origin);
  /// The page, if the second level has it for this access; then it is in the first level, too. Until the next
  /// call of a method.
  const TlbPage* recall(TlbAccess access, Vaddr vaddr);
  /// Takes over the translation of the page from another context of the same mode, where its leaf is global,
  /// which is the same in all address spaces. Whether there was one. This one has none of the page.
  bool adopt_global(const TlbContext& from, Vaddr vaddr, const CodePages& code_pages);
  /// Takes back the write entry of the page.
  void drop_write(Vaddr vaddr);
  void clear_straddlers() { straddlers_.fill(JumpEntry{kNoPc, nullptr}); }

  TlbKey key;
  std::uint64_t used_at = 0;  ///< Tlb's count of uses
  bool in_use = false;
  const TlbContext* relative = nullptr;  ///< of the same mode, once: see adopt_global

 private:
  friend class Tlb;
  /// After so many times that a page was in another's way, and two for each page, the first level grows. What
  /// these took, in calls of C++, is about what it takes to have larger tables filled.
  static constexpr unsigned kConflicts = 2048;

  void drop(TlbPage& page);
  /// Takes a dropped page's entries out of the first level.
  void drop_entries(TlbPage& page);
  void drop_straddler(std::uint64_t pc);
  void drop_straddlers(const TlbPage& page);
  TlbPage& add(std::uint64_t page, std::uint64_t addend, const TlbOrigin& origin);
  void fill(TlbAccess access, TlbPage& page);
  void allow(TlbAccess access, TlbPage& page);
  void grow();
  /// Called by any thread. Whether an entry was dropped.
  bool withhold_write(const void* host_page);
  /// For another regime, after `clear`: what takes much memory begins small again.
  void give_back();

  TlbTables tables_;
  TlbPages pages_;
  TlbCounts counts_;
  unsigned conflicts_ = 0;  ///< since the first level has grown
  Straddlers straddlers_;
  std::array<std::atomic<std::uint64_t>, kWriteFilterBits / 64> write_filter_{};
};

/// A hart's contexts, made when first needed, recycled least recently used.
class Tlb {
 public:
  static constexpr unsigned kContexts = 16;

  /// The context in use that was most recently used of those that `is_meant(const TlbKey&)`, or null.
  template <class IsMeant>
  TlbContext* newest(IsMeant&& is_meant) {
    TlbContext* found = nullptr;
    for_each([&](TlbContext& c) {
      if ((found == nullptr || c.used_at > found->used_at) && is_meant(c.key)) found = &c;
    });
    return found;
  }
  /// The context of `key`; a new or recycled one is empty. Never fails.
  TlbContext& context(const TlbKey& key);
  /// Notes a use of a context that was not asked for by `context`, which recycles the least recently used
  /// one.
  void touch(TlbContext& context) { context.used_at = ++uses_; }
  /// Calls `visit(TlbContext&)` for each context in use.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (auto& c : contexts_)
      if (c && c->in_use) visit(*c);
  }
  /// Empties all contexts; they keep their keys and places.
  void clear(TlbFlush reason);
  void count(TlbFlush reason) {
    flushes_[static_cast<unsigned>(reason)].fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t flushes(TlbFlush reason) const {
    return flushes_[static_cast<unsigned>(reason)].load(std::memory_order_relaxed);
  }
  /// Of all contexts and of the jumps. Any thread.
  [[nodiscard]] std::uint64_t events(TlbEvent event) const;
  /// Removes write entries that lead to the host page. May be called by any thread while the hart runs: only
  /// tags are written, atomically.
  void withhold_writes(const void* host_page);
  /// Takes the page, or all pages, out of the first level of all contexts: the next access of each takes the
  /// slow path. Any thread while the hart runs; of a Tlb that keeps small.
  void forget(Vaddr page);
  void forget_all();
  /// Before the first use: the first levels never grow, so that `forget_all` takes little time.
  void keep_small() { is_small_ = true; }
  [[nodiscard]] JumpTable& jump_table() { return jump_table_; }
  /// Forgets every jump, and the straddling blocks of every context (after translated code was dropped). Only
  /// by the hart's own thread or while it is stopped.
  void clear_jumps();

 private:
  TlbContext& take_place();
  std::array<std::unique_ptr<TlbContext>, kContexts> contexts_;
  std::array<std::atomic<TlbContext*>, kContexts> shared_{};  ///< the same, for other threads
  JumpTable jump_table_;
  std::uint64_t uses_ = 0;
  bool is_small_ = false;
  std::array<std::atomic<std::uint64_t>, static_cast<unsigned>(TlbFlush::kCount)> flushes_{};
};

}  // namespace gstage
