// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace gstage {

/// What happens to the machine, on its way to the sessions that want to know (QMP's events). The names are
/// rows of events.inc.
class EventHub {
 public:
  using Listener = std::function<void(const std::string& name, const nlohmann::ordered_json& data)>;
  /// While it exists, its listener hears.
  using Subscription = std::shared_ptr<Listener>;

  /// On the event loop's thread, where the listener is called as well.
  Subscription subscribe(Listener listener);
  /// `name` is a row of events.inc; `data` an object, or null for none. Any thread: listeners hear it on the
  /// event loop's thread, at once if that is the caller's.
  void emit(const std::string& name, const nlohmann::ordered_json& data);
  EventHub();
  ~EventHub();
  EventHub(const EventHub&) = delete;
  EventHub& operator=(const EventHub&) = delete;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace gstage
