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

FdChardev::FdChardev(int in_fd, int out_fd, Peer peer, std::string name)
    : in_fd_(in_fd), out_fd_(out_fd), peer_(peer), name_(std::move(name)) {
  set_input(in_fd_);
  struct stat status;
  if (out_fd_ < 0 || fstat(out_fd_, &status) != 0) return;
  if (S_ISSOCK(status.st_mode))
    out_kind_ = OutKind::kSocket;
  else if (S_ISREG(status.st_mode) || (fcntl(out_fd_, F_GETFL) & O_NONBLOCK) != 0)
    out_kind_ = OutKind::kNonBlocking;
}

FdChardev::~FdChardev() {
  set_input(-1);
  if (peer_timer_ != 0) g_source_remove(peer_timer_);
  if (in_fd_ > STDERR_FILENO && in_fd_ != out_fd_) close(in_fd_);
  if (out_fd_ > STDERR_FILENO) close(out_fd_);
  if (!link_.empty()) unlink(link_.c_str());
}

bool FdChardev::is_peer_gone() const {
  pollfd p{out_fd_, 0, 0};
  return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

bool FdChardev::wait_for_room() {
  for (int waited = 0; !is_output_abandoned(); waited += kWritePollMs) {
    const bool has_patience = peer_ == Peer::kStays || (!is_stuck_ && waited < kPatienceMs);
    pollfd p{out_fd_, POLLOUT, 0};
    const bool has_room = poll(&p, 1, has_patience ? kWritePollMs : 0) > 0;
    is_stuck_ = !has_room && !has_patience;
    if (has_room || is_stuck_) return has_room;
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
  if (peer_ == Peer::kComes && is_peer_gone()) return;
  bool must_wait = out_kind_ == OutKind::kBlocking;
  while (!bytes.empty()) {
    if (must_wait && !wait_for_room()) return;
    if (must_wait && peer_ == Peer::kComes && is_peer_gone()) return;
    const long n = write_some(bytes);
    if (n > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      must_wait = out_kind_ == OutKind::kBlocking;
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      must_wait = true;
    } else if (n == 0 || errno != EINTR) {
      // The reader is gone for good (EPIPE) or the disk is full: the machine goes on without it.
      is_output_broken_ = peer_ != Peer::kComes;
      return;
    }
  }
}

void FdChardev::wait_for_peer() {
  const auto call = [](void* data) -> gboolean {
    auto* const self = static_cast<FdChardev*>(data);
    if (self->is_peer_gone()) return G_SOURCE_CONTINUE;
    self->peer_timer_ = 0;
    self->set_input(self->in_fd_);
    return G_SOURCE_REMOVE;
  };
  peer_timer_ = g_timeout_add(kPeerPollMs, call, this);
}

bool FdChardev::read_input(std::size_t room, unsigned condition) {
  std::array<std::uint8_t, 4096> buffer;
  const ssize_t n = (condition & (G_IO_IN | G_IO_HUP)) != 0
                        ? ::read(in_fd_, buffer.data(), std::min(room, buffer.size()))
                        : 0;
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (n <= 0) {
    // End of input (</dev/null) ends nothing else; and watching on would spin.
    set_input(-1);
    if (peer_ == Peer::kComes) wait_for_peer();
    return false;
  }
  deliver({buffer.data(), static_cast<std::size_t>(n)});
  return true;
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
  return std::make_shared<FdChardev>(STDIN_FILENO, own_output(STDOUT_FILENO), FdChardev::Peer::kStays,
                                     "stdio");
}

namespace {

/// Makes `link` lead to the pseudo-terminal. One that an earlier machine left goes.
Status make_link(const char* name, const std::string& link) {
  std::array<char, 16> old{};
  const bool is_stale = readlink(link.c_str(), old.data(), old.size() - 1) > 0 &&
                        std::string_view(old.data()).starts_with("/dev/pts/");
  if (is_stale) unlink(link.c_str());
  if (symlink(name, link.c_str()) == 0) return Ok{};
  return error("cannot make the link '%s' (%s): name a path that is free", link.c_str(),
               std::strerror(errno));
}

constexpr int kDeviceFlags = O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

Error cannot_open(const std::string& path) {
  return error("cannot open '%s' (%s)", path.c_str(), std::strerror(errno));
}

}  // namespace

Result<std::shared_ptr<Chardev>> make_pty_chardev(const std::string& label, const std::string& link) {
  const int fd = posix_openpt(O_RDWR | kDeviceFlags);
  std::array<char, 64> name;
  if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0 || ptsname_r(fd, name.data(), name.size()) != 0) {
    const int reason = errno;
    if (fd >= 0) close(fd);
    return error("cannot make a pseudo-terminal: %s", std::strerror(reason));
  }
  const auto pty =
      std::make_shared<FdChardev>(fd, fd, FdChardev::Peer::kComes, std::string("pty:") + name.data());
  // Raw, or the guest's output would be echoed to it as input. Opened and closed once, or the kernel would
  // not tell that nobody listens yet.
  termios mode;
  if (tcgetattr(fd, &mode) == 0) {
    cfmakeraw(&mode);
    tcsetattr(fd, TCSANOW, &mode);
  }
  const int peer = open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (peer >= 0) close(peer);
  if (!link.empty()) {
    if (const Status status = make_link(name.data(), link); !status.ok()) return status.error();
    pty->remove_at_end(link);
  }
  std::printf("char device redirected to %s (label %s)\n", name.data(), label.c_str());
  std::fflush(stdout);
  return std::shared_ptr<Chardev>(pty);
}

Result<std::shared_ptr<Chardev>> make_file_chardev(const std::string& path, bool appends,
                                                   const std::string& input) {
  const int mode = appends ? O_APPEND : O_TRUNC;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | mode | kDeviceFlags, 0666);
  if (fd < 0)
    return error("cannot write '%s': %s; name a file that can be written", path.c_str(),
                 std::strerror(errno));
  const int in_fd = input.empty() ? -1 : open(input.c_str(), O_RDONLY | kDeviceFlags);
  if (!input.empty() && in_fd < 0) {
    const Error failure = cannot_open(input);
    close(fd);
    return failure;
  }
  return std::shared_ptr<Chardev>(
      std::make_shared<FdChardev>(in_fd, fd, FdChardev::Peer::kStays, "file:" + path));
}

Result<std::shared_ptr<Chardev>> make_pipe_chardev(const std::string& path) {
  // For both directions each, so that a fifo neither waits for somebody at its other end nor ends with them.
  int in_fd = open((path + ".in").c_str(), O_RDWR | kDeviceFlags);
  int out_fd = open((path + ".out").c_str(), O_RDWR | kDeviceFlags);
  if (in_fd < 0 || out_fd < 0) {
    if (in_fd >= 0) close(in_fd);
    if (out_fd >= 0) close(out_fd);
    in_fd = out_fd = open(path.c_str(), O_RDWR | kDeviceFlags);
  }
  if (in_fd < 0)
    return error("cannot open the pipe '%s' (%s): mkfifo %s.in %s.out makes it", path.c_str(),
                 std::strerror(errno), path.c_str(), path.c_str());
  return std::shared_ptr<Chardev>(
      std::make_shared<FdChardev>(in_fd, out_fd, FdChardev::Peer::kRests, "pipe:" + path));
}

Result<std::shared_ptr<Chardev>> make_serial_chardev(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | kDeviceFlags);
  struct stat status;
  if (fd < 0) return cannot_open(path);
  if (fstat(fd, &status) != 0 || !S_ISCHR(status.st_mode)) {
    close(fd);
    return error("'%s' is no serial line: name a character device, or use file:%s", path.c_str(),
                 path.c_str());
  }
  termios mode;
  if (tcgetattr(fd, &mode) == 0) {
    cfmakeraw(&mode);
    cfsetspeed(&mode, B115200);
    mode.c_cflag |= CLOCAL | CREAD;
    tcsetattr(fd, TCSANOW, &mode);
  }
  return std::shared_ptr<Chardev>(
      std::make_shared<FdChardev>(fd, fd, FdChardev::Peer::kRests, "serial:" + path));
}

}  // namespace gstage
