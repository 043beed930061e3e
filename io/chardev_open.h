// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "io/chardev_kinds.h"

namespace gstage {

/// What a kind's maker gets. The properties are checked: switches and numbers are such.
struct ChardevRequest {
  const DeviceOptions& options;
  const std::string& label;
  const ChardevHost& host;
  ChardevNeeds& needs;

  [[nodiscard]] bool has(const char* name) const { return options.find(name) != nullptr; }
  /// Empty if it was not given.
  [[nodiscard]] std::string text(const char* name) const;
  [[nodiscard]] bool flag(const char* name, bool otherwise) const;
  /// 0 if it was not given.
  [[nodiscard]] unsigned number(const char* name) const;
};

/// The makers of what needs the network; errors do not name the label.
Result<std::shared_ptr<Chardev>> open_socket_chardev(const ChardevRequest& request);
Result<std::shared_ptr<Chardev>> open_udp_chardev(const ChardevRequest& request);

}  // namespace gstage
