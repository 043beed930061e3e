// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "softmmu/base/check.h"
#include "io/chardev.h"

#include "tests/fuzz/input.h"

namespace gstage::fuzz {

/// A back end that types what an input says and throws output away.
class Keyboard final : public Chardev {
 public:
  void write(std::span<const std::uint8_t> bytes) override { static_cast<void>(bytes); }
  void attach(Receive receive, CanReceive can_receive) override {
    receive_ = std::move(receive);
    can_receive_ = std::move(can_receive);
  }
  void resume_input() override { deliver(); }

  /// Types a few bytes. What the device does not take waits until it has room.
  void type(Input& input) { type_bytes(input.take_bytes(input.below(64))); }
  void type_bytes(std::span<const std::uint8_t> bytes) {
    waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
    deliver();
  }
  void clear() { waiting_.clear(); }

 private:
  void deliver() {
    while (!waiting_.empty() && can_receive_) {
      const std::size_t room = std::min(can_receive_(), waiting_.size());
      if (room == 0) return;
      const std::vector<std::uint8_t> part(waiting_.begin(),
                                           waiting_.begin() + static_cast<std::ptrdiff_t>(room));
      waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(room));
      receive_(part);
    }
  }

  std::vector<std::uint8_t> waiting_;
  Receive receive_;
  CanReceive can_receive_;
};

}  // namespace gstage::fuzz
