// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/property_rows.h"
#include "hw/core/device.h"

namespace gstage::hw {

/// The property of devices that firmware can boot from; `add_device` reads it.
constexpr PropertyRow boot_index_property() {
  return {"bootindex", "N", "where in firmware's order of what to boot, 0 is first (-1: nowhere)"};
}

/// Gives the device, which is on no bus yet, the place in the order, if it is given one. An error: the text
/// is no such number, or another device of the tree has the place. `what` is for messages: "-device
/// virtio-blk-pci".
Status set_boot_index(const std::string& what, Device& root, const DeviceOptions& given, Device& device);

/// The path by which firmware knows a device, in the manner of Open Firmware (IEEE 1275): the nodes of all
/// that is above it, as "/pci@30000000/scsi@2/disk@0,0".
std::string firmware_path(const Device& device);

/// fw_cfg's file "bootorder": the paths of the devices that have a place, one a line, the first one first,
/// and a NUL at the end. `is_strict`: firmware is to try nothing else.
std::vector<std::uint8_t> boot_order(Device& root, bool is_strict);

}  // namespace gstage::hw
