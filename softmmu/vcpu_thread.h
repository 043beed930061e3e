// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "softmmu/cpu.h"

namespace gstage {

/// The harts' threads. They start parked. `allow` lets all run but those that are held one by one; `hold`
/// asks all, or one, to park, which they do at their next safe point.
class VcpuThreads {
 public:
  /// `on_parked` is called by the hart that parks last, and by each that was held by itself, without a lock.
  VcpuThreads(std::vector<Cpu*> cpus, std::function<void()> on_parked);
  /// Ends the threads; waits until each left its hart.
  ~VcpuThreads();
  VcpuThreads(const VcpuThreads&) = delete;
  VcpuThreads& operator=(const VcpuThreads&) = delete;

  /// Lets the harts run that are not held by themselves. Any thread.
  void allow();
  /// Asks the harts to park and does not wait; calling it again asks again. Any thread, a hart's own
  /// included.
  void hold();
  /// Asks one hart to park and to stay so, whatever `allow` says, until `let_go`. As `hold`.
  void hold(unsigned hart);
  void let_go(unsigned hart);
  [[nodiscard]] bool is_held(unsigned hart) const;
  /// Whether each is held by itself.
  [[nodiscard]] bool are_all_held() const;
  /// Whether no hart runs and none will before `allow` or `let_go`.
  [[nodiscard]] bool is_parked() const;
  /// Whether this one does not run.
  [[nodiscard]] bool is_parked(unsigned hart) const;
  /// `hold`, then waits until all are parked; false when that takes longer. Not by a hart's thread.
  bool park(int timeout_ms);

 private:
  struct Place {
    bool is_held = false;
    bool is_running = false;
  };
  void run(Cpu& cpu, Place& place);

  const std::vector<Cpu*> cpus_;
  const std::function<void()> on_parked_;
  mutable std::mutex mutex_;
  std::condition_variable may_run_;
  std::condition_variable parked_changed_;
  bool is_allowed_ = false;
  bool is_ending_ = false;
  unsigned running_ = 0;
  std::vector<Place> places_;
  std::vector<std::thread> threads_;
};

}  // namespace gstage
