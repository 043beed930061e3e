// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "io/chardev.h"

namespace gstage::riscv {

/// Where the characters of semihosting calls go to and come from: a character back end, else the program's
/// standard output and error, and no input.
class SemihostingConsole {
 public:
  enum class Stream : std::uint8_t { kOutput, kError };

  explicit SemihostingConsole(std::shared_ptr<Chardev> chardev);
  ~SemihostingConsole();
  SemihostingConsole(const SemihostingConsole&) = delete;
  SemihostingConsole& operator=(const SemihostingConsole&) = delete;

  /// Writes all of it. Any thread.
  void write(Stream stream, std::span<const std::byte> bytes);
  /// Whether input can ever come.
  [[nodiscard]] bool has_input() const { return chardev_ != nullptr; }
  /// Takes what has been typed, as much as `to` holds. Returns how many bytes. Any thread.
  std::size_t read(std::span<std::byte> to);
  /// Returns once there is input, or after a moment. Any thread.
  void wait_for_input();

 private:
  std::shared_ptr<Chardev> chardev_;
  std::mutex mutex_;  ///< of what follows
  std::condition_variable changed_;
  std::vector<std::byte> typed_;
};

}  // namespace gstage::riscv
