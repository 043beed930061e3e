// SPDX-License-Identifier: Apache-2.0
#include "io/net/loop.h"

#include <algorithm>
#include <utility>

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "softmmu/base/check.h"

namespace gstage {

bool PollSet::wait(bool must_return_at_once) {
  constexpr std::int64_t kMostMs = 1 << 30;
  const int timeout = must_return_at_once       ? 0
                      : timeout_ms_ == kForever ? -1
                      : timeout_ms_ > kMostMs   ? static_cast<int>(kMostMs)
                                                : static_cast<int>(std::max<std::int64_t>(timeout_ms_, 0));
  const int count = poll(entries_.data(), entries_.size(), timeout);
  if (count < 0)
    for (pollfd& entry : entries_) entry.revents = 0;
  return count > 0;
}

NetLoop::NetLoop(std::string name, Runner runner)
    : name_(std::move(name)), runner_(runner), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(event_ >= 0);
}

NetLoop::~NetLoop() {
  stop();
  close(event_);
}

void NetLoop::stop() {
  is_ending_.store(true, std::memory_order_seq_cst);
  if (!is_started_.load(std::memory_order_acquire)) return;
  const std::uint64_t one = 1;
  static_cast<void>(!write(event_, &one, sizeof one));
  if (thread_.joinable()) thread_.join();
}

void NetLoop::synchronize(const std::function<void()>& task) {
  waiters_.fetch_add(1, std::memory_order_seq_cst);
  {
    const std::lock_guard lock(mutex_);
    task();
  }
  waiters_.fetch_sub(1, std::memory_order_seq_cst);
}

void NetLoop::add(Source& source) {
  synchronize([&] { sources_.push_back(&source); });
}

void NetLoop::remove(Source& source) {
  synchronize([&] { std::erase(sources_, &source); });
}

void NetLoop::step() {
  PollSet poll;
  std::size_t waker = 0;
  for (wake(); is_woken_.load(std::memory_order_relaxed);) run_once(poll, waker);
}

void NetLoop::start() {
  if (runner_ == Runner::kCaller) return;
  if (is_ending_.load() || is_started_.exchange(true)) return;
  thread_ = std::thread([this] { run(); });
}

void NetLoop::wake() {
  if (!is_started_.load(std::memory_order_acquire)) start();
  if (is_woken_.exchange(true, std::memory_order_seq_cst)) return;
  if (!is_asleep_.load(std::memory_order_seq_cst)) return;
  const std::uint64_t one = 1;
  static_cast<void>(!write(event_, &one, sizeof one));
}

void NetLoop::run() {
  pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
  PollSet poll;
  std::size_t waker = 0;
  while (run_once(poll, waker)) {
  }
}

bool NetLoop::run_once(PollSet& poll, std::size_t& waker) {
  // Those who wait for the lock come first: this thread would take it again before they are awake.
  while (waiters_.load(std::memory_order_seq_cst) != 0) sched_yield();
  {
    const std::lock_guard lock(mutex_);
    poll.clear();
    waker = poll.add(event_, POLLIN);
    for (Source* const source : sources_) source->prepare(poll);
  }
  is_asleep_.store(true, std::memory_order_seq_cst);
  poll.wait(is_woken_.load(std::memory_order_seq_cst));
  is_asleep_.store(false, std::memory_order_seq_cst);
  is_woken_.store(false, std::memory_order_seq_cst);
  if (is_ending_.load(std::memory_order_seq_cst)) return false;
  if (poll.events_of(waker) != 0) {
    std::uint64_t count = 0;
    static_cast<void>(!read(event_, &count, sizeof count));
  }
  while (waiters_.load(std::memory_order_seq_cst) != 0) sched_yield();
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < sources_.size(); ++i) sources_[i]->dispatch(poll);
  return true;
}

}  // namespace gstage
