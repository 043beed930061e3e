// SPDX-License-Identifier: Apache-2.0
#include "io/telnet.h"

namespace gstage {

namespace {

// RFC 854, "TELNET COMMAND STRUCTURE".
constexpr std::uint8_t kSe = 240;
constexpr std::uint8_t kSb = 250;
constexpr std::uint8_t kWill = 251;
constexpr std::uint8_t kWont = 252;
constexpr std::uint8_t kDo = 253;
constexpr std::uint8_t kDont = 254;
constexpr std::uint8_t kIac = 255;

constexpr std::uint8_t kBinary = 0;           // RFC 856
constexpr std::uint8_t kEcho = 1;             // RFC 857
constexpr std::uint8_t kSuppressGoAhead = 3;  // RFC 858

}  // namespace

std::vector<std::uint8_t> Telnet::greeting() {
  if (end_ == End::kClient) return {};
  is_on_[kUs][kEcho] = is_on_[kUs][kSuppressGoAhead] = is_on_[kUs][kBinary] = true;
  is_on_[kThem][kBinary] = true;
  return {kIac, kWill, kEcho, kIac, kWill, kSuppressGoAhead, kIac, kWill, kBinary, kIac, kDo, kBinary};
}

bool Telnet::is_wanted(Who who, std::uint8_t number) const {
  const bool is_server = (who == kUs) == (end_ == End::kServer);
  return number == kBinary || number == kSuppressGoAhead || (number == kEcho && is_server);
}

/// RFC 854, "THE NEGOTIATION OF OPTIONS": only a change is answered, or two ends could go on for ever; what
/// is not wanted is refused each time.
void Telnet::option(std::uint8_t verb, std::uint8_t number, std::vector<std::uint8_t>& answer) {
  const Who who = verb == kDo || verb == kDont ? kUs : kThem;
  const bool asks_on = verb == kDo || verb == kWill;
  const bool is_on = asks_on && is_wanted(who, number);
  bool& state = is_on_[who][number];
  const bool must_answer = state != is_on || (asks_on && !is_on);
  state = is_on;
  if (!must_answer) return;
  const std::uint8_t yes = who == kUs ? kWill : kDo;
  const std::uint8_t no = who == kUs ? kWont : kDont;
  answer.insert(answer.end(), {kIac, is_on ? yes : no, number});
}

/// Where the other end does not send binary data, a carriage return is followed by a line feed or by a NUL
/// that says nothing (RFC 854, "The NVT printer and keyboard").
void Telnet::data_byte(std::uint8_t byte, std::vector<std::uint8_t>& data) {
  const bool is_filler = state_ == State::kReturn && byte == 0;
  state_ = byte == '\r' && !is_on_[kThem][kBinary] ? State::kReturn : State::kData;
  if (!is_filler) data.push_back(byte);
}

void Telnet::command(std::uint8_t byte, std::vector<std::uint8_t>& data) {
  state_ = State::kData;
  if (byte == kIac) {
    data.push_back(kIac);
  } else if (byte == kSb) {
    state_ = State::kParameters;
  } else if (byte >= kWill) {
    state_ = State::kOption;
    verb_ = byte;
  }
}

void Telnet::decode(std::span<const std::uint8_t> bytes, std::vector<std::uint8_t>& data,
                    std::vector<std::uint8_t>& answer) {
  for (const std::uint8_t byte : bytes) {
    switch (state_) {
      case State::kData:
      case State::kReturn:
        if (byte == kIac)
          state_ = State::kCommand;
        else
          data_byte(byte, data);
        break;
      case State::kCommand: command(byte, data); break;
      case State::kOption:
        state_ = State::kData;
        option(verb_, byte, answer);
        break;
      case State::kParameters:
        if (byte == kIac) state_ = State::kParametersCommand;
        break;
      case State::kParametersCommand: state_ = byte == kSe ? State::kData : State::kParameters; break;
    }
  }
}

std::vector<std::uint8_t> Telnet::encode(std::span<const std::uint8_t> data) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(data.size() + 8);
  for (const std::uint8_t byte : data) {
    bytes.push_back(byte);
    if (byte == kIac) bytes.push_back(kIac);
  }
  return bytes;
}

}  // namespace gstage
