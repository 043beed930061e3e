// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "target/riscv/extensions.h"
#include "hw/acpi/description.h"
#include "hw/core/machine.h"
#include "hw/misc/fw_cfg.h"
#include "hw/riscv/virt_interrupts.h"

namespace gstage::hw {

/// The virt board, as ACPI's tables have it.
acpi::Description describe_virt(const MachineOptions& options, const riscv::CpuConfig& config,
                                const VirtInterrupts& interrupts);

/// Gives the firmware the tables of the board.
void add_acpi_tables(FwCfg& fw_cfg, const acpi::Description& board);

}  // namespace gstage::hw
