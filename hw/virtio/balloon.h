// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "hw/virtio/chain.h"
#include "hw/virtio/device.h"

namespace gstage::hw {

/// What `-device virtio-balloon-…` says.
struct BalloonOptions {
  bool can_deflate_on_oom = false;
  bool has_page_poison = true;
  bool has_page_reporting = false;
};

/// virtio-balloon (Virtio 1.3, 5.5): memory that the guest gives up, or reports as free, goes back to the
/// host.
class VirtioBalloon final : public VirtioDevice {
 public:
  static constexpr std::uint64_t kPageBytes = 4096;

  /// A figure that the guest told of itself.
  struct Statistic {
    const char* name;
    std::uint64_t value;
  };

  VirtioBalloon(const AddressSpace& memory, const BalloonOptions& options);

  [[nodiscard]] const char* driver() const override { return "virtio-balloon-device"; }
  [[nodiscard]] std::uint32_t virtio_id() const override { return 5; }
  [[nodiscard]] std::uint64_t features() const override;
  [[nodiscard]] std::uint16_t max_queue_size(unsigned index) const override;
  void read_config(std::uint32_t offset, std::span<std::uint8_t> to) override;
  void write_config(std::uint32_t offset, std::span<const std::uint8_t> from) override;
  void reset() override;
  Served serve(unsigned index) override;
  void visit(Visitor& visitor) override;

  /// Asks the guest to make do with so many bytes, at most `memory_bytes()`. Any thread.
  void set_target(std::uint64_t bytes);
  /// What the guest has without what is in the balloon, bytes.
  [[nodiscard]] std::uint64_t guest_bytes() const;
  [[nodiscard]] std::uint64_t memory_bytes() const { return memory_bytes_; }
  /// What the guest said last, and asks it to say more; empty: nothing yet. Any thread.
  std::vector<Statistic> statistics();
  /// Bytes given back to the host so far.
  [[nodiscard]] std::uint64_t returned_bytes() const { return returned_bytes_.load(); }

 private:
  enum Queue : unsigned { kInflate, kDeflate, kStats, kReporting };
  struct Config {
    std::uint32_t num_pages;
    std::uint32_t actual;
    std::uint32_t free_page_hint_cmd_id;
    std::uint32_t poison_val;
  };
  struct [[gnu::packed]] StatisticWords {
    std::uint16_t tag;
    std::uint64_t value;
  };
  static constexpr unsigned kStatistics = 16;

  [[nodiscard]] bool has(std::uint64_t feature);
  void inflate(const Chain& chain);
  void report(const Chain& chain);
  Served serve_statistics(unsigned index);
  void keep_statistics(const Chain& chain);
  void give_back(Paddr paddr, std::uint64_t size);

  const BalloonOptions options_;
  const std::uint64_t memory_bytes_;
  std::atomic<std::uint32_t> target_pages_{0};  ///< of the balloon
  std::atomic<std::uint32_t> actual_pages_{0};
  std::atomic<std::uint32_t> poison_{0};
  std::atomic<std::uint64_t> returned_bytes_{0};
  std::vector<Chain> chains_;  ///< one a queue, for who serves it
  std::vector<std::uint32_t> pages_;

  std::mutex mutex_;  ///< guards the statistics
  std::uint64_t statistics_[kStatistics] = {};
  std::uint32_t known_statistics_ = 0;  ///< a bit for each that the guest told
  bool has_buffer_ = false;             ///< the guest's, in chains_[kStats]; returning it asks for figures
  bool is_asked_ = false;
};

/// The first balloon of the tree below `root`, or null.
VirtioBalloon* find_balloon(Device& root);

}  // namespace gstage::hw
