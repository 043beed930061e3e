// SPDX-License-Identifier: Apache-2.0
// Handlers of the options that name character back ends.
#include "softmmu/base/format.h"
#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "io/chardev_kinds.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

constexpr PropertyRow kMonProperties[] = {
    {"chardev", "ID", "a -chardev"},
    {"mode", "readline|control", "the language: the monitor's for people (the default), or QMP for programs"},
    {"pretty", "on|off", "of control: answers are indented"},
    ignored_property("id"),
};

/// What -serial and -monitor take.
constexpr char kBackends[] =
    "  stdio                            the terminal\n"
    "  mon:BACKEND                      BACKEND, shared with the monitor\n"
    "  tcp:HOST:PORT[,server][,nowait]  a TCP connection, or a server for one\n"
    "  telnet:HOST:PORT[,...]           likewise, with the telnet protocol\n"
    "  unix:PATH[,server][,nowait]      a Unix socket\n"
    "  udp:[HOST]:PORT[@[HOST]:PORT]    datagrams to the first and from the second address\n"
    "  pty[:LINK]                       a pseudo-terminal, whose name is printed\n"
    "  pipe:PATH                        the fifos PATH.in and PATH.out\n"
    "  file:PATH                        output into a file\n"
    "  /dev/NAME                        a serial line of the host\n"
    "  null, none, vc                   nothing\n"
    "  chardev:ID                       a -chardev\n";

}  // namespace

Status ConsoleHandlers::chardev(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = chardev_help("");
    return Ok{};
  }
  auto chardev = parse_device("-chardev", argument, "backend");
  if (!chardev) return chardev.error();
  if (asks_for_help(chardev->properties)) options.output = chardev_help(chardev->driver);
  if (!options.output.empty()) return Ok{};
  if (const Status status = check_chardev("-chardev", *chardev); !status.ok()) return status;
  const std::string* const id = chardev->find("id");
  if (id == nullptr || id->empty())
    return error("-chardev: %s has no id: add id=NAME", chardev->driver.c_str());
  options.chardevs.push_back(ChardevOptions{*id, *chardev});
  return Ok{};
}

Status ConsoleHandlers::serial(Options& options, const std::string& argument) {
  if (is_help(argument)) options.output = format("Serial ports (-serial BACKEND):\n%s", kBackends);
  options.serials.push_back(argument);
  return Ok{};
}

Status ConsoleHandlers::monitor(Options& options, const std::string& argument) {
  if (is_help(argument)) options.output = format("Monitors (-monitor BACKEND):\n%s", kBackends);
  options.monitors.push_back(argument);
  return Ok{};
}

Status ConsoleHandlers::mon(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = properties_help("Properties of -mon:", kMonProperties);
    return Ok{};
  }
  auto properties = parse_properties("-mon", argument, "chardev");
  if (!properties) return properties.error();
  std::string id;
  std::string mode = "readline";
  bool is_pretty = false;
  for (const Property& property : *properties) {
    if (Status status = check_property("-mon", kMonProperties, property); !status.ok()) return status;
    if (property.name == "chardev") id = property.value;
    if (property.name == "mode") mode = property.value;
    if (property.name != "pretty") continue;
    auto is_on = parse_switch("-mon", property);
    if (!is_on) return is_on.error();
    is_pretty = *is_on;
  }
  if (id.empty()) return error("-mon: no character back end is named: add chardev=ID");
  if (mode == "control")
    options.qmps.push_back({"chardev:" + id, is_pretty});
  else if (mode == "readline")
    options.monitors.push_back("chardev:" + id);
  else
    return error("-mon: there is no mode=%s: use readline or control", mode.c_str());
  return Ok{};
}

Status ConsoleHandlers::qmp(Options& options, const std::string& argument) {
  if (is_help(argument)) options.output = format("QMP (-qmp BACKEND):\n%s", kBackends);
  options.qmps.push_back({argument, false});
  return Ok{};
}

Status ConsoleHandlers::qmp_pretty(Options& options, const std::string& argument) {
  if (const Status status = qmp(options, argument); !status.ok()) return status;
  options.qmps.back().is_pretty = true;
  return Ok{};
}

}  // namespace gstage
