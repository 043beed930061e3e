// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "softmmu/cpu.h"

namespace gstage {

/// The harts' threads. They start parked. `allow` lets all run, `hold` asks all to park, which they do at
/// their next safe point.
class VcpuThreads {
 public:
  /// `on_all_parked` is called by the hart that parks last, without a lock.
  VcpuThreads(std::vector<Cpu*> cpus, std::function<void()> on_all_parked);
  /// Ends the threads; waits until each left its hart.
  ~VcpuThreads();
  VcpuThreads(const VcpuThreads&) = delete;
  VcpuThreads& operator=(const VcpuThreads&) = delete;

  /// Lets the harts run. Any thread.
  void allow();
  /// Asks the harts to park and does not wait; calling it again asks again. Any thread, a hart's own
  /// included.
  void hold();
  /// Whether no hart runs and none will before `allow`.
  [[nodiscard]] bool is_parked() const;
  /// `hold`, then waits until all are parked; false when that takes longer. Not by a hart's thread.
  bool park(int timeout_ms);

 private:
  void run(Cpu& cpu);

  const std::vector<Cpu*> cpus_;
  const std::function<void()> on_all_parked_;
  mutable std::mutex mutex_;
  std::condition_variable may_run_;
  std::condition_variable parked_changed_;
  bool is_allowed_ = false;
  bool is_ending_ = false;
  unsigned running_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace gstage
