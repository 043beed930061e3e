// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hw/core/device.h"
#include "system/monitor/commands.h"
#include "system/monitor/hmp.h"

namespace gstage {

/// A machine without harts and devices, for what talks to a machine.
class EmptyMachine final : public Machine {
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

/// Commands on an EmptyMachine, on the test's thread.
class MonitorTest : public ::testing::Test {
 protected:
  std::string hmp(const std::string& line) { return execute_hmp(context_, line); }

  EmptyMachine machine_;
  MachineRequests requests_;
  RunState run_state_{machine_, {}, requests_};
  MonitorSubjects subjects_;
  CommandContext context_{machine_, run_state_, subjects_};
};

}  // namespace gstage
