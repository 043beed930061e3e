// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "hw/core/driver.h"
#include "hw/pci/pci_bridge.h"

namespace gstage::hw {

class PciHost;

/// Adds functions to slots and takes them out while the machine runs (`device_add`, `device_del`). On the
/// event loop's thread, while no hart runs.
class PciHotPlug {
 public:
  /// A device that is gone.
  struct Removed {
    std::string id;
    std::string path;
  };

  /// The host bridge of the tree below `root`. All of it outlives the object, and for `add` so do the options
  /// of the machine. `devices` are those that are there already.
  PciHotPlug(PciHost& host, Device& root, DeviceWorld& world, std::span<const DeviceOptions> devices);
  ~PciHotPlug();
  PciHotPlug(const PciHotPlug&) = delete;
  PciHotPlug& operator=(const PciHotPlug&) = delete;

  /// Whether there is a slot at all.
  [[nodiscard]] bool has_slots() const;
  /// Makes the device and puts it into the slot whose port `bus=` names.
  Status add(const DeviceOptions& given);
  /// The slot of the device, or why it cannot go.
  [[nodiscard]] Result<PcieRootPort*> slot_of(Device& device) const;
  /// Asks software to let go what is in the slot. True: it has already.
  bool ask(PcieRootPort& port);
  /// From now on `listener` hears that software has let go what is in a slot: on a hart's thread, from within
  /// its access. Null: nobody does.
  void on_free(std::function<void(PcieRootPort& port)> listener);
  /// Destroys what is in the slot.
  std::vector<Removed> remove(PcieRootPort& port);

 private:
  [[nodiscard]] PcieRootPort* port_of(const std::string& bus) const;

  PciHost& host_;
  Device& root_;
  DeviceWorld& world_;
  std::map<std::string, std::string> networks_;  ///< of devices that have an id and one
};

/// That of the machine with this root, or null.
PciHotPlug* find_hot_plug(Device& root);

}  // namespace gstage::hw
