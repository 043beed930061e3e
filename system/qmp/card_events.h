// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "hw/pci/hot_plug.h"
#include "system/monitor/command.h"

namespace gstage {

/// Takes devices out of the slots that the guest has switched off, and tells QMP's sessions of it. Lives on
/// the event loop's thread.
class CardEvents {
 public:
  /// All of it outlives the object.
  CardEvents(Machine& machine, RunState& run_state, MonitorSubjects& subjects);
  ~CardEvents();
  CardEvents(const CardEvents&) = delete;
  CardEvents& operator=(const CardEvents&) = delete;

 private:
  void remove_soon(hw::PcieRootPort& port);
  void remove(hw::PcieRootPort& port);

  hw::PciHotPlug* const hot_plug_;  ///< null: the machine has none
  RunState& run_state_;
  MonitorSubjects& subjects_;
  /// For tasks of the event loop, which may outlive the object: it, or null.
  const std::shared_ptr<CardEvents*> self_ = std::make_shared<CardEvents*>(this);
};

/// Tells of devices that are gone.
void tell_removed(EventHub& events, const std::vector<hw::PciHotPlug::Removed>& devices);

}  // namespace gstage
