// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "softmmu/base/log_filter.h"
#include "softmmu/base/result.h"
#include "softmmu/property_rows.h"
#include "hw/core/machine.h"
#include "system/expect.h"
#include "system/run_state.h"
#include "system/sandbox/sandbox.h"
#include "system/trace/exit_profile.h"

namespace gstage {

/// `-chardev`.
struct ChardevOptions {
  std::string id;
  DeviceOptions backend;  ///< its kind and properties, checked
};

/// `-symbols`.
struct SymbolsOptions {
  std::string file;
  std::optional<unsigned> vmid;       ///< nothing: what runs with V=0
  std::optional<std::uint64_t> base;  ///< where the file's lowest address is, if elsewhere than it says
};

/// `-qmp` and `-mon mode=control`.
struct QmpOptions {
  std::string backend;  ///< in the short form, or "chardev:ID"
  bool is_pretty = false;
};

/// How `-smp` divides the harts; 0: it says nothing.
struct Topology {
  unsigned sockets = 0;
  unsigned cores = 0;    ///< in a socket
  unsigned threads = 0;  ///< in a core
};

/// The command line, parsed; nothing is opened yet.
struct Options {
  MachineOptions machine;
  RunOptions run;
  SandboxOptions sandbox;
  std::vector<std::string> serials;   ///< back ends in the short form, or "chardev:ID"
  std::vector<std::string> monitors;  ///< likewise
  std::vector<QmpOptions> qmps;
  std::vector<ChardevOptions> chardevs;
  std::vector<DeviceOptions> netdevs;
  std::vector<DeviceOptions> nics;  ///< `-nic`
  std::vector<DeviceOptions> nets;  ///< `-net`
  std::vector<SymbolsOptions> symbols;
  std::vector<DeviceOptions> numa;  ///< `-numa`, checked for form; machine.numa is what follows
  Topology topology;
  bool has_memory_size = false;   ///< -m says it
  std::uint64_t most_memory = 0;  ///< `-m maxmem=`, bytes; 0: not given
  std::string gdb;                ///< `-gdb`, "tcp::1234" for -s; empty: none
  bool is_nographic = false;
  bool has_display = false;  ///< -display was given
  bool has_defaults = true;
  bool is_snapshot = false;
  bool has_accel = false;     ///< machine.engine.accel was chosen
  std::string missing_accel;  ///< one that was named and is not there
  bool is_daemon = false;
  std::string name;
  std::string process_name;
  std::string uuid = "00000000-0000-0000-0000-000000000000";
  std::string pid_file;
  std::string program = "gstage";  ///< what the program was called as
  ExpectOptions expect;
  std::vector<ExitTraceOptions> exit_traces;  ///< `-trace exits`
  std::vector<std::string> trace_patterns;    ///< `-trace PATTERN`, checked
  std::string trace_file;
  std::string log_items;
  LogFilter log_filter;
  std::string log_file;
  std::string output;  ///< text that was asked for (help, version): print it and end
};

/// The name by which tools call QEMU for this target: called so, the program answers them where they look for
/// QEMU's words.
constexpr const char* kQemuName = "qemu-system-riscv64";

/// Parses the arguments behind the program's name. Everything wrong is one Error.
Result<Options> parse_options(std::span<const std::string> arguments, const std::string& program = "gstage");

/// All options without the dashes, in the order of --help.
std::vector<std::string> option_words();

/// What --help prints; at most 100 columns.
std::string options_help();

}  // namespace gstage
