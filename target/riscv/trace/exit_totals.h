// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace gstage::riscv {

/// Where a hart is between two stays in guests. The first is V=1 itself.
enum class ExitPlace : std::uint8_t { kGuest, kHypervisor, kFirmware, kUser, kIdle };
inline constexpr unsigned kExitPlaces = 5;

/// What exits are told apart by. `extension` and `function` are those of an SBI call from VS-mode, else 0.
struct ExitKey {
  std::uint64_t cause = 0;  ///< as in scause or mcause, with the interrupt bit
  std::uint64_t extension = 0;
  std::uint64_t function = 0;
  std::uint32_t vmid = 0;
  bool operator==(const ExitKey&) const = default;
};

/// Buckets of a histogram: number n counts durations below 2^n ns that are in no lower one; the last one
/// takes all that are longer.
inline constexpr unsigned kExitBuckets = 40;

/// The sums of one kind of exits. One thread adds, any thread reads: each number is right, and they belong
/// together when the hart stands still.
struct ExitGroup {
  ExitKey key;
  std::atomic<std::uint64_t> count{0};
  std::array<std::atomic<std::uint64_t>, kExitPlaces> ns{};  ///< by ExitPlace; kGuest: all of it
  std::atomic<std::uint64_t> longest_ns{0};
  std::array<std::atomic<std::uint64_t>, kExitBuckets> buckets{};
};

/// The same at one pc of the guest.
struct ExitSite {
  std::uint64_t pc = 0;
  ExitGroup* group = nullptr;
  std::atomic<std::uint64_t> count{0};
  std::atomic<std::uint64_t> ns{0};
  std::atomic<bool> is_used{false};  ///< pc and group are there
};

/// Adds to what its own thread alone writes: no read-modify-write is needed.
inline void add_to(std::atomic<std::uint64_t>& sum, std::uint64_t amount) {
  sum.store(sum.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}

/// The sums of one hart. Memory is bounded: kinds of exits beyond `kGroups` are counted under one key with
/// the cause `kOtherCause`, and places beyond `kSites` are in their group alone.
class ExitTotals {
 public:
  static constexpr std::size_t kGroups = 1024;
  static constexpr std::size_t kSites = 16384;
  static constexpr std::uint64_t kOtherCause = ~std::uint64_t{0};

  ExitTotals();
  /// Where the exit counts. `site` is null when all are taken. The hart's own thread.
  struct Entry {
    ExitGroup* group;
    ExitSite* site;
  };
  Entry find(const ExitKey& key, std::uint64_t pc);

  /// Any thread.
  void for_each_group(const std::function<void(const ExitGroup&)>& look) const;
  void for_each_site(const std::function<void(const ExitSite&)>& look) const;

 private:
  static constexpr unsigned kProbes = 32;
  ExitGroup& group_of(const ExitKey& key);

  std::unique_ptr<ExitGroup[]> groups_;
  std::atomic<std::size_t> group_count_{1};  ///< the first is the one for all others
  std::unique_ptr<ExitSite[]> sites_;
};

}  // namespace gstage::riscv
