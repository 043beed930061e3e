// SPDX-License-Identifier: Apache-2.0
#include "softmmu/machine.h"

#include <algorithm>
#include <cstring>

namespace gstage {

namespace {

std::vector<MachineType>& types() {
  static std::vector<MachineType> all;
  return all;
}

}  // namespace

const std::string* DeviceOptions::find(const std::string& name) const {
  // The last one counts, as everywhere on a command line.
  const auto found =
      std::find_if(properties.rbegin(), properties.rend(), [&](const Property& p) { return p.name == name; });
  return found == properties.rend() ? nullptr : &found->value;
}

void register_machine_type(const MachineType& type) {
  auto& all = types();
  const auto place = std::find_if(all.begin(), all.end(), [&](const MachineType& other) {
    return std::strcmp(other.name, type.name) >= 0;
  });
  all.insert(place, type);
}

const std::vector<MachineType>& machine_types() { return types(); }

}  // namespace gstage
