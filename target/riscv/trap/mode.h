// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "target/riscv/hart.h"

namespace gstage::riscv {

/// The one place where privilege and V change: folds floating-point dirtiness into the statuses of the world
/// that is left, selects the bank, recomputes the regimes. `v` must be false for M-mode.
void set_mode(Hart& hart, Privilege priv, bool v);

/// What returns from M-mode do to MDT and SDT, once the mode that they go to is known.
void clear_double_trap(Hart& hart, Privilege priv, bool v);

/// What mret and sret do once they are allowed: restores interrupt enable and mode of the trap that is
/// returned from, sets core.pc.
void return_from_machine(Hart& hart);
void return_from_supervisor(Hart& hart);

}  // namespace gstage::riscv
