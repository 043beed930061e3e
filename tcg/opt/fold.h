// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tcg/ir/unit.h"

namespace gstage::tcg {

/// What is known of the values of a unit while it is walked forward; by index of the instruction.
struct Knowledge {
  /// The value to use instead: itself, or an earlier one that makes it superfluous.
  std::vector<std::uint32_t> use;
  /// An instruction that makes the same value, as early as is known. It tells what the value is but need not
  /// be a good one to use: it may lie far back, where a register would have to keep it.
  std::vector<std::uint32_t> same;
};

/// Folds the instruction at `index`, whose arguments are rewritten already. It may become a constant or
/// another op, be replaced by an earlier value (knowledge.use), or end the block otherwise than before.
void fold(Unit& unit, Knowledge& knowledge, std::uint32_t index);

}  // namespace gstage::tcg
