// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/block.h"
#include "hw/virtio/chain.h"
#include "hw/virtio/device.h"

namespace gstage::hw {

/// What `-device virtio-blk-device` says besides the drive.
struct VirtioBlkOptions {
  std::string serial;  ///< at most 20 bytes
  bool is_write_cache = true;
  bool can_discard = true;
  bool can_write_zeroes = true;
  std::uint16_t queue_size = 256;
};

/// One request on its way, and room to work on it. A queue uses one again and again.
struct BlkRequest {
  Chain chain;
  BufferElements data;
};

/// Answers the requests of a virtio block device (Virtio 1.3, 5.2.6). It knows neither queue nor thread: a
/// request comes in as the elements of its buffer.
class BlkRequests {
 public:
  BlkRequests(BlockBackend& backend, VirtioBlkOptions options)
      : backend_(backend), options_(std::move(options)) {}

  /// Executes one request and writes its status. Returns how many bytes were written, or -1 when the buffer
  /// is no request at all. With `is_writethrough` a write is on the disk before this returns.
  std::int64_t execute(AddressSpace& memory, BlkRequest& request, bool is_writethrough);

  [[nodiscard]] std::uint64_t sectors() const { return backend_.size() / kSectorBytes; }

  static constexpr std::uint64_t kSectorBytes = 512;
  /// Limits of discard and write-zeroes that the configuration shows.
  static constexpr std::uint32_t kMaxRangeSectors = 0x3fffff;
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

  std::uint8_t read(AddressSpace& memory, std::uint64_t sector, const BufferElements& data);
  std::uint8_t write(std::uint64_t sector, const BufferElements& data, bool is_writethrough);
  std::uint8_t ranges(std::uint32_t type, const BufferElements& data, bool is_writethrough);
  std::uint8_t flush();
  [[nodiscard]] bool is_inside(std::uint64_t sector, std::uint64_t bytes) const;

  BlockBackend& backend_;
  VirtioBlkOptions options_;
};

/// virtio-blk: a worker takes the requests off a queue and executes them in order.
class VirtioBlk final : public VirtioDevice {
 public:
  VirtioBlk(std::shared_ptr<BlockBackend> backend, const VirtioBlkOptions& options);

  [[nodiscard]] const char* driver() const override { return "virtio-blk-device"; }
  [[nodiscard]] std::uint32_t virtio_id() const override { return 2; }
  [[nodiscard]] std::uint64_t features() const override;
  [[nodiscard]] std::uint16_t max_queue_size(unsigned index) const override;
  void read_config(std::uint32_t offset, std::span<std::uint8_t> to) override;
  void write_config(std::uint32_t offset, std::span<const std::uint8_t> from) override;
  void negotiated() override;
  void reset() override;
  Served serve(unsigned index) override;

 private:
  std::shared_ptr<BlockBackend> backend_;
  VirtioBlkOptions options_;
  BlkRequests requests_;
  std::atomic<bool> is_writeback_;
  std::vector<BlkRequest> in_work_;  ///< one a queue
};

}  // namespace gstage::hw
