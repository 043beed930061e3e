// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "softmmu/base/check.h"
#include "hw/core/device.h"
#include "hw/core/machine.h"

namespace gstage {

/// A machine without harts and devices, for what talks to a machine.
class EmptyMachine : public Machine {
 public:
  EmptyMachine() {
    CHECK(memory_.add_ram("ram", Paddr{0x8000'0000}, kPageSize).ok());
    memory_.seal();
  }
  std::vector<Cpu*> cpus() override { return {}; }
  AddressSpace& memory() override { return memory_; }
  Clock& clock() override { return clock_; }
  hw::Device& devices() override { return root_; }
  [[nodiscard]] const std::vector<std::byte>& device_tree() const override { return tree_; }
  void reset() override {}

 private:
  struct Root final : hw::Device {
    [[nodiscard]] const char* driver() const override { return "none"; }
  } root_;
  std::vector<std::byte> tree_;
  AddressSpace memory_;
  Clock clock_;
};

}  // namespace gstage
