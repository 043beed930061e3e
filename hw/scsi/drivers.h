// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "hw/core/driver.h"

namespace gstage::hw {

/// The units on SCSI buses.
std::vector<Driver> scsi_unit_drivers();

}  // namespace gstage::hw
