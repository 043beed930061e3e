// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/time_counter.h"

namespace gstage::riscv {

void TimeCounter::set(std::uint64_t ticks) {
  offset_.store(ticks - uptime(), std::memory_order_release);
  for (const auto& observer : observers_) observer();
}

std::int64_t TimeCounter::deadline(std::uint64_t now, std::uint64_t wait) const {
  constexpr auto kLast = static_cast<std::uint64_t>(Timer::kNever / kNsPerTick);
  const std::uint64_t uptime_then = now - offset_.load(std::memory_order_acquire);
  if (wait == 0 || uptime_then >= kLast || wait >= kLast - uptime_then) return Timer::kNever;
  return static_cast<std::int64_t>(uptime_then + wait) * kNsPerTick;
}

}  // namespace gstage::riscv
