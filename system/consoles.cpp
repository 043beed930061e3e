// SPDX-License-Identifier: Apache-2.0
#include "system/consoles.h"

#include <algorithm>
#include <map>

#include "softmmu/base/format.h"

namespace gstage {

namespace {

/// `-chardev`s while they are given to their users.
class Pool {
 public:
  Pool(MachineRequests& requests, Consoles& consoles) : consoles_(consoles) {
    host_.quit = [&requests] { requests.request(MachineRequest::kQuit); };
    host_.is_quitting = [&requests] { return requests.pending() == MachineRequest::kQuit; };
  }

  Status open(const std::vector<ChardevOptions>& chardevs) {
    for (const ChardevOptions& options : chardevs) {
      auto chardev = open(options.backend, options.id);
      if (!chardev) return chardev.error();
      entries_[options.id] = Entry{*chardev, false};
    }
    return Ok{};
  }

  Result<std::shared_ptr<Chardev>> take(const std::string& spec, const std::string& label) {
    if (!spec.starts_with("chardev:")) return make(spec, label);
    const std::string id = spec.substr(8);
    const auto found = entries_.find(id);
    if (found == entries_.end())
      return error("%s: there is no -chardev with the id '%s': add -chardev KIND,id=%s", label.c_str(),
                   id.c_str(), id.c_str());
    Entry& entry = found->second;
    if (!entry.is_taken) {
      entry.is_taken = true;
      return entry.chardev;
    }
    auto front = entry.chardev->add_front();
    if (!front)
      return error("%s: -chardev '%s' is in use already: add mux=on to it", label.c_str(), id.c_str());
    return front;
  }

  /// For devices that name them: what is free, and one more front of what can be shared.
  std::map<std::string, std::shared_ptr<Chardev>> rest() {
    std::map<std::string, std::shared_ptr<Chardev>> all;
    for (auto& [id, entry] : entries_)
      if (auto chardev = entry.is_taken ? entry.chardev->add_front() : entry.chardev)
        all[id] = std::move(chardev);
    return all;
  }

 private:
  struct Entry {
    std::shared_ptr<Chardev> chardev;
    bool is_taken = false;
  };

  Result<std::shared_ptr<Chardev>> open(const DeviceOptions& backend, const std::string& label) {
    auto chardev = open_chardev(backend, label, host_, consoles_.needs);
    if (chardev.ok()) consoles_.chardevs.emplace_back(label, *chardev);
    return chardev;
  }

  /// Of a short form.
  Result<std::shared_ptr<Chardev>> make(const std::string& spec, const std::string& label) {
    auto backend = parse_chardev(label, spec);
    if (!backend) return backend.error();
    if (const Status status = check_chardev(label, *backend); !status.ok()) return status.error();
    return open(*backend, label);
  }

  ChardevHost host_;
  Consoles& consoles_;
  std::map<std::string, Entry> entries_;
};

/// Where -gdb says; null: nowhere.
Result<std::unique_ptr<gdb::Endpoint>> open_debuggers(const Options& options, Pool& pool,
                                                      ChardevNeeds& needs) {
  auto device = gdb::parse_device("-gdb", options.gdb.empty() ? "none" : options.gdb);
  if (!device) return device.error();
  if (device->kind == gdb::Device::Kind::kNone) return std::unique_ptr<gdb::Endpoint>();
  if (device->kind == gdb::Device::Kind::kChardev) {
    auto chardev = pool.take(device->chardev, "-gdb");
    if (!chardev) return chardev.error();
    return gdb::make_chardev_endpoint(*chardev);
  }
  auto endpoint = gdb::listen_for_debuggers(*device);
  if (!endpoint) return error("-gdb %s: %s", options.gdb.c_str(), endpoint.error().message.c_str());
  needs.accepts = true;
  return endpoint;
}

}  // namespace

bool uses_stdio(const Options& options) {
  const auto is_stdio = [](const std::string& spec) { return spec.find("stdio") != std::string::npos; };
  return options.gdb == "stdio" || std::any_of(options.serials.begin(), options.serials.end(), is_stdio) ||
         std::any_of(options.monitors.begin(), options.monitors.end(), is_stdio) ||
         std::any_of(options.qmps.begin(), options.qmps.end(),
                     [&](const QmpOptions& qmp) { return is_stdio(qmp.backend); }) ||
         std::any_of(options.chardevs.begin(), options.chardevs.end(),
                     [](const ChardevOptions& chardev) { return chardev.backend.driver == "stdio"; });
}

void add_default_consoles(Options& options) {
  if (!options.has_defaults) return;
  const bool has_monitor = !options.monitors.empty() || !options.qmps.empty() ||
                           std::any_of(options.serials.begin(), options.serials.end(),
                                       [](const std::string& spec) { return spec.starts_with("mon:"); });
  const bool is_free = !uses_stdio(options);
  // -display none without a -serial: the port has no far end. Without any of these, a window would show the
  // console; there is none, so the terminal does.
  const bool on_terminal = !options.is_daemon && (options.is_nographic || !options.has_display);
  if (options.serials.empty()) {
    if (!on_terminal || !is_free)
      options.serials.push_back("null");
    else
      options.serials.push_back(has_monitor ? "stdio" : "mon:stdio");
  } else if (options.is_nographic && !has_monitor && is_free) {
    options.monitors.push_back("stdio");
  }
}

Result<Consoles> open_consoles(Options& options, MachineRequests& requests) {
  Consoles consoles;
  Pool pool(requests, consoles);
  if (const Status status = pool.open(options.chardevs); !status.ok()) return status.error();
  for (std::size_t i = 0; i < options.serials.size(); ++i) {
    const std::string& spec = options.serials[i];
    auto serial = pool.take(spec, format("serial%zu", i));
    if (!serial) return serial.error();
    options.machine.serials.push_back(*serial);
    if (spec.starts_with("mon:")) consoles.monitors.push_back((*serial)->add_front());
  }
  for (const std::string& spec : options.monitors) {
    if (spec == "none" || spec == "null") continue;
    auto monitor = pool.take(spec, "monitor");
    if (!monitor) return monitor.error();
    consoles.monitors.push_back(*monitor);
  }
  for (const QmpOptions& qmp : options.qmps) {
    if (qmp.backend == "none" || qmp.backend == "null") continue;
    auto end = pool.take(qmp.backend, "compat_monitor");
    if (!end) return end.error();
    consoles.qmps.push_back({*end, qmp.is_pretty});
  }
  auto debuggers = open_debuggers(options, pool, consoles.needs);
  if (!debuggers) return debuggers.error();
  consoles.debuggers = std::move(*debuggers);
  riscv::SemihostingOptions& semihosting = options.machine.semihosting;
  if (!semihosting.chardev.empty()) {
    auto console = pool.take("chardev:" + semihosting.chardev, "-semihosting-config");
    if (!console) return console.error();
    semihosting.console = *console;
  }
  options.machine.chardevs = pool.rest();
  return consoles;
}

}  // namespace gstage
