// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/property_rows.h"
#include "hw/core/back_ends.h"
#include "hw/core/device.h"
#include "hw/core/worker_pool.h"

namespace gstage::hw {

/// What a board gives to those who make devices for it; outlives the devices.
struct DeviceWorld {
  AddressSpace& memory;
  WorkerPool& workers;
  BackEnds& back_ends;
  unsigned harts = 1;
  std::span<const DeviceOptions> globals{};  ///< MachineOptions::globals
  std::map<std::string, unsigned> unnamed_buses{};

  /// The name of a device's bus: "ID.0", or "KIND.N" for the next N where the device has no id.
  std::string bus_name(const DeviceOptions& given, const char* kind);
};

/// One `-device` on its way to a device.
struct DeviceRequest {
  const DeviceOptions& given;
  DeviceWorld& world;
  std::string what;  ///< for messages: "-device virtio-blk-pci"
};

/// A row of the table of drivers: everything that is said of a kind of device. From it follow the check of
/// properties and their refusals, `-device help`, `-device NAME,help` and where a device goes.
struct Driver {
  std::string name;
  const char* description = "";
  /// The kind of bus that it is put on; null: it is no device of a bus (the loader).
  const char* bus = nullptr;
  /// What it takes, besides `id` and `bus`.
  std::vector<PropertyRows> properties{};
  /// Null: users of other emulators know it, and it is not there yet.
  std::function<Result<std::unique_ptr<Device>>(const DeviceRequest& request)> create{};
  /// Without `create`: why it never will be, and what to say instead. Null: it may.
  const char* refusal = nullptr;
};

/// The table (hw/drivers.cpp), in the order of `-device help`.
std::span<const Driver> drivers();
/// Refuses a default for all devices of a driver that has no such property.
Status check_global(const std::string& driver, const Property& property);
/// The row, or null.
const Driver* find_driver(const std::string& name);
/// The text of `-device help`, or where a driver is named that of `-device DRIVER,help`.
Result<std::string> drivers_help(const std::string& name);

/// Makes the device and puts it on the bus that it names, else on the first one of its kind that has room, in
/// the order of the tree. Refuses by name what is not known, not there yet or does not fit.
Status add_device(Device& root, DeviceWorld& world, const DeviceOptions& given);

}  // namespace gstage::hw
