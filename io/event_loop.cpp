// SPDX-License-Identifier: Apache-2.0
#include "io/event_loop.h"

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include <glib.h>

namespace gstage {

namespace {

std::atomic<bool> is_quitting{false};

/// Tasks in the order in which they were posted. A queue of our own rather than one glib source each: its
/// lock is one that the thread sanitizer knows.
struct Tasks {
  std::mutex mutex;
  std::vector<std::function<void()>> posted;
};

Tasks& tasks() {
  // Never destroyed: harts' threads may post until the very end.
  static Tasks* const instance = new Tasks;
  return *instance;
}

gboolean run_tasks(void*) {
  std::vector<std::function<void()>> due;
  {
    const std::lock_guard lock(tasks().mutex);
    due.swap(tasks().posted);
  }
  for (auto& task : due) task();
  return G_SOURCE_REMOVE;
}

}  // namespace

void EventLoop::run() {
  while (!is_quitting.load(std::memory_order_acquire)) g_main_context_iteration(nullptr, TRUE);
  is_quitting.store(false, std::memory_order_release);
}

void EventLoop::quit() {
  is_quitting.store(true, std::memory_order_release);
  g_main_context_wakeup(nullptr);
}

void EventLoop::post(std::function<void()> task) {
  bool is_first = false;
  {
    const std::lock_guard lock(tasks().mutex);
    is_first = tasks().posted.empty();
    tasks().posted.push_back(std::move(task));
  }
  if (is_first) g_idle_add_full(G_PRIORITY_DEFAULT, run_tasks, nullptr, nullptr);
}

}  // namespace gstage
