// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tcg/ir/unit.h"

namespace gstage::tcg {

/// The unit as text, one op a line, which parse() reads. A value is named by the place of its instruction:
///
///     unit flags=0x1 first=0x10 bytes=8 insns=2
///     insn.4 0x10, 0x00b50533
///     v1 = get_x x10
///     v2 = load.u64 v1, -8
///     set_x x11, v2
///     branch.eq v1, v2, 0x20, 0x18
///
/// After the op's name stand its aux, then a register or helper, the values, and the other immediates.
std::string print(const Unit& unit);

/// One instruction at its place in the unit, without a newline.
std::string print_inst(const Inst& inst, unsigned index);

}  // namespace gstage::tcg
