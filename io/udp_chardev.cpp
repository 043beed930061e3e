// SPDX-License-Identifier: Apache-2.0
#include "io/udp_chardev.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <unistd.h>

namespace gstage {

namespace {

/// A datagram that every network carries in one piece.
constexpr std::size_t kDatagramBytes = 1400;
constexpr std::size_t kLargestDatagram = 65535;

}  // namespace

UdpChardev::UdpChardev(int fd, std::string name) : fd_(fd), name_(std::move(name)) { set_input(fd_); }

UdpChardev::~UdpChardev() {
  set_input(-1);
  close(fd_);
}

/// What cannot be sent at once is lost, as datagrams may be.
void UdpChardev::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), kDatagramBytes));
    bytes = bytes.subspan(part.size());
    // The first try may bring the error of an earlier datagram: that nobody listened.
    for (int attempt = 0; attempt < 2; ++attempt)
      if (send(fd_, part.data(), part.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) break;
  }
}

bool UdpChardev::read_input(std::size_t room, unsigned) {
  const bool was_empty = waiting_.empty();
  if (was_empty) {
    std::array<std::uint8_t, kLargestDatagram> buffer;
    const ssize_t n = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n <= 0) return true;
    waiting_.assign(buffer.begin(), buffer.begin() + n);
  }
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(room, waiting_.size()));
  const std::vector<std::uint8_t> piece(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  if (was_empty != waiting_.empty()) rewatch();
  deliver(piece);
  return true;
}

Result<std::shared_ptr<Chardev>> make_udp_chardev(const SocketAddress& remote, const SocketAddress& local) {
  const int fd = socket(remote.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd < 0 || bind(fd, local.raw(), local.length) != 0 || connect(fd, remote.raw(), remote.length) != 0) {
    const int reason = errno;
    if (fd >= 0) close(fd);
    return error("cannot send to %s from %s (%s): choose other addresses", remote.text().c_str(),
                 local.text().c_str(), std::strerror(reason));
  }
  SocketAddress bound;
  bound.length = sizeof bound.storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.length);
  return std::shared_ptr<Chardev>(
      std::make_shared<UdpChardev>(fd, "udp:" + remote.text() + "@" + bound.text()));
}

}  // namespace gstage
