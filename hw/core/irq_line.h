// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <utility>

namespace gstage {

/// One interrupt wire from a device to whoever listens. `set` may be called by any thread; the listener keeps
/// the level and does its own locking.
class IrqLine {
 public:
  using Listener = std::function<void(bool is_high)>;

  IrqLine() = default;
  explicit IrqLine(Listener listener) : listener_(std::move(listener)) {}
  void connect(Listener listener) { listener_ = std::move(listener); }
  void set(bool is_high) const {
    if (listener_) listener_(is_high);
  }
  void raise() const { set(true); }
  void lower() const { set(false); }

 private:
  Listener listener_;
};

}  // namespace gstage
