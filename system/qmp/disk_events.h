// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>

#include "io/block/failures.h"
#include "system/monitor/command.h"

namespace gstage {

/// Stops the machine where a disk's failure is to do so, tells QMP's sessions of failures, and has what
/// failed done once more when the machine goes on. Lives on the event loop's thread.
class DiskEvents {
 public:
  /// All of it outlives the object.
  DiskEvents(DiskFailures& failures, RunState& run_state, MonitorSubjects& subjects);
  ~DiskEvents();
  DiskEvents(const DiskEvents&) = delete;
  DiskEvents& operator=(const DiskEvents&) = delete;

 private:
  void failed(const DiskFailure& failure);

  DiskFailures& failures_;
  RunState& run_state_;
  MonitorSubjects& subjects_;
  /// One that stops nothing is on its way: a guest can make more of them than anybody reads.
  const std::shared_ptr<std::atomic<bool>> is_telling_ = std::make_shared<std::atomic<bool>>(false);
  /// For tasks of the event loop, which may outlive the object: it, or null.
  const std::shared_ptr<DiskEvents*> self_ = std::make_shared<DiskEvents*>(this);
};

}  // namespace gstage
