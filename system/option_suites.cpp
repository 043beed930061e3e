// SPDX-License-Identifier: Apache-2.0
// Options for programs that were built for simulators: semihosting calls, the signature of architecture
// tests.
#include <bit>

#include "softmmu/option_values.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

Status semihosting_property(riscv::SemihostingOptions& semihosting, const Property& property) {
  if (property.name == "enable" || property.name == "userspace") {
    auto is_on = parse_switch("-semihosting-config", property);
    if (!is_on) return is_on.error();
    (property.name == "enable" ? semihosting.is_enabled : semihosting.has_userspace) = *is_on;
  } else if (property.name == "target") {
    if (property.value == "gdb")
      return error("-semihosting-config: target=gdb is not supported yet: use target=native");
    if (property.value != "native" && property.value != "auto")
      return error("-semihosting-config: target=%s: use native or auto, which are the same here",
                   property.value.c_str());
  } else if (property.name == "chardev") {
    semihosting.chardev = property.value;
  } else if (property.name == "root") {
    semihosting.root = property.value;
  } else if (property.name == "arg") {
    semihosting.arguments.push_back(property.value);
  } else {
    return error(
        "-semihosting-config: unknown property '%s': known are enable, target, chardev, userspace, arg, root",
        property.name.c_str());
  }
  return Ok{};
}

constexpr const char* kSemihostingHelp =
    "-semihosting-config [enable=]on|off[,PROP=VALUE...]:\n"
    "  enable=on|off        whether programs may call the host (default on)\n"
    "  target=native|auto   who answers: gstage\n"
    "  chardev=ID           the console (default: standard output and error, no input)\n"
    "  userspace=on|off     U-mode may call, too (default off)\n"
    "  arg=TEXT             an argument of the program, in order (default: the kernel's name and -append)\n"
    "  root=FOLDER          the program may use the files in this folder (default: no files)\n";

}  // namespace

Status OptionHandlers::semihosting(Options& options, const std::string&) {
  options.machine.semihosting.is_enabled = true;
  return Ok{};
}

Status OptionHandlers::semihosting_config(Options& options, const std::string& argument) {
  if (argument == "help" || argument == "?") {
    options.output = kSemihostingHelp;
    return Ok{};
  }
  auto properties = parse_properties("-semihosting-config", argument, "enable");
  if (!properties) return properties.error();
  riscv::SemihostingOptions& semihosting = options.machine.semihosting;
  semihosting.is_enabled = true;
  for (const Property& property : *properties)
    if (const Status status = semihosting_property(semihosting, property); !status.ok()) return status;
  // The sandbox leaves it open.
  if (!semihosting.root.empty()) options.sandbox.folders.push_back(semihosting.root);
  return Ok{};
}

Status OptionHandlers::signature(Options& options, const std::string& argument) {
  constexpr std::uint64_t kMostBytes = 16;
  auto properties = parse_properties("-signature", argument, "file");
  if (!properties) return properties.error();
  SignatureOptions& signature = options.machine.signature;
  for (const Property& property : *properties) {
    if (property.name == "file") {
      signature.file = property.value;
    } else if (property.name == "granularity") {
      auto bytes = parse_number("-signature granularity", property.value, 1, kMostBytes);
      if (!bytes) return bytes.error();
      if (!std::has_single_bit(*bytes))
        return error("-signature: granularity=%s: use 1, 2, 4, 8 or 16 (bytes a line)",
                     property.value.c_str());
      signature.granularity = static_cast<unsigned>(*bytes);
    } else {
      return error("-signature: unknown property '%s': known are file, granularity", property.name.c_str());
    }
  }
  if (signature.file.empty()) return error("-signature: no file is named: use -signature FILE");
  return Ok{};
}

}  // namespace gstage
