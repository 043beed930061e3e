// SPDX-License-Identifier: Apache-2.0
// A machine of nothing: tools start it to ask by QMP what the program can do.
#include "hw/core/device.h"
#include "hw/riscv/boards.h"

namespace gstage::hw {
namespace {

class NoMachine final : public Machine {
 public:
  NoMachine() { memory_.seal(); }
  std::vector<Cpu*> cpus() override { return {}; }
  AddressSpace& memory() override { return memory_; }
  Clock& clock() override { return clock_; }
  Device& devices() override { return root_; }
  [[nodiscard]] const std::vector<std::byte>& device_tree() const override { return tree_; }
  void reset() override {}

 private:
  struct Root final : Device {
    [[nodiscard]] const char* driver() const override { return "none"; }
  } root_;
  std::vector<std::byte> tree_;
  AddressSpace memory_;
  Clock clock_;
};

/// What the command line says of harts, memory and what is loaded has no place and is not looked at.
Result<std::unique_ptr<Machine>> create(const MachineOptions& options, MachineControl&) {
  for (const Property& property : options.machine.properties)
    if (Status status = check_property("-machine none", {}, property); !status.ok()) return status.error();
  for (const DeviceOptions& device : options.devices)
    return error("-device %s: the machine none has no bus for it: use -M virt", device.driver.c_str());
  return std::unique_ptr<Machine>(std::make_unique<NoMachine>());
}

}  // namespace

const MachineType kNoBoard{"none", "a machine of nothing, which answers questions by QMP", {}, create};

}  // namespace gstage::hw
