// SPDX-License-Identifier: Apache-2.0
#include "system/gdb/endpoint.h"

#include <array>
#include <cerrno>
#include <utility>

#include <glib-unix.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/socket_address.h"
#include "system/gdb/packets.h"

namespace gstage::gdb {

namespace {

/// How long a debugger may take no byte.
constexpr int kPatienceOfSendMs = 2000;

bool send_all(int fd, std::string_view bytes, int patience_ms) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) return false;
    pollfd wait{fd, POLLOUT, 0};
    if (poll(&wait, 1, patience_ms) <= 0) return false;
  }
  return true;
}

/// Waits for the first that a debugger says, which is a question; gdb shows the answer. Of many at a time
/// most are sent away without one.
void refuse(int fd) {
  constexpr unsigned kMost = 8;
  static unsigned refused = 0;
  if (refused == kMost) {
    close(fd);
    return;
  }
  ++refused;
  const auto call = [](int ready, GIOCondition, void*) -> gboolean {
    std::array<std::uint8_t, 4096> bytes;
    if (read(ready, bytes.data(), bytes.size()) > 0) {
      send_all(ready, "+" + frame('$', "E.another debugger is connected to this machine"), 0);
      // What else it says is read until it goes: a close before that could take the answer away.
      shutdown(ready, SHUT_WR);
      return G_SOURCE_CONTINUE;
    }
    close(ready);
    --refused;
    return G_SOURCE_REMOVE;
  };
  g_unix_fd_add(fd, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP | G_IO_ERR), call, nullptr);
}

class SocketEndpoint final : public Endpoint {
 public:
  SocketEndpoint(int listener, std::string name, std::string path)
      : listener_(listener), name_(std::move(name)), path_(std::move(path)) {}
  ~SocketEndpoint() override {
    hang_up();
    if (accepting_ != 0) g_source_remove(accepting_);
    close(listener_);
    if (!path_.empty()) unlink(path_.c_str());
  }
  SocketEndpoint(const SocketEndpoint&) = delete;
  SocketEndpoint& operator=(const SocketEndpoint&) = delete;

  void start(Events events) override {
    events_ = std::move(events);
    const auto call = [](int, GIOCondition, void* self) -> gboolean {
      static_cast<SocketEndpoint*>(self)->accept();
      return G_SOURCE_CONTINUE;
    };
    // Behind what the present one says, so that one who has just left is not in the way.
    accepting_ = g_unix_fd_add_full(G_PRIORITY_DEFAULT + 10, listener_, G_IO_IN, call, this, nullptr);
  }

  void send(std::string_view bytes) override {
    if (fd_ < 0 || is_broken_) return;
    // Who does not take it is noticed at the next read.
    if (!send_all(fd_, bytes, kPatienceOfSendMs)) {
      is_broken_ = true;
      shutdown(fd_, SHUT_RDWR);
    }
  }

  [[nodiscard]] std::string describe() const override { return name_; }

 private:
  void accept() {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd_ >= 0) return refuse(fd);
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fd_ = fd;
    is_broken_ = false;
    const auto call = [](int, GIOCondition, void* self) -> gboolean {
      return static_cast<SocketEndpoint*>(self)->receive() ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
    };
    reading_ = g_unix_fd_add(fd, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP | G_IO_ERR), call, this);
    events_.connected();
  }

  /// False: it has gone.
  bool receive() {
    std::array<std::uint8_t, 4096> bytes;
    const ssize_t count = read(fd_, bytes.data(), bytes.size());
    if (count > 0) {
      events_.received({bytes.data(), static_cast<std::size_t>(count)});
      return true;
    }
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    reading_ = 0;
    hang_up();
    events_.disconnected();
    return false;
  }

  void hang_up() {
    if (reading_ != 0) g_source_remove(std::exchange(reading_, 0));
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

  const int listener_;
  const std::string name_;
  const std::string path_;  ///< of a Unix socket
  Events events_;
  unsigned accepting_ = 0;  ///< glib sources, 0: none
  unsigned reading_ = 0;
  int fd_ = -1;
  bool is_broken_ = false;
};

class ChardevEndpoint final : public Endpoint {
 public:
  explicit ChardevEndpoint(std::shared_ptr<Chardev> chardev) : chardev_(std::move(chardev)) {}
  ~ChardevEndpoint() override {
    chardev_->on_focus(nullptr);
    chardev_->attach(nullptr, nullptr);
  }
  ChardevEndpoint(const ChardevEndpoint&) = delete;
  ChardevEndpoint& operator=(const ChardevEndpoint&) = delete;

  void start(Events events) override {
    events_ = std::move(events);
    chardev_->attach([this](std::span<const std::uint8_t> bytes) { receive(bytes); },
                     [] { return std::size_t{4096}; });
    // A socket tells that somebody new has come; what there is no such event for talks when it is there.
    chardev_->on_focus([this] {
      if (std::exchange(is_connected_, false)) events_.disconnected();
    });
  }
  void send(std::string_view bytes) override {
    chardev_->write({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  }
  [[nodiscard]] std::string describe() const override { return chardev_->describe(); }

 private:
  void receive(std::span<const std::uint8_t> bytes) {
    if (!std::exchange(is_connected_, true)) events_.connected();
    events_.received(bytes);
  }

  const std::shared_ptr<Chardev> chardev_;
  Events events_;
  bool is_connected_ = false;
};

Result<std::unique_ptr<Endpoint>> listen_on_tcp(const Device& device) {
  auto addresses = look_up({device.host, device.port});
  if (!addresses) return addresses.error();
  auto listener = listen_on(*addresses, 0);
  if (!listener) return listener.error();
  SocketAddress address;
  address.length = sizeof address.storage;
  getsockname(*listener, reinterpret_cast<sockaddr*>(&address.storage), &address.length);
  return std::unique_ptr<Endpoint>(std::make_unique<SocketEndpoint>(*listener, "tcp:" + address.text(), ""));
}

}  // namespace

Result<Device> parse_device(const std::string& what, const std::string& text) {
  // Behind the first comma stand switches of back ends, which cannot be otherwise here.
  const std::string place = text.starts_with("chardev:") ? text : text.substr(0, text.find(','));
  Device device;
  if (place == "none") return device;
  if (place == "stdio" || place.starts_with("chardev:")) {
    device.kind = Device::Kind::kChardev;
    device.chardev = place;
    return device;
  }
  if (place.starts_with("unix:") && place.size() > 5) {
    device.kind = Device::Kind::kUnix;
    device.path = place.substr(5);
    return device;
  }
  const std::size_t colon = place.rfind(':');
  if (place.starts_with("tcp:") && colon > 3 && colon + 1 < place.size()) {
    device.kind = Device::Kind::kTcp;
    device.host = place.substr(4, colon - 4);
    // "[::1]".
    if (device.host.size() > 2 && device.host.front() == '[' && device.host.back() == ']')
      device.host = device.host.substr(1, device.host.size() - 2);
    device.port = place.substr(colon + 1);
    return device;
  }
  return error(
      "%s: '%s' is no place for a debugger: use tcp:[HOST]:PORT, unix:PATH, stdio, chardev:ID or none",
      what.c_str(), text.c_str());
}

Result<std::unique_ptr<Endpoint>> listen_for_debuggers(const Device& device) {
  if (device.kind == Device::Kind::kTcp) return listen_on_tcp(device);
  auto address = unix_address(device.path);
  if (!address) return address.error();
  auto listener = listen_on_path(*address);
  if (!listener) return listener.error();
  return std::unique_ptr<Endpoint>(
      std::make_unique<SocketEndpoint>(*listener, "unix:" + device.path, device.path));
}

std::unique_ptr<Endpoint> make_chardev_endpoint(std::shared_ptr<Chardev> chardev) {
  return std::make_unique<ChardevEndpoint>(std::move(chardev));
}

}  // namespace gstage::gdb
