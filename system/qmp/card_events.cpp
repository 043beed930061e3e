// SPDX-License-Identifier: Apache-2.0
#include "system/qmp/card_events.h"

#include "io/event_loop.h"

namespace gstage {

CardEvents::CardEvents(Machine& machine, RunState& run_state, MonitorSubjects& subjects)
    : hot_plug_(hw::find_hot_plug(machine.devices())), run_state_(run_state), subjects_(subjects) {
  if (hot_plug_ == nullptr) return;
  hot_plug_->on_free([this](hw::PcieRootPort& port) { remove_soon(port); });
}

CardEvents::~CardEvents() {
  if (hot_plug_ != nullptr) hot_plug_->on_free(nullptr);
  *self_ = nullptr;
}

/// Any thread.
void CardEvents::remove_soon(hw::PcieRootPort& port) {
  EventLoop::post([self = self_, &port] {
    if (*self != nullptr) (*self)->remove(port);
  });
}

void CardEvents::remove(hw::PcieRootPort& port) {
  const bool is_done = run_state_.while_stopped([&] {
    // device_del may have been here meanwhile. Told at once: what the machine was asked for since comes after
    // it.
    if (port.is_leaving()) tell_removed(subjects_.events, hot_plug_->remove(port));
  });
  if (!is_done) remove_soon(port);
}

void tell_removed(EventHub& events, const std::vector<hw::PciHotPlug::Removed>& devices) {
  for (const hw::PciHotPlug::Removed& device : devices) {
    Json data = Json::object();
    if (!device.id.empty()) data["device"] = device.id;
    data["path"] = device.path;
    events.emit("DEVICE_DELETED", data);
  }
}

}  // namespace gstage
