// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "hw/core/machine.h"

namespace gstage::hw {

/// The boards, by name.
std::span<const MachineType> machine_types();

/// Their rows.
extern const MachineType kNoBoard;
extern const MachineType kSpikeBoard;
extern const MachineType kVirtBoard;

}  // namespace gstage::hw
