// SPDX-License-Identifier: Apache-2.0
#include "system/monitor/event_hub.h"

#include <vector>

#include <glib.h>
#include <nlohmann/json.hpp>

#include "io/event_loop.h"

namespace gstage {

/// Posted events hold it: they may be delivered after the hub is gone.
struct EventHub::State {
  std::vector<std::weak_ptr<Listener>> listeners;  ///< the event loop's thread alone

  void deliver(const std::string& name, const nlohmann::ordered_json& data) {
    std::erase_if(listeners, [](const auto& listener) { return listener.expired(); });
    // A listener may end others, or itself.
    const auto now = listeners;
    for (const auto& entry : now)
      if (const auto listener = entry.lock()) (*listener)(name, data);
  }
};

EventHub::EventHub() : state_(std::make_shared<State>()) {}
EventHub::~EventHub() = default;

EventHub::Subscription EventHub::subscribe(Listener listener) {
  auto subscription = std::make_shared<Listener>(std::move(listener));
  state_->listeners.push_back(subscription);
  return subscription;
}

void EventHub::emit(const std::string& name, const nlohmann::ordered_json& data) {
  if (g_main_context_is_owner(nullptr) != FALSE) return state_->deliver(name, data);
  EventLoop::post([state = state_, name, data] { state->deliver(name, data); });
}

}  // namespace gstage
