// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "io/chardev.h"

namespace gstage::hw {

/// Output of a character device on its way to the back end. Guests print byte by byte; the bytes are gathered
/// for a moment and written in one piece by a thread of the queue's own, so that a hart does not pay a system
/// call for each and no slow reader holds up the event loop. A guest that prints faster than the host writes
/// is slowed down to the host's speed.
class OutputQueue {
 public:
  /// A null back end swallows everything.
  explicit OutputQueue(std::shared_ptr<Chardev> chardev);
  /// Writes what is left.
  ~OutputQueue();
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  /// Queues bytes, in order. Any thread.
  void put(std::span<const std::uint8_t> bytes);
  /// Writes what is queued before it returns. Any thread.
  void flush();
  /// Flushes every queue that exists: called before the program may end.
  static void flush_all();

 private:
  void work();

  std::shared_ptr<Chardev> chardev_;
  std::mutex write_mutex_;    ///< keeps the order of those who write; taken before pending_mutex_
  std::mutex pending_mutex_;  ///< guards the members below
  std::vector<std::uint8_t> pending_;
  bool is_ending_ = false;
  std::condition_variable changed_;
  std::thread writer_;
};

}  // namespace gstage::hw
