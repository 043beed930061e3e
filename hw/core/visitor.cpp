// SPDX-License-Identifier: Apache-2.0
#include "hw/core/visitor.h"

#include "hw/core/device.h"

namespace gstage::hw {

void Visitor::bytes(const char* name, void* data, std::size_t size) {
  if (to_ != nullptr) {
    std::vector<std::byte>& saved = (*to_)[prefix_ + name];
    saved.resize(size);
    std::memcpy(saved.data(), data, size);
    return;
  }
  const auto found = from_->find(prefix_ + name);
  if (found != from_->end() && found->second.size() == size) std::memcpy(data, found->second.data(), size);
}

void Visitor::sized(const char* name, std::vector<std::byte>& data) {
  if (to_ != nullptr) {
    (*to_)[prefix_ + name] = data;
    return;
  }
  const auto found = from_->find(prefix_ + name);
  if (found != from_->end()) data = found->second;
}

void visit_devices(Device& root, Visitor& visitor) {
  for_each_device(root, [&visitor](Device& device) {
    visitor.prefix_ = device.path() + ":";
    device.visit(visitor);
  });
  visitor.prefix_.clear();
  if (visitor.is_loading()) for_each_device(root, [](Device& device) { device.restored(); });
}

std::vector<std::string> differences(const SavedState& a, const SavedState& b) {
  std::vector<std::string> names;
  for (const auto& [name, value] : a) {
    const auto other = b.find(name);
    if (other == b.end() || other->second != value) names.push_back(name);
  }
  for (const auto& [name, value] : b)
    if (a.count(name) == 0) names.push_back(name);
  return names;
}

}  // namespace gstage::hw
