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
#include "hw/riscv/virt_devices.h"

#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

/// One line that says what is wrong.
void check_message(const Error& error) { CHECK(!error.message.empty()); }

/// Devices that read nothing from the host.
void make_devices(MachineOptions options) {
  options.drives.clear();
  std::erase_if(options.objects,
                [](const DeviceOptions& object) { return object.find("filename") != nullptr; });
  auto slots = hw::VirtDevices(options).make();
  if (!slots.ok()) check_message(slots.error());
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
