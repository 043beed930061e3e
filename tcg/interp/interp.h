// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tcg/runtime/guest.h"

namespace gstage::tcg::interp {

/// Executes one block: the back end of hosts that are not x86-64 and what the other back ends are compared
/// with.
///
/// On entry core.pc is the block's first instruction, core.pc_page its page, the tables are set and MXCSR
/// holds core.mxcsr. On return core.pc is the next instruction; or core.trap_pending is set and core.pc is
/// the trapping instruction, of which no register shows an effect. Guest registers are read and written in
/// the hart at once, so the state is exact at each instruction.
void run(const Unit& unit, CpuCore& core, Guest& guest, const GuestLayout& layout);

}  // namespace gstage::tcg::interp
