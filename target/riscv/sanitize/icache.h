// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "softmmu/base/types.h"
#include "softmmu/mem/address_space.h"
#include "target/riscv/hart.h"
#include "target/riscv/sanitize/writer.h"

namespace gstage::riscv {

/// Finds instructions that a hart executes though their bytes were stored since its last fence.i ("Zifencei"
/// chapter): it might as well execute what was there before.
///
/// A fence.i of any hart takes all pages out of the tables for writing. So the first store to a page after it
/// is seen, and a copy of the page is kept: what a hart fetches is compared with the copies that are younger
/// than its own last fence.i. Stores of devices are not seen.
class IcacheSanitizer {
 public:
  /// `grace_ms`: see SanitizeOptions.
  explicit IcacheSanitizer(AddressSpace& memory, unsigned grace_ms = 0) : memory_(memory), grace_(grace_ms) {}
  /// While the machine is built, in order of hart ids.
  void add_hart(Hart& hart);

  /// Before and after an access that takes the slow path.
  void check_tlb(Hart& hart);
  /// Before the hart stores so many bytes. Returns whether the page may be entered for writing: later stores
  /// are not seen then.
  bool before_store(Paddr paddr, unsigned size);
  /// fence.i
  void fence(Hart& hart);
  /// The hart fetches at pc, which lies at `paddr` of the page at `host`. Reports what is stale there.
  /// Returns whether the hart may fetch from the page again without asking.
  bool fetch(Hart& hart, Vaddr pc, Paddr paddr, const std::byte* host);

  [[nodiscard]] std::uint64_t findings() const;
  /// One line for the end of a run.
  [[nodiscard]] std::string summary() const;

 private:
  using Copy = std::array<std::byte, kPageSize>;
  /// What a page held before the first store after a fence.i.
  struct Record {
    std::uint64_t stamp;
    Writer first;                                  ///< who stored first
    std::chrono::steady_clock::time_point last{};  ///< when a store was last seen
    std::unique_ptr<Copy> before;
    std::unordered_map<unsigned, Writer>
        writers;  ///< of 8 bytes, by number: who stored last, where that was seen
  };
  struct HartState {
    Hart* hart;
    std::uint64_t fenced = 0;             ///< stamp of the last fence.i
    std::atomic<std::uint32_t> epoch{0};  ///< see FenceSanitizer
    std::uint32_t seen = 0;
  };
  static constexpr std::size_t kMostRecords = 64 * 1024;

  void prune();
  void empty_tlbs();

  [[nodiscard]] bool is_in_grace(const Hart& hart, const Record& record, const Writer& writer) const;

  AddressSpace& memory_;
  const std::chrono::milliseconds grace_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<HartState>> states_;
  std::unordered_map<std::uint64_t, std::vector<Record>> pages_;  ///< by physical address
  std::unordered_set<std::uint64_t> fetched_;                     ///< pages that a hart has fetched from
  std::size_t records_ = 0;
  std::uint64_t now_ = 1;  ///< counts fence.i's
  std::uint64_t findings_ = 0;
  std::set<std::string> reported_;  ///< each fence.i that is missing is told once
};

}  // namespace gstage::riscv
