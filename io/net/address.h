// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "softmmu/base/result.h"

namespace gstage {

/// Where a socket of a network is or goes: an internet address, a path, or a descriptor that was inherited.
struct NetAddress {
  union {
    sockaddr any;
    sockaddr_in ipv4;
    sockaddr_in6 ipv6;
    sockaddr_un local;
  };
  socklen_t size = 0;  ///< bytes; 0: none
  int fd = -1;         ///< in place of an address; -1: none

  NetAddress() : local{} {}
  [[nodiscard]] bool is_given() const { return size != 0 || fd >= 0; }
  [[nodiscard]] int family() const { return size == 0 ? AF_UNSPEC : any.sa_family; }
};

/// "HOST" and "PORT", looked up. An empty host is the loopback address. `what` is for messages.
Result<NetAddress> internet_address(const std::string& what, const std::string& host,
                                    const std::string& port);
/// "[HOST]:PORT".
Result<NetAddress> internet_address(const std::string& what, const std::string& text);
/// A socket in the file system.
Result<NetAddress> local_address(const std::string& what, const std::string& path);
/// The number of a descriptor that is open, and is a socket of that type (SOCK_STREAM, SOCK_DGRAM).
Result<NetAddress> inherited_socket(const std::string& what, const std::string& text, int type);
/// The number of a descriptor that is open; it does not block from now on.
Result<int> inherited_descriptor(const std::string& what, const std::string& text);

/// A socket that listens; one in the file system belongs to the user alone (0600), and one of a process that
/// ended is replaced.
Result<int> listen_at(const std::string& what, const NetAddress& address);

}  // namespace gstage
