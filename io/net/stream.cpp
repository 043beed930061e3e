// SPDX-License-Identifier: Apache-2.0
#include "io/net/stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <unistd.h>

namespace gstage {

namespace {

/// Frames that come in one round, before the device tells its driver.
constexpr unsigned kBurst = 256;

std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1000} + now.tv_nsec / 1'000'000;
}

class StreamNet final : public NetBackend, private NetLoop::Source, private NetQueue {
 public:
  explicit StreamNet(const StreamNetOptions& options)
      : NetQueue(loop_), options_(options), loop_("net-" + options.id) {}
  ~StreamNet() override;

  Status open();
  NetQueue& queue(unsigned /*index*/) override { return *this; }
  [[nodiscard]] std::string describe() const override {
    return options_.is_server ? "stream,server=on" : "stream";
  }

 private:
  enum class State : std::uint8_t { kAway, kConnecting, kConnected };

  bool deliver(const NetFrame& frame) override;
  void ready() override {
    is_held_ = false;
    loop_.wake();
  }
  void prepare(PollSet& poll) override;
  void dispatch(const PollSet& poll) override;

  /// Begins to connect. False: it failed at once.
  bool begin();
  bool wait_for_server();
  void connected(int fd);
  void disconnect();
  void receive();
  bool pass_frames();
  void flush();

  const StreamNetOptions options_;
  int listener_ = -1;
  int fd_ = -1;
  State state_ = State::kAway;
  std::int64_t retry_at_ms_ = 0;
  FrameStream input_;
  std::vector<std::uint8_t> output_;  ///< the rest of a frame that was sent in part
  bool is_held_ = false;              ///< the device had no room
  bool was_full_ = false;             ///< the device was refused a frame
  std::size_t poll_listener_ = 0;
  std::size_t poll_fd_ = 0;
  NetLoop loop_;  ///< last: its thread ends first
};

}  // namespace

std::size_t FrameStream::length() const {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes_.data() + begin_, sizeof value);
  return ntohl(value);
}

std::span<std::uint8_t> FrameStream::room() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (begin_ != 0 && end_ == bytes_.size()) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return std::span(bytes_).subspan(end_);
}

bool FrameStream::came(std::size_t size) {
  end_ += size;
  return end_ - begin_ < kLengthBytes || (length() != 0 && length() <= NetFrame::kMaxBytes);
}

std::span<const std::uint8_t> FrameStream::frame() const {
  if (end_ - begin_ < kLengthBytes || end_ - begin_ - kLengthBytes < length()) return {};
  return std::span(bytes_).subspan(begin_ + kLengthBytes, length());
}

void FrameStream::drop() { begin_ += kLengthBytes + length(); }

namespace {

StreamNet::~StreamNet() {
  loop_.stop();
  for (const int fd : {fd_, listener_})
    if (fd >= 0) close(fd);
}

Status StreamNet::open() {
  const std::string what = "-netdev " + options_.id;
  if (options_.address.fd >= 0) {
    connected(options_.address.fd);
  } else if (options_.is_server) {
    auto listener = listen_at(what, options_.address);
    if (!listener) return listener.error();
    listener_ = *listener;
  } else if (!(begin() && wait_for_server()) && options_.reconnect_ms == 0) {
    return error("%s: cannot connect (%s): start the other side first, or say reconnect-ms=1000",
                 what.c_str(), std::strerror(errno));
  }
  loop_.add(*this);
  return Ok{};
}

bool StreamNet::begin() {
  const int fd = socket(options_.address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const int result = connect(fd, &options_.address.any, options_.address.size);
  if (result == 0) {
    connected(fd);
    return true;
  }
  if (errno == EINPROGRESS) {
    fd_ = fd;
    state_ = State::kConnecting;
    return true;
  }
  const int reason = errno;
  close(fd);
  retry_at_ms_ = now_ms() + options_.reconnect_ms;
  errno = reason;
  return false;
}

/// A client that has one try must know how it ended.
bool StreamNet::wait_for_server() {
  constexpr int kWaitMs = 10'000;
  if (state_ != State::kConnecting || options_.reconnect_ms != 0) return true;
  pollfd entry{fd_, POLLOUT, 0};
  int failure = ETIMEDOUT;
  socklen_t size = sizeof failure;
  if (poll(&entry, 1, kWaitMs) > 0) getsockopt(fd_, SOL_SOCKET, SO_ERROR, &failure, &size);
  errno = failure;
  if (failure == 0) connected(fd_);
  return failure == 0;
}

void StreamNet::connected(int fd) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fd_ = fd;
  state_ = State::kConnected;
  input_.clear();
  output_.clear();
}

void StreamNet::disconnect() {
  close(fd_);
  fd_ = -1;
  state_ = State::kAway;
  is_held_ = false;
  retry_at_ms_ = now_ms() + options_.reconnect_ms;
}

bool StreamNet::deliver(const NetFrame& frame) {
  if (state_ != State::kConnected) return true;
  if (!output_.empty()) {
    was_full_ = true;
    return false;
  }
  // Copied: the driver may change its buffers once they are given back.
  const std::uint32_t length = htonl(static_cast<std::uint32_t>(frame.size));
  output_.resize(sizeof length + frame.size);
  std::memcpy(output_.data(), &length, sizeof length);
  copy_frame(frame, 0, std::span(output_).subspan(sizeof length));
  flush();
  return true;
}

void StreamNet::flush() {
  const ssize_t sent = ::send(fd_, output_.data(), output_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return disconnect();
  if (sent == static_cast<ssize_t>(output_.size()))
    output_.clear();
  else if (sent > 0)
    output_.erase(output_.begin(), output_.begin() + sent);
}

bool StreamNet::pass_frames() {
  for (auto frame = input_.frame(); !frame.empty(); frame = input_.frame()) {
    const iovec part{const_cast<std::uint8_t*>(frame.data()), frame.size()};
    is_held_ = !send_to_device({{&part, 1}, frame.size(), {}});
    if (is_held_) return false;
    input_.drop();
    // The next length is looked at as if it had come now.
    if (!input_.came(0)) return disconnect(), false;
  }
  return true;
}

void StreamNet::receive() {
  for (unsigned rounds = 0; rounds < kBurst && pass_frames(); ++rounds) {
    const auto room = input_.room();
    const ssize_t size = recv(fd_, room.data(), room.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0 || !input_.came(static_cast<std::size_t>(size))) return disconnect();
  }
}

void StreamNet::prepare(PollSet& poll) {
  if (state_ == State::kAway) {
    if (listener_ >= 0) poll_listener_ = poll.add(listener_, POLLIN);
    if (!options_.is_server && options_.reconnect_ms != 0) poll.limit_ms(retry_at_ms_ - now_ms());
    return;
  }
  const bool must_write = state_ == State::kConnecting || !output_.empty();
  poll_fd_ = poll.add(fd_, static_cast<short>((must_write ? POLLOUT : 0) | (is_held_ ? 0 : POLLIN)));
}

void StreamNet::dispatch(const PollSet& poll) {
  if (state_ == State::kAway) {
    if (listener_ >= 0 && poll.events_of(poll_listener_) != 0) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) connected(fd);
    }
    if (!options_.is_server && options_.reconnect_ms != 0 && now_ms() >= retry_at_ms_) begin();
  } else if (state_ == State::kConnecting) {
    if (poll.events_of(poll_fd_) == 0) return;
    int failure = 0;
    socklen_t size = sizeof failure;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure != 0) return disconnect();
    connected(fd_);
  }
  if (state_ != State::kConnected) return;
  if (!output_.empty()) flush();
  if (state_ == State::kConnected && !is_held_) receive();
  if (was_full_ && output_.empty()) {
    was_full_ = false;
    if (device() != nullptr) device()->ready();
  }
}

}  // namespace

Result<std::shared_ptr<NetBackend>> make_stream_net(const StreamNetOptions& options) {
  auto net = std::make_shared<StreamNet>(options);
  if (const Status status = net->open(); !status.ok()) return status.error();
  return std::shared_ptr<NetBackend>(std::move(net));
}

}  // namespace gstage
