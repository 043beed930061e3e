// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "hw/core/machine.h"

namespace gstage {

/// TLB flushes by reason, and what TLB and jumps took besides (TlbEvent), of each hart and of all, as a table
/// (`info tlb-flushes`, `-d tlb_stats`).
std::string describe_tlb_flushes(Machine& machine);

}  // namespace gstage
