// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

namespace gstage {

/// The whole program behind `main`; `name` is what it was called as: parses, builds the machine, runs it.
/// Returns the exit code: the guest's, 0 after a quit or a text that was asked for, 1 after an error, which
/// was printed.
int run_program(std::span<const std::string> arguments, const std::string& name);

}  // namespace gstage
