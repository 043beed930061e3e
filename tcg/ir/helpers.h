// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "tcg/ir/unit.h"

namespace gstage::tcg {

/// Makes a helper known by its name to the parser of IR text. The helper must live as long as the program.
/// Registering it again changes nothing. Any thread.
void register_helper(const Helper& helper);

/// The helper of that name, or null. Any thread.
const Helper* find_helper(std::string_view name);

}  // namespace gstage::tcg
