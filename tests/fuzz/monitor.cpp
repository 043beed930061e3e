// SPDX-License-Identifier: Apache-2.0
// What is typed at the monitor, keys and escape sequences included, with a machine without harts.
#include "system/monitor/monitor.h"

#include "tests/fuzz/keyboard.h"
#include "tests/fuzz/target.h"
#include "tests/unit/empty_machine.h"

namespace gstage::fuzz {
namespace {

void run(Input& input) {
  static EmptyMachine machine;
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
