// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace gstage {

/// Makes lines of the keys typed at a raw terminal: echo, backspace, Ctrl-U, Ctrl-C, history by arrow keys.
class LineEditor {
 public:
  using Write = std::function<void(const std::string&)>;
  using Accept = std::function<void(const std::string&)>;

  LineEditor(Write write, Accept accept) : write_(std::move(write)), accept_(std::move(accept)) {}
  void feed(std::uint8_t byte);
  void show_prompt();

 private:
  enum class Escape : std::uint8_t { kNone, kStarted, kSequence };
  void replace(const std::string& line);
  void recall(int step);
  void enter();

  Write write_;
  Accept accept_;
  std::string line_;
  std::vector<std::string> history_;
  std::size_t recalled_ = 0;  ///< index into the history; its size is the line being typed
  Escape escape_ = Escape::kNone;
  bool was_return_ = false;
};

}  // namespace gstage
