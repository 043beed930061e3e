// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/base/check.h"
#include "softmmu/mem/address_space.h"

namespace gstage::fuzz {

/// The memory that a loader fills: RAM and the reset vector's ROM. What one input loaded the next may find
/// there.
struct SmallMachine {
  static constexpr std::uint64_t kRam = 0x8000'0000;

  explicit SmallMachine(std::uint64_t bytes) : ram_bytes(bytes) {
    CHECK(memory.add_rom("mrom", Paddr{0x1000}, 0xf000).ok());
    CHECK(memory.add_ram("ram", Paddr{kRam}, ram_bytes).ok());
    memory.seal();
  }

  const std::uint64_t ram_bytes;
  AddressSpace memory;
};

}  // namespace gstage::fuzz
