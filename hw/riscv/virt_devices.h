// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>

#include "softmmu/property_rows.h"
#include "hw/core/machine.h"
#include "hw/riscv/virt_map.h"
#include "hw/virtio/console.h"
#include "hw/virtio/device.h"

namespace gstage::hw {

using VirtioSlots = std::array<std::unique_ptr<VirtioDevice>, kVirtioSlots>;

/// Makes what `-drive`, `-device` and `-object` ask for and puts it into the slots of the board. Refuses by
/// name what is not known, and what other emulators know and gstage does not have yet.
class VirtDevices {
 public:
  explicit VirtDevices(const MachineOptions& options) : options_(options) {}

  Result<VirtioSlots> make();
  /// The text of `-device help`, or where a driver is named that of `-device DRIVER,help`.
  static Result<std::string> help(const std::string& driver);

 private:
  struct Driver {
    const char* name;
    const char* description;
    PropertyRows properties;
    Status (VirtDevices::*make)(const DeviceOptions&);
  };
  static const Driver kDrivers[];

  static const Driver* find_driver(const std::string& name);
  Status open_drives();
  Status make_device(const DeviceOptions& device);
  Status make_blk(const DeviceOptions& device);
  Status make_rng(const DeviceOptions& device);
  Status make_serial(const DeviceOptions& device);
  Status make_console_port(const DeviceOptions& device);
  Status make_serial_port(const DeviceOptions& device);
  Status make_port(const DeviceOptions& device, bool is_console);
  Status make_loader(const DeviceOptions& device);
  /// Puts the device on the bus that it names, else on the highest free one.
  Status plug(const char* driver, const std::string& bus, std::unique_ptr<VirtioDevice> device);

  const MachineOptions& options_;
  VirtioSlots slots_;
  std::map<std::string, std::shared_ptr<BlockBackend>> drives_;  ///< by id; null: in use
  std::vector<std::string> virtio_drives_;  ///< ids of those with if=virtio, in their order
  struct SerialBus {
    std::string name;
    VirtioConsole* console;
  };
  std::vector<SerialBus> serial_buses_;
};

}  // namespace gstage::hw
