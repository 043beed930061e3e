// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "target/riscv/extensions.h"
#include "hw/riscv/virt_interrupts.h"

namespace gstage::hw {

/// The board's device tree, without what the loader adds to /chosen. Names and compatibles are those of
/// QEMU's virt board; devices that are not there are not in it.
std::vector<std::byte> make_virt_fdt(unsigned harts, std::uint64_t ram_bytes, const riscv::CpuConfig& config,
                                     const VirtInterrupts& interrupts = {});

}  // namespace gstage::hw
