// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "softmmu/base/result.h"
#include "tcg/ir/unit.h"

namespace gstage::tcg {

/// Whether the unit is well formed: types, uses after definitions, one end and that last, ranges of the
/// immediates, an `insn` before whatever may trap. The error names the first offender.
Status verify(const Unit& unit);

}  // namespace gstage::tcg
