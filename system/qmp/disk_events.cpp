// SPDX-License-Identifier: Apache-2.0
#include "system/qmp/disk_events.h"

#include <cerrno>
#include <cstring>

#include "softmmu/base/format.h"
#include "io/event_loop.h"

namespace gstage {

DiskEvents::DiskEvents(DiskFailures& failures, RunState& run_state, MonitorSubjects& subjects)
    : failures_(failures), run_state_(run_state), subjects_(subjects) {
  subjects_.disk_failures = &failures_;
  failures_.on_failure([self = self_, is_telling = is_telling_](const DiskFailure& failure) {
    if (failure.action != FailureAction::kStop && is_telling->exchange(true)) return;
    EventLoop::post([self, failure] {
      if (*self != nullptr) (*self)->failed(failure);
    });
  });
}

DiskEvents::~DiskEvents() {
  failures_.on_failure(nullptr);
  subjects_.disk_failures = nullptr;
  *self_ = nullptr;
}

void DiskEvents::failed(const DiskFailure& failure) {
  const bool is_stop = failure.action == FailureAction::kStop;
  if (!is_stop) *is_telling_ = false;
  const char* const operation = failure.is_write ? "write" : "read";
  subjects_.events.emit("BLOCK_IO_ERROR", Json{{"device", failure.disk},
                                               {"operation", operation},
                                               {"action", PropertyCodec<FailureAction>::show(failure.action)},
                                               {"nospace", failure.error == ENOSPC},
                                               {"reason", std::strerror(failure.error)}});
  if (!is_stop || run_state_.is_paused()) return;
  run_state_.pause();
  subjects_.status = "io-error";
  say_without_waiting(
      format("gstage: disk '%s': a %s failed (%s): the machine stands until somebody says cont\r\n",
             printable(failure.disk).c_str(), operation, std::strerror(failure.error)));
}

}  // namespace gstage
