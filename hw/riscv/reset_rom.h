// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gstage::hw {

/// What the reset vector hands to the first software.
struct ResetVector {
  std::uint64_t rom_base;  ///< where the vector lies
  std::uint64_t start;     ///< firmware's (or without firmware the kernel's) first instruction
  std::uint64_t fdt;       ///< goes into a1
  std::uint64_t next;      ///< what the firmware starts in S-mode; 0: nothing
};

/// The code and the fw_dynamic information behind it. It starts `start` with a0 = hart id, a1 = fdt and
/// a2 = the information (OpenSBI, docs/firmware/fw_dynamic.md).
std::vector<std::byte> make_reset_rom(const ResetVector& vector);

}  // namespace gstage::hw
