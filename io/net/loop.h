// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>

namespace gstage {

/// The descriptors that one round of a loop waits for.
class PollSet {
 public:
  static constexpr std::int64_t kForever = INT64_MAX;

  /// Waits for `events` (POLLIN, POLLOUT); the number is for `events_of`.
  std::size_t add(int fd, short events) {
    entries_.push_back({fd, events, 0});
    return entries_.size() - 1;
  }
  /// What came, of the round that `add` belongs to.
  [[nodiscard]] short events_of(std::size_t number) const {
    return number < entries_.size() ? entries_[number].revents : short{0};
  }
  /// Waits at most so long.
  void limit_ms(std::int64_t timeout) { timeout_ms_ = timeout < timeout_ms_ ? timeout : timeout_ms_; }
  void clear() {
    entries_.clear();
    timeout_ms_ = kForever;
  }
  /// Waits; true when a descriptor has something.
  bool wait(bool must_return_at_once);

 private:
  std::vector<pollfd> entries_;
  std::int64_t timeout_ms_ = kForever;
};

/// The thread of a wire: all that back ends and network devices do happens on it, so neither needs a lock
/// against the other, and no hart does the host's input and output. It sleeps while there is nothing to do,
/// and begins with the first `wake` and not before: a sandbox binds the threads that begin after it.
class NetLoop {
 public:
  /// Something that is served by the loop.
  class Source {
   public:
    virtual ~Source() = default;
    /// Says what it waits for.
    virtual void prepare(PollSet& /*poll*/) {}
    /// Looks at what came; also called when nothing of its own did. Never blocks.
    virtual void dispatch(const PollSet& poll) = 0;
  };

  /// Who runs a loop: a thread of its own, or whoever calls `step`, for tests that do the same each time.
  enum class Runner : std::uint8_t { kThread, kCaller };

  explicit NetLoop(std::string name, Runner runner = Runner::kThread);
  ~NetLoop();
  NetLoop(const NetLoop&) = delete;
  NetLoop& operator=(const NetLoop&) = delete;

  /// Adds or removes a source. After `remove` returned nothing of it is called. Any thread but the loop's,
  /// with no lock held that a source takes.
  void add(Source& source);
  void remove(Source& source);
  /// Runs `task` while no source is. As above.
  void synchronize(const std::function<void()>& task);
  /// All sources are dispatched soon. Any thread, cheap when that is so already.
  void wake();
  /// Of a loop without a thread: does what there is to do.
  void step();
  /// Ends the thread.
  void stop();

 private:
  void run();
  /// One round; false when the loop is to end.
  bool run_once(PollSet& poll, std::size_t& waker);
  void start();

  std::string name_;
  const Runner runner_;
  int event_ = -1;
  std::vector<Source*> sources_;       ///< with mutex_
  std::mutex mutex_;                   ///< held while sources are called
  std::atomic<unsigned> waiters_{0};   ///< for mutex_
  std::atomic<bool> is_woken_{false};  ///< dispatch before sleeping
  std::atomic<bool> is_asleep_{false};
  std::atomic<bool> is_ending_{false};
  std::atomic<bool> is_started_{false};
  std::thread thread_;
};

}  // namespace gstage
