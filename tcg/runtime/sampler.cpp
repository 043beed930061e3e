// SPDX-License-Identifier: Apache-2.0
#include "tcg/runtime/sampler.h"

#include <algorithm>
#include <chrono>

#include <pthread.h>

namespace gstage::tcg {

namespace {

constexpr std::chrono::milliseconds kShortest{1};
constexpr std::chrono::milliseconds kLongest{64};

}  // namespace

Sampler::~Sampler() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  ended_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Sampler::start_thread() {
  const std::lock_guard lock(mutex_);
  if (is_started_.load(std::memory_order_relaxed)) return;
  thread_ = std::thread([this] { run(); });
  is_started_.store(true, std::memory_order_release);
}

void Sampler::run() {
  pthread_setname_np(pthread_self(), "sampler");
  std::chrono::milliseconds pause = kShortest;
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, pause, [this] { return is_ending_; }))
    pause = ask_() ? kShortest : std::min(2 * pause, kLongest);
}

}  // namespace gstage::tcg
