// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace gstage::tcg {

/// Asks again and again where the harts are, about a thousand times a second while they run, seldom while
/// nobody does.
class Sampler {
 public:
  /// `ask` says whether there was anybody to ask.
  explicit Sampler(std::function<bool()> ask) : ask_(std::move(ask)) {}
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  /// Begins, if it has not. Any thread.
  void start() {
    if (!is_started_.load(std::memory_order_acquire)) start_thread();
  }

 private:
  void start_thread();
  void run();

  const std::function<bool()> ask_;
  std::atomic<bool> is_started_{false};
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace gstage::tcg
