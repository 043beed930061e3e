// SPDX-License-Identifier: Apache-2.0
// How servers are named, and how they are reached.
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "io/block/nbd/nbd.h"
#include "io/socket_address.h"

namespace gstage::nbd {

namespace {

constexpr int kConnectTimeoutMs = 5000;

/// The hexadecimal digit's value, or -1.
int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// RFC 3986, 2.1.
std::optional<std::string> unescape(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    if (i + 2 >= text.size() || digit(text[i + 1]) < 0 || digit(text[i + 2]) < 0) return std::nullopt;
    plain += static_cast<char>(digit(text[i + 1]) << 4 | digit(text[i + 2]));
    i += 2;
  }
  return plain;
}

bool parse_port(const std::string& text, unsigned& port) {
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || value > 0xffff) return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (text.empty() || value == 0 || value > 0xffff) return false;
  port = value;
  return true;
}

/// "HOST", "HOST:PORT", "[ADDRESS]:PORT".
bool parse_host(const std::string& text, Server& to) {
  const std::size_t bracket = text.starts_with("[") ? text.find(']') : std::string::npos;
  const std::size_t end = bracket != std::string::npos ? bracket + 1 : text.find(':');
  to.host = bracket != std::string::npos ? text.substr(1, bracket - 1) : text.substr(0, end);
  if (end == std::string::npos || end == text.size()) return !to.host.empty();
  return !to.host.empty() && text[end] == ':' && parse_port(text.substr(end + 1), to.port);
}

/// The NBD URI specification (doc/uri.md of the protocol's project).
bool parse_uri(const std::string& uri, Server& to) {
  const std::size_t scheme = uri.find("://");
  const bool is_unix = uri.substr(0, scheme) == "nbd+unix";
  const std::string rest = uri.substr(scheme + 3);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::size_t query = std::min(rest.find('?'), rest.size());
  const std::string authority = rest.substr(0, std::min(slash, query));
  const auto name = unescape(slash < query ? rest.substr(slash + 1, query - slash - 1) : "");
  if (!name) return false;
  to.export_name = *name;
  if (!is_unix) return query == rest.size() && parse_host(authority, to);
  const std::string socket = "?socket=";
  const auto path =
      unescape(rest.substr(query).starts_with(socket) ? rest.substr(query + socket.size()) : "");
  if (!path || path->empty() || !authority.empty()) return false;
  to.path = *path;
  return true;
}

/// The form that was there before URIs.
bool parse_old_name(const std::string& name, Server& to) {
  std::string rest = name.substr(4);
  const std::string option = ":exportname=";
  if (const std::size_t at = rest.find(option); at != std::string::npos) {
    to.export_name = rest.substr(at + option.size());
    rest.resize(at);
  }
  if (rest.starts_with("unix:")) {
    to.path = rest.substr(5);
    return !to.path.empty();
  }
  return rest.find(':') != std::string::npos && parse_host(rest, to);
}

/// 0 or an errno value.
int finish_connecting(int fd) {
  pollfd ready{fd, POLLOUT, 0};
  int n = 0;
  do n = poll(&ready, 1, kConnectTimeoutMs);
  while (n < 0 && errno == EINTR);
  if (n == 0) return ETIMEDOUT;
  int failure = 0;
  socklen_t length = sizeof failure;
  if (n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &length) != 0) return errno;
  return failure;
}

/// A socket, or a negative errno value.
int connect_to(const SocketAddress& address) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int failure = connect(fd, address.raw(), address.length) == 0 ? 0 : errno;
  if (failure == EINPROGRESS) failure = finish_connecting(fd);
  if (failure == 0) {
    const int on = 1;
    if (address.family() != AF_UNIX) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
  }
  close(fd);
  return -failure;
}

}  // namespace

std::string Server::text() const {
  if (!path.empty()) return "nbd+unix:///" + export_name + "?socket=" + path;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return format("nbd://%s:%u/%s", (is_ipv6 ? "[" + host + "]" : host).c_str(), port, export_name.c_str());
}

bool is_server_name(const std::string& name) {
  return name.starts_with("nbd:") || name.starts_with("nbd+") || name.starts_with("nbds:") ||
         name.starts_with("nbds+");
}

Result<Server> parse_server_name(const std::string& what, const std::string& name) {
  if (name.starts_with("nbds"))
    return error("%s: '%s' wants TLS, which is not supported yet: use nbd://", what.c_str(), name.c_str());
  Server server;
  const bool is_uri = name.starts_with("nbd://") || name.starts_with("nbd+unix://");
  if (is_uri ? parse_uri(name, server) : name.starts_with("nbd:") && parse_old_name(name, server))
    return server;
  return error(
      "%s: '%s' names no server: write nbd://HOST[:PORT]/EXPORT, nbd+unix:///EXPORT?socket=PATH or "
      "nbd:HOST:PORT:exportname=EXPORT",
      what.c_str(), name.c_str());
}

Result<Connect> make_connector(const Server& server) {
  std::vector<SocketAddress> addresses;
  if (!server.path.empty()) {
    auto address = unix_address(server.path);
    if (!address.ok()) return address.error();
    addresses.push_back(*address);
  } else {
    auto found = look_up({server.host, std::to_string(server.port)});
    if (!found.ok()) return found.error();
    addresses = std::move(*found);
  }
  return Connect([addresses] {
    int last = -EADDRNOTAVAIL;
    for (const SocketAddress& address : addresses) {
      last = connect_to(address);
      if (last >= 0) break;
    }
    return last;
  });
}

}  // namespace gstage::nbd
