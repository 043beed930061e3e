// SPDX-License-Identifier: Apache-2.0
#include "system/monitor/commands.h"

namespace gstage {

namespace {

using Topic = std::span<const Command> (*)();

/// In the order of `help`.
constexpr Topic kTopics[] = {
    help_commands,      //
    machine_commands,   //
    device_commands,    //
    block_commands,     //
    hart_commands,      //
    inspect_commands,   //
    chardev_commands,   //
    memory_commands,    //
    trace_commands,     //
    plug_commands,      //
    protocol_commands,  //
    program_commands,   //
    object_commands,    //
    gdb_commands,       //
    absent_commands,
};

}  // namespace

bool find_command(const std::function<bool(const Command& command)>& visit) {
  for (const Topic topic : kTopics)
    for (const Command& command : topic())
      if (visit(command)) return true;
  return false;
}

const Command* find_qmp_command(const std::string& name) {
  const Command* found = nullptr;
  find_command([&](const Command& command) {
    if (command.qmp != nullptr && name == command.qmp) found = &command;
    return found != nullptr;
  });
  return found;
}

}  // namespace gstage
