// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "softmmu/base/result.h"
#include "tcg/ir/unit.h"

namespace gstage::tcg {

/// Reads what print() writes. The `unit` line may be missing; values may have any numbers; `;` begins a
/// comment; numbers are decimal or, after 0x, hexadecimal. Helpers must be registered (helpers.h). An error
/// names the line. The unit is not verified.
Result<Unit> parse(std::string_view text);

}  // namespace gstage::tcg
