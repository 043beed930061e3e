// SPDX-License-Identifier: Apache-2.0
// Whole command lines, an argument a line. What is parsed goes on to those who read properties; nothing is
// opened.
#include "system/options.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "softmmu/base/check.h"
#include "target/riscv/extensions.h"
#include "hw/core/driver.h"
#include "hw/virtio/virtio_mmio.h"

#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

/// One line that says what is wrong.
void check_message(const Error& error) { CHECK(!error.message.empty()); }

/// A board of a few virtio slots.
struct Slots final : hw::Device {
  Slots() {
    hw::Bus& bus = add_bus(std::make_unique<hw::Bus>("System", "main"));
    for (unsigned slot = 0; slot < 3; ++slot)
      CHECK(bus.plug(std::make_unique<hw::VirtioMmio>(hw::VirtioParts{memory, workers}, IrqLine())).ok());
  }
  ~Slots() override { clear_buses(); }
  [[nodiscard]] const char* driver() const override { return "board"; }
  AddressSpace memory;
  hw::WorkerPool workers{0};
};

/// Devices that read nothing from the host.
void make_devices(MachineOptions options) {
  options.drives.clear();
  options.blockdevs.clear();
  std::erase_if(options.objects,
                [](const DeviceOptions& object) { return object.find("filename") != nullptr; });
  Slots board;
  auto back_ends = hw::BackEnds::open(options);
  // Limits that do not go together.
  if (!back_ends.ok()) return check_message(back_ends.error());
  hw::DeviceWorld world{board.memory, board.workers, **back_ends};
  for (const DeviceOptions& device : options.devices)
    if (const Status status = hw::add_device(board, world, device); !status.ok())
      check_message(status.error());
}

void run(Input& input) {
  std::istringstream lines(input.rest_as_text());
  std::vector<std::string> arguments;
  for (std::string line; std::getline(lines, line);) arguments.push_back(line);
  auto options = parse_options(arguments);
  if (!options.ok()) return check_message(options.error());
  if (!options->output.empty()) return;
  const auto config = riscv::parse_cpu(options->machine.cpu);
  if (!config.ok()) check_message(config.error());
  make_devices(options->machine);
}

const Registration registration("options", run);

}  // namespace
}  // namespace gstage::fuzz
