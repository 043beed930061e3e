// SPDX-License-Identifier: Apache-2.0
#include "io/net/address.h"

#include <cerrno>
#include <charconv>
#include <cstring>

#include <fcntl.h>
#include <netdb.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gstage {

Result<NetAddress> internet_address(const std::string& what, const std::string& host,
                                    const std::string& port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string name = host.empty() ? "127.0.0.1" : host;
  const int failure = getaddrinfo(name.c_str(), port.c_str(), &hints, &found);
  if (failure != 0 || port.empty())
    return error("%s: '%s:%s' is no address: write HOST:PORT with a number", what.c_str(), host.c_str(),
                 port.c_str());
  NetAddress address;
  std::memcpy(&address.local, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

Result<NetAddress> internet_address(const std::string& what, const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos)
    return error("%s: '%s' is no address: write [HOST]:PORT", what.c_str(), text.c_str());
  return internet_address(what, text.substr(0, colon), text.substr(colon + 1));
}

Result<NetAddress> local_address(const std::string& what, const std::string& path) {
  NetAddress address;
  if (path.empty() || path.size() >= sizeof address.local.sun_path)
    return error("%s: a path of a socket has 1 to %zu characters, '%s' has not", what.c_str(),
                 sizeof address.local.sun_path - 1, path.c_str());
  address.local.sun_family = AF_UNIX;
  std::memcpy(address.local.sun_path, path.c_str(), path.size() + 1);
  address.size = sizeof address.local;
  return address;
}

Result<int> inherited_descriptor(const std::string& what, const std::string& text) {
  int fd = -1;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), fd);
  const bool is_number = failure == std::errc{} && end == text.data() + text.size();
  if (!is_number || fd <= STDERR_FILENO || fcntl(fd, F_GETFL) < 0)
    return error("%s: '%s' is no open descriptor: give the number of one that the program inherits",
                 what.c_str(), text.c_str());
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

Result<NetAddress> inherited_socket(const std::string& what, const std::string& text, int type) {
  auto fd = inherited_descriptor(what, text);
  if (!fd) return fd.error();
  int found = 0;
  socklen_t size = sizeof found;
  if (getsockopt(*fd, SOL_SOCKET, SO_TYPE, &found, &size) != 0 || found != type)
    return error("%s: descriptor %d is no %s socket", what.c_str(), *fd,
                 type == SOCK_STREAM ? "stream" : "datagram");
  NetAddress address;
  address.fd = *fd;
  return address;
}

Result<int> listen_at(const std::string& what, const NetAddress& address) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  bool is_bound = false;
  if (address.family() == AF_UNIX) {
    struct stat status {};
    if (stat(address.local.sun_path, &status) == 0 && S_ISSOCK(status.st_mode))
      unlink(address.local.sun_path);
    // The file is made with the mode of the mask, so that it is never open to others.
    const mode_t mask = umask(0177);
    is_bound = bind(fd, &address.any, address.size) == 0;
    umask(mask);
  } else {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    is_bound = bind(fd, &address.any, address.size) == 0;
  }
  if (is_bound && listen(fd, 1) == 0) return fd;
  const int reason = errno;
  if (fd >= 0) close(fd);
  return error("%s: cannot listen there (%s): choose another address", what.c_str(), std::strerror(reason));
}

}  // namespace gstage
