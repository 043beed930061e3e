// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hw/core/device.h"
#include "hw/virtio/virtio_core.h"

namespace gstage::hw {

/// Between a transport and its one device.
class VirtioBus final : public Bus {
 public:
  static constexpr const char* kKind = "virtio-bus";

  /// `core` is the transport's, which destroys the bus first.
  VirtioBus(std::string name, VirtioCore& core) : Bus(kKind, std::move(name)), core_(core) {}
  ~VirtioBus() override {
    core_.unplug();
    clear();
  }

  [[nodiscard]] bool has_room() const override { return devices().empty(); }
  /// A VirtioDevice.
  Status plug(std::unique_ptr<Device> device) override {
    auto& virtio = static_cast<VirtioDevice&>(*device);
    if (Status status = Bus::plug(std::move(device)); !status.ok()) return status;
    core_.plug(virtio);
    return Ok{};
  }

 private:
  VirtioCore& core_;
};

}  // namespace gstage::hw
