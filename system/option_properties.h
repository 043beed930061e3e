// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "softmmu/base/result.h"
#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "system/options.h"

namespace gstage {

/// An option of which nothing but its properties is said: shows their help, or has `read` take each in turn.
/// `first` names the one that may stand without a name.
template <class Read>
Status for_each_property(Options& options, const std::string& option, PropertyRows rows,
                         const std::string& argument, const char* first, Read&& read) {
  if (is_help(argument)) {
    options.output = properties_help("Properties of " + option + ":", rows);
    return Ok{};
  }
  auto properties = parse_properties(option, argument, first);
  if (!properties) return properties.error();
  for (const Property& property : *properties) {
    if (Status status = check_property(option, rows, property); !status.ok()) return status;
    if (Status status = read(property); !status.ok()) return status;
  }
  return Ok{};
}

}  // namespace gstage
