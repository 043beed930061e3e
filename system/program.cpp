// SPDX-License-Identifier: Apache-2.0
#include "system/program.h"

#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include "softmmu/base/log.h"
#include "softmmu/base/trace.h"
#include "target/riscv/inspect/symbols.h"
#include "hw/riscv/boards.h"
#include "system/consoles.h"
#include "system/gdb/service.h"
#include "system/monitor/hart_registers.h"
#include "system/monitor/hmp.h"
#include "system/monitor/monitor.h"
#include "system/monitor/tlb_flushes.h"
#include "system/networks.h"
#include "system/options.h"
#include "system/process.h"
#include "system/qmp/card_events.h"
#include "system/qmp/disk_events.h"
#include "system/qmp/qmp_session.h"
#include "system/qmp/run_events.h"
#include "system/run_state.h"
#include "system/symbol_files.h"
#include "system/trace/exit_profile.h"

namespace gstage {

namespace {

int fail(const Error& failure) {
  restore_terminal();
  std::fprintf(stderr, "gstage: %s\n", failure.message.c_str());
  return 1;
}

Status start_log(const Options& options) {
  log_filter() = options.log_filter;
  if (!options.log_items.empty())
    if (const Status status = log_set_categories(options.log_items); !status.ok()) return status;
  for (const std::string& pattern : options.trace_patterns) trace_enable(pattern);
  if (!options.trace_file.empty())
    if (const Status status = trace_set_file(options.trace_file); !status.ok()) return status;
  return options.log_file.empty() ? Status(Ok{}) : log_set_file(options.log_file);
}

/// All that is to be so before anything is opened: a daemon's files and locks are its own.
Status start_process(const Options& options, Daemon& daemon, PidFile& pid_file) {
  if (!options.process_name.empty()) set_process_name(options.process_name);
  if (options.is_daemon)
    if (const Status status = daemon.begin(); !status.ok()) return status;
  return options.pid_file.empty() ? Status(Ok{}) : pid_file.make(options.pid_file);
}

Result<std::unique_ptr<Machine>> create_machine(const MachineOptions& options, MachineControl& control) {
  for (const MachineType& type : hw::machine_types())
    if (options.machine.driver == type.name) return type.create(options, control);
  return error("-machine: unknown board '%s': gstage -machine help lists them",
               options.machine.driver.c_str());
}

/// What watches the machine, and is opened before it.
struct Observers {
  std::unique_ptr<ExitProfile> exits;
  std::unique_ptr<Expectations> expectations;
};

/// They may stand between the machine and its serial port.
Result<Observers> open_observers(Options& options, MachineControl& control) {
  Observers observers;
  std::vector<std::shared_ptr<Chardev>>& serials = options.machine.serials;
  if (options.expect.watches() && serials.empty())
    return error("--expect, --fail-on: the machine has no serial port: add -serial");
  if (options.expect.any()) {
    auto expectations = Expectations::make(options.expect, control);
    if (!expectations) return expectations.error();
    observers.expectations = std::move(*expectations);
    if (options.expect.watches()) serials[0] = observers.expectations->tap(serials[0]);
  }
  if (!options.exit_traces.empty()) {
    auto exits = ExitProfile::open(options.exit_traces);
    if (!exits) return exits.error();
    observers.exits = std::move(*exits);
    observers.exits->set_symbols([](std::uint32_t vmid, std::uint64_t pc) {
      const auto place = riscv::program_symbols().find(pc, vmid);
      return place ? place->text() : std::string();
    });
  }
  return observers;
}

int run_machine(Machine& machine, Options& options, MachineRequests& requests, Consoles& consoles,
                Daemon& daemon, Observers& observers) {
  if (observers.exits != nullptr) observers.exits->attach(machine);
  RunState run_state(machine, options.run, requests);
  MonitorSubjects subjects{consoles.chardevs, options.name, options.uuid, &options};
  subjects.exits = observers.exits.get();
  const RunEvents run_events(run_state, subjects);
  const CardEvents card_events(machine, run_state, subjects);
  const DiskEvents disk_events(*options.machine.disk_failures, run_state, subjects);
  CommandContext context{machine, run_state, subjects};
  context.register_value = [&run_state](Machine& of, unsigned hart, const std::string& name) {
    std::optional<std::uint64_t> value;
    run_state.while_stopped([&] { value = hart_register(of, hart, name); });
    return value;
  };
  std::vector<std::unique_ptr<Monitor>> monitors;
  for (const auto& end : consoles.monitors) monitors.push_back(std::make_unique<Monitor>(end, context));
  std::vector<std::unique_ptr<QmpSession>> sessions;
  for (const QmpEnd& end : consoles.qmps)
    sessions.push_back(std::make_unique<QmpSession>(end.chardev, context, end.is_pretty));
  std::optional<gdb::Service> debuggers;
  if (machine.harts() != nullptr) {
    debuggers.emplace(machine, run_state,
                      [session = context](unsigned hart, const std::string& line) mutable {
                        session.hart = hart;
                        return execute_hmp(session, line);
                      });
    subjects.debuggers = &*debuggers;
  }
  if (debuggers && consoles.debuggers) debuggers->serve(std::move(consoles.debuggers));
  daemon.ready();
  if (observers.expectations != nullptr) observers.expectations->start();
  int exit_code = run_state.run();
  if (debuggers) debuggers->exited(static_cast<unsigned>(exit_code));
  log_text(Log::kTlbStats, describe_tlb_flushes(machine));
  log_text(Log::kSanitize, machine.sanitizer_summary());
  if (observers.exits != nullptr)
    if (const Status status = observers.exits->finish(); !status.ok()) return fail(status.error());
  if (const Status status = machine.finish(); !status.ok()) return fail(status.error());
  if (observers.expectations != nullptr) exit_code = observers.expectations->finish(exit_code, options.name);
  return exit_code;
}

}  // namespace

int run_program(std::span<const std::string> arguments, const std::string& name) {
  auto options = parse_options(arguments, name);
  if (!options) return fail(options.error());
  if (!options->output.empty()) {
    std::fputs(options->output.c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : 1;
  }
  if (const Status status = start_log(*options); !status.ok()) return fail(status.error());
  add_default_consoles(*options);
  Daemon daemon;
  PidFile pid_file;
  if (const Status status = start_process(*options, daemon, pid_file); !status.ok())
    return fail(status.error());
  if (const Status status = load_symbols(*options); !status.ok()) return fail(status.error());
  MachineRequests requests;
  install_quit_signals(requests);
  auto consoles = open_consoles(*options, requests);
  if (!consoles) return fail(consoles.error());
  if (consoles->needs.accepts) options->sandbox.networks.add(SandboxUser::kAccept);
  if (consoles->needs.connects) options->sandbox.networks.add(SandboxUser::kConnect);
  if (options->is_daemon) options->sandbox.networks.add(SandboxUser::kDaemon);
  const std::vector<std::uint16_t>& ports = consoles->needs.tcp_ports;
  options->sandbox.tcp_ports.insert(options->sandbox.tcp_ports.end(), ports.begin(), ports.end());
  if (const Status status = open_networks(*options); !status.ok()) return fail(status.error());
  auto observers = open_observers(*options, requests);
  if (!observers) return fail(observers.error());
  auto machine = create_machine(options->machine, requests);
  if (!machine) return fail(machine.error());
  // All files are open, and no thread runs yet.
  if (const Status status = enter_sandbox(options->sandbox); !status.ok()) return fail(status.error());
  // Forwarded ports answer from now on.
  for (const auto& [id, network] : options->machine.networks)
    for (unsigned i = 0; i < network->queues(); ++i) network->queue(i).loop().wake();
  // A null machine: the command asked for output alone, and has it.
  if (*machine == nullptr) daemon.ready();
  const int exit_code =
      *machine ? run_machine(**machine, *options, requests, *consoles, daemon, *observers) : 0;
  machine = std::unique_ptr<Machine>();
  log_flush();
  restore_terminal();
  return exit_code;
}

}  // namespace gstage
