// SPDX-License-Identifier: Apache-2.0
// The kernel's Documentation/networking/tuntap.rst.
#include "io/net/tap.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "io/net/address.h"

extern char** environ;

namespace gstage {

namespace {

/// Frames that come in one round, before the device tells its driver.
constexpr unsigned kBurst = 128;

/// One queue pair of an interface.
class TapQueue final : public NetQueue, private NetLoop::Source {
 public:
  TapQueue(const std::string& name, int fd, bool has_header)
      : NetQueue(loop_), fd_(fd), has_header_(has_header), loop_(name) {
    loop_.add(*this);
  }
  ~TapQueue() override {
    loop_.stop();
    close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  bool deliver(const NetFrame& frame) override;
  void ready() override {
    is_held_ = false;
    loop_.wake();
  }
  void prepare(PollSet& poll) override {
    const auto events = static_cast<short>((is_held_ ? 0 : POLLIN) | (was_full_ ? POLLOUT : 0));
    poll_fd_ = poll.add(events == 0 ? -1 : fd_, events);
  }
  void dispatch(const PollSet& poll) override;
  bool pass();

  const int fd_;
  const bool has_header_;
  std::vector<std::uint8_t> input_ = std::vector<std::uint8_t>(NetFrame::kMaxBytes);
  NetOffload header_;
  std::size_t waiting_ = 0;  ///< bytes of a frame in input_ that the device did not take yet
  bool is_held_ = false;
  bool was_full_ = false;
  std::size_t poll_fd_ = 0;
  std::vector<iovec> parts_;
  NetLoop loop_;  ///< last: its thread ends first
};

bool TapQueue::deliver(const NetFrame& frame) {
  NetOffload header = frame.offload;
  parts_.clear();
  if (has_header_) parts_.push_back({&header, sizeof header});
  parts_.insert(parts_.end(), frame.parts.begin(), frame.parts.end());
  if (writev(fd_, parts_.data(), static_cast<int>(parts_.size())) >= 0) return true;
  // What the kernel finds wrong with a frame loses it.
  was_full_ = errno == EAGAIN;
  return !was_full_;
}

bool TapQueue::pass() {
  if (waiting_ == 0) return true;
  const iovec part{input_.data(), waiting_};
  is_held_ = !send_to_device({{&part, 1}, waiting_, header_});
  if (!is_held_) waiting_ = 0;
  return !is_held_;
}

void TapQueue::dispatch(const PollSet& poll) {
  const short events = poll.events_of(poll_fd_);
  if (was_full_ && (events & POLLOUT) != 0) {
    was_full_ = false;
    if (device() != nullptr) device()->ready();
  }
  if ((events & POLLIN) == 0 && waiting_ == 0) return;
  const std::size_t front = has_header_ ? sizeof header_ : 0;
  for (unsigned i = 0; i < kBurst && !is_held_ && pass(); ++i) {
    const std::array<iovec, 2> parts{iovec{&header_, front}, iovec{input_.data(), input_.size()}};
    const ssize_t size = readv(fd_, parts.data(), static_cast<int>(parts.size()));
    if (size <= static_cast<ssize_t>(front)) break;
    waiting_ = static_cast<std::size_t>(size) - front;
    if (!has_header_) header_ = NetOffload{};
  }
  if (waiting_ != 0 && !is_held_) pass();
}

class TapNet final : public NetBackend {
 public:
  explicit TapNet(const TapNetOptions& options) : options_(options) {}
  ~TapNet() override;
  Status open();

  [[nodiscard]] unsigned queues() const override { return static_cast<unsigned>(queues_.size()); }
  NetQueue& queue(unsigned index) override { return *queues_[index]; }
  [[nodiscard]] unsigned offloads() const override {
    return has_header_ ? kOffloadChecksum | kOffloadTso4 | kOffloadTso6 | kOffloadEcn : 0u;
  }
  void use_offloads(unsigned offloads) override;
  [[nodiscard]] std::string describe() const override { return format("tap,ifname=%s", interface_.c_str()); }

 private:
  Result<int> open_queue();
  /// Sizes and offloads of a queue that is attached.
  Status prepare(int fd);
  [[nodiscard]] std::string what() const { return "-netdev " + options_.id; }
  Status run(const std::string& script) const;

  const TapNetOptions options_;
  std::string interface_;
  bool has_header_ = false;
  std::vector<std::unique_ptr<TapQueue>> queues_;
};

TapNet::~TapNet() {
  queues_.clear();
  if (!options_.down_script.empty() && !interface_.empty())
    if (const Status status = run(options_.down_script); !status.ok())
      warn("%s", status.error().message.c_str());
}

Result<int> TapNet::open_queue() {
  const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return error("%s: cannot open /dev/net/tun (%s): a tap interface needs the kernel's tun driver",
                 what().c_str(), std::strerror(errno));
  unsigned features = 0;
  ioctl(fd, TUNGETFEATURES, &features);
  has_header_ = options_.has_offloads && (features & IFF_VNET_HDR) != 0;
  ifreq request{};
  request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | (has_header_ ? IFF_VNET_HDR : 0) |
                                         (options_.queues > 1 ? IFF_MULTI_QUEUE : 0));
  const std::string& name = interface_.empty() ? options_.interface : interface_;
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  if (ioctl(fd, TUNSETIFF, &request) != 0) {
    const int reason = errno;
    close(fd);
    return error(
        "%s: cannot attach to interface '%s' (%s): it must be a tap interface that this user owns "
        "(ip tuntap add mode tap user $USER), and in use by nobody else",
        what().c_str(), name.c_str(), std::strerror(reason));
  }
  interface_ = request.ifr_name;
  return fd;
}

Status TapNet::prepare(int fd) {
  int size = sizeof(NetOffload);
  if (has_header_ && ioctl(fd, TUNSETVNETHDRSZ, &size) != 0)
    return error("%s: the interface takes no headers of %d bytes (%s): say vnet_hdr=off", what().c_str(),
                 size, std::strerror(errno));
  if (has_header_) ioctl(fd, TUNSETOFFLOAD, 0);
  return Ok{};
}

Status TapNet::open() {
  if (options_.interface.size() >= IFNAMSIZ)
    return error("%s: ifname=%s is longer than %d characters", what().c_str(), options_.interface.c_str(),
                 IFNAMSIZ - 1);
  const bool is_inherited = !options_.descriptors.empty();
  const std::size_t count = is_inherited ? options_.descriptors.size() : options_.queues;
  for (std::size_t i = 0; i < count; ++i) {
    auto fd = is_inherited ? inherited_descriptor(what(), options_.descriptors[i]) : open_queue();
    if (!fd) return fd.error();
    ifreq request{};
    if (ioctl(*fd, TUNGETIFF, &request) != 0 || (request.ifr_flags & IFF_TAP) == 0)
      return error("%s: descriptor %d is no tap interface", what().c_str(), *fd);
    if (is_inherited) {
      has_header_ = (request.ifr_flags & IFF_VNET_HDR) != 0;
      if (has_header_ && !options_.has_offloads)
        return error("%s: the descriptor has headers: leave vnet_hdr=off out", what().c_str());
    }
    interface_ = request.ifr_name;
    if (Status status = prepare(*fd); !status.ok()) return status;
    queues_.push_back(std::make_unique<TapQueue>(format("net-%s", options_.id.c_str()), *fd, has_header_));
  }
  return options_.script.empty() ? Status(Ok{}) : run(options_.script);
}

Status TapNet::run(const std::string& script) const {
  std::string file = script;
  std::string name = interface_;
  char* const arguments[] = {file.data(), name.data(), nullptr};
  pid_t child = 0;
  int status = 0;
  const int failure = posix_spawn(&child, file.c_str(), nullptr, nullptr, arguments, environ);
  if (failure != 0)
    return error("%s: cannot start %s (%s): script=no does without", what().c_str(), file.c_str(),
                 std::strerror(failure));
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Ok{};
  return error("%s: %s %s failed", what().c_str(), file.c_str(), name.c_str());
}

void TapNet::use_offloads(unsigned offloads) {
  if (!has_header_) return;
  unsigned long flags = 0;
  if ((offloads & kOffloadChecksum) != 0) flags |= TUN_F_CSUM;
  if ((offloads & kOffloadTso4) != 0) flags |= TUN_F_TSO4;
  if ((offloads & kOffloadTso6) != 0) flags |= TUN_F_TSO6;
  const bool has_segments = (offloads & (kOffloadTso4 | kOffloadTso6)) != 0;
  if ((offloads & kOffloadEcn) != 0 && has_segments) flags |= TUN_F_TSO_ECN;
  for (const auto& queue : queues_)
    if (ioctl(queue->fd(), TUNSETOFFLOAD, flags) != 0)
      log_line(Log::kUnimplemented, "%s: TUNSETOFFLOAD %lx: %s", what().c_str(), flags, std::strerror(errno));
}

}  // namespace

Result<std::shared_ptr<NetBackend>> make_tap_net(const TapNetOptions& options) {
  auto net = std::make_shared<TapNet>(options);
  if (const Status status = net->open(); !status.ok()) return status.error();
  return std::shared_ptr<NetBackend>(std::move(net));
}

}  // namespace gstage
