// SPDX-License-Identifier: Apache-2.0
#include "system/qmp/run_events.h"

#include "io/block/failures.h"

namespace gstage {

namespace {

/// Who made it happen, in the words of QMP's ShutdownCause.
Json cause(bool is_guest, const char* reason) { return Json{{"guest", is_guest}, {"reason", reason}}; }

}  // namespace

RunEvents::RunEvents(RunState& run_state, MonitorSubjects& subjects)
    : run_state_(run_state), subjects_(subjects) {
  subjects_.status = run_state.is_paused() ? "prelaunch" : "running";
  run_state_.on_change([this](RunChange change) { changed(change); });
}

void RunEvents::changed(RunChange change) {
  EventHub& events = subjects_.events;
  const bool is_host = subjects_.is_asked_by_host;
  const Json reset = is_host ? cause(false, "host-qmp-system-reset") : cause(true, "guest-reset");
  switch (change) {
    case RunChange::kStopped:
      subjects_.status = "paused";
      events.emit("STOP", nullptr);
      break;
    case RunChange::kResumed:
      subjects_.status = "running";
      events.emit("RESUME", nullptr);
      if (subjects_.disk_failures != nullptr) subjects_.disk_failures->resume();
      break;
    case RunChange::kReset:
      subjects_.is_asked_by_host = false;
      if (!run_state_.is_paused()) subjects_.status = "running";
      events.emit("RESET", reset);
      break;
    case RunChange::kPoweroff:
      subjects_.status = "shutdown";
      events.emit("SHUTDOWN", cause(true, "guest-shutdown"));
      events.emit("STOP", nullptr);
      break;
    case RunChange::kQuit:
      events.emit("SHUTDOWN", cause(false, is_host ? "host-qmp-quit" : "host-signal"));
      break;
    case RunChange::kLastReset: events.emit("SHUTDOWN", reset); break;
  }
}

}  // namespace gstage
