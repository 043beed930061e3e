// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace gstage {

/// What a hart's TLB and its table of jumps did; shown by `-d tlb_stats` and the monitor.
enum class TlbEvent : std::uint8_t {
  kReadRecalled,   ///< a load's page came back from the second level
  kWriteRecalled,  ///< a store's or an atomic's
  kFetchRecalled,  ///< the page of an instruction
  kWalked,         ///< a page that neither level had was entered
  kAdopted,        ///< a page that neither level had was taken over from the context of another address space
  kGrown,          ///< a first level has grown
  kDrivenOut,      ///< a page left both levels, for there was no place for another one
  kJumpAsked,      ///< a block that is jumped to was not in the table of jumps
  kJumpDrivenOut,  ///< a block left that table, for another one took its place
  kJumpsGrown,     ///< that table has grown
  kCount
};
const char* tlb_event_name(TlbEvent event);

/// Counts of one hart's, by its own thread. Other threads may read them.
class TlbCounts {
 public:
  void add(TlbEvent event) {
    std::atomic<std::uint64_t>& count = counts_[static_cast<unsigned>(event)];
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t of(TlbEvent event) const {
    return counts_[static_cast<unsigned>(event)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<std::uint64_t>, static_cast<unsigned>(TlbEvent::kCount)> counts_{};
};

}  // namespace gstage
