// SPDX-License-Identifier: Apache-2.0
// Both domains of an APLIC, delivering to harts or as messages, and the wires into them.
#include "hw/intc/aplic.h"

#include "tests/fuzz/accesses.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/wires.h"

namespace gstage::fuzz {
namespace {

constexpr std::uint64_t kWindow = 0x8000;

void run(Input& input) {
  Wires wires;
  hw::NoMsiSink nowhere;
  const bool has_messages = input.flag();
  hw::AplicSetup setup{"aplic-s", false, Wires::kHarts, wires.lines(), 3, nullptr};
  if (has_messages) {
    setup.lines.clear();
    setup.msis = &nowhere;
  }
  hw::AplicDomain supervisor(setup, nullptr);
  setup.name = "aplic-m";
  setup.is_machine = true;
  hw::AplicDomain machine(setup, &supervisor);
  while (!input.empty()) {
    const auto how = input.take<std::uint8_t>();
    if (how % 4 == 0)
      machine.set_level(1 + static_cast<unsigned>(input.below(hw::AplicDomain::kSources)), (how & 4) != 0);
    else
      access_device(input, how % 2 == 0 ? machine : supervisor, kWindow);
  }
  machine.reset();
  supervisor.reset();
}

const Registration registration("aplic", run);

}  // namespace
}  // namespace gstage::fuzz
