// SPDX-License-Identifier: Apache-2.0
#include "io/fd_chardev.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <glib-unix.h>
#include <glib.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "io/event_loop.h"

namespace gstage {

namespace {

std::atomic<bool> is_abandoned{false};

/// How often a write that blocks looks whether the program is ending.
constexpr int kWritePollMs = 50;
/// How often a pty without a listener is looked at.
constexpr unsigned kPeerPollMs = 200;
/// What a blocking descriptor gets at once after it said that it has room.
constexpr std::size_t kBlockingChunk = 512;

}  // namespace

void abandon_output() { is_abandoned.store(true, std::memory_order_relaxed); }
bool is_output_abandoned() { return is_abandoned.load(std::memory_order_relaxed); }

FdChardev::FdChardev(int in_fd, int out_fd, bool reconnects)
    : in_fd_(in_fd), out_fd_(out_fd), reconnects_(reconnects) {
  struct stat status;
  if (out_fd_ < 0 || fstat(out_fd_, &status) != 0) return;
  if (S_ISSOCK(status.st_mode))
    out_kind_ = OutKind::kSocket;
  else if (S_ISREG(status.st_mode) || (fcntl(out_fd_, F_GETFL) & O_NONBLOCK) != 0)
    out_kind_ = OutKind::kNonBlocking;
}

FdChardev::~FdChardev() {
  unwatch_input();
  if (peer_timer_ != 0) g_source_remove(peer_timer_);
  if (in_fd_ > STDERR_FILENO && in_fd_ != out_fd_) close(in_fd_);
  if (out_fd_ > STDERR_FILENO) close(out_fd_);
}

bool FdChardev::is_peer_gone() const {
  pollfd p{out_fd_, 0, 0};
  return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

bool FdChardev::wait_for_room() {
  while (!is_output_abandoned()) {
    pollfd p{out_fd_, POLLOUT, 0};
    if (poll(&p, 1, kWritePollMs) > 0) return true;
  }
  return false;
}

long FdChardev::write_some(std::span<const std::uint8_t> bytes) const {
  if (out_kind_ == OutKind::kSocket)
    return send(out_fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  const std::size_t most = out_kind_ == OutKind::kBlocking ? kBlockingChunk : bytes.size();
  return ::write(out_fd_, bytes.data(), std::min(bytes.size(), most));
}

void FdChardev::write(std::span<const std::uint8_t> bytes) {
  const std::lock_guard lock(write_mutex_);
  if (is_output_broken_ || out_fd_ < 0) return;
  if (reconnects_ && is_peer_gone()) return;
  bool must_wait = out_kind_ == OutKind::kBlocking;
  while (!bytes.empty()) {
    if (must_wait && !wait_for_room()) return;
    if (must_wait && reconnects_ && is_peer_gone()) return;
    const long n = write_some(bytes);
    if (n > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      must_wait = out_kind_ == OutKind::kBlocking;
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      must_wait = true;
    } else if (n == 0 || errno != EINTR) {
      // The reader is gone for good (EPIPE) or the disk is full: the machine goes on without it.
      is_output_broken_ = !reconnects_;
      return;
    }
  }
}

void FdChardev::attach(Receive receive, CanReceive can_receive) {
  receive_ = std::move(receive);
  can_receive_ = std::move(can_receive);
  is_held_.store(false, std::memory_order_seq_cst);
  if (receive_)
    watch_input();
  else
    unwatch_input();
}

void FdChardev::resume_input() {
  if (!is_held_.exchange(false, std::memory_order_seq_cst)) return;
  EventLoop::post([weak = weak_from_this()] {
    if (const auto self = weak.lock(); self && self->receive_) self->watch_input();
  });
}

void FdChardev::watch_input() {
  if (watch_ != 0 || peer_timer_ != 0 || is_ended_ || in_fd_ < 0) return;
  const auto call = [](int, GIOCondition condition, void* self) -> gboolean {
    return static_cast<FdChardev*>(self)->on_input(condition) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
  };
  watch_ =
      g_unix_fd_add(in_fd_, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP | G_IO_ERR | G_IO_NVAL), call, this);
}

void FdChardev::unwatch_input() {
  if (watch_ != 0) g_source_remove(watch_);
  watch_ = 0;
}

void FdChardev::wait_for_peer() {
  const auto call = [](void* data) -> gboolean {
    auto* const self = static_cast<FdChardev*>(data);
    if (self->is_peer_gone()) return G_SOURCE_CONTINUE;
    self->peer_timer_ = 0;
    if (self->receive_) self->watch_input();
    return G_SOURCE_REMOVE;
  };
  peer_timer_ = g_timeout_add(kPeerPollMs, call, this);
}

/// Answers whether the descriptor stays watched.
bool FdChardev::on_input(unsigned condition) {
  std::size_t room = can_receive_ ? can_receive_() : 0;
  if (room == 0) {
    // Looked at again after the flag is up: the device may have made room just between.
    is_held_.store(true, std::memory_order_seq_cst);
    room = can_receive_ ? can_receive_() : 0;
    if (room == 0 || !is_held_.exchange(false, std::memory_order_seq_cst)) {
      watch_ = 0;
      return false;
    }
  }
  std::array<std::uint8_t, 4096> buffer;
  const ssize_t n = (condition & (G_IO_IN | G_IO_HUP)) != 0
                        ? ::read(in_fd_, buffer.data(), std::min(room, buffer.size()))
                        : 0;
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (n <= 0) {
    // End of input (</dev/null) ends nothing else; and watching on would spin.
    watch_ = 0;
    if (reconnects_)
      wait_for_peer();
    else
      is_ended_ = true;
    return false;
  }
  const auto keep = shared_from_this();
  const unsigned watch = watch_;
  receive_({buffer.data(), static_cast<std::size_t>(n)});
  return watch_ == watch;
}

namespace {

/// A descriptor of our own for what a standard one leads to, non-blocking where that is possible: the mode of
/// the one we were given is shared with the shell that started us.
int own_output(int standard_fd) {
  struct stat status;
  if (fstat(standard_fd, &status) != 0) return -1;
  if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
    const std::string name = "/proc/self/fd/" + std::to_string(standard_fd);
    const int fd = open(name.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0) return fd;
  }
  return fcntl(standard_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

}  // namespace

void say_without_waiting(const std::string& text) {
  const int fd = own_output(STDERR_FILENO);
  if (fd < 0) return;
  static_cast<void>(!::write(fd, text.data(), text.size()));
  close(fd);
}

std::shared_ptr<Chardev> make_stdio_chardev() {
  std::fflush(stdout);
  return std::make_shared<FdChardev>(STDIN_FILENO, own_output(STDOUT_FILENO), false);
}

Result<std::shared_ptr<Chardev>> make_pty_chardev(const std::string& label) {
  const int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  std::array<char, 64> name;
  if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0 || ptsname_r(fd, name.data(), name.size()) != 0) {
    const int reason = errno;
    if (fd >= 0) close(fd);
    return error("%s: cannot make a pseudo-terminal: %s", label.c_str(), std::strerror(reason));
  }
  // Raw, or the guest's output would be echoed to it as input. Opened and closed once, or the kernel would
  // not tell that nobody listens yet.
  termios mode;
  if (tcgetattr(fd, &mode) == 0) {
    cfmakeraw(&mode);
    tcsetattr(fd, TCSANOW, &mode);
  }
  const int peer = open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (peer >= 0) close(peer);
  std::printf("char device redirected to %s (label %s)\n", name.data(), label.c_str());
  std::fflush(stdout);
  return std::shared_ptr<Chardev>(std::make_shared<FdChardev>(fd, fd, true));
}

Result<std::shared_ptr<Chardev>> make_file_chardev(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
  if (fd < 0)
    return error("cannot write '%s': %s; name a file that can be written", path.c_str(),
                 std::strerror(errno));
  return std::shared_ptr<Chardev>(std::make_shared<FdChardev>(-1, fd, false));
}

}  // namespace gstage
