// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gstage {

/// Prints the failed condition with its place and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace gstage

/// States what must hold unless gstage itself has a bug; never used for what a guest or a user can cause.
#define CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::gstage::check_failed(#condition, __FILE__, __LINE__))
