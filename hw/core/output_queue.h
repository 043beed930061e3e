// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "softmmu/io/chardev.h"

namespace gstage::hw {

/// Output of a character device on its way to the back end. Guests print byte by byte; the bytes are gathered
/// here and written by the event loop in one piece, so that a hart's thread does not pay a system call for
/// each. A guest that prints faster than the host writes is slowed down to the host's speed.
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
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace gstage::hw
