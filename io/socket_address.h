// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "softmmu/base/result.h"

namespace gstage {

/// An address of a socket: IPv4, IPv6 or a path.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
  /// 0 where the family has none.
  [[nodiscard]] std::uint16_t port() const;
  void set_port(std::uint16_t port);
  [[nodiscard]] bool is_loopback() const;
  /// "127.0.0.1:80", "[::1]:80", or the path.
  [[nodiscard]] std::string text() const;
};

/// What a name is looked up as.
struct SocketLookup {
  std::string host;        ///< empty: this host's loopback address
  std::string port;        ///< a number or a service
  int type = SOCK_STREAM;  ///< or SOCK_DGRAM
  bool has_ipv4 = true;
  bool has_ipv6 = true;
};

/// All addresses of a host's port, at least one; IPv4 first. May ask a name server.
Result<std::vector<SocketAddress>> look_up(const SocketLookup& lookup);
/// A path in the file system. Refuses those that are too long for an address.
Result<SocketAddress> unix_address(const std::string& path);

/// A socket that listens on the first address that is free; of each, the ports from its own on, `more_ports`
/// more of them. Its descriptor does not block.
Result<int> listen_on(std::vector<SocketAddress>& addresses, unsigned more_ports);
/// The same on a path: the socket's file is for its owner alone (0600), and takes the place of one that
/// another program left. Before other threads begin: it changes the umask for a moment.
Result<int> listen_on_path(const SocketAddress& address);

}  // namespace gstage
