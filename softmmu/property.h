// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace gstage {

/// One `name=value` of an option; `name` alone has the value "on".
struct Property {
  std::string name;
  std::string value;
};

/// `-device driver,props`, `-object`, `-netdev` and the like: a word and its properties.
struct DeviceOptions {
  std::string driver;
  std::vector<Property> properties;
  /// The value, or null. The last one counts, as everywhere on a command line.
  [[nodiscard]] const std::string* find(const std::string& name) const;
};

}  // namespace gstage
