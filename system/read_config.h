// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "softmmu/base/result.h"

namespace gstage {

/// An option of the command line and its argument.
struct ConfiguredOption {
  std::string word;      ///< without dashes
  std::string argument;  ///< properties, "name=value,..."
};

/// The options that a configuration file (`-readconfig`) stands for. Its sections are options, its lines
/// properties:
///
///     [device "disk"]
///       driver = "virtio-blk-device"
///       drive = "hd0"
///
/// `name` is the file's, for messages.
Result<std::vector<ConfiguredOption>> parse_config(const std::string& text, const std::string& name);

}  // namespace gstage
