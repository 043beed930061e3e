// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "softmmu/base/result.h"
#include "hw/core/machine.h"
#include "hw/misc/fw_cfg.h"
#include "hw/riscv/boot.h"

namespace gstage::hw {

/// What the virt board's fw_cfg holds from the beginning. An error: a file of `-fw_cfg` cannot be read, or
/// has the name of another.
Status fill_fw_cfg(FwCfg& fw_cfg, const MachineOptions& options);

/// What firmware in flash is to start.
void hand_over(FwCfg& fw_cfg, const Handover& handover);

/// The devices' order as it is now: before the machine begins.
void set_boot_order(FwCfg& fw_cfg, Device& root, const FirmwareOptions& options);

}  // namespace gstage::hw
