// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace gstage::gdb {

/// The longest packet that is taken, without its frame; what is longer is answered by an error.
inline constexpr std::size_t kMostPacket = 0x10000;

/// The frames of gdb's remote serial protocol ("Overview" of the appendix "gdb Remote Serial Protocol"):
/// takes a debugger's bytes apart into packets and puts answers in frames. Whatever comes, it keeps no more
/// than one packet each way. Not safe for threads.
class PacketStream {
 public:
  struct Sinks {
    std::function<void(std::string_view bytes)> send;     ///< to the debugger, at once
    std::function<void(const std::string& body)> packet;  ///< a packet has come; its escapes are still there
    std::function<void()> interrupt;                      ///< Ctrl-C has
    std::function<void()> too_long;                       ///< a packet that was not kept has
  };
  explicit PacketStream(Sinks sinks) : sinks_(std::move(sinks)) {}

  void feed(std::span<const std::uint8_t> bytes);
  /// Sends a packet: escaped where it is binary, in runs where that is shorter.
  void send(std::string_view body);
  /// Sends a notification, which nobody acknowledges ("Notification Packets").
  void notify(std::string_view body);
  /// From now on nothing is acknowledged (QStartNoAckMode).
  void stop_acknowledging() { acknowledges_ = false; }
  /// As for a new debugger.
  void reset();

 private:
  enum class State : std::uint8_t { kIdle, kBody, kSum1, kSum2 };
  void take(char byte);
  void take_idle(char byte);
  void finish(char last_digit);

  const Sinks sinks_;
  State state_ = State::kIdle;
  bool acknowledges_ = true;
  bool is_too_long_ = false;
  std::string body_;
  std::uint8_t sum_ = 0;
  char first_digit_ = 0;
  std::string last_sent_;  ///< until it is acknowledged
  unsigned repeats_ = 0;   ///< how often it was sent again
};

/// The body in its frame: "$body#sum", `start` is '$' or '%'.
std::string frame(char start, std::string_view body);
/// A body with runs of one character written as such ("Overview": run-length encoding).
std::string encode_runs(std::string_view body);
/// Binary data as it may stand in a packet: '#', '$', '}' and '*' are escaped.
std::string escape(std::string_view data);
/// The reverse of what debuggers escape.
std::string unescape(std::string_view body);

/// Bytes as hexadecimal digits, two each.
std::string to_hex(std::string_view bytes);
/// The reverse; as far as there are pairs of digits.
std::string from_hex(std::string_view digits);
/// The value of a digit, or −1.
int hex_digit(char c);

/// Takes a packet's body apart from the left. What does not fit leaves all as it is.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  /// The text, or not.
  bool take(std::string_view text);
  /// A hexadecimal number of 1 to 16 digits.
  bool number(std::uint64_t& value);
  /// What stands before the first `end`, which goes too; everything if there is none.
  std::string_view until(char end);

 private:
  std::string_view rest_;
};

}  // namespace gstage::gdb
