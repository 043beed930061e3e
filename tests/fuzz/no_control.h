// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "softmmu/machine_control.h"

namespace gstage::fuzz {

/// Hears what the guest asks of the machine, and does nothing.
struct NoControl final : MachineControl {
  void request(MachineRequest, int) override {}
};

}  // namespace gstage::fuzz
