// SPDX-License-Identifier: Apache-2.0
#include "softmmu/io/event_loop.h"

#include <atomic>

#include <glib.h>

namespace gstage {

namespace {

std::atomic<bool> is_quitting{false};

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
  const auto call = [](void* data) -> gboolean {
    (*static_cast<std::function<void()>*>(data))();
    return G_SOURCE_REMOVE;
  };
  const auto destroy = [](void* data) { delete static_cast<std::function<void()>*>(data); };
  // Not g_main_context_invoke, which would run it at once on the loop's own thread.
  g_idle_add_full(G_PRIORITY_DEFAULT, call, new std::function<void()>(std::move(task)), destroy);
}

}  // namespace gstage
