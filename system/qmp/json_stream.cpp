// SPDX-License-Identifier: Apache-2.0
#include "system/qmp/json_stream.h"

namespace gstage {

namespace {

bool is_blank(char byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }
bool opens(char byte) { return byte == '{' || byte == '['; }
bool closes(char byte) { return byte == '}' || byte == ']'; }

}  // namespace

void JsonStream::reset() {
  text_.clear();
  depth_ = 0;
  is_in_string_ = is_escaped_ = is_skipping_ = false;
}

void JsonStream::feed(std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) feed_byte(static_cast<char>(byte));
}

void JsonStream::refuse(const char* why) {
  if (is_skipping_) return;
  is_skipping_ = true;
  text_.clear();
  accept_(error("JSON parse error: %s", why));
}

void JsonStream::finish() {
  const bool is_refused = is_skipping_;
  const std::string text = std::exchange(text_, {});
  reset();
  if (is_refused) return;
  Json value = Json::parse(text, nullptr, false);
  if (value.is_discarded())
    accept_(error("JSON parse error: '%.60s' is no JSON", text.c_str()));
  else
    accept_(std::move(value));
}

/// Between brackets' values: numbers and words end with a blank, or where a bracket opens.
void JsonStream::feed_outside(char byte) {
  const bool is_end = is_blank(byte) && (!is_skipping_ || byte == '\n');
  if (is_end || opens(byte)) {
    if (!text_.empty() || is_skipping_) finish();
    if (is_end) return;
  }
  if (is_skipping_ || (text_.empty() && is_blank(byte))) return;
  if (closes(byte)) return refuse("a bracket closes that is not open");
  text_ += byte;
  if (opens(byte)) ++depth_;
  if (byte == '"') is_in_string_ = true;
}

void JsonStream::feed_byte(char byte) {
  if (text_.size() >= kMaxBytes) refuse("the value is too large");
  if (is_in_string_) {
    if (!is_skipping_) text_ += byte;
    const bool was_escaped = std::exchange(is_escaped_, false);
    if (byte == '\\' && !was_escaped) is_escaped_ = true;
    if (byte == '"' && !was_escaped) is_in_string_ = false;
    // A string holds no end of line: whoever types forgot the quotes.
    if (byte == '\n') {
      refuse("a string does not end on its line");
      reset();
    }
    return;
  }
  if (depth_ == 0) return feed_outside(byte);
  if (!is_skipping_) text_ += byte;
  if (byte == '"') is_in_string_ = true;
  if (opens(byte) && ++depth_ > kMaxDepth) refuse("too many brackets within each other");
  if (closes(byte) && --depth_ == 0) finish();
}

}  // namespace gstage
