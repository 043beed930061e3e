// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/mem/host_ram.h"
#include "hw/core/machine.h"

namespace gstage::hw {

/// Opens what RAM is made of: the objects that -numa or -machine name, -mem-path's file, or the process's own
/// memory. Its parts have `options.ram_bytes` together.
Result<std::vector<RamPart>> open_ram(const MachineOptions& options);

}  // namespace gstage::hw
