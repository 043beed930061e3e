// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "system/monitor/command.h"

namespace gstage {

// The command table's parts, an array a topic; commands.cpp has their list. A new topic is a file with such a
// function, its declaration here, and a row of that list.
std::span<const Command> help_commands();      ///< hmp.cpp: help
std::span<const Command> machine_commands();   ///< the machine as a whole: stop, reset, status
std::span<const Command> device_commands();    ///< devices and what lies where
std::span<const Command> block_commands();     ///< disks, their nodes and limits
std::span<const Command> hart_commands();      ///< registers, TLBs
std::span<const Command> inspect_commands();   ///< walks, page tables, memory, interrupts
std::span<const Command> chardev_commands();   ///< character back ends
std::span<const Command> plug_commands();      ///< devices and networks that come and go
std::span<const Command> protocol_commands();  ///< QMP about itself: query-commands, query-qmp-schema
std::span<const Command> program_commands();   ///< what the program can do: boards, models of harts
std::span<const Command> object_commands();    ///< types and properties of devices
std::span<const Command> absent_commands();    ///< queries for what is never there, with empty answers
std::span<const Command> memory_commands();    ///< memory into files
std::span<const Command> trace_commands();     ///< traces (system/trace)
std::span<const Command> gdb_commands();       ///< gdbserver

/// Calls `visit` with each command, in the order of the table, until it answers true. What it answered last.
bool find_command(const std::function<bool(const Command& command)>& visit);
/// The command by its name in QMP, or null.
const Command* find_qmp_command(const std::string& name);

}  // namespace gstage
