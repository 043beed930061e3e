// SPDX-License-Identifier: Apache-2.0
#include "io/net/dgram.h"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <sys/stat.h>
#include <unistd.h>

namespace gstage {

namespace {

constexpr unsigned kBurst = 256;

class DgramNet final : public NetBackend, private NetLoop::Source, private NetQueue {
 public:
  explicit DgramNet(const DgramNetOptions& options)
      : NetQueue(loop_), options_(options), loop_("net-" + options.id) {}
  ~DgramNet() override;

  Status open();
  NetQueue& queue(unsigned /*index*/) override { return *this; }
  [[nodiscard]] std::string describe() const override { return "dgram"; }

 private:
  bool deliver(const NetFrame& frame) override;
  void ready() override {
    is_held_ = false;
    loop_.wake();
  }
  void prepare(PollSet& poll) override;
  void dispatch(const PollSet& poll) override;

  [[nodiscard]] bool is_group() const {
    return options_.remote.family() == AF_INET && IN_MULTICAST(ntohl(options_.remote.ipv4.sin_addr.s_addr));
  }
  bool open_group();
  bool open_pair();
  /// Whether the datagram that came is one that this side sent to the group.
  [[nodiscard]] bool is_own(const NetAddress& from) const;
  bool pass();

  const DgramNetOptions options_;
  int fd_ = -1;
  int sender_ = -1;  ///< another one for a group, so that what comes back is known by its port
  NetAddress own_;   ///< the sender's address
  std::vector<std::uint8_t> input_ = std::vector<std::uint8_t>(NetFrame::kMaxBytes + 1);
  std::vector<std::uint8_t> output_;
  std::size_t waiting_ = 0;  ///< bytes of a frame in input_ that the device did not take yet
  bool is_held_ = false;
  bool was_full_ = false;
  std::size_t poll_fd_ = 0;
  std::size_t poll_sender_ = 0;
  NetLoop loop_;  ///< last: its thread ends first
};

DgramNet::~DgramNet() {
  loop_.stop();
  if (sender_ >= 0 && sender_ != fd_) close(sender_);
  if (fd_ >= 0) close(fd_);
}

bool DgramNet::open_group() {
  const int one = 1;
  fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sender_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  ip_mreq request{};
  request.imr_multiaddr = options_.remote.ipv4.sin_addr;
  request.imr_interface.s_addr = htonl(INADDR_ANY);
  if (options_.local.family() == AF_INET) request.imr_interface = options_.local.ipv4.sin_addr;
  setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(sender_, IPPROTO_IP, IP_MULTICAST_LOOP, &one, sizeof one);
  if (options_.local.family() == AF_INET)
    setsockopt(sender_, IPPROTO_IP, IP_MULTICAST_IF, &request.imr_interface, sizeof request.imr_interface);
  own_.size = sizeof own_.local;
  // Bound to the group's own address it takes nothing that is sent to the host itself.
  return bind(fd_, &options_.remote.any, options_.remote.size) == 0 &&
         setsockopt(fd_, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0 &&
         connect(sender_, &options_.remote.any, options_.remote.size) == 0 &&
         getsockname(sender_, &own_.any, &own_.size) == 0;
}

bool DgramNet::open_pair() {
  const int one = 1;
  fd_ = sender_ = socket(options_.remote.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (options_.local.family() == AF_UNIX) {
    struct stat status {};
    if (stat(options_.local.local.sun_path, &status) == 0 && S_ISSOCK(status.st_mode))
      unlink(options_.local.local.sun_path);
    const mode_t mask = umask(0177);
    const bool is_bound = bind(fd_, &options_.local.any, options_.local.size) == 0;
    umask(mask);
    // The other side need not be there yet; frames go to its address one by one.
    return is_bound;
  }
  setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  // Connected, it takes what comes from the peer and from nobody else.
  return bind(fd_, &options_.local.any, options_.local.size) == 0 &&
         connect(fd_, &options_.remote.any, options_.remote.size) == 0;
}

Status DgramNet::open() {
  if (options_.local.fd >= 0) {
    fd_ = sender_ = options_.local.fd;
  } else if (!(is_group() ? open_group() : open_pair())) {
    return error("-netdev %s: cannot use these addresses (%s): choose others", options_.id.c_str(),
                 std::strerror(errno));
  }
  loop_.add(*this);
  return Ok{};
}

bool DgramNet::deliver(const NetFrame& frame) {
  output_.resize(frame.size);
  copy_frame(frame, 0, output_);
  const bool has_address = options_.remote.family() == AF_UNIX && options_.local.fd < 0;
  const ssize_t sent =
      sendto(sender_, output_.data(), output_.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
             has_address ? &options_.remote.any : nullptr, has_address ? options_.remote.size : 0);
  if (sent >= 0) return true;
  // Whatever else goes wrong loses the frame, as a wire does.
  was_full_ = errno == EAGAIN;
  return !was_full_;
}

bool DgramNet::is_own(const NetAddress& from) const {
  return is_group() && from.family() == AF_INET && from.ipv4.sin_port == own_.ipv4.sin_port &&
         from.ipv4.sin_addr.s_addr == own_.ipv4.sin_addr.s_addr;
}

bool DgramNet::pass() {
  if (waiting_ == 0) return true;
  const iovec part{input_.data(), waiting_};
  is_held_ = !send_to_device({{&part, 1}, waiting_, {}});
  if (!is_held_) waiting_ = 0;
  return !is_held_;
}

void DgramNet::prepare(PollSet& poll) {
  poll_fd_ = is_held_ ? ~std::size_t{0} : poll.add(fd_, POLLIN);
  if (was_full_) poll_sender_ = poll.add(sender_, POLLOUT);
}

void DgramNet::dispatch(const PollSet& poll) {
  const bool has_room = was_full_ && poll.events_of(poll_sender_) != 0;
  for (unsigned i = 0; i < kBurst && !is_held_ && pass(); ++i) {
    NetAddress from;
    from.size = sizeof from.local;
    const ssize_t size = recvfrom(fd_, input_.data(), input_.size(), MSG_DONTWAIT, &from.any, &from.size);
    if (size < 0) break;
    const bool is_frame = static_cast<std::size_t>(size) <= NetFrame::kMaxBytes && !is_own(from);
    waiting_ = is_frame ? static_cast<std::size_t>(size) : 0;
  }
  if (!has_room) return;
  was_full_ = false;
  if (device() != nullptr) device()->ready();
}

}  // namespace

Result<std::shared_ptr<NetBackend>> make_dgram_net(const DgramNetOptions& options) {
  auto net = std::make_shared<DgramNet>(options);
  if (const Status status = net->open(); !status.ok()) return status.error();
  return std::shared_ptr<NetBackend>(std::move(net));
}

}  // namespace gstage
