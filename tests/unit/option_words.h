// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "system/options.h"

namespace gstage {

using Words = std::vector<std::string>;

/// A command line that is right.
inline Options parse(const Words& words) {
  auto options = parse_options(words);
  EXPECT_TRUE(options.ok()) << options.error().message;
  return options.ok() ? *options : Options{};
}

/// What is said of one that is wrong.
inline std::string refusal(const Words& words) {
  const auto options = parse_options(words);
  EXPECT_FALSE(options.ok()) << words.front();
  return options.ok() ? "" : options.error().message;
}

}  // namespace gstage
