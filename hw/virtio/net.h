// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "io/net/peer.h"
#include "hw/virtio/device.h"
#include "hw/virtio/net_control.h"
#include "hw/virtio/net_pair.h"

namespace gstage::hw {

/// What `-device virtio-net-device` says besides the network.
struct VirtioNetOptions {
  MacAddress mac{};
  std::uint64_t refused_features = 0;  ///< those that are switched off (NetFeature)
  std::uint16_t mtu = 0;               ///< 0: not said
  std::uint16_t receive_queue_size = 256;
  std::uint16_t transmit_queue_size = 256;
  bool has_multiqueue = false;
  bool has_speed = false;
  std::uint32_t speed = 0xffffffff;  ///< Mbit/s
  std::uint8_t duplex = 0xff;        ///< 0 half, 1 full
};

/// virtio-net (Virtio 1.3, 5.1). Its queues are served on the loops of the network that they are wired to,
/// the control queue by a worker.
class VirtioNet final : public VirtioDevice {
 public:
  /// Null: a wire without a far end, which loses all frames.
  VirtioNet(std::shared_ptr<NetBackend> backend, const VirtioNetOptions& options);
  ~VirtioNet() override;

  [[nodiscard]] const char* driver() const override { return "virtio-net-device"; }
  [[nodiscard]] std::string firmware_node() const override { return "ethernet-phy@0"; }
  [[nodiscard]] std::uint32_t virtio_id() const override { return 1; }
  [[nodiscard]] std::uint64_t features() const override;
  [[nodiscard]] std::uint16_t max_queue_size(unsigned index) const override;
  void read_config(std::uint32_t offset, std::span<std::uint8_t> to) override;
  void write_config(std::uint32_t offset, std::span<const std::uint8_t> from) override;
  void attach(VirtioCore& core) override;
  void negotiated() override;
  void reset() override;
  void visit(Visitor& visitor) override;
  void restored() override;
  bool wake_own(unsigned index) override;
  Served serve(unsigned index) override;

 private:
  [[nodiscard]] bool has_feature(std::uint64_t feature) const;
  /// Queue pairs that the driver can see.
  [[nodiscard]] unsigned visible_pairs() const;
  void serve_control(unsigned index);
  bool execute(const Chain& chain);
  void tell_offloads(std::uint64_t features);
  void link_changed();

  std::shared_ptr<NetBackend> backend_;
  const VirtioNetOptions options_;
  const unsigned pair_count_;
  const VirtioCore* negotiated_with_ = nullptr;  ///< null until there is a core
  std::mutex mutex_;                             ///< guards what follows
  NetControlState state_;
  Chain command_;
  std::vector<std::unique_ptr<VirtioNetPair>> pairs_;  ///< last: they end first
};

}  // namespace gstage::hw
