// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>

#include "softmmu/machine.h"
#include "softmmu/vcpu_thread.h"

namespace gstage {

/// How the machine starts and ends.
struct RunOptions {
  bool can_reboot = true;      ///< else a reset ends the program (-no-reboot)
  bool can_shutdown = true;    ///< else a poweroff stops the harts and the program stays (-no-shutdown)
  bool starts_paused = false;  ///< -S
};

/// Makes SIGINT, SIGTERM and SIGHUP quit the machine in an orderly way, once the event loop runs. Called
/// before the terminal is changed.
void install_quit_signals();

/// Whether the machine runs: owns the harts' threads, starts, pauses and resets the machine and ends it. All
/// of it on the event loop's thread; other threads ask by `request_machine`. Nothing here waits for a hart:
/// what is to happen once all are parked happens when the last one says so.
class RunState {
 public:
  RunState(Machine& machine, const RunOptions& options);
  ~RunState();
  RunState(const RunState&) = delete;
  RunState& operator=(const RunState&) = delete;

  /// Powers the machine on and runs the event loop until poweroff or quit. The program's exit code.
  int run();
  /// Stops the harts and the clock, until `resume`.
  void pause();
  void resume();
  [[nodiscard]] bool is_paused() const { return is_paused_; }
  /// Runs `look` while no hart runs, then goes on as before. False when a hart did not stop in time.
  bool while_stopped(const std::function<void()>& look);
  /// What `request_machine` does. Any thread.
  void request(MachineRequest request, int exit_code);

 private:
  static void post_advance();
  void advance();
  void act(MachineRequest request);
  void ask_again(bool is_wanted);
  void give_up();

  Machine& machine_;
  const RunOptions options_;
  std::mutex mutex_;  ///< of the two that follow
  MachineRequest requested_ = MachineRequest::kNone;
  int exit_code_ = 0;
  bool is_paused_ = false;
  bool is_finished_ = false;
  unsigned asking_ = 0;  ///< glib source that repeats `hold`, 0: none
  unsigned asked_ = 0;   ///< how often
  VcpuThreads threads_;  ///< last: its threads use the rest
};

}  // namespace gstage
