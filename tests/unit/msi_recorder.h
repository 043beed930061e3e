// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "hw/core/msi_sink.h"

namespace gstage::hw {

/// Keeps the messages that a device sends.
class MsiRecorder final : public MsiSink {
 public:
  using Messages = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

  void send(std::uint64_t address, std::uint32_t data) override { messages_.emplace_back(address, data); }
  /// What was sent since the last call.
  Messages take() { return std::exchange(messages_, {}); }

 private:
  Messages messages_;
};

}  // namespace gstage::hw
