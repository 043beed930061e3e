// SPDX-License-Identifier: Apache-2.0
#include "hw/core/worker_pool.h"

#include <pthread.h>

namespace gstage::hw {

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::post(WorkerTask& task) {
  using State = WorkerTask::State;
  State old = task.state_.load(std::memory_order_relaxed);
  State next;
  do {
    next = old == State::kIdle ? State::kQueued : old == State::kRunning ? State::kAgain : old;
    // Also where nothing changes: the exchange orders what the caller did before whoever runs the task.
  } while (!task.state_.compare_exchange_weak(old, next, std::memory_order_seq_cst));
  if (old != State::kIdle) return;
  if (max_threads_ != 0) return enqueue(task);
  while (task.state_.load() == State::kQueued) run_once(task);
}

void WorkerPool::enqueue(WorkerTask& task) {
  const std::lock_guard lock(mutex_);
  task.next_ = nullptr;
  (first_ == nullptr ? first_ : last_->next_) = &task;
  last_ = &task;
  ++waiting_;
  if (waiting_ > idle_threads_ && threads_.size() < max_threads_)
    threads_.emplace_back([this] { work(); });
  else
    wake_.notify_one();
}

void WorkerPool::run_once(WorkerTask& task) {
  using State = WorkerTask::State;
  task.state_.exchange(State::kRunning, std::memory_order_seq_cst);
  task.run();
  State expected = State::kRunning;
  // From here on, if it is idle, the task may be gone.
  if (task.state_.compare_exchange_strong(expected, State::kIdle, std::memory_order_seq_cst)) {
    const std::lock_guard lock(mutex_);
    drained_.notify_all();
    return;
  }
  // It was posted while it ran. Behind those that wait, so that a busy one does not keep a thread to itself.
  task.state_.exchange(State::kQueued, std::memory_order_seq_cst);
  if (max_threads_ != 0) enqueue(task);
}

void WorkerPool::work() {
  pthread_setname_np(pthread_self(), "worker");
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_threads_;
    if (first_ == nullptr) drained_.notify_all();
    wake_.wait(lock, [this] { return is_ending_ || first_ != nullptr; });
    --idle_threads_;
    if (first_ == nullptr) return;
    WorkerTask& task = *first_;
    first_ = task.next_;
    --waiting_;
    lock.unlock();
    run_once(task);
    lock.lock();
  }
}

void WorkerPool::drain(WorkerTask& task) {
  std::unique_lock lock(mutex_);
  drained_.wait(lock, [&] { return task.state_.load() == WorkerTask::State::kIdle; });
}

void WorkerPool::drain() {
  std::unique_lock lock(mutex_);
  drained_.wait(lock, [this] { return first_ == nullptr && idle_threads_ == threads_.size(); });
}

}  // namespace gstage::hw
