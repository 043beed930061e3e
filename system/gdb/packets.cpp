// SPDX-License-Identifier: Apache-2.0
#include "system/gdb/packets.h"

#include <algorithm>
#include <utility>

namespace gstage::gdb {

namespace {

constexpr char kInterrupt = 0x03;
constexpr char kEscape = '}';
constexpr char kEscapeMask = 0x20;
constexpr char kRun = '*';
/// A debugger that keeps asking for the same packet does not understand it.
constexpr unsigned kMostRepeats = 8;

constexpr char kDigits[] = "0123456789abcdef";

std::uint8_t sum_of(std::string_view body) {
  std::uint8_t sum = 0;
  for (const char c : body) sum = static_cast<std::uint8_t>(sum + static_cast<std::uint8_t>(c));
  return sum;
}

}  // namespace

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string to_hex(std::string_view bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    const int high = hex_digit(digits[i]);
    const int low = hex_digit(digits[i + 1]);
    if (high < 0 || low < 0) break;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::string escape(std::string_view data) {
  std::string body;
  body.reserve(data.size());
  for (const char c : data) {
    const bool is_special = c == '#' || c == '$' || c == kEscape || c == kRun;
    if (is_special) body += kEscape;
    body += is_special ? static_cast<char>(c ^ kEscapeMask) : c;
  }
  return body;
}

std::string unescape(std::string_view body) {
  std::string data;
  data.reserve(body.size());
  for (std::size_t i = 0; i < body.size(); ++i) {
    const bool is_escape = body[i] == kEscape && i + 1 < body.size();
    data += is_escape ? static_cast<char>(body[++i] ^ kEscapeMask) : body[i];
  }
  return data;
}

std::string encode_runs(std::string_view body) {
  constexpr std::size_t kLeast = 3;
  constexpr std::size_t kMost = 97;
  constexpr char kBias = 29;
  std::string out;
  out.reserve(body.size());
  for (std::size_t i = 0; i < body.size();) {
    const char c = body[i];
    const std::size_t end = std::min(body.find_first_not_of(c, i), body.size());
    std::size_t repeats = std::min(end - i - 1, kMost);
    // These counts would be written '#' and '$'.
    if (repeats == '#' - kBias || repeats == '$' - kBias) repeats = '#' - kBias - 1;
    // An escape and what it escapes stay together: a run of them is none of the character.
    const bool is_escaped = c == kEscape || (i > 0 && body[i - 1] == kEscape);
    if (is_escaped || repeats < kLeast) repeats = 0;
    out += c;
    if (repeats != 0) {
      out += kRun;
      out += static_cast<char>(repeats + kBias);
    }
    i += 1 + repeats;
  }
  return out;
}

std::string frame(char start, std::string_view body) {
  const std::uint8_t sum = sum_of(body);
  std::string text(1, start);
  text += body;
  text += '#';
  text += kDigits[sum >> 4];
  text += kDigits[sum & 15];
  return text;
}

bool Reader::take(std::string_view text) {
  if (!rest_.starts_with(text)) return false;
  rest_.remove_prefix(text.size());
  return true;
}

bool Reader::number(std::uint64_t& value) {
  constexpr std::size_t kMostDigits = 16;
  std::uint64_t found = 0;
  std::size_t digits = 0;
  while (digits < rest_.size() && hex_digit(rest_[digits]) >= 0) {
    if (digits == kMostDigits) return false;
    found = found << 4 | static_cast<std::uint64_t>(hex_digit(rest_[digits++]));
  }
  if (digits == 0) return false;
  rest_.remove_prefix(digits);
  value = found;
  return true;
}

std::string_view Reader::until(char end) {
  const std::size_t at = rest_.find(end);
  const std::string_view part = rest_.substr(0, at);
  rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + 1);
  return part;
}

void PacketStream::feed(std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) take(static_cast<char>(byte));
}

void PacketStream::take(char byte) {
  switch (state_) {
    case State::kIdle: return take_idle(byte);
    case State::kBody:
      // A '$' within a packet begins the next: the end of this one was lost.
      if (byte == '$') {
        state_ = State::kIdle;
        return take_idle(byte);
      }
      if (byte == '#') {
        state_ = State::kSum1;
        return;
      }
      sum_ = static_cast<std::uint8_t>(sum_ + static_cast<std::uint8_t>(byte));
      if (body_.size() == kMostPacket)
        is_too_long_ = true;
      else
        body_ += byte;
      return;
    case State::kSum1:
      first_digit_ = byte;
      state_ = State::kSum2;
      return;
    case State::kSum2: state_ = State::kIdle; return finish(byte);
  }
}

void PacketStream::take_idle(char byte) {
  if (byte == '$') {
    state_ = State::kBody;
    body_.clear();
    sum_ = 0;
    is_too_long_ = false;
  } else if (byte == kInterrupt) {
    sinks_.interrupt();
  } else if (byte == '+') {
    last_sent_.clear();
  } else if (byte == '-' && acknowledges_ && !last_sent_.empty() && repeats_ < kMostRepeats) {
    ++repeats_;
    sinks_.send(last_sent_);
  }
}

void PacketStream::finish(char last_digit) {
  const bool is_sound = hex_digit(first_digit_) == sum_ >> 4 && hex_digit(last_digit) == (sum_ & 15);
  // Without acknowledgments the transport is trusted, and sums are not looked at ("Packet Acknowledgment").
  if (acknowledges_) sinks_.send(is_sound ? "+" : "-");
  if (acknowledges_ && !is_sound) return;
  if (is_too_long_) return sinks_.too_long();
  // The sink may reset the stream, or feed it.
  const std::string body = std::exchange(body_, {});
  sinks_.packet(body);
}

void PacketStream::send(std::string_view body) {
  std::string framed = frame('$', encode_runs(body));
  sinks_.send(framed);
  repeats_ = 0;
  if (acknowledges_) last_sent_ = std::move(framed);
}

void PacketStream::notify(std::string_view body) { sinks_.send(frame('%', body)); }

void PacketStream::reset() {
  state_ = State::kIdle;
  acknowledges_ = true;
  body_.clear();
  last_sent_.clear();
}

}  // namespace gstage::gdb
