// SPDX-License-Identifier: Apache-2.0
// What a client of QMP sends, with a machine without harts: the stream of JSON, requests, arguments.
#include "system/qmp/qmp_session.h"

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
  const bool is_negotiated = input.take<std::uint8_t>() % 4 != 0;
  QmpSession session(keyboard, {machine, run_state, subjects}, false);
  const auto type = [&](const std::string& text) {
    keyboard->type_bytes({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  if (is_negotiated) type(R"({"execute":"qmp_capabilities"})");
  while (!input.empty()) keyboard->type_bytes(input.take_bytes(256));
  type("\n{\"execute\":\"query-status\"}\n");
}

const Registration registration("qmp", run);

}  // namespace
}  // namespace gstage::fuzz
