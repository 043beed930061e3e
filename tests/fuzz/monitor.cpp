// SPDX-License-Identifier: Apache-2.0
// What is typed at the monitor, keys and escape sequences included, with a machine without harts.
#include "system/monitor/monitor.h"

#include "hw/core/device.h"

#include "tests/fuzz/keyboard.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

class NoHarts final : public Machine {
 public:
  NoHarts() {
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

void run(Input& input) {
  static NoHarts machine;
  static MachineRequests requests;
  static RunState run_state(machine, {}, requests);
  static MonitorSubjects subjects;
  const auto keyboard = std::make_shared<Keyboard>();
  Monitor monitor(keyboard, {machine, run_state, subjects});
  while (!input.empty()) keyboard->type_bytes(input.take_bytes(256));
  monitor.execute("info status");
}

const Registration registration("monitor", run);

}  // namespace
}  // namespace gstage::fuzz
