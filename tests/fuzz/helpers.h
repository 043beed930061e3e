// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tcg/ir/helpers.h"
#include "target/riscv/ops/helpers.h"

namespace gstage::fuzz {

/// Makes the target's helpers known to the parser of IR text.
inline void register_helpers() {
#define HELPER(name, ...) tcg::register_helper(riscv::k_##name);
#include "target/riscv/ops/helpers.inc"
#undef HELPER
}

}  // namespace gstage::fuzz
