// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "hw/core/driver.h"
#include "hw/virtio/device.h"

namespace gstage::hw {

/// A kind of virtio device, whatever the transport: the part of its rows in the table of drivers that is its
/// own.
struct VirtioKind {
  const char* name;  ///< of its drivers, without "-device" and "-pci"
  const char* description;
  PropertyRows properties;
  Result<std::unique_ptr<VirtioDevice>> (*create)(const DeviceRequest& request);
};

extern const VirtioKind kVirtioBalloonKind;
extern const VirtioKind kVirtioBlkKind;
extern const VirtioKind kVirtioNetKind;
extern const VirtioKind kVirtioNinepKind;
extern const VirtioKind kVirtioRngKind;
extern const VirtioKind kVirtioScsiKind;
extern const VirtioKind kVirtioSerialKind;

/// All of them, in the order of `-device help`.
std::span<const VirtioKind* const> virtio_kinds();

/// Makes a device of the kind with the ring properties that it is given.
Result<std::unique_ptr<VirtioDevice>> make_virtio_device(const VirtioKind& kind,
                                                         const DeviceRequest& request);
/// The properties of rings, which all kinds have.
PropertyRows virtio_ring_properties();

/// How many queues a device has whose user leaves it open: one a hart, at most `most`, where each can have an
/// interrupt of its own; behind one wire more than one is of no use.
std::uint16_t default_queues(const DeviceRequest& request, std::uint16_t most);

/// The drivers of a kind: NAME-device on a virtio-mmio slot, NAME-pci and NAME on PCI.
std::vector<Driver> virtio_drivers(const VirtioKind& kind);
/// Those of the ports of virtio-serial.
std::vector<Driver> serial_port_drivers();

}  // namespace gstage::hw
