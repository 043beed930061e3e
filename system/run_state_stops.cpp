// SPDX-License-Identifier: Apache-2.0
// Harts that stop one by one, and who is told of it.
#include <algorithm>

#include "target/riscv/cpu.h"
#include "system/run_state.h"

namespace gstage {

using riscv::StopCause;
using riscv::StopEvent;

/// By the hart's own thread. It is held by itself: the event loop may let all run at the same time.
riscv::Debugger::Answer RunState::stopped(const StopEvent& event) {
  const bool stops_all = stop_mode_.load(std::memory_order_relaxed) == StopMode::kAllStop;
  bool is_told = true;
  {
    const std::lock_guard lock(events_mutex_);
    is_told = !stops_all || !first_;
    if (is_told) harts_[event.hart].event = event;
    if (stops_all && is_told) first_ = event.hart;
    harts_[event.hart].has_stopped = true;
  }
  threads_.hold(event.hart);
  if (stops_all) threads_.hold();
  post_advance();
  return is_told ? riscv::Debugger::Answer::kReported : riscv::Debugger::Answer::kLater;
}

void RunState::set_stop_mode(StopMode mode) { stop_mode_.store(mode, std::memory_order_relaxed); }

void RunState::hold(unsigned hart) {
  {
    const std::lock_guard lock(events_mutex_);
    HartStops& stops = harts_[hart];
    stops.is_asked = stops.is_asked || (is_running(hart) && !stops.has_stopped);
    stops.is_held = true;
  }
  threads_.hold(hart);
  advance();
}

void RunState::let_go(unsigned hart) {
  {
    const std::lock_guard lock(events_mutex_);
    harts_[hart] = {};
    if (first_ == hart && is_paused_) first_.reset();
  }
  threads_.let_go(hart);
  advance();
}

unsigned RunState::on_stopped(OnStopped listener) {
  listeners_.emplace_back(++listener_ids_, std::move(listener));
  return listener_ids_;
}

void RunState::forget_listener(unsigned id) {
  std::erase_if(listeners_, [id](const auto& listener) { return listener.first == id; });
}

/// In all-stop mode a hart that stopped pauses the machine.
void RunState::note_events() {
  if (has_first()) note_pause();
}

bool RunState::has_first() {
  const std::lock_guard lock(events_mutex_);
  return first_.has_value();
}

void RunState::note_pause() {
  if (is_paused_) return;
  if (stop_mode_.load(std::memory_order_relaxed) == StopMode::kNonStop) {
    const std::lock_guard lock(events_mutex_);
    for (unsigned i = 0; i < harts_.size(); ++i)
      if (!threads_.is_held(i)) harts_[i].is_asked = true;
  } else {
    is_pause_told_ = false;
  }
  is_paused_ = true;
  tell(RunChange::kStopped);
}

/// The machine is resumed: who stopped by itself goes on, if that stopped all.
void RunState::let_go_stopped() {
  const std::lock_guard lock(events_mutex_);
  first_.reset();
  if (stop_mode_.load(std::memory_order_relaxed) == StopMode::kNonStop) return;
  for (unsigned i = 0; i < harts_.size(); ++i) {
    harts_[i].event.reset();
    harts_[i].has_stopped = false;
    if (!harts_[i].is_held) threads_.let_go(i);
  }
}

/// What is to be told of the hart, which is parked.
std::optional<StopEvent> RunState::take_event(unsigned hart) {
  const std::lock_guard lock(events_mutex_);
  HartStops& stops = harts_[hart];
  std::optional<StopEvent> event = std::exchange(stops.event, std::nullopt);
  const bool was_asked = std::exchange(stops.is_asked, false);
  if (!event && was_asked) event = StopEvent{hart, StopCause::kHalted, 0, {}};
  return event;
}

/// Tells what has come to pass. A listener may call anything, so that what is left is looked at afresh.
void RunState::tell_stops() {
  if (is_paused_ && !is_pause_told_) {
    if (!threads_.is_parked()) return;
    is_pause_told_ = true;
    for (unsigned i = 0; i < harts_.size(); ++i)
      if (machine_.harts() != nullptr) machine_.harts()->debugger().forget_step(i);
    std::optional<unsigned> first;
    {
      const std::lock_guard lock(events_mutex_);
      first = first_;
      for (HartStops& stops : harts_) stops.is_asked = false;
    }
    // A machine may have no harts.
    if (!harts_.empty()) tell(take_event(first.value_or(0)).value_or(StopEvent{}));
    return;
  }
  // A hart has just stopped, and with it the machine: that is told of when all are parked.
  if (!is_paused_ && has_first()) return;
  for (unsigned i = 0; i < harts_.size(); ++i) {
    if (!threads_.is_parked(i)) continue;
    if (const std::optional<StopEvent> event = take_event(i); event) {
      tell(*event);
      post_advance();
      return;
    }
  }
}

void RunState::tell(const StopEvent& event) {
  const auto listeners = listeners_;
  for (const auto& [id, listener] : listeners) listener(event);
}

}  // namespace gstage
