// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "io/clock.h"

namespace gstage::riscv {

/// `time` counts at 10 MHz, the timebase-frequency of the virt board.
inline constexpr std::uint64_t kTimebaseHz = 10'000'000;
inline constexpr std::int64_t kNsPerTick = 1'000'000'000 / kTimebaseHz;

/// What mtime holds and `time` shows: a count of the machine's clock, modulo 2^64, which software may set
/// (ISA manual vol. II, "Machine Timer (mtime and mtimecmp) Registers"). One serves all harts.
class TimeCounter {
 public:
  /// `clock` outlives the counter.
  explicit TimeCounter(const Clock& clock) : clock_(clock) {}

  [[nodiscard]] std::uint64_t now() const { return uptime() + offset_.load(std::memory_order_acquire); }
  /// Ticks since power-on, which nobody sets.
  [[nodiscard]] std::uint64_t uptime() const {
    return static_cast<std::uint64_t>(clock_.now_ns() / kNsPerTick);
  }
  /// Makes the count go on from `ticks`, then tells all observers, whose deadlines no longer hold. Any
  /// thread.
  void set(std::uint64_t ticks);
  /// `observer` is called on the thread of each `set`. To be called before the first of them.
  void on_set(std::function<void()> observer) { observers_.push_back(std::move(observer)); }
  /// The machine time, in ns, `wait` ticks after the counter was `now`, or Timer::kNever where that is beyond
  /// the clock's range. A wait of 0 stands for 2^64.
  [[nodiscard]] std::int64_t deadline(std::uint64_t now, std::uint64_t wait) const;

 private:
  const Clock& clock_;
  std::atomic<std::uint64_t> offset_{0};
  std::vector<std::function<void()>> observers_;
};

/// How many ticks after `now` it is that `now >= compare` changes: when the counter reaches the comparand, or
/// wraps below it. 0 stands for 2^64.
constexpr std::uint64_t ticks_to_change(std::uint64_t now, std::uint64_t compare) {
  return (now < compare ? compare : 0) - now;
}

}  // namespace gstage::riscv
