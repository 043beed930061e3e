// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "system/monitor/command.h"

namespace gstage {

/// Does what a line of the human monitor's language says: a command's name (one word or two), then its
/// arguments by the command's row. Returns what it prints, lines ended by "\n": the result as the row shows
/// it, or one line that says what is wrong. Used by the monitor, gdb's `monitor` and QMP's
/// human-monitor-command.
std::string execute_hmp(CommandContext& context, const std::string& line);

/// What follows a command's name on a line, as the command's arguments.
Result<Json> parse_hmp_arguments(CommandContext& context, const Command& command, const std::string& text);

}  // namespace gstage
