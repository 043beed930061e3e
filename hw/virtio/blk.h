// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/block/block.h"
#include "hw/virtio/chain.h"
#include "hw/virtio/device.h"

namespace gstage::hw {

/// What `-device virtio-blk-device` says besides the drive.
struct VirtioBlkOptions {
  std::string serial;  ///< at most 20 bytes
  bool is_write_cache = true;
  bool can_discard = true;
  bool can_write_zeroes = true;
  bool can_switch_cache = true;  ///< the driver may turn the write cache off and on
  std::uint16_t queue_size = 256;
  std::uint16_t queues = 1;
  // Bytes, powers of two from 512 on; 0 of the last three: nothing is said of it.
  std::uint32_t logical_block = 512;
  std::uint32_t physical_block = 512;  ///< at least logical_block
  std::uint32_t min_io = 0;            ///< a multiple of logical_block
  std::uint32_t opt_io = 0;            ///< likewise
  std::uint32_t discard_granularity = 0;
  std::uint32_t max_discard_sectors = 0x3fffff;
  std::uint32_t max_write_zeroes_sectors = 0x3fffff;
  FailureRule failures{};
};

/// One request on its way, and room to work on it. A queue uses one again and again.
struct BlkRequest {
  Chain chain;
  BufferElements data;
  DiskFailure failure{};    ///< of a request that is to be done once more
  bool is_at_once = false;  ///< it is to be done without waiting for the host, or later
};

/// Answers the requests of a virtio block device (Virtio 1.3, 5.2.6). It knows neither queue nor thread: a
/// request comes in as the elements of its buffer.
class BlkRequests {
 public:
  BlkRequests(BlockBackend& backend, VirtioBlkOptions options)
      : backend_(backend), options_(std::move(options)) {}

  /// `execute` of a buffer that is no request at all.
  static constexpr std::int64_t kNoRequest = -1;
  /// And of one that failed and is to be done once more when the machine goes on: the guest sees nothing of
  /// it. Whoever called stops the machine, by the request's `failure`.
  static constexpr std::int64_t kAgainLater = -2;

  /// And of one that is to be done at once, and cannot be.
  static constexpr std::int64_t kNotAtOnce = -3;

  /// Executes one request and writes its status. Returns how many bytes were written, or one of the
  /// above. With `is_writethrough` a write is on the disk before this returns.
  std::int64_t execute(AddressSpace& memory, BlkRequest& request, bool is_writethrough);

  /// Of whole logical blocks.
  [[nodiscard]] std::uint64_t sectors() const {
    return backend_.size() / options_.logical_block * (options_.logical_block / kSectorBytes);
  }

  static constexpr std::uint64_t kSectorBytes = 512;
  /// Of one discard or write-zeroes, as the configuration shows.
  static constexpr std::uint32_t kMaxRanges = 16;

 private:
  struct Header {
    std::uint32_t type;
    std::uint32_t reserved;
    std::uint64_t sector;
  };
  struct Range {
    std::uint64_t sector;
    std::uint32_t sectors;
    std::uint32_t flags;
  };

  std::uint8_t dispatch(AddressSpace& memory, BlkRequest& request, const Header& header,
                        bool is_writethrough);
  std::uint8_t read(AddressSpace& memory, std::uint64_t sector, BlkRequest& request);
  std::uint8_t write(std::uint64_t sector, BlkRequest& request, bool is_writethrough);
  std::uint8_t ranges(std::uint32_t type, BlkRequest& request, bool is_writethrough);
  std::uint8_t flush(BlkRequest& request);
  std::uint8_t identify(AddressSpace& memory, const BlkRequest& request) const;
  /// The status of a request that the host could not do.
  std::uint8_t failed(BlkRequest& request, bool is_write, int error) const;
  /// Whole logical blocks of the disk.
  [[nodiscard]] bool is_inside(std::uint64_t sector, std::uint64_t bytes) const;

  BlockBackend& backend_;
  VirtioBlkOptions options_;
};

/// virtio-blk: for each queue a worker takes the requests off it and executes them in order.
class VirtioBlk final : public VirtioDevice {
 public:
  VirtioBlk(std::shared_ptr<BlockBackend> backend, const VirtioBlkOptions& options);
  ~VirtioBlk() override;

  [[nodiscard]] const char* driver() const override { return "virtio-blk-device"; }
  [[nodiscard]] std::string firmware_node() const override { return "disk@0,0"; }
  [[nodiscard]] std::uint32_t virtio_id() const override { return 2; }
  [[nodiscard]] std::uint64_t features() const override;
  [[nodiscard]] std::uint16_t max_queue_size(unsigned index) const override;
  void read_config(std::uint32_t offset, std::span<std::uint8_t> to) override;
  void write_config(std::uint32_t offset, std::span<const std::uint8_t> from) override;
  void negotiated() override;
  void reset() override;
  void hurry(bool is_on) override { backend_->hurry(is_on); }
  Served serve(unsigned index) override;
  bool serve_at_once(unsigned index) override;
  [[nodiscard]] bool can_serve_at_once(unsigned index) const override {
    return queues_[index].left_at_once.load(std::memory_order_relaxed) != 0;
  }
  void visit(Visitor& visitor) override;

 private:
  /// One queue's work.
  struct Work {
    BlkRequest request;
    unsigned lone = 0;                      ///< so many times running a worker was woken for a single request
    std::atomic<unsigned> left_at_once{0};  ///< requests that harts may do themselves
  };
  void note_served(Work& work, unsigned count);
  void wait_for_resume(unsigned index, const BlkRequest& request);
  void resume();

  std::shared_ptr<BlockBackend> backend_;
  VirtioBlkOptions options_;
  BlkRequests requests_;
  std::atomic<bool> is_writeback_;
  std::atomic<bool> is_halted_{false};  ///< a request failed: no queue is served until the machine goes on
  unsigned resume_id_ = 0;
  std::vector<Work> queues_;
};

}  // namespace gstage::hw
