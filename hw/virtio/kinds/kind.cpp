// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/kinds/kind.h"

#include <algorithm>
#include <string>

#include "softmmu/typed_property.h"
#include "hw/pci/pci_properties.h"
#include "hw/virtio/virtio_bus.h"
#include "hw/virtio/virtio_pci.h"

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
  bool has_notification_data = false;

  [[nodiscard]] std::uint64_t features() const {
    return kVersion1 | (has_event_idx ? kEventIdx : 0) | (has_indirect ? kIndirectDescriptors : 0) |
           (has_reset ? kRingReset : 0) | (is_packed ? kRingPacked : 0) | (is_in_order ? kInOrder : 0) |
           (has_platform_access ? kAccessPlatform : 0) | (has_notification_data ? kNotificationData : 0);
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
    property<&RingOptions::has_notification_data>("notification_data",
                                                  "notifications say how far the driver is"),
    ignored_property("any_layout"),
    ignored_property("notify_on_empty"),
    ignored_property("use-disabled-flag"),
    ignored_property("use-started"),
    ignored_property("x-disable-legacy-check"),
};

}  // namespace

std::span<const VirtioKind* const> virtio_kinds() {
  static constexpr const VirtioKind* kAll[] = {&kVirtioBalloonKind, &kVirtioBlkKind, &kVirtioNetKind,
                                               &kVirtioNinepKind,   &kVirtioRngKind, &kVirtioScsiKind,
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

namespace {

Result<std::unique_ptr<Device>> make_on_bus(const VirtioKind& kind, const DeviceRequest& request) {
  auto device = make_virtio_device(kind, request);
  if (!device.ok()) return device.error();
  return std::unique_ptr<Device>(std::move(*device));
}

/// What is said of the PCI transport. What it lacks are the interfaces of the time before version 1.
struct PciOptions {
  unsigned vectors = VirtioPci::kDefaultVectors;
  OnOffAuto no_legacy = OnOffAuto::kAuto;
  bool no_modern = false;
};

constexpr PropertyRow kPciRows[] = {
    property<&PciOptions::vectors>("vectors", "N",
                                   "of MSI-X, 0: the pin alone (default: one a queue, and one)",
                                   {0, PciMsix::kMaxVectors}),
    property<&PciOptions::no_legacy>("disable-legacy", "on or auto: there is no legacy interface"),
    property<&PciOptions::no_modern>("disable-modern", "off: there is no other interface"),
    ignored_property("ioeventfd"),
    ignored_property("page-per-vq"),
    missing_property("aer"),
    missing_property("ats"),
    missing_property("busnr"),
    missing_property("class"),
    missing_property("modern-pio-notify"),
    missing_property("virtio-pci-bus-master-bug-migration"),
    missing_property("x-ats-page-aligned"),
    missing_property("x-pcie-flr-init"),
    missing_property("x-pcie-pm-no-soft-reset"),
};

Result<std::unique_ptr<Device>> make_on_pci(const VirtioKind& kind, const DeviceRequest& request) {
  PciOptions given;
  if (Status status = read_properties(request.what, kPciRows, request.given, given); !status.ok())
    return status.error();
  if (given.no_legacy == OnOffAuto::kOff || given.no_modern)
    return error(
        "%s: there is no legacy virtio interface: say disable-legacy=on,disable-modern=off, or nothing",
        request.what.c_str());
  auto device = make_virtio_device(kind, request);
  if (!device.ok()) return device.error();
  auto function = std::make_unique<VirtioPci>(
      VirtioParts{request.world.memory, request.world.workers, std::move(*device)}, given.vectors);
  if (Status status = read_pci_properties(request, *function); !status.ok()) return status.error();
  return std::unique_ptr<Device>(std::move(function));
}

}  // namespace

std::uint16_t default_queues(const DeviceRequest& request, std::uint16_t most) {
  if (request.given.driver.ends_with("-device")) return 1;
  return static_cast<std::uint16_t>(std::clamp<unsigned>(request.world.harts, 1, most));
}

std::vector<Driver> virtio_drivers(const VirtioKind& kind) {
  const std::string name = kind.name;
  const auto pci = [&](const std::string& driver) {
    return Driver{driver,
                  kind.description,
                  PciBus::kKind,
                  {kind.properties, kRingProperties, kPciRows, pci_properties()},
                  [&kind](const DeviceRequest& request) { return make_on_pci(kind, request); }};
  };
  Driver transitional{name + "-pci-transitional"};
  transitional.refusal = "there is no legacy virtio interface: leave -transitional out";
  return {{name + "-device",
           kind.description,
           VirtioBus::kKind,
           {kind.properties, kRingProperties},
           [&kind](const DeviceRequest& request) { return make_on_bus(kind, request); }},
          pci(name + "-pci"),
          pci(name),
          pci(name + "-pci-non-transitional"),
          transitional};
}

}  // namespace gstage::hw
