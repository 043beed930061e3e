// SPDX-License-Identifier: Apache-2.0
#include "system/monitor/hmp.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <limits>
#include <string_view>

#include "softmmu/base/format.h"
#include "softmmu/option_values.h"
#include "system/monitor/commands.h"

namespace gstage {

namespace {

constexpr char kBlanks[] = " \t";
constexpr std::uint64_t kMebi = 1 << 20;

/// What is left of a line, taken off word by word.
class Words {
 public:
  explicit Words(std::string_view text) : text_(text) { skip_blanks(); }

  [[nodiscard]] bool empty() const { return text_.empty(); }
  [[nodiscard]] char first() const { return text_.front(); }
  /// All of it, without the blanks at its end.
  std::string take_rest() {
    const std::size_t last = text_.find_last_not_of(kBlanks);
    return std::string(std::exchange(text_, {}).substr(0, last + 1));
  }
  /// Up to the next blank.
  std::string take() {
    const std::size_t end = std::min(text_.find_first_of(kBlanks), text_.size());
    std::string word(text_.substr(0, end));
    text_.remove_prefix(end);
    skip_blanks();
    return word;
  }
  /// A word or a text in quotes.
  Result<std::string> take_string() {
    if (empty() || first() != '"') return take();
    std::string word;
    for (std::size_t i = 1; i < text_.size(); ++i) {
      if (text_[i] == '"') {
        text_.remove_prefix(i + 1);
        skip_blanks();
        return word;
      }
      if (text_[i] == '\\' && i + 1 < text_.size()) ++i;
      word += text_[i];
    }
    return error("the quotes are not closed: add \"");
  }
  /// The same words as the command's name, which are taken off then. What follows "/" may be right behind it.
  bool take_name(std::string_view name) {
    Words rest = *this;
    for (Words wanted(name); !wanted.empty();) {
      const std::string word = wanted.take();
      if (!rest.text_.starts_with(word)) return false;
      rest.text_.remove_prefix(word.size());
      if (!rest.empty() && std::strchr(kBlanks, rest.first()) == nullptr &&
          !(wanted.empty() && rest.first() == '/'))
        return false;
      rest.skip_blanks();
    }
    *this = rest;
    return true;
  }

 private:
  void skip_blanks() { text_.remove_prefix(std::min(text_.find_first_not_of(kBlanks), text_.size())); }

  std::string_view text_;
};

Result<Json> parse_integer(CommandContext& context, const CommandArgument& argument,
                           const std::string& word) {
  if (word.starts_with("$")) {
    std::optional<std::uint64_t> value;
    if (context.register_value) value = context.register_value(context.machine, context.hart, word.substr(1));
    if (!value) return error("%s: there is no register '%s'", argument.name, word.c_str() + 1);
    return Json(*value);
  }
  const bool is_negative = word.starts_with("-");
  auto number = parse_number(argument.name, is_negative ? word.substr(1) : word, 0,
                             std::numeric_limits<std::uint64_t>::max() >> (is_negative ? 1 : 0));
  if (!number.ok()) return number.error();
  return is_negative ? Json(-static_cast<std::int64_t>(*number)) : Json(*number);
}

/// "DRIVER,name=value,…" as members.
Status parse_members(const CommandArgument& argument, const std::string& word, Json& arguments) {
  auto properties = parse_properties(argument.name, word, argument.name);
  if (!properties.ok()) return properties.error();
  for (Property& property : *properties) arguments[property.name] = std::move(property.value);
  return Ok{};
}

Status parse_word(CommandContext& context, const CommandArgument& argument, Words& words, Json& arguments) {
  Json& value = arguments[argument.name];
  switch (argument.type) {
    case ArgumentType::kRest: value = words.take_rest(); return Ok{};
    case ArgumentType::kFormat: value = words.take().substr(1); return Ok{};
    case ArgumentType::kFlag:
      words.take();
      value = true;
      return Ok{};
    case ArgumentType::kInteger: {
      auto number = parse_integer(context, argument, words.take());
      if (!number.ok()) return number.error();
      value = std::move(*number);
      return Ok{};
    }
    case ArgumentType::kSize: {
      auto size = parse_size(argument.name, words.take(), kMebi);
      if (!size.ok()) return size.error();
      value = *size;
      return Ok{};
    }
    case ArgumentType::kBool: {
      auto is_on = parse_switch(argument.name, Property{argument.name, words.take()});
      if (!is_on.ok()) return is_on.error();
      value = *is_on;
      return Ok{};
    }
    case ArgumentType::kString:
    case ArgumentType::kAny: {
      auto text = words.take_string();
      if (!text.ok()) return text.error();
      value = std::move(*text);
      return Ok{};
    }
    case ArgumentType::kProperties: arguments.erase(argument.name); break;
  }
  return parse_members(argument, words.take_rest(), arguments);
}

/// Whether the next word is this argument, where that is to be seen from how it looks.
bool is_there(const CommandArgument& argument, Words words) {
  if (argument.type == ArgumentType::kFlag) return words.take() == std::string("-") + argument.name[0];
  return !words.empty() && (argument.type != ArgumentType::kFormat || words.first() == '/');
}

/// How an argument stands in the usage line.
std::string shown(const CommandArgument& argument) {
  std::string text;
  if (argument.type == ArgumentType::kFlag) return format("[-%c]", argument.name[0]);
  for (const char c : std::string_view(argument.name))
    text += c == '-' ? '_' : static_cast<char>(std::toupper(c));
  if (argument.type == ArgumentType::kFormat) text.insert(0, "/");
  if (argument.type == ArgumentType::kProperties) text += "[,PROP=VALUE...]";
  return argument.is_optional ? "[" + text + "]" : text;
}

std::string usage(const Command& command) {
  std::string text = command.hmp != nullptr ? command.hmp : command.qmp;
  if (command.alias != nullptr) text += std::string("|") + command.alias;
  for (const CommandArgument& argument : command.arguments) text += " " + shown(argument);
  return text;
}

Result<Json> parse_arguments(CommandContext& context, const Command& command, Words words) {
  Json arguments = Json::object();
  for (const CommandArgument& argument : command.arguments) {
    if (!is_there(argument, words)) {
      if (argument.is_optional || argument.type == ArgumentType::kFlag) continue;
      return error("%s is missing: %s", shown(argument).c_str(), usage(command).c_str());
    }
    if (Status status = parse_word(context, argument, words, arguments); !status.ok()) return status.error();
  }
  if (!words.empty()) return error("'%s' is too much: %s", words.take_rest().c_str(), usage(command).c_str());
  return arguments;
}

/// The command whose name the line begins with; of several the longest name. Takes the name off.
const Command* take_command(Words& words) {
  const Command* found = nullptr;
  std::size_t longest = 0;
  Words rest = words;
  find_command([&](const Command& command) {
    if (command.hmp == nullptr) return false;
    for (const char* const name : {command.hmp, command.alias}) {
      Words after = words;
      if (name == nullptr || std::strlen(name) <= longest || !after.take_name(name)) continue;
      found = &command;
      longest = std::strlen(name);
      rest = after;
    }
    return false;
  });
  words = rest;
  return found;
}

std::string usage_line(const Command& command) {
  return format("%-24s %s\n", usage(command).c_str(), command.help);
}

/// A line for each command whose name begins so.
std::string usage_lines(const std::string& beginning) {
  std::string text;
  find_command([&](const Command& command) {
    if (command.hmp != nullptr && std::string_view(command.hmp).starts_with(beginning))
      text += usage_line(command);
    return false;
  });
  return text;
}

CommandResult help(CommandContext&, const Json& arguments) {
  const auto name = arguments.find("command");
  if (name == arguments.end()) return Json(usage_lines(""));
  const std::string asked = name->get<std::string>();
  Words words(asked);
  const Command* const command = take_command(words);
  if (command == nullptr || !words.empty()) {
    const std::string lines = usage_lines(asked + " ");
    if (lines.empty()) return error("unknown command: '%s' (try 'help')", asked.c_str());
    return Json(lines);
  }
  std::string text = usage_line(*command);
  for (const CommandArgument& argument : command->arguments)
    if (*argument.help != '\0') text += format("  %-22s %s\n", shown(argument).c_str(), argument.help);
  return Json(text);
}

constexpr CommandArgument kHelpArguments[] = {
    {"command", ArgumentType::kRest, true, "a command, or the word that several begin with"}};
constexpr Command kCommands[] = {
    {.hmp = "help",
     .alias = "?",
     .arguments = kHelpArguments,
     .run = help,
     .text = text_of_string,
     .help = "all commands, or one"},
};

std::string show_error(const std::string& description) {
  return description + (description.ends_with('\n') ? "" : "\n");
}

}  // namespace

std::span<const Command> help_commands() { return kCommands; }

Result<Json> parse_hmp_arguments(CommandContext& context, const Command& command, const std::string& text) {
  return parse_arguments(context, command, Words(text));
}

std::string execute_hmp(CommandContext& context, const std::string& line) {
  Words words(line);
  if (words.empty()) return "";
  const Command* const command = take_command(words);
  if (command == nullptr) {
    const std::string asked = words.take_rest();
    const std::string lines = usage_lines(asked + " ");
    return lines.empty() ? "unknown command: '" + printable(asked) + "' (try 'help')\n" : lines;
  }
  auto arguments = parse_arguments(context, *command, words);
  if (!arguments.ok()) return show_error(arguments.error().message);
  const CommandResult result = run_command(context, *command, *arguments);
  if (!result.ok()) return show_error(result.error().description);
  return command->text != nullptr ? command->text(result.value()) : "";
}

}  // namespace gstage
