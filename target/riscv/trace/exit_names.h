// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "target/riscv/trace/exit_totals.h"

namespace gstage::riscv {

/// What an exit is by, for people: "load guest-page fault", "supervisor timer interrupt", "SBI
/// TIME.set_timer", "SBI 0x9000000.3" where the specification has no name.
std::string exit_name(const ExitKey& key);
/// The same of what M-mode was entered for by HS- or U-mode.
std::string call_name(const ExitKey& key);
/// "firmware", in the order of ExitPlace.
const char* place_name(ExitPlace place);

}  // namespace gstage::riscv
