// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tcg/ir/unit.h"
#include "tcg/runtime/guest.h"
#include "target/riscv/extensions.h"

namespace gstage::riscv {

/// Translates one block into an empty unit: until a jump, an instruction that may change the translation
/// regime, the source's end, `source.max_insns`, or a limit of its own. Reads nothing but its arguments.
void translate_block(const tcg::BlockSource& source, const CpuConfig& config, tcg::Unit& unit);

}  // namespace gstage::riscv
