// SPDX-License-Identifier: Apache-2.0
#include "softmmu/vcpu_thread.h"

#include <algorithm>
#include <chrono>

#include "softmmu/base/format.h"

namespace gstage {

namespace {

/// One `hold` is enough; the pause after which it is repeated covers for a wake-up that went astray.
constexpr std::chrono::milliseconds kAskAgain{10};

}  // namespace

VcpuThreads::VcpuThreads(std::vector<Cpu*> cpus, std::function<void()> on_parked)
    : cpus_(std::move(cpus)), on_parked_(std::move(on_parked)), places_(cpus_.size()) {
  for (unsigned i = 0; i < cpus_.size(); ++i)
    threads_.emplace_back([this, i] { run(*cpus_[i], places_[i]); });
}

VcpuThreads::~VcpuThreads() {
  while (!park(1000)) {
  }
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  may_run_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void VcpuThreads::allow() {
  {
    const std::lock_guard lock(mutex_);
    is_allowed_ = true;
  }
  may_run_.notify_all();
}

void VcpuThreads::hold() {
  {
    const std::lock_guard lock(mutex_);
    is_allowed_ = false;
    if (running_ == 0) return;
  }
  for (Cpu* const cpu : cpus_) cpu->kick(kAttendStop);
}

void VcpuThreads::hold(unsigned hart) {
  {
    const std::lock_guard lock(mutex_);
    places_[hart].is_held = true;
    if (!places_[hart].is_running) return;
  }
  cpus_[hart]->kick(kAttendStop);
}

void VcpuThreads::let_go(unsigned hart) {
  {
    const std::lock_guard lock(mutex_);
    places_[hart].is_held = false;
  }
  may_run_.notify_all();
}

bool VcpuThreads::is_held(unsigned hart) const {
  const std::lock_guard lock(mutex_);
  return places_[hart].is_held;
}

bool VcpuThreads::are_all_held() const {
  const std::lock_guard lock(mutex_);
  return std::all_of(places_.begin(), places_.end(), [](const Place& place) { return place.is_held; });
}

bool VcpuThreads::is_parked() const {
  const bool are_held = are_all_held();
  const std::lock_guard lock(mutex_);
  return running_ == 0 && (!is_allowed_ || are_held);
}

bool VcpuThreads::is_parked(unsigned hart) const {
  const std::lock_guard lock(mutex_);
  return !places_[hart].is_running;
}

bool VcpuThreads::park(int timeout_ms) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (true) {
    hold();
    std::unique_lock lock(mutex_);
    if (parked_changed_.wait_for(lock, kAskAgain, [this] { return running_ == 0; })) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
  }
}

void VcpuThreads::run(Cpu& cpu, Place& place) {
  pthread_setname_np(pthread_self(), format("hart%u", cpu.index()).c_str());
  std::unique_lock lock(mutex_);
  while (true) {
    const auto may_run = [&] { return is_allowed_ && !place.is_held; };
    may_run_.wait(lock, [&] { return may_run() || is_ending_; });
    if (is_ending_) return;
    ++running_;
    place.is_running = true;
    while (may_run()) {
      // A stop that was meant for the time before; `hold` sets a new one after this lock is free.
      cpu.core().attention.fetch_and(~std::uint32_t{kAttendStop});
      lock.unlock();
      cpu.run();
      lock.lock();
    }
    place.is_running = false;
    if (--running_ == 0) parked_changed_.notify_all();
    if (running_ != 0 && !place.is_held) continue;
    lock.unlock();
    on_parked_();
    lock.lock();
  }
}

}  // namespace gstage
