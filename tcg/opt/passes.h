// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tcg/ir/unit.h"

namespace gstage::tcg {

/// Knows what guest registers hold and folds: constants, identities, addresses (forward.cpp, fold.cpp). What
/// becomes superfluous stays, unused, for `dead_code`.
void forward(Unit& unit);

/// Removes writes of guest registers that are overwritten before anyone may see them, and pure ops whose
/// values nobody uses, and closes the gaps. The guest's state stays exact at every instruction that may trap,
/// at helpers that touch registers, and at the end. One walk for both: a read that goes makes a write
/// superfluous.
void dead_code(Unit& unit);

/// Turns an instruction into one without effect: a constant that nobody uses. Only for one that makes no
/// value, or none that is used.
inline void kill(Inst& inst) { inst = Inst{.op = Op::const_}; }

}  // namespace gstage::tcg
