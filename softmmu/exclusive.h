// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "softmmu/cpu.h"

namespace gstage {

/// Lets one thread do what must not happen while any hart is inside generated code (the code buffer is
/// emptied). A hart asleep in wfi, parked by the run state or waiting here is outside; so a hart that sleeps
/// must have left generated code for good, with no return address into it on its stack.
class Exclusive {
 public:
  /// Before the hart runs for the first time.
  void add_hart(Cpu& cpu) { harts_.push_back(&cpu); }

  /// By the hart's own thread before it enters generated code. Waits while an exclusive section is wanted or
  /// under way; whatever the hart looked up in the code cache before this call may be gone afterwards.
  void enter_guest(CpuCore& core) {
    // The store and the load must not pass each other: `run` does them the other way round.
    core.in_guest.exchange(1, std::memory_order_seq_cst);
    if (wanted_.load(std::memory_order_seq_cst)) wait_to_enter(core);
  }
  /// By the hart's own thread after it left generated code.
  void leave_guest(CpuCore& core) {
    core.in_guest.exchange(0, std::memory_order_seq_cst);
    if (wanted_.load(std::memory_order_seq_cst)) announce();
  }

  /// Runs `section` while no hart is inside generated code. By a hart that is outside; when two ask at once,
  /// one goes first. The section must not call `run` again.
  void run(CpuCore& self, const std::function<void()>& section);
  /// The same for a thread that is no hart.
  void run(const std::function<void()>& section);

 private:
  void wait_to_enter(CpuCore& core);
  void announce();
  [[nodiscard]] bool is_all_outside() const;

  std::vector<Cpu*> harts_;
  std::atomic<bool> wanted_{false};
  std::mutex run_mutex_;  ///< held by the one whose turn it is
  std::mutex mutex_;      ///< of the condition variable
  std::condition_variable changed_;
};

}  // namespace gstage
