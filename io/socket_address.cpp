// SPDX-License-Identifier: Apache-2.0
#include "io/socket_address.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "softmmu/base/format.h"

namespace gstage {

namespace {

const sockaddr_in& as_ipv4(const SocketAddress& a) { return reinterpret_cast<const sockaddr_in&>(a.storage); }
const sockaddr_in6& as_ipv6(const SocketAddress& a) {
  return reinterpret_cast<const sockaddr_in6&>(a.storage);
}

constexpr int kBacklog = 1;

int new_listener(const SocketAddress& address) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  if (address.family() != AF_UNIX) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, address.raw(), address.length) == 0 && listen(fd, kBacklog) == 0) return fd;
  const int reason = errno;
  close(fd);
  errno = reason;
  return -1;
}

}  // namespace

std::uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(as_ipv4(*this).sin_port);
  return family() == AF_INET6 ? ntohs(as_ipv6(*this).sin6_port) : std::uint16_t{0};
}

void SocketAddress::set_port(std::uint16_t port) {
  if (family() == AF_INET) reinterpret_cast<sockaddr_in&>(storage).sin_port = htons(port);
  if (family() == AF_INET6) reinterpret_cast<sockaddr_in6&>(storage).sin6_port = htons(port);
}

bool SocketAddress::is_loopback() const {
  if (family() == AF_INET) return ntohl(as_ipv4(*this).sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  return family() != AF_INET6 || IN6_IS_ADDR_LOOPBACK(&as_ipv6(*this).sin6_addr);
}

std::string SocketAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> name{};
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &as_ipv4(*this).sin_addr, name.data(), name.size());
    return format("%s:%u", name.data(), unsigned{port()});
  }
  if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &as_ipv6(*this).sin6_addr, name.data(), name.size());
    return format("[%s]:%u", name.data(), unsigned{port()});
  }
  // A client that did not bind has an address without a path.
  constexpr std::size_t kPathAt = offsetof(sockaddr_un, sun_path);
  if (length <= kPathAt) return "";
  const auto& path = reinterpret_cast<const sockaddr_un&>(storage).sun_path;
  return {path, strnlen(path, std::min<std::size_t>(length - kPathAt, sizeof path))};
}

Result<std::vector<SocketAddress>> look_up(const SocketLookup& lookup) {
  addrinfo hints{};
  hints.ai_socktype = lookup.type;
  if (lookup.has_ipv4 != lookup.has_ipv6) hints.ai_family = lookup.has_ipv4 ? AF_INET : AF_INET6;
  addrinfo* found = nullptr;
  const int failure =
      getaddrinfo(lookup.host.empty() ? nullptr : lookup.host.c_str(), lookup.port.c_str(), &hints, &found);
  if (failure != 0)
    return error("there is no address of host '%s', port '%s' (%s)", lookup.host.c_str(), lookup.port.c_str(),
                 gai_strerror(failure));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress& address = addresses.emplace_back();
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.length = one->ai_addrlen;
  }
  std::stable_partition(addresses.begin(), addresses.end(),
                        [](const SocketAddress& a) { return a.family() == AF_INET; });
  return addresses;
}

Result<SocketAddress> unix_address(const std::string& path) {
  SocketAddress address;
  auto& un = reinterpret_cast<sockaddr_un&>(address.storage);
  if (path.empty() || path.size() >= sizeof un.sun_path)
    return error("the path '%s' of a socket has %zu bytes: at most %zu fit, at least one is wanted",
                 path.c_str(), path.size(), sizeof un.sun_path - 1);
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.c_str(), path.size() + 1);
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

Result<int> listen_on(std::vector<SocketAddress>& addresses, unsigned more_ports) {
  std::string last;
  int reason = 0;
  for (SocketAddress& address : addresses) {
    const unsigned first = address.port();
    for (unsigned port = first; port <= std::min(first + more_ports, 0xffffu); ++port) {
      address.set_port(static_cast<std::uint16_t>(port));
      const int fd = new_listener(address);
      if (fd >= 0) {
        // Of port 0 the kernel chose one.
        address.length = sizeof address.storage;
        getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage), &address.length);
        std::swap(addresses.front(), address);
        return fd;
      }
      reason = errno;
      last = address.text();
    }
  }
  return error("cannot listen on %s (%s): choose another port", last.c_str(), std::strerror(reason));
}

Result<int> listen_on_path(const SocketAddress& address) {
  const std::string path = address.text();
  struct stat status;
  if (lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) unlink(path.c_str());
  const mode_t old = umask(0177);
  const int fd = new_listener(address);
  const int reason = errno;
  umask(old);
  if (fd >= 0) return fd;
  return error("cannot listen on '%s' (%s): name a path where a socket can be made", path.c_str(),
               std::strerror(reason));
}

}  // namespace gstage
