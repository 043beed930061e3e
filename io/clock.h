// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace gstage {

/// The machine's time in nanoseconds since power-on. It stands still while the machine is stopped.
class Clock {
 public:
  [[nodiscard]] std::int64_t now_ns() const;
  [[nodiscard]] bool is_running() const { return is_running_.load(std::memory_order_acquire); }
  void stop();
  void start();
  /// `observer` is called after each start and stop as long as it lives.
  void on_change(std::weak_ptr<std::function<void()>> observer) const;

 private:
  void notify() const;
  mutable std::mutex observers_mutex_;
  mutable std::vector<std::weak_ptr<std::function<void()>>> observers_;
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
  /// Looks at the clock again. Clock::start and stop do this by themselves.
  void clock_changed();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace gstage
