// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/ninep/session.h"
#include "hw/virtio/chain.h"
#include "hw/virtio/device.h"

namespace gstage::hw {

/// virtio-9p (Virtio 1.3, 5.9): a worker answers the requests in the order of the queue, so that no hart
/// waits for the host's files.
class VirtioNinep final : public VirtioDevice {
 public:
  static constexpr std::size_t kMostTagBytes = 255;

  /// `tag` names the file system to the guest: 1 to kMostTagBytes bytes.
  VirtioNinep(std::shared_ptr<ninep::Share> share, std::string tag);

  [[nodiscard]] const char* driver() const override { return "virtio-9p-device"; }
  [[nodiscard]] std::uint32_t virtio_id() const override { return 9; }
  [[nodiscard]] std::uint64_t features() const override;
  [[nodiscard]] std::uint16_t max_queue_size(unsigned index) const override;
  void read_config(std::uint32_t offset, std::span<std::uint8_t> to) override;
  void reset() override;
  void visit(Visitor& visitor) override;
  Served serve(unsigned index) override;

 private:
  /// False: the buffer is no request.
  bool answer();

  const std::string tag_;
  ninep::Session session_;  ///< whoever serves the queue has it
  Chain chain_;
  std::vector<std::uint8_t> request_;
  std::vector<std::uint8_t> reply_;
  std::size_t written_ = 0;
};

}  // namespace gstage::hw
