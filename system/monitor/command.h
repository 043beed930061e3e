// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "softmmu/base/result.h"
#include "io/chardev.h"
#include "hw/core/machine.h"
#include "system/monitor/event_hub.h"
#include "system/run_state.h"

namespace gstage {

class DiskFailures;
class ExitProfile;
struct Options;
namespace gdb {
class Service;
}

/// What commands take and answer. Members keep their order.
using Json = nlohmann::ordered_json;

/// Why a command was not done. The classes are those that QMP's clients know.
struct CommandError {
  const char* error_class = "GenericError";  ///< "CommandNotFound", "DeviceNotFound", "DeviceNotActive"
  std::string description;                   ///< one line: what is wrong and what to do
};

/// A command's answer: a value (an empty object where there is nothing to say) or a CommandError.
class [[nodiscard]] CommandResult {
 public:
  CommandResult(Json value) : state_(std::move(value)) {}              // NOLINT: implicit by design
  CommandResult(CommandError failure) : state_(std::move(failure)) {}  // NOLINT: implicit by design
  /// Of class GenericError.
  CommandResult(Error failure)  // NOLINT: implicit by design
      : state_(CommandError{"GenericError", std::move(failure.message)}) {}
  /// Nothing to say, or the Error.
  CommandResult(const Status& status);  // NOLINT: implicit by design

  [[nodiscard]] bool ok() const { return std::holds_alternative<Json>(state_); }
  [[nodiscard]] const Json& value() const {
    CHECK(ok());
    return std::get<Json>(state_);
  }
  [[nodiscard]] const CommandError& error() const {
    CHECK(!ok());
    return std::get<CommandError>(state_);
  }

 private:
  std::variant<Json, CommandError> state_;
};

/// The answer of a command that has nothing to say.
inline Json nothing() { return Json::object(); }

/// How an argument looks. In QMP it is a member of its JSON type; in HMP a word of the line, in the order of
/// the row.
enum class ArgumentType : std::uint8_t {
  kInteger,  ///< 64 bits, unsigned or signed; HMP: decimal, 0x…, or $NAME, a register of the current hart
  kSize,     ///< bytes; HMP: a number and K, M, G or T; without a letter it counts MiB
  kBool,     ///< HMP: on or off
  kFlag,     ///< QMP: a boolean; HMP: "-x", the first letter of its name, or not there
  kString,   ///< HMP: a word, or "text in quotes" with \" and \\ for quotes and backslashes
  kFormat,   ///< HMP: "/8xw" right behind the command's name or as a word; the string without "/"
  kProperties,  ///< HMP: "virtio-net-pci,id=x,…" becomes the members that it names, the first word this one;
                ///< in QMP: a string, and further members of any name are taken
  kRest,  ///< HMP: the rest of the line as it is
  kAny,   ///< QMP alone: any value
};

/// One argument of a command.
struct CommandArgument {
  const char* name;
  ArgumentType type;
  bool is_optional = false;
  const char* help = "";
};

/// What several sessions talk about, besides the machine. One a program.
struct MonitorSubjects {
  ChardevList chardevs{};
  std::string name{};  ///< of the machine
  std::string uuid{};
  Options* options = nullptr;  ///< of the command line, with what was opened for it; null: in tests
  /// In QMP's words: "prelaunch", "running", "paused", "io-error", "shutdown".
  std::string status = "running";
  bool is_asked_by_host = false;  ///< the reset that is under way: by a command, not by the guest
  EventHub events{};
  const ExitProfile* exits = nullptr;     ///< null: exits are not counted
  gdb::Service* debuggers = nullptr;      ///< where gdb connects; null: the machine has no harts
  DiskFailures* disk_failures = nullptr;  ///< told when the machine goes on; null: in tests
};

/// What a command works on. Each session (a monitor, a QMP client, a gdb) has one of its own: what a user
/// chooses for a session is a member here, what is one a program is in `subjects`.
struct CommandContext {
  Machine& machine;
  RunState& run_state;
  MonitorSubjects& subjects;
  unsigned hart = 0;  ///< the current one
  /// The value of a register of a hart by name, for "$NAME"; null: there are no such names.
  std::function<std::optional<std::uint64_t>(Machine& machine, unsigned hart, const std::string& name)>
      register_value = nullptr;
};

/// A row of the command table: a command of one language or both. The arguments that `run` gets are checked:
/// what is not optional is there, all have their types, and nothing else is.
struct Command {
  const char* qmp = nullptr;    ///< "query-status"; null: HMP alone
  const char* hmp = nullptr;    ///< "info status"; null: QMP alone
  const char* alias = nullptr;  ///< of HMP, or null
  std::span<const CommandArgument> arguments{};
  /// On the event loop's thread.
  CommandResult (*run)(CommandContext& context, const Json& arguments) = nullptr;
  /// How HMP shows a result, lines ended by "\n"; null: it shows nothing.
  std::string (*text)(const Json& result) = nullptr;
  const char* help = "";
  bool needs_stopped_harts = false;  ///< run within RunState::while_stopped
};

/// For `Command::text` of results that are text.
std::string text_of_string(const Json& result);

/// Checks the arguments and runs a command.
CommandResult run_command(CommandContext& context, const Command& command, const Json& arguments);

}  // namespace gstage
