// SPDX-License-Identifier: Apache-2.0
#include "system/output_matcher.h"

#include <algorithm>

#include <glib.h>

namespace gstage {

namespace {

constexpr std::size_t kTail = 64 << 10;

}  // namespace

Result<Regex> Regex::make(const std::string& option, const std::string& pattern) {
  GError* failure = nullptr;
  GRegex* const regex = g_regex_new(pattern.c_str(), G_REGEX_RAW, GRegexMatchFlags{}, &failure);
  if (regex != nullptr)
    return Regex(pattern,
                 std::shared_ptr<void>(regex, [](void* r) { g_regex_unref(static_cast<GRegex*>(r)); }));
  const std::string reason = failure->message;
  g_error_free(failure);
  return error("%s: %s", option.c_str(), reason.c_str());
}

std::size_t Regex::find(const std::string& text, std::size_t from, bool is_whole) const {
  GMatchInfo* info = nullptr;
  const auto flags = static_cast<GRegexMatchFlags>(is_whole ? 0 : G_REGEX_MATCH_NOTEOL);
  std::size_t end = std::string::npos;
  int first = 0;
  int last = 0;
  // An expression that the library gives up on does not match.
  if (g_regex_match_full(static_cast<GRegex*>(compiled_.get()), text.data(), static_cast<gssize>(text.size()),
                         static_cast<int>(from), flags, &info, nullptr) != FALSE &&
      g_match_info_fetch_pos(info, 0, &first, &last) != FALSE)
    end = static_cast<std::size_t>(last);
  g_match_info_free(info);
  return end;
}

bool OutputLines::put(std::uint8_t byte) {
  constexpr std::uint8_t kEscape = 0x1b;
  if (state_ == State::kEnded) {
    line_.clear();
    dropped_ = 0;
    state_ = State::kText;
  }
  if (state_ != State::kText) {
    escaped(byte);
    return false;
  }
  if (byte == kEscape) {
    state_ = State::kEscape;
    return false;
  }
  if (byte == '\n') {
    state_ = State::kEnded;
    return true;
  }
  if (byte < ' ' && byte != '\t') return false;
  line_ += static_cast<char>(byte);
  if (line_.size() > kMostBytes) {
    line_.erase(0, kMostBytes / 2);
    dropped_ += kMostBytes / 2;
  }
  return false;
}

/// ECMA-48: a control sequence is ESC [, parameters, a final byte from 0x40 on; a control string ends with
/// BEL or ESC \; what else follows ESC ends with a byte from 0x30 on.
void OutputLines::escaped(std::uint8_t byte) {
  constexpr std::uint8_t kBell = 7;
  constexpr std::uint8_t kEscape = 0x1b;
  switch (state_) {
    case State::kEscape:
      if (byte == '[')
        state_ = State::kControl;
      else if (byte == ']' || byte == 'P' || byte == '_' || byte == '^' || byte == 'X')
        state_ = State::kString;
      else if (byte >= 0x30 || byte < ' ')
        state_ = State::kText;
      break;
    case State::kControl:
      if (byte >= 0x40 || byte < ' ') state_ = State::kText;
      break;
    case State::kString:
      if (byte == kBell || byte == '\n') state_ = State::kText;
      if (byte == kEscape) state_ = State::kStringEscape;
      break;
    default: state_ = State::kText;
  }
}

OutputMatcher::Verdict OutputMatcher::put(std::span<const std::uint8_t> bytes) {
  bool has_new = false;
  for (const std::uint8_t byte : bytes) {
    const bool is_whole = lines_.put(byte);
    has_new = !is_whole;
    if (!is_whole) continue;
    look(true);
    from_ = 0;
    tail_ += lines_.line() + "\n";
    if (tail_.size() > 2 * kTail) tail_.erase(0, tail_.size() - kTail);
  }
  if (has_new) look(false);
  return verdict_;
}

void OutputMatcher::look(bool is_whole) {
  if (verdict_ != Verdict::kNone) return;
  from_ -= std::min(from_, lines_.take_dropped());
  const std::string& line = lines_.line();
  for (std::size_t i = 0; i < failures_.size(); ++i) {
    if (failures_[i].find(line, 0, is_whole) == std::string::npos) continue;
    failed_ = i;
    failed_line_ = line;
    verdict_ = Verdict::kFailed;
    return;
  }
  while (found_ < expected_.size() && from_ <= line.size()) {
    const std::size_t end = expected_[found_].find(line, from_, is_whole);
    if (end == std::string::npos) return;
    from_ = end;
    ++found_;
  }
  if (!expected_.empty() && found_ == expected_.size()) verdict_ = Verdict::kAllFound;
}

}  // namespace gstage
