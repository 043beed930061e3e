// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "softmmu/base/types.h"

namespace gstage {

class CodePages;

/// One slot of a direct-mapped table. Generated code reads it: an access hits when `tag` equals the page of
/// its last byte, and then the byte lies at host address vaddr + addend.
struct TlbEntry {
  std::uint64_t tag;
  std::uint64_t addend;
};
static_assert(sizeof(TlbEntry) == 16);

/// In place of the size of a G-stage leaf: there is no such stage, and no fence asks for the entry by it.
inline constexpr std::uint8_t kNoGStage = 0xff;

/// What a fence needs to know of an entry and generated code does not.
struct TlbOrigin {
  std::uint64_t gpa_page =
      0;  ///< page of the guest physical address (equals paddr_page when there is no G-stage)
  std::uint64_t paddr_page = 0;        ///< page of the supervisor physical address
  std::uint8_t page_shift = 12;        ///< log2 of the smaller leaf's page size, VS-stage
  std::uint8_t gpa_shift = kNoGStage;  ///< log2 of the G-stage leaf's page size
  bool is_global = false;              ///< the (VS-stage) leaf has G set: spared by fences that name an ASID
};

/// One slot of the jump cache: where the code of the block at virtual address `pc` begins.
struct JumpEntry {
  std::uint64_t pc;
  const void* code;
};
static_assert(sizeof(JumpEntry) == 16);

inline constexpr unsigned kTlbBits = 10;
inline constexpr unsigned kTlbSize = 1u << kTlbBits;
/// Never equal to a page address.
inline constexpr std::uint64_t kNoTag = ~std::uint64_t{0};
/// Never equal to a pc, which is even.
inline constexpr std::uint64_t kNoPc = ~std::uint64_t{0};

/// The jump cache is grouped by page, so that a fence with an address clears one group: 64 groups of 32 sets
/// of
/// 2. Both entries of a set are looked at; a new one takes the first place and moves the old one to the
/// second.
inline constexpr unsigned kJumpCacheSize = 4096;
inline constexpr unsigned kJumpGroup = 64;
/// Of the first entry of the pc's set. Bits above are mixed in, for much code begins at multiples of 16.
constexpr unsigned jump_index(std::uint64_t pc) {
  return static_cast<unsigned>(((pc >> 6) & 0xfc0) | ((pc ^ (pc >> 5)) & 0x3e));
}
/// The entry of the pc, or null.
inline const JumpEntry* find_jump(const JumpEntry* jumps, std::uint64_t pc) {
  const JumpEntry* const set = &jumps[jump_index(pc)];
  return set[0].pc == pc ? &set[0] : set[1].pc == pc ? &set[1] : nullptr;
}
/// Enters a jump.
inline void enter_jump(JumpEntry* jumps, std::uint64_t pc, const void* code) {
  JumpEntry* const set = &jumps[jump_index(pc)];
  if (set[0].pc != pc) set[1] = set[0];
  set[0] = {pc, code};
}
constexpr unsigned tlb_index(std::uint64_t vaddr) { return (vaddr >> kPageShift) & (kTlbSize - 1); }

/// What a table of a context is for.
enum class TlbAccess : std::uint8_t { kRead, kWrite, kFetch };

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
  kFenceAddress,  ///< a fence that names an address: single slots
  kPmp,           ///< pmpcfg/pmpaddr/mseccfg changed
  kCodePage,      ///< write entries of a page that now holds translated code
  kReset,
  kCount
};
const char* tlb_flush_name(TlbFlush reason);

/// Bits of the filter that tells which host pages a context may have entered for writing.
inline constexpr unsigned kWriteFilterBits = 1u << 14;

/// A set of a table's slots.
using SlotSet = std::array<std::uint64_t, kTlbSize / 64>;
inline constexpr unsigned kGpaBuckets = 64;

/// The tables of one regime.
///
/// Which slots are in use is kept in sets, so that what works on all entries takes time by how many there
/// are: each new address space clears a context.
///
/// Invariant: each jump's page is present in the fetch table, so that a fence that works on entries finds all
/// jumps. Where an instruction straddles two pages its block begins with it, in the last two bytes of the
/// first page; whatever drops the second page's jumps drops that one as well.
///
/// The hart's own thread alone calls the methods. Other threads overwrite tags of write entries
/// (Tlb::withhold_writes), nothing else.
struct TlbContext {
  std::array<std::array<TlbEntry, kTlbSize>, 3> tables;  ///< by TlbAccess
  alignas(64) std::array<JumpEntry, kJumpCacheSize> jumps;
  std::array<std::array<TlbOrigin, kTlbSize>, 3> origins;
  std::array<SlotSet, 3> used{};    ///< something was entered there; bits of entries that are gone may stay
  std::array<SlotSet, 3> global{};  ///< of those in use: through a global leaf
  /// Which slots may hold translations through a G-stage leaf, by a hash of the leaf: a fence that names a
  /// guest physical address looks at these alone. Bits of entries that are gone stay until then.
  std::array<std::array<SlotSet, kGpaBuckets>, 3> gpa_slots{};
  /// Which groups of `jumps` may have any, as bits: those of pages in the fetch table.
  std::uint64_t jump_groups = 0;
  std::array<std::uint64_t, 3> gpa_buckets{};  ///< which sets of `gpa_slots` may not be empty, as bits
  std::uint64_t gpa_shifts = 0;  ///< sizes (log2) of the G-stage leaves that entries came through, as bits
  TlbKey key;
  std::uint64_t used_at = 0;  ///< Tlb's count of uses
  bool in_use = false;
  bool is_empty = false;  ///< nothing was entered since `clear`
  std::uint64_t superpage_low =
      ~std::uint64_t{0};  ///< bounds of all virtual addresses entered from superpages
  std::uint64_t superpage_high = 0;
  std::array<std::atomic<std::uint64_t>, kWriteFilterBits / 64> write_filter{};

  TlbContext();
  TlbEntry* table(TlbAccess access) { return tables[static_cast<unsigned>(access)].data(); }
  /// Drops every entry and jump.
  void clear();
  /// Drops the entries (all three tables) and jumps of the page, and where it lies in a superpage, of all of
  /// that.
  void clear_page(Vaddr vaddr, bool spare_global);
  /// Drops entries whose leaf is not global, and their jumps.
  void clear_non_global();
  /// Drops entries that came through the guest physical page (or its superpage), and their jumps.
  void clear_gpa(Gpa gpa);
  /// Enters a translation. Called by the hart's own thread only. A page that is entered for writing while
  /// other harts may translate code of it takes, in this order: CodePages::note_writable, insert, a seq_cst
  /// fence, CodePages::may_write, and where that is false drop_write again.
  void insert(TlbAccess access, Vaddr vaddr, const void* host_page, const TlbOrigin& origin);
  /// Enters what another context of the same mode holds of global leaves, which are the same in all address
  /// spaces, with their jumps. This one is empty.
  void adopt_global(const TlbContext& from, const CodePages& code_pages);
  /// Takes back the write entry of the page.
  void drop_write(Vaddr vaddr);
  /// Drops the jumps of the page and the one that straddles into it.
  void clear_page_jumps(Vaddr vaddr);
  void clear_jumps();

 private:
  friend class Tlb;
  template <class Visit>
  void for_slots(const std::array<SlotSet, 3>& slots, Visit&& visit);
  template <class Drop>
  void drop_entries_if(Drop&& drop);
  void drop_entry(TlbAccess access, unsigned slot);
  void fill(TlbAccess access, unsigned slot, const TlbEntry& entry, const TlbOrigin& origin);
  void adopt_jumps(const TlbContext& from);
  void clear_gpa_bucket(TlbAccess access, unsigned bucket, std::uint64_t gpa);
  /// Called by any thread. Whether an entry was dropped.
  bool withhold_write(const void* host_page);
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
  /// Removes write entries that lead to the host page. May be called by any thread while the hart runs: only
  /// tags are written, atomically.
  void withhold_writes(const void* host_page);
  /// Forgets every jump of every context (after translated code was dropped). Only by the hart's own thread
  /// or while it is stopped.
  void clear_jumps();

 private:
  TlbContext& take_place();
  std::array<std::unique_ptr<TlbContext>, kContexts> contexts_;
  std::array<std::atomic<TlbContext*>, kContexts> shared_{};  ///< the same, for other threads
  std::uint64_t uses_ = 0;
  std::array<std::atomic<std::uint64_t>, static_cast<unsigned>(TlbFlush::kCount)> flushes_{};
};

}  // namespace gstage
