// SPDX-License-Identifier: Apache-2.0
#include "softmmu/vcpu_thread.h"

#include <chrono>

#include "softmmu/base/format.h"

namespace gstage {

namespace {

/// One `hold` is enough; the pause after which it is repeated covers for a wake-up that went astray.
constexpr std::chrono::milliseconds kAskAgain{10};

}  // namespace

VcpuThreads::VcpuThreads(std::vector<Cpu*> cpus, std::function<void()> on_all_parked)
    : cpus_(std::move(cpus)), on_all_parked_(std::move(on_all_parked)) {
  for (Cpu* const cpu : cpus_) threads_.emplace_back([this, cpu] { run(*cpu); });
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

bool VcpuThreads::is_parked() const {
  const std::lock_guard lock(mutex_);
  return running_ == 0 && !is_allowed_;
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

void VcpuThreads::run(Cpu& cpu) {
  pthread_setname_np(pthread_self(), format("hart%u", cpu.index()).c_str());
  std::unique_lock lock(mutex_);
  while (true) {
    may_run_.wait(lock, [this] { return is_allowed_ || is_ending_; });
    if (is_ending_) return;
    ++running_;
    while (is_allowed_) {
      // A stop that was meant for the time before; `hold` sets a new one after this lock is free.
      cpu.core().attention.fetch_and(~std::uint32_t{kAttendStop});
      lock.unlock();
      cpu.run();
      lock.lock();
    }
    if (--running_ != 0) continue;
    parked_changed_.notify_all();
    lock.unlock();
    on_all_parked_();
    lock.lock();
  }
}

}  // namespace gstage
