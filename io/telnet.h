// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace gstage {

/// One end of a telnet connection (RFC 854, RFC 855): takes the commands out of what comes, answers what the
/// other end asks for, and escapes what goes. Both directions are binary (RFC 856); a server echoes (RFC
/// 857), which makes clients send each key at once and show nothing by themselves.
class Telnet {
 public:
  enum class End : bool { kServer, kClient };
  explicit Telnet(End end) : end_(end) {}

  /// What to send first.
  std::vector<std::uint8_t> greeting();
  /// Appends to `data` the bytes that are no commands, and to `answer` what is to be sent back. No more of
  /// either than three bytes for one that came.
  void decode(std::span<const std::uint8_t> bytes, std::vector<std::uint8_t>& data,
              std::vector<std::uint8_t>& answer);
  /// Data as they are sent: 255 is doubled.
  static std::vector<std::uint8_t> encode(std::span<const std::uint8_t> data);

 private:
  enum class State : std::uint8_t { kData, kReturn, kCommand, kOption, kParameters, kParametersCommand };
  enum Who : std::uint8_t { kUs, kThem };

  void option(std::uint8_t verb, std::uint8_t number, std::vector<std::uint8_t>& answer);
  void data_byte(std::uint8_t byte, std::vector<std::uint8_t>& data);
  void command(std::uint8_t byte, std::vector<std::uint8_t>& data);
  [[nodiscard]] bool is_wanted(Who who, std::uint8_t number) const;

  const End end_;
  State state_ = State::kData;
  std::uint8_t verb_ = 0;
  std::array<std::array<bool, 256>, 2> is_on_{};  ///< options, by who does what they say
};

}  // namespace gstage
