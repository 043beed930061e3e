// SPDX-License-Identifier: Apache-2.0
#include "hw/core/device.h"

#include <algorithm>

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"

namespace gstage::hw {

Device::~Device() = default;

void Device::reset() {
  for (const auto& bus : buses_) bus->reset();
}

Bus& Device::add_bus(std::unique_ptr<Bus> bus) {
  bus->owner_ = this;
  buses_.push_back(std::move(bus));
  return *buses_.back();
}

std::string Device::path() const {
  if (bus_ == nullptr) return "";
  const auto& siblings = bus_->devices();
  const auto is_alike = [this](const auto& other) { return std::string_view(other->driver()) == driver(); };
  std::string name = id_.empty() ? driver() : id_;
  if (id_.empty() && std::count_if(siblings.begin(), siblings.end(), is_alike) > 1) {
    const auto self = std::find_if(siblings.begin(), siblings.end(),
                                   [this](const auto& other) { return other.get() == this; });
    name += format(".%td", std::count_if(siblings.begin(), self, is_alike));
  }
  return (bus_->owner() == nullptr ? "" : bus_->owner()->path()) + "/" + name;
}

Bus::~Bus() { clear(); }

void Bus::clear() {
  for (auto& device : devices_) device.reset();
  devices_.clear();
}

Status Bus::plug(std::unique_ptr<Device> device) {
  CHECK(device->bus_ == nullptr);
  device->bus_ = this;
  devices_.push_back(std::move(device));
  return Ok{};
}

void Bus::reset() {
  for (const auto& device : devices_) device->reset();
}

void Bus::describe(FdtBuilder& fdt) const {
  for (const auto& device : devices_) device->describe(fdt);
}

void for_each_device(Device& root, const std::function<void(Device&)>& visit) {
  visit(root);
  for (const auto& bus : root.buses())
    for (const auto& device : bus->devices()) for_each_device(*device, visit);
}

}  // namespace gstage::hw
