// SPDX-License-Identifier: Apache-2.0
#include "io/net/user.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <deque>
#include <limits>

#include <arpa/inet.h>

#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "io/net/packet.h"
#include "io/net/slirp_library.h"

namespace gstage {

namespace {

/// The largest packet that libslirp lets a network have.
constexpr std::size_t kLargestPacket = 65521;
/// What the guest's side of the wire carries.
constexpr std::size_t kMtu = 1500;
constexpr std::size_t kEthernetBytes = 14;
constexpr std::size_t kTcpChecksum = 16;
/// Frames that wait for the guest's buffers; what comes on top of that is lost, as on any network.
constexpr std::size_t kMostWaiting = 4 << 20;  // bytes

std::string text_of(in_addr address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  inet_ntop(AF_INET, &address, text.data(), text.size());
  return text.data();
}

const char* text_or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

std::int64_t host_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

/// A timer that libslirp asked for.
struct SlirpTimer {
  static constexpr std::int64_t kNever = INT64_MAX;
  SlirpTimerId id;
  void* opaque;
  std::int64_t deadline_ms = kNever;
};

class UserNet final : public NetBackend, private NetLoop::Source, private NetQueue {
 public:
  explicit UserNet(const UserNetOptions& options, const SlirpLibrary& slirp)
      : NetQueue(loop_), options_(options), slirp_(slirp), loop_("net-" + options.id) {}
  ~UserNet() override;

  Status open();

  NetQueue& queue(unsigned /*index*/) override { return *this; }
  [[nodiscard]] unsigned offloads() const override {
    return kOffloadChecksum | kOffloadTso4 | kOffloadTso6 | kOffloadEcn | kOffloadUfo;
  }
  void use_offloads(unsigned offloads) override { guest_offloads_.store(offloads); }
  [[nodiscard]] std::string describe() const override;

 private:
  bool deliver(const NetFrame& frame) override;
  void ready() override;
  void prepare(PollSet& poll) override;
  void dispatch(const PollSet& poll) override;

  Status add_host_forward(const HostForward& forward);
  Status add_guest_forward(const GuestForward& forward);
  void raise_mss(std::span<std::uint8_t> frame);
  /// libslirp sends a frame to the guest.
  void take(std::span<const std::uint8_t> frame);
  void pass(std::span<const std::uint8_t> frame, const NetOffload& offload);
  bool pass_now(std::span<const std::uint8_t> frame, const NetOffload& offload);
  void run_timers();
  static const SlirpCb& callbacks();

  struct Waiting {
    std::vector<std::uint8_t> bytes;
    NetOffload offload;
  };

  const UserNetOptions options_;
  const SlirpLibrary& slirp_;
  Slirp* instance_ = nullptr;
  std::atomic<unsigned> guest_offloads_{0};
  std::vector<std::unique_ptr<SlirpTimer>> timers_;
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool is_polled_ = false;  ///< libslirp said what it waits for in this round
  std::vector<std::uint8_t> input_;
  std::vector<std::uint8_t> output_;
  NetLoop loop_;  ///< last: its thread ends first
};

UserNet::~UserNet() {
  loop_.stop();
  if (instance_ != nullptr) slirp_.destroy(instance_);
}

const SlirpCb& UserNet::callbacks() {
  static const SlirpCb kCallbacks = [] {
    SlirpCb c{};
    c.send_packet = [](const void* bytes, std::size_t size, void* self) -> ssize_t {
      static_cast<UserNet*>(self)->take({static_cast<const std::uint8_t*>(bytes), size});
      return static_cast<ssize_t>(size);
    };
    c.guest_error = [](const char* message, void*) {
      log_line(Log::kGuestErrors, "user network: %s", message);
    };
    c.clock_get_ns = [](void*) { return host_ns(); };
    c.timer_new_opaque = [](SlirpTimerId id, void* opaque, void* self) -> void* {
      auto& timers = static_cast<UserNet*>(self)->timers_;
      timers.push_back(std::make_unique<SlirpTimer>(SlirpTimer{id, opaque}));
      return timers.back().get();
    };
    c.timer_free = [](void* timer, void* self) {
      std::erase_if(static_cast<UserNet*>(self)->timers_,
                    [&](const auto& candidate) { return candidate.get() == timer; });
    };
    c.timer_mod = [](void* timer, std::int64_t deadline_ms, void*) {
      static_cast<SlirpTimer*>(timer)->deadline_ms = deadline_ms;
    };
    c.register_poll_fd = [](int, void*) {};
    c.unregister_poll_fd = [](int, void*) {};
    c.notify = [](void* self) { static_cast<UserNet*>(self)->loop_.wake(); };
    return c;
  }();
  return kCallbacks;
}

Status UserNet::open() {
  std::vector<const char*> search;
  for (const std::string& domain : options_.dns_search) search.push_back(domain.c_str());
  search.push_back(nullptr);
  SlirpConfig config{};
  config.version = 4;
  config.restricted = options_.is_restricted ? 1 : 0;
  config.in_enabled = options_.has_ipv4;
  config.vnetwork = options_.network;
  config.vnetmask = options_.mask;
  config.vhost = options_.host;
  config.vdhcp_start = options_.dhcp_start;
  config.vnameserver = options_.dns;
  config.in6_enabled = options_.has_ipv6;
  config.vprefix_addr6 = options_.network6;
  config.vprefix_len = options_.prefix6;
  config.vhost6 = options_.host6;
  config.vnameserver6 = options_.dns6;
  config.vhostname = text_or_null(options_.hostname);
  config.vdomainname = text_or_null(options_.domain_name);
  config.vdnssearch = options_.dns_search.empty() ? nullptr : search.data();
  config.tftp_path = text_or_null(options_.tftp);
  config.tftp_server_name = text_or_null(options_.tftp_server_name);
  config.bootfile = text_or_null(options_.bootfile);
  config.if_mtu = kLargestPacket;
  config.if_mru = kLargestPacket;
  instance_ = slirp_.make(&config, &callbacks(), this);
  if (instance_ == nullptr) return error("-netdev user: libslirp does not make this network");
  for (const HostForward& forward : options_.host_forwards)
    if (const Status status = add_host_forward(forward); !status.ok()) return status;
  for (const GuestForward& forward : options_.guest_forwards)
    if (const Status status = add_guest_forward(forward); !status.ok()) return status;
  loop_.add(*this);
  return Ok{};
}

Status UserNet::add_host_forward(const HostForward& forward) {
  const in_addr guest = forward.guest_address.s_addr == 0 ? options_.dhcp_start : forward.guest_address;
  errno = 0;
  if (slirp_.add_host_forward(instance_, forward.is_udp ? 1 : 0, forward.host_address, forward.host_port,
                              guest, forward.guest_port) == 0)
    return Ok{};
  return error("-netdev user: hostfwd=: cannot listen on %s:%s:%u (%s): choose another port or address",
               forward.is_udp ? "udp" : "tcp", text_of(forward.host_address).c_str(), forward.host_port,
               std::strerror(errno));
}

Status UserNet::add_guest_forward(const GuestForward& forward) {
  in_addr address = forward.address;
  const std::string& target = forward.target;
  int result = -1;
  if (target.starts_with("cmd:"))
    result = slirp_.add_program(instance_, target.c_str() + 4, &address, forward.port);
  else if (target.starts_with("unix:"))
    result = slirp_.add_unix(instance_, target.c_str() + 5, &address, forward.port);
  else
    return error("-netdev user: guestfwd= to '%s' is not supported yet: use cmd:PROGRAM", target.c_str());
  if (result == 0) return Ok{};
  return error("-netdev user: guestfwd=: %s:%u lies outside the network or is in use: choose another",
               text_of(address).c_str(), forward.port);
}

std::string UserNet::describe() const {
  return format("user,net=%s/%d,restrict=%s", text_of(options_.network).c_str(),
                __builtin_popcount(options_.mask.s_addr), options_.is_restricted ? "on" : "off");
}

/// Has libslirp send the guest large packets, where the guest can take them: they are cut into segments again
/// behind it, on paper alone.
void UserNet::raise_mss(std::span<std::uint8_t> frame) {
  const auto packet = parse_ip(frame);
  if (!packet || packet->protocol != IpPacket::kTcp) return;
  const unsigned needed = packet->is_v6 ? kOffloadTso6 : kOffloadTso4;
  if ((guest_offloads_.load(std::memory_order_relaxed) & needed) == 0) return;
  std::uint8_t* const mss = find_tcp_mss(frame, *packet);
  if (mss == nullptr) return;
  const std::size_t headers = (packet->is_v6 ? 40 : 20) + 20;
  replace_word(mss, static_cast<std::uint16_t>(kLargestPacket - headers),
               frame.data() + packet->transport_offset + kTcpChecksum);
}

bool UserNet::deliver(const NetFrame& frame) {
  if (frame.size < kEthernetBytes || frame.size > NetFrame::kMaxBytes) return true;
  input_.resize(frame.size);
  copy_frame(frame, 0, input_);
  const bool needs_checksum = (frame.offload.flags & NetOffload::kNeedsChecksum) != 0;
  if (needs_checksum && !complete_checksum(input_, frame.offload)) {
    log_line(Log::kGuestErrors, "user network: a frame's checksum lies beyond its end");
    return true;
  }
  raise_mss(input_);
  slirp_.input(instance_, input_.data(), static_cast<int>(input_.size()));
  return true;
}

void UserNet::take(std::span<const std::uint8_t> frame) {
  const unsigned offloads = guest_offloads_.load(std::memory_order_relaxed);
  NetOffload offload;
  if ((offloads & kOffloadChecksum) != 0) offload.flags = NetOffload::kDataValid;
  if (frame.size() <= kMtu + kEthernetBytes) return pass(frame, offload);
  const auto packet = parse_ip(frame);
  if (!packet) return;
  if (packet->protocol == IpPacket::kTcp && !packet->is_fragment) {
    const std::size_t headers = tcp_payload_offset(frame, *packet);
    if (headers == 0) return;
    const std::size_t segment = kMtu + kEthernetBytes - headers;
    if ((offloads & (packet->is_v6 ? kOffloadTso6 : kOffloadTso4)) == 0)
      return cut_tcp(frame, *packet, segment,
                     [&](std::span<const std::uint8_t> part) { pass(part, offload); });
    output_.assign(frame.begin(), frame.end());
    offload = prepare_segmentation(output_, *packet, static_cast<std::uint16_t>(segment));
    return pass(output_, offload);
  }
  if (packet->is_v6) return pass(frame, offload);
  fragment_ipv4(frame, *packet, kMtu, [&](std::span<const std::uint8_t> piece) { pass(piece, offload); });
}

bool UserNet::pass_now(std::span<const std::uint8_t> frame, const NetOffload& offload) {
  const iovec part{const_cast<std::uint8_t*>(frame.data()), frame.size()};
  return send_to_device({{&part, 1}, frame.size(), offload});
}

void UserNet::pass(std::span<const std::uint8_t> frame, const NetOffload& offload) {
  if (waiting_.empty() && pass_now(frame, offload)) return;
  if (waiting_bytes_ + frame.size() > kMostWaiting) return;
  waiting_bytes_ += frame.size();
  waiting_.push_back({{frame.begin(), frame.end()}, offload});
}

void UserNet::ready() {
  while (!waiting_.empty() && pass_now(waiting_.front().bytes, waiting_.front().offload)) {
    waiting_bytes_ -= waiting_.front().bytes.size();
    waiting_.pop_front();
  }
}

void UserNet::prepare(PollSet& poll) {
  // As long as the guest takes nothing, nothing more is fetched.
  is_polled_ = waiting_.empty();
  if (is_polled_) {
    std::uint32_t timeout = std::numeric_limits<std::uint32_t>::max();
    const auto add = [](int fd, int events, void* set) -> int {
      const auto wanted = static_cast<short>(((events & SLIRP_POLL_IN) != 0 ? POLLIN : 0) |
                                             ((events & SLIRP_POLL_OUT) != 0 ? POLLOUT : 0) |
                                             ((events & SLIRP_POLL_PRI) != 0 ? POLLPRI : 0));
      return static_cast<int>(static_cast<PollSet*>(set)->add(fd, wanted));
    };
    slirp_.fill(instance_, &timeout, add, &poll);
    if (timeout != std::numeric_limits<std::uint32_t>::max()) poll.limit_ms(timeout);
  }
  const std::int64_t now_ms = host_ns() / 1'000'000;
  for (const auto& timer : timers_)
    if (timer->deadline_ms != SlirpTimer::kNever) poll.limit_ms(timer->deadline_ms - now_ms);
}

void UserNet::run_timers() {
  const std::int64_t now_ms = host_ns() / 1'000'000;
  for (std::size_t i = 0; i < timers_.size(); ++i) {
    SlirpTimer& timer = *timers_[i];
    if (timer.deadline_ms > now_ms) continue;
    timer.deadline_ms = SlirpTimer::kNever;
    slirp_.handle_timer(instance_, timer.id, timer.opaque);
  }
}

void UserNet::dispatch(const PollSet& poll) {
  run_timers();
  if (is_polled_) {
    const auto events_of = [](int number, void* set) -> int {
      const short events = static_cast<const PollSet*>(set)->events_of(static_cast<std::size_t>(number));
      return ((events & POLLIN) != 0 ? SLIRP_POLL_IN : 0) | ((events & POLLOUT) != 0 ? SLIRP_POLL_OUT : 0) |
             ((events & POLLPRI) != 0 ? SLIRP_POLL_PRI : 0) | ((events & POLLERR) != 0 ? SLIRP_POLL_ERR : 0) |
             ((events & POLLHUP) != 0 ? SLIRP_POLL_HUP : 0);
    };
    slirp_.dispatch(instance_, 0, events_of, const_cast<PollSet*>(&poll));
  }
}

}  // namespace

Result<std::shared_ptr<NetBackend>> make_user_net(const UserNetOptions& options) {
  auto library = open_slirp();
  if (!library) return library.error();
  auto net = std::make_shared<UserNet>(options, **library);
  if (const Status status = net->open(); !status.ok()) return status.error();
  return std::shared_ptr<NetBackend>(std::move(net));
}

}  // namespace gstage
