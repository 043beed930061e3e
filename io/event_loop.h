// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace gstage {

/// The main thread's loop (glib's default main context): character devices, monitor, signals, shutdown.
class EventLoop {
 public:
  /// Runs until `quit`. Main thread only.
  static void run();
  static void quit();
  /// Runs `task` on the loop's thread soon. Any thread.
  static void post(std::function<void()> task);
};

}  // namespace gstage
