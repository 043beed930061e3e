// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "io/chardev.h"
#include "hw/core/machine.h"
#include "system/monitor/line_editor.h"
#include "system/run_state.h"

namespace gstage {

/// What commands can name or tell, besides the machine.
struct MonitorSubjects {
  ChardevList chardevs;
  std::string name;  ///< of the machine
  std::string uuid;
};

/// The human monitor: commands typed on a character device. Lives on the event loop's thread.
class Monitor {
 public:
  Monitor(std::shared_ptr<Chardev> chardev, Machine& machine, RunState& run_state,
          MonitorSubjects subjects = {});
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// Executes one command line and writes its answer.
  void execute(const std::string& line);

 private:
  friend struct MonitorCommands;
  /// Writes text whose lines end in "\n".
  void say(const std::string& text);
  void greet();
  /// The ring buffer that the command names first, or null, and the user is told. Takes the name off.
  Ringbuf* take_ringbuf();

  std::shared_ptr<Chardev> chardev_;
  Machine& machine_;
  RunState& run_state_;
  const MonitorSubjects subjects_;
  std::string arguments_;  ///< of the command that is executed, behind its name
  LineEditor editor_;
  bool is_greeted_ = false;
};

/// TLB flushes by reason, of each hart and of all, as a table (`info tlb-flushes`, `-d tlb_stats`).
std::string describe_tlb_flushes(Machine& machine);

}  // namespace gstage
