// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "softmmu/base/bits.h"
#include "softmmu/base/types.h"
#include "softmmu/mem/tlb_tables.h"

namespace gstage {

/// In place of the size of a G-stage leaf: there is no such stage, and no fence asks for the entry by it.
inline constexpr std::uint8_t kNoGStage = 0xff;

/// What a fence needs to know of a translation and generated code does not.
struct TlbOrigin {
  std::uint64_t gpa_page =
      0;  ///< page of the guest physical address (equals paddr_page when there is no G-stage)
  std::uint64_t paddr_page = 0;        ///< page of the supervisor physical address
  std::uint8_t page_shift = 12;        ///< log2 of the smaller leaf's page size, VS-stage
  std::uint8_t gpa_shift = kNoGStage;  ///< log2 of the G-stage leaf's page size
  bool is_global = false;              ///< the (VS-stage) leaf has G set: spared by fences that name an ASID
  bool operator==(const TlbOrigin&) const = default;
};

/// The translation of one page of a context. Numbers of pages stand for pointers; 0 is none.
struct TlbPage {
  std::uint64_t page;        ///< virtual; other threads read it
  std::uint64_t addend;      ///< from virtual to host address
  std::uint64_t write_host;  ///< the host page while the page may be written, else 0; other threads clear it
  TlbOrigin origin;
  bool is_readable;
  bool is_executable;
  std::uint8_t entered;  ///< a bit for each table of the first level (TlbAccess) that may have it
  std::uint32_t next;    ///< in the list of its bucket
  struct Link {
    std::uint32_t previous;
    std::uint32_t next;
  };
  std::array<Link, 2> links;  ///< in the lists by leaf, see TlbPages::Stage
};

/// The second level of a context: all its pages, found by virtual address and, as fences name them, by the
/// leaf of either stage. The place of a page is kept until it is removed; other threads look at `write_host`
/// of all places up to `end`.
class TlbPages {
 public:
  static constexpr std::uint32_t kFirst = (1u << 10) - 1;  ///< places at first
  static constexpr std::uint32_t kMost = (1u << 16) - 1;
  /// Whose leaf: the first stage's, of pages larger than 4 KiB only, or the G-stage's.
  enum Stage : std::uint8_t { kFirstStage, kGStage };

  TlbPages();
  ~TlbPages();
  TlbPages(const TlbPages&) = delete;
  TlbPages& operator=(const TlbPages&) = delete;

  [[nodiscard]] bool is_empty() const { return count_ == 0; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] TlbPage* find(std::uint64_t page) const {
    for (std::uint32_t n = store_->heads[bucket_of(page)]; n != 0; n = store_->pages[n].next)
      if (store_->pages[n].page == page) return &store_->pages[n];
    return nullptr;
  }
  [[nodiscard]] bool is_full() const { return count_ == limit_; }
  /// Twice the places, if many pages were driven out already. False: one is to be removed for the next one.
  /// Pages that a sweep touches once need not all be kept; those that are used again are worth memory.
  bool extend();
  /// The page may be written, and leads to the host page. See withhold_writes.
  void allow_writes(TlbPage& page, std::uint64_t host_page);
  /// While there are none: where they took much memory gives it back and begins with the first number of
  /// places again.
  void give_back();
  /// Which one to remove where all places are taken: the one that has been there for longest.
  TlbPage& oldest();
  /// Takes a place for a page that is not there.
  TlbPage& add(std::uint64_t page, std::uint64_t addend, const TlbOrigin& origin);
  void remove(TlbPage& page);
  /// Removes all. `visit(TlbPage&)` sees each before.
  template <class Visit>
  void clear(Visit&& visit) {
    for_each([&](TlbPage& page) {
      visit(page);
      store_->heads[bucket_of(page.page)] = 0;
      for (const Stage stage : {kFirstStage, kGStage})
        if (is_listed(page, stage)) *head_of(page, stage) = 0;
      store_word(page.write_host, 0);
    });
    reset();
  }

  /// Calls `visit(TlbPage&)` for each page, which may be removed meanwhile.
  template <class Visit>
  void for_each(Visit&& visit, bool spare_global = false) {
    const std::uint32_t words = (end_.load(std::memory_order_relaxed) + 63) / 64;
    for (std::uint32_t word = 0; word < words; ++word) {
      const std::uint64_t spared = spare_global ? store_->global[word] : 0;
      for (std::uint64_t rest = store_->used[word] & ~spared; rest != 0; rest &= rest - 1)
        visit(store_->pages[64 * word + static_cast<unsigned>(std::countr_zero(rest))]);
    }
  }
  /// The same for the pages whose leaf of the stage holds the address.
  template <class Visit>
  void for_leaf(Stage stage, std::uint64_t address, Visit&& visit) {
    for (std::uint64_t rest = shifts_[stage]; rest != 0; rest &= rest - 1) {
      const auto shift = static_cast<unsigned>(std::countr_zero(rest));
      std::uint32_t next = 0;
      for (std::uint32_t n = store_->leaves[stage][leaf_bucket(address, shift)]; n != 0; n = next) {
        TlbPage& page = store_->pages[n];
        next = page.links[stage].next;
        if (shift_of(page, stage) == shift && (address_of(page, stage) ^ address) >> shift == 0) visit(page);
      }
    }
  }
  /// Any thread: calls `visit(page)` with each virtual page that leads to the host page for writing, after
  /// it has lost the right to.
  template <class Visit>
  bool withhold_writes(std::uint64_t host_page, Visit&& visit) {
    bool is_any = false;
    const std::uint32_t number = write_number(host_page);
    const std::uint32_t end = end_.load(std::memory_order_acquire);
    for (std::uint32_t n = 1; n < end; ++n) {
      if (std::atomic_ref(store_->write_numbers[n]).load(std::memory_order_relaxed) != number) continue;
      TlbPage& page = store_->pages[n];
      std::uint64_t host = host_page;
      if (std::atomic_ref(page.write_host).load(std::memory_order_relaxed) != host_page) continue;
      const std::uint64_t virtual_page = std::atomic_ref(page.page).load(std::memory_order_relaxed);
      // The hart may have put another page here meanwhile; then it has dropped this one itself.
      if (!std::atomic_ref(page.write_host).compare_exchange_strong(host, 0)) continue;
      visit(virtual_page);
      is_any = true;
    }
    return is_any;
  }

 private:
  static constexpr unsigned kFirstBucketBits = 10;
  static constexpr unsigned kBucketBits = 14;
  static constexpr unsigned kDrivenOut =
      2;  ///< as many times the places are taken again before they are doubled
  static constexpr unsigned kNearBits = 4;  ///< pages side by side have their buckets side by side
  static constexpr unsigned kLeafBits = 10;
  struct Store {
    std::array<std::uint32_t, 1u << kBucketBits> heads;
    std::array<std::array<std::uint32_t, 1u << kLeafBits>, 2> leaves;
    std::array<std::uint64_t, (kMost + 1) / 64> used;
    std::array<std::uint64_t, (kMost + 1) / 64> global;
    std::array<TlbPage, kMost + 1> pages;
    /// write_number of the host page that the page was last writable at: a search looks at few cache lines.
    std::array<std::uint32_t, kMost + 1> write_numbers;
  };

  static void store_word(std::uint64_t& word, std::uint64_t value) {
    std::atomic_ref(word).store(value, std::memory_order_relaxed);
  }
  static std::uint32_t write_number(std::uint64_t host_page) {
    return static_cast<std::uint32_t>(host_page >> kPageShift);
  }
  [[nodiscard]] std::uint32_t bucket_of(std::uint64_t page) const {
    const std::uint64_t number = page >> kPageShift;
    return hash_bits(number >> kNearBits, bucket_bits_ - kNearBits) << kNearBits |
           static_cast<std::uint32_t>(number & ((1u << kNearBits) - 1));
  }
  static unsigned leaf_bucket(std::uint64_t address, unsigned shift) {
    return hash_bits(address >> shift, kLeafBits);
  }
  static unsigned shift_of(const TlbPage& page, Stage stage);
  static std::uint64_t address_of(const TlbPage& page, Stage stage) {
    return stage == kFirstStage ? page.page : page.origin.gpa_page;
  }
  static bool is_listed(const TlbPage& page, Stage stage) {
    return stage == kFirstStage ? page.origin.page_shift > kPageShift : page.origin.gpa_shift != kNoGStage;
  }
  std::uint32_t* head_of(const TlbPage& page, Stage stage) {
    return &store_->leaves[stage][leaf_bucket(address_of(page, stage), shift_of(page, stage))];
  }
  [[nodiscard]] std::uint32_t number_of(const TlbPage& page) const {
    return static_cast<std::uint32_t>(&page - store_->pages.data());
  }
  void list(TlbPage& page, Stage stage);
  void unlist(TlbPage& page, Stage stage);
  void reset();

  Store* const store_;
  std::uint32_t count_ = 0;
  std::uint32_t limit_ = kFirst;
  std::uint32_t driven_out_ = 0;  ///< since the places were doubled
  unsigned bucket_bits_ = kFirstBucketBits;
  std::uint32_t free_ = 0;                 ///< the first place below `end_` that was left, linked by `next`
  std::uint32_t hand_ = 0;                 ///< see `oldest`
  std::atomic<std::uint32_t> end_{1};      ///< places from here on were never taken
  std::array<std::uint64_t, 2> shifts_{};  ///< sizes (log2) of the leaves in the lists, as bits
};

}  // namespace gstage
