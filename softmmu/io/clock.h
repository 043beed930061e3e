// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

namespace gstage {

/// The machine's time in nanoseconds since power-on. It stands still while the machine is stopped.
class Clock {
 public:
  [[nodiscard]] std::int64_t now_ns() const;
  void stop();
  void start();

 private:
  std::atomic<std::int64_t> offset_ns_{0};  ///< host monotonic time minus machine time
  std::atomic<std::int64_t> stopped_at_ns_{0};
  std::atomic<bool> is_running_{false};
};

/// A one-shot timer served by the timer thread. Callbacks run on that thread without any lock held.
class Timer {
 public:
  static constexpr std::int64_t kNever = INT64_MAX;
  virtual ~Timer() = default;
  /// Replaces the deadline (machine time, ns). `kNever` disarms. Any thread; cheap when it is not the
  /// earliest.
  virtual void arm(std::int64_t deadline_ns) = 0;
};

/// The thread that fires timers in order of their deadlines.
class TimerThread {
 public:
  explicit TimerThread(const Clock& clock);
  ~TimerThread();
  TimerThread(const TimerThread&) = delete;
  TimerThread& operator=(const TimerThread&) = delete;
  std::unique_ptr<Timer> make(std::function<void()> callback);
  /// To be called after Clock::start/stop, whose jump the sleeping thread cannot see.
  void clock_changed();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace gstage
