// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tcg/ir/unit.h"

namespace gstage::tcg {

/// What is known of the values of a unit on a walk through it from the start; by index of the instruction.
struct Knowledge {
  /// The value to use instead: itself, or an earlier one that makes it superfluous.
  std::vector<std::uint32_t> use;
  /// The earliest instruction known to make the same value. It tells what the value is, but need not be the
  /// one to use: it may lie so far back that a register would have to keep its value for long.
  std::vector<std::uint32_t> same;
};

/// Folds the instruction at `index`, whose arguments are rewritten already. It may become a constant or
/// another op, be replaced by an earlier value (knowledge.use), or end the block otherwise than before.
void fold(Unit& unit, Knowledge& knowledge, std::uint32_t index);

}  // namespace gstage::tcg
