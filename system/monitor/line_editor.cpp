// SPDX-License-Identifier: Apache-2.0
#include "system/monitor/line_editor.h"

#include <utility>

namespace gstage {

namespace {

constexpr char kPrompt[] = "(gstage) ";
constexpr std::size_t kLongestLine = 4096;

}  // namespace

void LineEditor::show_prompt() { write_(kPrompt + line_); }

void LineEditor::replace(const std::string& line) {
  std::string erase;
  for (std::size_t i = 0; i < line_.size(); ++i) erase += "\b \b";
  line_ = line;
  write_(erase + line_);
}

void LineEditor::recall(int step) {
  if (step < 0 ? recalled_ == 0 : recalled_ >= history_.size()) return;
  recalled_ = step < 0 ? recalled_ - 1 : recalled_ + 1;
  replace(recalled_ < history_.size() ? history_[recalled_] : "");
}

void LineEditor::enter() {
  write_("\r\n");
  const std::string line = std::exchange(line_, {});
  if (!line.empty() && (history_.empty() || history_.back() != line)) history_.push_back(line);
  recalled_ = history_.size();
  if (!line.empty()) accept_(line);
  show_prompt();
}

void LineEditor::feed(std::uint8_t byte) {
  if (escape_ == Escape::kStarted) {
    escape_ = byte == '[' || byte == 'O' ? Escape::kSequence : Escape::kNone;
    return;
  }
  if (escape_ == Escape::kSequence) {
    if (byte == 'A') recall(-1);
    if (byte == 'B') recall(1);
    if (byte >= 0x40 && byte <= 0x7e) escape_ = Escape::kNone;
    return;
  }
  const bool is_second_of_crlf = byte == '\n' && was_return_;
  was_return_ = byte == '\r';
  if (is_second_of_crlf) return;
  switch (byte) {
    case '\r':
    case '\n': enter(); break;
    case 0x1b: escape_ = Escape::kStarted; break;
    case '\b':
    case 0x7f:
      if (!line_.empty()) replace(line_.substr(0, line_.size() - 1));
      break;
    case 0x15:  // Ctrl-U
    case 0x03:  // Ctrl-C
      replace("");
      break;
    default:
      if (byte < ' ' || line_.size() >= kLongestLine) break;
      line_ += static_cast<char>(byte);
      write_(std::string(1, static_cast<char>(byte)));
  }
}

}  // namespace gstage
