// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "system/gdb/endpoint.h"
#include "system/gdb/machine_target.h"
#include "system/gdb/server.h"

namespace gstage::gdb {

/// The machine's place for debuggers (-gdb, the monitor's gdbserver). On the event loop's thread.
class Service {
 public:
  Service(Machine& machine, RunState& run_state, MachineTarget::Hmp hmp);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// From now on debuggers come there, and nowhere else. Null: nowhere.
  void serve(std::unique_ptr<Endpoint> endpoint);
  /// The same by the text of -gdb: "tcp::1234", "none". Not for what must be open before the machine is.
  Status serve(const std::string& device);
  /// Where debuggers come; empty: nowhere.
  [[nodiscard]] std::string place() const { return endpoint_ ? endpoint_->describe() : ""; }
  /// The program ends with this code: a debugger is told.
  void exited(unsigned code) { server_.exited(code); }

 private:
  MachineTarget target_;
  Server server_;
  std::unique_ptr<Endpoint> endpoint_;
};

}  // namespace gstage::gdb
