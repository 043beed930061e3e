// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "softmmu/option_values.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

/// What other emulators let a sandbox leave open, a kind of system calls each.
constexpr const char* kKinds[] = {"obsolete", "elevateprivileges", "spawn", "resourcecontrol"};

Status check_kind(const Property& property) {
  if (std::none_of(std::begin(kKinds), std::end(kKinds), [&](const char* k) { return property.name == k; }))
    return error(
        "-sandbox: unknown property '%s': known are enable, obsolete, elevateprivileges, spawn, "
        "resourcecontrol",
        property.name.c_str());
  if (property.value == "deny") return Ok{};
  if (property.value == "allow" || (property.value == "children" && property.name == "elevateprivileges"))
    return error(
        "-sandbox: %s=%s is not supported yet: the sandbox denies it; -sandbox off allows everything",
        property.name.c_str(), property.value.c_str());
  return error("-sandbox: %s=%s: use deny", property.name.c_str(), property.value.c_str());
}

Status keep_nonempty(const char* option, std::string& to, const std::string& text, const char* what) {
  if (text.empty()) return error("%s: its argument is empty: name %s", option, what);
  to = text;
  return Ok{};
}

}  // namespace

Status OptionHandlers::sandbox(Options& options, const std::string& argument) {
  auto properties = parse_properties("-sandbox", argument, "enable");
  if (!properties) return properties.error();
  for (const Property& property : *properties) {
    if (property.name != "enable") {
      if (const Status status = check_kind(property); !status.ok()) return status;
      continue;
    }
    auto is_on = parse_switch("-sandbox", property);
    if (!is_on) return is_on.error();
    options.sandbox.mode = *is_on ? SandboxOptions::Mode::kOn : SandboxOptions::Mode::kOff;
  }
  return Ok{};
}

Status OptionHandlers::run_as(Options& options, const std::string& argument) {
  return keep_nonempty("-runas", options.sandbox.user, argument, "a user, or UID:GID");
}

Status OptionHandlers::change_root(Options& options, const std::string& argument) {
  return keep_nonempty("-chroot", options.sandbox.root, argument, "a directory");
}

Status OptionHandlers::run_with(Options& options, const std::string& argument) {
  auto properties = parse_properties("-run-with", argument, "");
  if (!properties) return properties.error();
  for (const Property& property : *properties) {
    Status status = Ok{};
    if (property.name == "user")
      status = run_as(options, property.value);
    else if (property.name == "chroot")
      status = change_root(options, property.value);
    else if (property.name == "async-teardown" || property.name == "exit-with-parent")
      status = error("-run-with: %s= is not supported yet: leave it out", property.name.c_str());
    else
      status = error("-run-with: unknown property '%s': known are user, chroot", property.name.c_str());
    if (!status.ok()) return status;
  }
  return Ok{};
}

}  // namespace gstage
