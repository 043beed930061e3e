// SPDX-License-Identifier: Apache-2.0
#include "system/options.h"

#include <algorithm>
#include <array>
#include <set>

#include "softmmu/base/format.h"
#include "system/consoles.h"
#include "system/networks.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

enum class Group : std::uint8_t { kMachine, kBoot, kDevice, kNetwork, kConsole, kRun, kDebug };
constexpr std::array kGroups{"Machine",  "Boot",    "Disks and devices", "Networks",
                             "Consoles", "Running", "Help and debugging"};

struct OptionRow {
  Group group;
  const char* word;
  const char* argument;
  OptionHandlers::Handler handler;
  const char* help;
};

constexpr OptionRow kOptions[] = {
#define OPTION(group, word, argument, handler, help) \
  OptionRow{Group::group, word, argument, OptionHandlers::handler, help},
#define ALIAS(alias, word)
#define MISSING(word)
#include "system/options.inc"
#undef OPTION
#undef ALIAS
#undef MISSING
};

struct AliasRow {
  const char* alias;
  const char* word;
};

constexpr AliasRow kAliases[] = {
#define OPTION(group, word, argument, handler, help)
#define ALIAS(alias, word) AliasRow{alias, word},
#define MISSING(word)
#include "system/options.inc"
#undef OPTION
#undef ALIAS
#undef MISSING
};

constexpr const char* kMissing[] = {
#define OPTION(group, word, argument, handler, help)
#define ALIAS(alias, word)
#define MISSING(word) word,
#include "system/options.inc"
#undef OPTION
#undef ALIAS
#undef MISSING
};

const OptionRow* find_option(std::string word) {
  for (const AliasRow& row : kAliases)
    if (word == row.alias) word = row.word;
  const auto row = std::find_if(std::begin(kOptions), std::end(kOptions),
                                [&](const OptionRow& r) { return word == r.word; });
  return row == std::end(kOptions) ? nullptr : row;
}

Error unknown_option(const std::string& given, const std::string& word) {
  for (const char* const missing : kMissing)
    if (word == missing) return error("-%s is not supported yet", missing);
  return error("%s: unknown option: gstage --help lists them", given.c_str());
}

/// What only the whole command line shows.
Status finish(Options& options) {
  std::set<std::string> ids;
  for (DriveOptions& drive : options.machine.drives) {
    if (options.is_snapshot) drive.is_snapshot = true;
    if (!drive.id.empty() && !ids.insert(drive.id).second)
      return error("-drive: the id '%s' is given twice: choose another", drive.id.c_str());
  }
  if (const Status status = check_accel(options); !status.ok()) return status;
  if (const Status status = settle_memory(options); !status.ok()) return status;
  ids.clear();
  for (const ChardevOptions& chardev : options.chardevs)
    if (!ids.insert(chardev.id).second)
      return error("-chardev: the id '%s' is given twice: choose another", chardev.id.c_str());
  if (options.is_daemon && options.is_nographic && options.has_defaults)
    return error("-daemonize: -nographic needs the terminal: use -display none");
  if (options.is_daemon && uses_stdio(options))
    return error("-daemonize: nobody is at standard input and output: give the back ends another place");
  if (options.is_daemon && options.expect.any())
    return error("-daemonize: nobody gets the exit code of --expect, --fail-on and --timeout: leave it out");
  return expand_nics(options);
}

}  // namespace

Status apply_option(Options& options, const std::string& word, const std::string& argument) {
  const OptionRow* const row = find_option(word);
  if (row == nullptr) return unknown_option("-" + word, word);
  return row->handler(options, argument);
}

Result<Options> parse_options(std::span<const std::string> arguments, const std::string& program) {
  Options options;
  options.program = program;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& given = arguments[i];
    if (given.size() < 2 || given[0] != '-') {
      if (given.empty() || given == "-")
        return error(
            "'%s': unexpected argument: a disk is given by its file's name, a kernel by -kernel FILE",
            given.c_str());
      if (const Status status = OptionHandlers::disk(options, given); !status.ok()) return status.error();
      continue;
    }
    const std::string word = given.substr(given.starts_with("--") ? 2 : 1);
    const OptionRow* const row = find_option(word);
    if (row == nullptr) return unknown_option(given, word);
    const bool has_argument = row->argument[0] != '\0';
    if (has_argument && i + 1 == arguments.size())
      return error("%s: its argument is missing: %s %s", given.c_str(), given.c_str(), row->argument);
    static const std::string kNothing;
    const Status status = row->handler(options, has_argument ? arguments[++i] : kNothing);
    if (!status.ok()) return status.error();
    if (!options.output.empty()) return options;
  }
  if (const Status status = finish(options); !status.ok()) return status.error();
  return options;
}

std::vector<std::string> option_words() {
  std::vector<std::string> words;
  for (const OptionRow& row : kOptions) words.emplace_back(row.word);
  return words;
}

std::string options_help() {
  constexpr int kColumn = 40;
  constexpr std::size_t kWidth = 100;
  std::string text =
      "usage: gstage [OPTION]...\nRuns a RISC-V machine with the hypervisor extension. The options are "
      "QEMU's.\n";
  for (std::size_t group = 0; group < kGroups.size(); ++group) {
    text += format("\n%s:\n", kGroups[group]);
    for (const OptionRow& row : kOptions) {
      if (static_cast<std::size_t>(row.group) != group) continue;
      std::string left = "  ";
      for (const AliasRow& alias : kAliases)
        if (std::string_view(alias.word) == row.word) left += format("-%s, ", alias.alias);
      left += format(row.argument[0] == '\0' ? "-%s%s" : "-%s %s", row.word, row.argument);
      // Too long for its column, or the help for the rest: the help goes on the next line.
      const bool fits = left.size() < kColumn && kColumn + std::string_view(row.help).size() <= kWidth;
      text += fits ? format("%-*s%s\n", kColumn, left.c_str(), row.help)
                   : format("%s\n%*s%s\n", left.c_str(), 8, "", row.help);
    }
  }
  text += "\nCtrl-a h on the terminal lists the keys. Long options may have two dashes.\n";
  return text;
}

}  // namespace gstage
