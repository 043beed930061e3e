// SPDX-License-Identifier: Apache-2.0
#include "io/socket_chardev.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <glib-unix.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "io/event_loop.h"

namespace gstage {

namespace {

constexpr std::uint8_t kDoubled = 0xff;

/// Whether an encoded telnet stream that is cut at `at` is cut within a doubled byte.
bool cuts_pair(std::span<const std::uint8_t> bytes, std::size_t at) {
  std::size_t i = 0;
  while (i < at) i += bytes[i] == kDoubled ? 2 : 1;
  return i > at;
}

}  // namespace

SocketChardev::SocketChardev(SocketPlan plan) : plan_(std::move(plan)) {}

SocketChardev::~SocketChardev() {
  set_input(-1);
  if (source_ != 0) g_source_remove(source_);
  for (const int fd : {fd_, connecting_, plan_.listener})
    if (fd >= 0) close(fd);
  if (!plan_.path.empty()) unlink(plan_.path.c_str());
}

void SocketChardev::start() {
  if (plan_.listener >= 0) return listen();
  if (plan_.connection >= 0) return connected(plan_.connection, "");
  connect_next();
}

Status SocketChardev::wait(const std::function<bool()>& is_quitting) {
  while (fd_ < 0) {
    if (source_ == 0)
      return error("cannot connect to %s (%s): start what listens there first, or add reconnect-ms=1000",
                   plan_.name.c_str(), std::strerror(last_error_));
    if (is_quitting()) return error("%s: ended before anybody was connected", plan_.name.c_str());
    g_main_context_iteration(nullptr, TRUE);
  }
  return Ok{};
}

void SocketChardev::listen() {
  const auto call = [](int, GIOCondition, void* self) -> gboolean {
    static_cast<SocketChardev*>(self)->accept();
    return G_SOURCE_CONTINUE;
  };
  source_ = g_unix_fd_add(plan_.listener, G_IO_IN, call, this);
}

void SocketChardev::accept() {
  SocketAddress peer;
  peer.length = sizeof peer.storage;
  const int fd = accept4(plan_.listener, reinterpret_cast<sockaddr*>(&peer.storage), &peer.length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  // Whoever comes next waits until this one has gone.
  g_source_remove(std::exchange(source_, 0));
  connected(fd, peer.text());
}

void SocketChardev::connect_next() {
  source_ = 0;
  for (; next_address_ < plan_.addresses.size(); ++next_address_) {
    const SocketAddress& address = plan_.addresses[next_address_];
    const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, address.raw(), address.length) == 0) return connect_done(fd);
    last_error_ = errno;
    if (fd >= 0 && last_error_ == EINPROGRESS) {
      connecting_ = fd;
      const auto call = [](int ready, GIOCondition, void* self) -> gboolean {
        auto* const chardev = static_cast<SocketChardev*>(self);
        chardev->connecting_ = -1;
        chardev->source_ = 0;
        chardev->connect_done(ready);
        return G_SOURCE_REMOVE;
      };
      source_ = g_unix_fd_add(fd, static_cast<GIOCondition>(G_IO_OUT | G_IO_ERR | G_IO_HUP), call, this);
      return;
    }
    if (fd >= 0) close(fd);
  }
  failed(last_error_);
}

/// A connect has come to its end.
void SocketChardev::connect_done(int fd) {
  int reason = 0;
  socklen_t size = sizeof reason;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size);
  if (reason == 0) return connected(fd, "");
  close(fd);
  last_error_ = reason;
  ++next_address_;
  connect_next();
}

/// No address answers.
void SocketChardev::failed(int reason) {
  last_error_ = reason;
  next_address_ = 0;
  if (plan_.reconnect_ms == 0 || plan_.addresses.empty()) return;
  const auto call = [](void* self) -> gboolean {
    static_cast<SocketChardev*>(self)->connect_next();
    return G_SOURCE_REMOVE;
  };
  source_ = g_timeout_add(plan_.reconnect_ms, call, this);
}

void SocketChardev::connected(int fd, std::string peer) {
  next_address_ = 0;
  peer_ = std::move(peer);
  if (!plan_.has_delay) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  {
    const std::lock_guard lock(mutex_);
    fd_ = fd;
    ++connection_;
    is_stuck_ = owes_half_ = false;
    if (plan_.is_telnet) {
      const bool is_server = plan_.listener >= 0;
      telnet_ = std::make_unique<Telnet>(is_server ? Telnet::End::kServer : Telnet::End::kClient);
      send_telnet(telnet_->greeting());
    }
  }
  set_input(fd);
  if (on_connect_) on_connect_();
}

void SocketChardev::disconnect() {
  set_input(-1);
  {
    const std::lock_guard lock(mutex_);
    if (fd_ < 0) return;
    close(std::exchange(fd_, -1));
  }
  peer_.clear();
  if (plan_.listener >= 0)
    listen();
  else
    failed(ECONNRESET);
}

/// A write has found the connection broken. With the mutex held, any thread.
void SocketChardev::disconnect_soon() {
  EventLoop::post([weak = weak_from_this(), number = connection_] {
    const auto self = std::static_pointer_cast<SocketChardev>(weak.lock());
    if (self && self->connection_ == number) self->disconnect();
  });
}

bool SocketChardev::read_input(std::size_t room, unsigned) {
  std::array<std::uint8_t, 4096> buffer;
  const ssize_t n = recv(fd_, buffer.data(), std::min(room, buffer.size()), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (n <= 0) {
    disconnect();
    return false;
  }
  const std::span<const std::uint8_t> bytes(buffer.data(), static_cast<std::size_t>(n));
  if (telnet_ == nullptr) {
    deliver(bytes);
    return true;
  }
  std::vector<std::uint8_t> data;
  std::vector<std::uint8_t> answer;
  telnet_->decode(bytes, data, answer);
  if (!answer.empty()) {
    const std::lock_guard lock(mutex_);
    send_telnet(answer);
  }
  if (!data.empty()) deliver(data);
  return true;
}

/// Waits a little for somebody who reads slowly.
bool SocketChardev::has_room() {
  if (is_stuck_ || is_output_abandoned()) return false;
  pollfd p{fd_, POLLOUT, 0};
  is_stuck_ = poll(&p, 1, kPatienceMs) <= 0;
  return !is_stuck_;
}

/// Answers how much went: less than all when the rest is dropped. With the mutex held.
std::size_t SocketChardev::send_all(std::span<const std::uint8_t> bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
      is_stuck_ = false;
      sent += static_cast<std::size_t>(n);
    } else if (n < 0 && errno == EAGAIN) {
      if (!has_room()) break;
    } else if (n == 0 || errno != EINTR) {
      disconnect_soon();
      break;
    }
  }
  return sent;
}

/// What is in telnet's form already. With the mutex held.
void SocketChardev::send_telnet(std::span<const std::uint8_t> bytes) {
  if (owes_half_ && send_all({&kDoubled, 1}) == 0) return;
  owes_half_ = cuts_pair(bytes, send_all(bytes));
}

void SocketChardev::write(std::span<const std::uint8_t> bytes) {
  const std::lock_guard lock(mutex_);
  if (fd_ < 0) return;
  if (telnet_ != nullptr)
    send_telnet(Telnet::encode(bytes));
  else
    send_all(bytes);
}

bool SocketChardev::on_focus(std::function<void()> callback) {
  on_connect_ = std::move(callback);
  if (on_connect_ && fd_ >= 0) on_connect_();
  return true;
}

std::string SocketChardev::describe() const {
  if (fd_ < 0) return "disconnected:" + plan_.name;
  return peer_.empty() ? plan_.name : plan_.name + " <-> " + peer_;
}

}  // namespace gstage
