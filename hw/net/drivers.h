// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "hw/core/driver.h"

namespace gstage::hw {

/// Network cards that are no virtio devices.
std::vector<Driver> network_card_drivers();

}  // namespace gstage::hw
