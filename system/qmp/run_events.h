// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "system/monitor/command.h"

namespace gstage {

/// Tells QMP's sessions what the machine as a whole does, and keeps the status that query-status shows.
class RunEvents {
 public:
  /// Both outlive it.
  RunEvents(RunState& run_state, MonitorSubjects& subjects);
  ~RunEvents() { run_state_.on_change(nullptr); }
  RunEvents(const RunEvents&) = delete;
  RunEvents& operator=(const RunEvents&) = delete;

 private:
  void changed(RunChange change);

  RunState& run_state_;
  MonitorSubjects& subjects_;
};

}  // namespace gstage
