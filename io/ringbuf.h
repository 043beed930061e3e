// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "io/chardev.h"

namespace gstage {

/// Keeps the last bytes that were written; the monitor reads them.
class Ringbuf final : public Chardev {
 public:
  /// `bytes` is at least 1.
  explicit Ringbuf(std::size_t bytes) : buffer_(bytes) {}

  void write(std::span<const std::uint8_t> bytes) override;
  void attach(Receive, CanReceive) override {}
  void resume_input() override {}
  [[nodiscard]] std::string describe() const override { return "ringbuf"; }
  Ringbuf* ringbuf() override { return this; }
  /// Takes out the oldest bytes, at most `most`. Any thread.
  std::string read(std::size_t most);

 private:
  std::mutex mutex_;
  std::vector<std::uint8_t> buffer_;
  std::size_t read_ = 0;  ///< total of the bytes that were taken out or overwritten
  std::size_t written_ = 0;
};

}  // namespace gstage
