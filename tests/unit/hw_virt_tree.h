// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hw/riscv/boards.h"

#include "tests/unit/hw_fakes.h"

namespace gstage::hw {

/// The device tree of a virt board with these properties of -machine and -cpu, and nothing loaded.
inline std::vector<std::byte> make_virt_tree(unsigned harts, std::uint64_t ram_bytes,
                                             std::vector<Property> machine_properties = {},
                                             std::vector<Property> cpu_properties = {}) {
  MachineOptions options;
  options.engine.accel = Accel::kInterp;
  options.machine.properties = std::move(machine_properties);
  options.cpu.properties = std::move(cpu_properties);
  options.harts = harts;
  options.ram_bytes = ram_bytes;
  options.bios = "none";
  FakeControl control;
  auto machine = kVirtBoard.create(options, control);
  EXPECT_TRUE(machine.ok()) << machine.error().message;
  return machine.ok() ? (*machine)->device_tree() : std::vector<std::byte>();
}

}  // namespace gstage::hw
