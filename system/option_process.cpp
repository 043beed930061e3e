// SPDX-License-Identifier: Apache-2.0
// Handlers of the options about the process and the machine's names, and of those that change nothing here.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "softmmu/base/format.h"
#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "system/option_handlers.h"
#include "system/option_properties.h"
#include "system/read_config.h"

namespace gstage {

namespace {

constexpr PropertyRow kNameProperties[] = {
    {"guest", "TEXT", "what the monitor's info name answers"},
    {"process", "TEXT", "what ps and top show"},
    {"debug-threads", "on|off", "no effect: threads have names"},
};
constexpr PropertyRow kOvercommitProperties[] = {
    {"mem-lock", "off", "the host may page the guest's memory out"},
    {"cpu-pm", "off", "a hart that waits leaves its processor to others"},
};
constexpr PropertyRow kMessageProperties[] = {
    {"timestamp", "on|off", "no effect: messages bear no time"},
    {"guest-name", "on|off", "no effect: messages bear no name"},
};

/// "01234567-89ab-cdef-0123-456789abcdef".
bool is_uuid(const std::string& text) {
  constexpr std::size_t kSize = 36;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return text.size() == kSize;
}

Status keep_path(const char* option, std::string& to, const std::string& path) {
  if (path.empty()) return error("%s: its argument is empty: name a file", option);
  to = path;
  return Ok{};
}

/// Takes note of nothing but whether it is a switch.
Status check_switch(const std::string& option, const Property& property) {
  auto is_on = parse_switch(option, property);
  return is_on ? Status(Ok{}) : Status(is_on.error());
}

}  // namespace

Status ProcessHandlers::name(Options& options, const std::string& argument) {
  const auto read = [&](const Property& property) -> Status {
    if (property.name == "guest") {
      options.name = property.value;
    } else if (property.name == "process") {
      options.process_name = property.value;
    } else {
      return check_switch("-name", property);
    }
    return Ok{};
  };
  return for_each_property(options, "-name", kNameProperties, argument, "guest", read);
}

Status ProcessHandlers::uuid(Options& options, const std::string& argument) {
  if (!is_uuid(argument))
    return error("-uuid: '%s' is no UUID: write 32 hexadecimal digits as 8-4-4-4-12", argument.c_str());
  options.uuid = argument;
  std::transform(argument.begin(), argument.end(), options.uuid.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return Ok{};
}

Status ProcessHandlers::pidfile(Options& options, const std::string& argument) {
  return keep_path("-pidfile", options.pid_file, argument);
}

Status ProcessHandlers::daemonize(Options& options, const std::string&) {
  options.is_daemon = true;
  return Ok{};
}

Status ProcessHandlers::overcommit(Options& options, const std::string& argument) {
  const auto read = [](const Property& property) -> Status {
    auto is_on = parse_switch("-overcommit", property);
    if (!is_on) return is_on.error();
    if (*is_on) return error("-overcommit: %s=on is not supported yet: use off", property.name.c_str());
    return Ok{};
  };
  return for_each_property(options, "-overcommit", kOvercommitProperties, argument, "", read);
}

Status ProcessHandlers::message(Options& options, const std::string& argument) {
  const auto read = [](const Property& property) { return check_switch("-msg", property); };
  return for_each_property(options, "-msg", kMessageProperties, argument, "timestamp", read);
}

Status ProcessHandlers::enable_kvm(Options&, const std::string&) {
  return error(
      "-enable-kvm: the host's processor is no RISC-V, so its KVM cannot run the guest: leave it out");
}

Status ProcessHandlers::readconfig(Options& options, const std::string& argument) {
  constexpr std::uintmax_t kMostBytes = 1 << 20;
  std::error_code failure;
  const bool is_file = std::filesystem::is_regular_file(argument, failure) &&
                       std::filesystem::file_size(argument, failure) <= kMostBytes;
  std::ifstream file(argument);
  std::ostringstream text;
  if (is_file) text << file.rdbuf();
  if (!is_file || !file)
    return error("-readconfig: cannot read '%s': name a file that can be read", argument.c_str());
  auto configured = parse_config(text.str(), argument);
  if (!configured) return configured.error();
  for (const ConfiguredOption& option : *configured)
    if (const Status status = apply_option(options, option.word, option.argument); !status.ok())
      return status;
  return Ok{};
}

}  // namespace gstage
