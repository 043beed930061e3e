// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "hw/scsi/scsi_bus.h"
#include "hw/virtio/chain.h"
#include "hw/virtio/device.h"

namespace gstage::hw {

/// What `-device virtio-scsi-device` says.
struct VirtioScsiOptions {
  std::string bus_name = "scsi.0";
  std::uint16_t queue_size = 256;
  std::uint16_t queues = 1;  ///< of requests
  std::uint32_t max_sectors = 0xffff;
  std::uint32_t commands_per_lun = 128;
};

/// virtio-scsi (Virtio 1.3, 5.6): a host adapter with a bus of units. For each request queue a worker
/// executes the commands in their order; task management waits for them, so that none is ever aborted.
class VirtioScsi final : public VirtioDevice {
 public:
  static constexpr unsigned kMaxQueues = 64;  ///< of requests

  explicit VirtioScsi(const VirtioScsiOptions& options);

  [[nodiscard]] const char* driver() const override { return "virtio-scsi-device"; }
  [[nodiscard]] std::uint32_t virtio_id() const override { return 8; }
  [[nodiscard]] std::uint64_t features() const override { return 0; }
  [[nodiscard]] std::uint16_t max_queue_size(unsigned index) const override;
  void read_config(std::uint32_t offset, std::span<std::uint8_t> to) override;
  void write_config(std::uint32_t offset, std::span<const std::uint8_t> from) override;
  void reset() override;
  Served serve(unsigned index) override;
  void visit(Visitor& visitor) override;
  [[nodiscard]] ScsiBus& units() { return *bus_; }

 private:
  /// A buffer on its way, and room to work on it. A queue uses one again and again.
  struct Work {
    Chain chain;
    ScsiRequest request;
    std::vector<std::uint8_t> answer;
  };
  static constexpr std::uint32_t kSenseBytes = 96;
  static constexpr std::uint32_t kCdbBytes = 32;

  /// Executes the command in the buffer; how many bytes were written, or -1: it is none.
  std::int64_t execute(Work& work);
  /// Does what the buffer of the control queue says; likewise.
  std::int64_t control(Work& work);
  std::uint8_t manage(std::span<const std::uint8_t> message);
  void answer(Work& work, std::uint8_t response);

  const VirtioScsiOptions options_;
  ScsiBus* const bus_;
  std::atomic<std::uint32_t> sense_bytes_{kSenseBytes};
  std::atomic<std::uint32_t> cdb_bytes_{kCdbBytes};
  std::vector<Work> in_work_;  ///< one a queue
};

}  // namespace gstage::hw
