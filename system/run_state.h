// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "softmmu/vcpu_thread.h"
#include "target/riscv/debug/debugger.h"
#include "hw/core/machine.h"
#include "system/machine_requests.h"

namespace gstage {

/// How the machine starts and ends.
struct RunOptions {
  bool can_reboot = true;      ///< else a reset ends the program (-no-reboot)
  bool can_shutdown = true;    ///< else a poweroff stops the harts and the program stays (-no-shutdown)
  bool starts_paused = false;  ///< -S
};

/// What the machine as a whole does.
enum class RunChange : std::uint8_t {
  kStopped,   ///< by `pause`
  kResumed,   ///< by `resume`
  kReset,     ///< it was reset and starts anew
  kPoweroff,  ///< the guest switched it off: the program ends, or stays with the harts stopped
  kQuit,      ///< the program ends because somebody outside wants it
  kLastReset  ///< the program ends in place of a reset (-no-reboot)
};

/// Makes SIGINT, SIGTERM and SIGHUP quit the machine in an orderly way, once the event loop runs. Called
/// before the terminal is changed; `control` lives as long as the event loop runs.
void install_quit_signals(MachineControl& control);

/// What the stop of one hart means for the others.
enum class StopMode : std::uint8_t {
  kAllStop,  ///< they stop, too: the machine is paused
  kNonStop   ///< nothing: each is stopped and let go by itself
};

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

  // A debugger's part. A hart runs while the machine is not paused, nobody holds it, and it has not stopped
  // by itself. Time stands still while the machine is paused or all harts are held or have stopped.

  /// In non-stop mode `resume` leaves harts stopped that are so by themselves. Set while the machine is
  /// paused.
  void set_stop_mode(StopMode mode);
  /// Stops one hart and keeps it until `let_go`, whatever `resume` says. One that sleeps in wfi as well.
  void hold(unsigned hart);
  /// Lets the hart go that is held or has stopped by itself. It runs unless the machine is paused.
  void let_go(unsigned hart);
  /// Whether it runs or will without `let_go` or `resume`.
  [[nodiscard]] bool is_running(unsigned hart) const { return !is_paused_ && !threads_.is_held(hart); }
  /// Told of each stop, on the event loop's thread. Returns what `forget_listener` takes.
  ///
  /// kAllStop: once for each time that the machine comes to a stop, when all harts are parked: what the first
  /// of them stopped for, or kHalted after `pause`. Others that stopped at the same time do so again when
  /// they go on. Steps that have not ended are forgotten. A hart that `hold` stops while others run is told
  /// of, too.
  ///
  /// kNonStop: for each hart that stops, when it is parked: kHalted after `hold` and `pause`.
  using OnStopped = std::function<void(const riscv::StopEvent&)>;
  unsigned on_stopped(OnStopped listener);
  void forget_listener(unsigned id);

  /// Runs `look` while no hart runs, then goes on as before. False when a hart did not stop in time.
  bool while_stopped(const std::function<void()>& look);
  /// From now on `listener` hears of changes, at once; it must not make one. Null: nobody does.
  void on_change(std::function<void(RunChange change)> listener) { listener_ = std::move(listener); }
  /// Whom to ask for the machine's end or reset. Any thread.
  [[nodiscard]] MachineControl& control() { return requests_; }

 private:
  void requested(MachineRequest request);
  void post_advance() const;
  void advance();
  void go();
  void act(MachineRequest request);
  void ask_again(bool is_wanted);
  void give_up();
  void tell(RunChange change) const {
    if (listener_) listener_(change);
  }

  // run_state_stops.cpp
  /// A hart as its stops are told of.
  struct HartStops {
    bool is_held = false;                   ///< by `hold`
    bool has_stopped = false;               ///< by itself
    bool is_asked = false;                  ///< `hold` or `pause` is to be told of
    std::optional<riscv::StopEvent> event;  ///< stopped by itself, not told yet; any thread
  };
  riscv::Debugger::Answer stopped(const riscv::StopEvent& event);
  void note_events();
  bool has_first();
  void note_pause();
  void let_go_stopped();
  void tell_stops();
  void tell(const riscv::StopEvent& event);
  std::optional<riscv::StopEvent> take_event(unsigned hart);

  Machine& machine_;
  const RunOptions options_;
  MachineRequests& requests_;
  /// For tasks of the event loop, which may outlive the object: it, or null.
  const std::shared_ptr<RunState*> self_ = std::make_shared<RunState*>(this);
  bool is_paused_ = false;
  bool is_finished_ = false;
  bool is_pause_told_ = true;  ///< or nobody is to be told
  std::atomic<StopMode> stop_mode_{StopMode::kAllStop};
  std::vector<std::pair<unsigned, OnStopped>> listeners_;
  unsigned listener_ids_ = 0;
  std::mutex events_mutex_;  ///< of what harts' threads write: the events, and who was first
  std::vector<HartStops> harts_;
  std::optional<unsigned> first_;  ///< kAllStop: whose stop is told of
  unsigned asking_ = 0;            ///< glib source that repeats `hold`, 0: none
  unsigned asked_ = 0;             ///< how often
  std::function<void(RunChange change)> listener_;
  VcpuThreads threads_;  ///< last: its threads use the rest
};

}  // namespace gstage
