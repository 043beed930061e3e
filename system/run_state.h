// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "softmmu/vcpu_thread.h"
#include "hw/core/machine.h"
#include "system/machine_requests.h"

namespace gstage {

/// How the machine starts and ends.
struct RunOptions {
  bool can_reboot = true;      ///< else a reset ends the program (-no-reboot)
  bool can_shutdown = true;    ///< else a poweroff stops the harts and the program stays (-no-shutdown)
  bool starts_paused = false;  ///< -S
};

/// Makes SIGINT, SIGTERM and SIGHUP quit the machine in an orderly way, once the event loop runs. Called
/// before the terminal is changed; `control` lives as long as the event loop runs.
void install_quit_signals(MachineControl& control);

/// Whether the machine runs: owns the harts' threads, starts, pauses and resets the machine and ends it. All
/// of it on the event loop's thread; other threads ask by `requests`. Nothing here waits for a hart: what is
/// to happen once all are parked happens when the last one says so.
class RunState {
 public:
  /// What was asked before is done first. `requests` outlives the object, which alone takes from it.
  RunState(Machine& machine, const RunOptions& options, MachineRequests& requests);
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
  /// Whom to ask for the machine's end or reset. Any thread.
  [[nodiscard]] MachineControl& control() { return requests_; }

 private:
  void requested(MachineRequest request);
  void post_advance() const;
  void advance();
  void act(MachineRequest request);
  void ask_again(bool is_wanted);
  void give_up();

  Machine& machine_;
  const RunOptions options_;
  MachineRequests& requests_;
  /// For tasks of the event loop, which may outlive the object: it, or null.
  const std::shared_ptr<RunState*> self_ = std::make_shared<RunState*>(this);
  bool is_paused_ = false;
  bool is_finished_ = false;
  unsigned asking_ = 0;  ///< glib source that repeats `hold`, 0: none
  unsigned asked_ = 0;   ///< how often
  VcpuThreads threads_;  ///< last: its threads use the rest
};

}  // namespace gstage
