// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/kinds/kind.h"

#include <string>

#include "softmmu/typed_property.h"
#include "hw/virtio/virtio_bus.h"

namespace gstage::hw {

namespace {

/// What is said of rings and transport features; each row is one feature bit.
struct RingOptions {
  bool has_event_idx = true;
  bool has_indirect = true;
  bool has_reset = true;
  bool is_packed = false;
  bool is_in_order = false;
  bool has_platform_access = false;

  [[nodiscard]] std::uint64_t features() const {
    return kVersion1 | (has_event_idx ? kEventIdx : 0) | (has_indirect ? kIndirectDescriptors : 0) |
           (has_reset ? kRingReset : 0) | (is_packed ? kRingPacked : 0) | (is_in_order ? kInOrder : 0) |
           (has_platform_access ? kAccessPlatform : 0);
  }
};

constexpr PropertyRow kRingProperties[] = {
    property<&RingOptions::has_event_idx>("event_idx", "notifications and interrupts by index"),
    property<&RingOptions::has_indirect>("indirect_desc", "tables of descriptors outside the ring"),
    property<&RingOptions::has_reset>("queue_reset", "single queues can be reset"),
    property<&RingOptions::is_packed>("packed", "packed rings"),
    property<&RingOptions::is_in_order>("in_order", "buffers are used in their order"),
    property<&RingOptions::has_platform_access>("iommu_platform",
                                                "the guest's DMA addresses are the platform's"),
    ignored_property("any_layout"),
    ignored_property("notify_on_empty"),
    ignored_property("use-disabled-flag"),
    ignored_property("use-started"),
    ignored_property("x-disable-legacy-check"),
};

}  // namespace

std::span<const VirtioKind* const> virtio_kinds() {
  static constexpr const VirtioKind* kAll[] = {&kVirtioBlkKind, &kVirtioNetKind, &kVirtioRngKind,
                                               &kVirtioSerialKind};
  return kAll;
}

PropertyRows virtio_ring_properties() { return kRingProperties; }

Result<std::unique_ptr<VirtioDevice>> make_virtio_device(const VirtioKind& kind,
                                                         const DeviceRequest& request) {
  RingOptions rings;
  if (Status status = read_properties(request.what, kRingProperties, request.given, rings); !status.ok())
    return status.error();
  auto device = kind.create(request);
  if (device.ok()) (*device)->set_ring_features(rings.features());
  return device;
}

std::vector<Driver> virtio_drivers(const VirtioKind& kind) {
  const auto create = [&kind](const DeviceRequest& request) -> Result<std::unique_ptr<Device>> {
    auto device = make_virtio_device(kind, request);
    if (!device.ok()) return device.error();
    return std::unique_ptr<Device>(std::move(*device));
  };
  return {{std::string(kind.name) + "-device",
           kind.description,
           VirtioBus::kKind,
           {kind.properties, kRingProperties},
           create}};
}

}  // namespace gstage::hw
