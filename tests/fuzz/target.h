// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "tests/fuzz/input.h"

namespace gstage::fuzz {

/// What one part of gstage does with bytes from outside. `run` returns whatever the bytes are: a CHECK, a
/// sanitizer's report or a hang is a finding. Between two calls nothing stays that changes what the second
/// does.
struct Target {
  const char* name;
  void (*run)(Input& input);
};

/// Makes the target known to the driver; one object at namespace scope in each target's file.
class Registration {
 public:
  Registration(const char* name, void (*run)(Input& input));
};

/// The target of that name, or null.
const Target* find_target(std::string_view name);
/// The names, one a line.
std::string target_names();

}  // namespace gstage::fuzz
