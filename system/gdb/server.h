// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "system/gdb/packets.h"
#include "system/gdb/session.h"
#include "system/gdb/target.h"

namespace gstage::gdb {

/// gdb's remote serial protocol, the side of the target: one debugger at a time. A thread of the protocol is
/// a hart; thread 1 is hart 0. On the event loop's thread.
class Server final : public TargetListener {
 public:
  /// `send` takes bytes for the debugger.
  Server(Target& target, std::function<void(std::string_view)> send);
  ~Server() override;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// A debugger has come: the harts stop.
  void attach();
  /// It has gone without a word: its breakpoints go; harts that are stopped stay so. (One stopped hart of
  /// several that stop alone stops the others.)
  void lose();
  [[nodiscard]] bool is_attached() const { return session_.is_attached; }
  void feed(std::span<const std::uint8_t> bytes);
  /// The program ends with this code.
  void exited(unsigned code);

  void stopped(const Stop& stop) override;

 private:
  void take_packet(const std::string& body);
  void execute(const std::string& body);
  void interrupt();
  [[nodiscard]] bool must_wait() const;

  PacketStream stream_;
  Session session_;
  std::deque<std::string> waiting_;  ///< packets that came while all harts ran
};

}  // namespace gstage::gdb
