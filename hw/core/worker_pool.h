// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace gstage::hw {

/// Work that comes again and again, and is done by one worker at a time.
class WorkerTask {
 public:
  WorkerTask() = default;
  virtual ~WorkerTask() = default;
  WorkerTask(const WorkerTask&) = delete;
  WorkerTask& operator=(const WorkerTask&) = delete;

 protected:
  /// Does what there is to do. Called at least once after each `WorkerPool::post`.
  virtual void run() = 0;

 private:
  friend class WorkerPool;
  enum class State : std::uint8_t { kIdle, kQueued, kRunning, kAgain };
  std::atomic<State> state_{State::kIdle};
  WorkerTask* next_ = nullptr;  ///< in the pool's list
};

/// A few threads that do the work of devices, so that no hart waits for the host. They begin when there is
/// work for them and not before: a sandbox binds the threads that begin after it.
class WorkerPool {
 public:
  static constexpr unsigned kDefaultThreads = 8;

  /// At most so many threads. With 0 a task runs on the thread that posts it, before `post` returns: for
  /// tests, which then do the same each time.
  explicit WorkerPool(unsigned max_threads = kDefaultThreads) : max_threads_(max_threads) {}
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Has the task run soon; whoever runs it sees what the caller did before. Any thread, and cheap when the
  /// task waits or runs already.
  void post(WorkerTask& task);
  /// Returns once the task neither waits nor runs. Nobody posts it meanwhile. Not from within a task.
  void drain(WorkerTask& task);
  /// Returns once no task waits or runs. Nobody but tasks posts meanwhile. Not from within a task.
  void drain();

 private:
  void work();
  void run_once(WorkerTask& task);
  void enqueue(WorkerTask& task);

  const unsigned max_threads_;
  std::mutex mutex_;  ///< guards what follows
  std::condition_variable wake_;
  std::condition_variable drained_;
  WorkerTask* first_ = nullptr;  ///< the tasks that wait, in their order
  WorkerTask* last_ = nullptr;
  unsigned waiting_ = 0;
  unsigned idle_threads_ = 0;
  bool is_ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace gstage::hw
