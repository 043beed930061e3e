// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/socket_address.h"
#include "io/telnet.h"
#include "io/watched_chardev.h"

namespace gstage {

/// What a socket back end is to be.
struct SocketPlan {
  std::vector<SocketAddress> addresses;  ///< where to connect
  int listener = -1;                     ///< a server's socket, which listens
  int connection = -1;                   ///< a client's that is connected already
  bool is_telnet = false;
  bool has_delay = true;      ///< else small pieces are sent at once (TCP_NODELAY)
  unsigned reconnect_ms = 0;  ///< a client tries again so long after each failure and end; 0: never
  std::string name;           ///< "tcp:127.0.0.1:4321,server=on"
  std::string path;           ///< removed at the end; empty: nothing
};

/// One connection at a time, of clients that come or to a server. What is written meanwhile goes nowhere.
class SocketChardev final : public WatchedChardev {
 public:
  explicit SocketChardev(SocketPlan plan);
  ~SocketChardev() override;
  SocketChardev(const SocketChardev&) = delete;
  SocketChardev& operator=(const SocketChardev&) = delete;

  /// Begins to listen or to connect. On the event loop's thread, as the rest but `write`.
  void start();
  /// Turns the event loop until somebody is connected. An Error if that cannot be, or `is_quitting` says so.
  Status wait(const std::function<bool()>& is_quitting);

  void write(std::span<const std::uint8_t> bytes) override;
  bool on_focus(std::function<void()> callback) override;
  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] bool is_connected() const { return fd_ >= 0; }

 private:
  bool read_input(std::size_t room, unsigned condition) override;
  void listen();
  void accept();
  void connect_next();
  void connect_done(int fd);
  void failed(int reason);
  void connected(int fd, std::string peer);
  void disconnect();
  void disconnect_soon();
  std::size_t send_all(std::span<const std::uint8_t> bytes);
  void send_telnet(std::span<const std::uint8_t> bytes);
  [[nodiscard]] bool has_room();

  const SocketPlan plan_;
  std::function<void()> on_connect_;
  std::string peer_;              ///< who is connected
  unsigned source_ = 0;           ///< glib source: of the listener, of a connect under way, or of a pause
  int connecting_ = -1;           ///< descriptor of a connect under way
  std::size_t next_address_ = 0;  ///< index into plan_.addresses
  int last_error_ = 0;
  std::unique_ptr<Telnet> telnet_;
  std::mutex mutex_;  ///< of what follows; only the event loop's thread changes fd_
  int fd_ = -1;
  unsigned connection_ = 0;  ///< counts them
  bool is_stuck_ = false;    ///< took nothing for as long as our patience lasts
  bool owes_half_ = false;   ///< half of a doubled byte was sent
};

}  // namespace gstage
