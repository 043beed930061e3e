// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "hw/core/device.h"

#include "tests/unit/hw_state_guest.h"

namespace gstage::hw {

/// What software does with the devices of a driver.
struct Software {
  const char* driver;
  /// One access or a few that belong together; null: there is nothing to access (a group of devices, a port
  /// that others serve).
  void (*step)(Guest& guest, Device& device);
  /// Whether such a device has state of its own that the steps change.
  bool has_state = true;
};

/// One row for each driver that a machine may have.
std::span<const Software> all_software();
/// The row of the driver, or null.
const Software* find_software(const std::string& driver);

}  // namespace gstage::hw
