// SPDX-License-Identifier: Apache-2.0
#include "system/monitor/command.h"

#include <algorithm>

#include "softmmu/base/format.h"

namespace gstage {

namespace {

/// What a value has to be, in the words of clients' messages; null: it is that.
const char* missing_type(const Json& value, ArgumentType type) {
  switch (type) {
    case ArgumentType::kInteger:
    case ArgumentType::kSize: return value.is_number_integer() ? nullptr : "integer";
    case ArgumentType::kBool:
    case ArgumentType::kFlag: return value.is_boolean() ? nullptr : "boolean";
    case ArgumentType::kString:
    case ArgumentType::kFormat:
    case ArgumentType::kProperties:
    case ArgumentType::kRest: return value.is_string() ? nullptr : "string";
    case ArgumentType::kAny: return nullptr;
  }
  return nullptr;
}

Status check_arguments(const Command& command, const Json& arguments) {
  if (!arguments.is_object()) return error("The arguments must be an object");
  bool takes_all = false;
  for (const CommandArgument& argument : command.arguments) {
    takes_all = takes_all || argument.type == ArgumentType::kProperties;
    const auto found = arguments.find(argument.name);
    if (found == arguments.end()) {
      if (!argument.is_optional) return error("Parameter '%s' is missing", argument.name);
    } else if (const char* const expected = missing_type(*found, argument.type)) {
      return error("Invalid parameter type for '%s', expected: %s", argument.name, expected);
    }
  }
  for (const auto& [name, value] : arguments.items()) {
    const bool is_known =
        std::any_of(command.arguments.begin(), command.arguments.end(),
                    [&name = name](const CommandArgument& argument) { return name == argument.name; });
    if (!is_known && !takes_all) return error("Parameter '%s' is unexpected", name.c_str());
  }
  return Ok{};
}

}  // namespace

CommandResult::CommandResult(const Status& status) : state_(nothing()) {
  if (!status.ok()) state_ = CommandError{"GenericError", status.error().message};
}

std::string text_of_string(const Json& result) { return result.get<std::string>(); }

CommandResult run_command(CommandContext& context, const Command& command, const Json& arguments) {
  if (const Status status = check_arguments(command, arguments); !status.ok()) return status;
  if (!command.needs_stopped_harts) return command.run(context, arguments);
  CommandResult result = error("A hart does not stop just now (its output is blocked?): try again");
  static_cast<void>(context.run_state.while_stopped([&] { result = command.run(context, arguments); }));
  return result;
}

}  // namespace gstage
