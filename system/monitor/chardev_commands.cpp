// SPDX-License-Identifier: Apache-2.0
// Commands about character back ends.
#include <sstream>

#include "softmmu/base/format.h"
#include "io/ringbuf.h"
#include "system/monitor/commands.h"

namespace gstage {

namespace {

CommandResult query_chardev(CommandContext& context, const Json&) {
  Json all = Json::array();
  for (const auto& [label, chardev] : context.subjects.chardevs)
    all.push_back(Json{{"label", label}, {"filename", chardev->describe()}, {"frontend-open", true}});
  return all;
}

std::string chardev_text(const Json& result) {
  std::string text;
  for (const Json& chardev : result)
    text +=
        chardev["label"].get<std::string>() + ": filename=" + chardev["filename"].get<std::string>() + "\n";
  return text;
}

/// The ring buffer of that name, or null.
Ringbuf* find_ringbuf(CommandContext& context, const Json& arguments) {
  const std::string id = arguments["device"].get<std::string>();
  for (const auto& [label, chardev] : context.subjects.chardevs)
    if (label == id) return chardev->ringbuf();
  return nullptr;
}

Error no_ringbuf(const Json& arguments) {
  return error("There is no -chardev ringbuf,id=%s.", arguments["device"].get<std::string>().c_str());
}

CommandResult ringbuf_read(CommandContext& context, const Json& arguments) {
  Ringbuf* const ringbuf = find_ringbuf(context, arguments);
  if (ringbuf == nullptr) return no_ringbuf(arguments);
  constexpr std::int64_t kMost = 1 << 20;
  const auto count = arguments["size"].get<std::int64_t>();
  if (count < 1 || count > kMost)
    return error("ringbuf_read: %lld is out of range: write a number from 1 to %lld",
                 static_cast<long long>(count), static_cast<long long>(kMost));
  return Json(ringbuf->read(static_cast<std::size_t>(count)));
}

/// What is no text comes out as it does in messages, but for the ends of lines.
std::string ringbuf_text(const Json& result) {
  std::istringstream lines(result.get<std::string>());
  std::string text;
  for (std::string line; std::getline(lines, line);) text += printable(line) + "\n";
  return text;
}

CommandResult ringbuf_write(CommandContext& context, const Json& arguments) {
  Ringbuf* const ringbuf = find_ringbuf(context, arguments);
  if (ringbuf == nullptr) return no_ringbuf(arguments);
  const std::string data = arguments["data"].get<std::string>();
  ringbuf->write({reinterpret_cast<const std::uint8_t*>(data.data()), data.size()});
  return nothing();
}

constexpr CommandArgument kReadArguments[] = {
    {"device", ArgumentType::kString, false, "the id of the -chardev"},
    {"size", ArgumentType::kInteger, false, "bytes, at most 1048576"}};
constexpr CommandArgument kWriteArguments[] = {
    {"device", ArgumentType::kString, false, "the id of the -chardev"},
    {"data", ArgumentType::kRest, false, "the text"}};

constexpr Command kCommands[] = {
    {.qmp = "ringbuf-read",
     .hmp = "ringbuf_read",
     .arguments = kReadArguments,
     .run = ringbuf_read,
     .text = ringbuf_text,
     .help = "take bytes out of a -chardev ringbuf"},
    {.qmp = "ringbuf-write",
     .hmp = "ringbuf_write",
     .arguments = kWriteArguments,
     .run = ringbuf_write,
     .help = "put a text into a -chardev ringbuf"},
    {.qmp = "query-chardev",
     .hmp = "info chardev",
     .run = query_chardev,
     .text = chardev_text,
     .help = "character back ends, and who is connected"},
};

}  // namespace

std::span<const Command> chardev_commands() { return kCommands; }

}  // namespace gstage
