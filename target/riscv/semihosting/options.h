// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/chardev.h"

namespace gstage::riscv {

/// `-semihosting-config`: what a program may ask of the host by semihosting calls.
struct SemihostingOptions {
  bool is_enabled = false;
  bool has_userspace = false;          ///< U-mode may call, too
  std::string chardev;                 ///< id of the console; empty: standard output and error
  std::string root;                    ///< the folder whose files the program may use; empty: none
  std::vector<std::string> arguments;  ///< the program's
  std::string command_line;            ///< what the program is told where `arguments` is empty
  std::shared_ptr<Chardev> console{};  ///< what `chardev` names, once it is open
};

}  // namespace gstage::riscv
