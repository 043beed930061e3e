// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "io/chardev.h"

namespace gstage {

/// The Ctrl-a commands of a multiplexed console, found in the bytes typed.
class MuxEscape {
 public:
  static constexpr std::uint8_t kKey = 0x01;  ///< Ctrl-a

  enum class Event : std::uint8_t {
    kNone,   ///< the byte is part of a command, or of none
    kByte,   ///< the byte is input
    kQuit,   ///< Ctrl-a x
    kNext,   ///< Ctrl-a c
    kHelp,   ///< Ctrl-a h, Ctrl-a ?
    kBreak,  ///< Ctrl-a b
  };
  /// Takes the next byte typed.
  Event feed(std::uint8_t byte);

 private:
  bool is_escaped_ = false;
};

/// One stream shared by several fronts (a serial port and the monitor). All write to it; the input goes to
/// one.
class Mux final : public std::enable_shared_from_this<Mux> {
 public:
  /// `on_quit` is called at Ctrl-a x.
  static std::shared_ptr<Mux> make(std::shared_ptr<Chardev> base, std::function<void()> on_quit);
  /// The first one made has the input at the start. Fronts that nobody attached to are passed over.
  std::shared_ptr<Chardev> add_front();

 private:
  class Front;
  Mux(std::shared_ptr<Chardev> base, std::function<void()> on_quit);
  void receive(std::span<const std::uint8_t> bytes);
  void pump(Front& front);
  void focus_next();
  void say(const char* text);
  std::shared_ptr<Front> focused();

  std::shared_ptr<Chardev> base_;
  std::function<void()> on_quit_;
  MuxEscape escape_;
  std::vector<std::weak_ptr<Front>> fronts_;
  std::size_t focus_ = 0;
};

}  // namespace gstage
