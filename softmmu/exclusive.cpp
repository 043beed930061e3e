// SPDX-License-Identifier: Apache-2.0
#include "softmmu/exclusive.h"

#include "softmmu/base/check.h"

namespace gstage {

bool Exclusive::is_all_outside() const {
  for (Cpu* const cpu : harts_)
    if (cpu->core().in_guest.load(std::memory_order_seq_cst) != 0) return false;
  return true;
}

void Exclusive::announce() {
  // The lock orders this after the waiter's look at the flags: no wake-up is lost.
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

void Exclusive::wait_to_enter(CpuCore& core) {
  std::unique_lock lock(mutex_);
  while (wanted_.load(std::memory_order_seq_cst)) {
    core.in_guest.store(0, std::memory_order_seq_cst);
    changed_.notify_all();
    changed_.wait(lock, [this] { return !wanted_.load(std::memory_order_seq_cst); });
    core.in_guest.store(1, std::memory_order_seq_cst);
  }
}

void Exclusive::run(CpuCore& self, const std::function<void()>& section) {
  CHECK(self.in_guest.load(std::memory_order_relaxed) == 0);
  run(section);
}

void Exclusive::run(const std::function<void()>& section) {
  const std::lock_guard turn(run_mutex_);
  wanted_.store(true, std::memory_order_seq_cst);
  for (Cpu* const cpu : harts_)
    if (cpu->core().in_guest.load(std::memory_order_seq_cst) != 0) cpu->kick(kAttendExclusive);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_all_outside(); });
  // `wanted_` keeps everybody outside, so the lock need not be held for that.
  lock.unlock();
  section();
  for (Cpu* const cpu : harts_)
    cpu->core().attention.fetch_and(~std::uint32_t{kAttendExclusive}, std::memory_order_seq_cst);
  lock.lock();
  wanted_.store(false, std::memory_order_seq_cst);
  changed_.notify_all();
}

}  // namespace gstage
