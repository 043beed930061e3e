// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/net.h"

#include <algorithm>
#include <utility>

#include "softmmu/base/log.h"
#include "hw/core/visitor.h"
#include "hw/virtio/virtio_core.h"

namespace gstage::hw {
namespace {

constexpr std::uint16_t kControlQueueSize = 64;
enum NetStatus : std::uint16_t { kLinkUp = 1, kAnnounce = 2 };

/// Virtio 1.3, 5.1.4.
struct [[gnu::packed]] Config {
  MacAddress mac;
  std::uint16_t status;
  std::uint16_t max_pairs;
  std::uint16_t mtu;
  std::uint32_t speed;
  std::uint8_t duplex;
};
static_assert(sizeof(Config) == 17);

struct OffloadRow {
  unsigned offload;
  std::uint64_t host;   ///< the driver sends such frames
  std::uint64_t guest;  ///< the driver takes such frames
};
constexpr OffloadRow kOffloads[] = {
    {kOffloadChecksum, kNetCsum, kNetGuestCsum}, {kOffloadTso4, kNetHostTso4, kNetGuestTso4},
    {kOffloadTso6, kNetHostTso6, kNetGuestTso6}, {kOffloadEcn, kNetHostEcn, kNetGuestEcn},
    {kOffloadUfo, kNetHostUfo, kNetGuestUfo},
};

/// What a feature needs besides itself (Virtio 1.3, 5.1.3.1); any one of `needed`.
struct Requirement {
  std::uint64_t feature;
  std::uint64_t needed;
};
constexpr Requirement kRequirements[] = {
    {kNetGuestTso4, kNetGuestCsum},
    {kNetGuestTso6, kNetGuestCsum},
    {kNetGuestUfo, kNetGuestCsum},
    {kNetGuestEcn, kNetGuestTso4 | kNetGuestTso6},
    {kNetHostTso4, kNetCsum},
    {kNetHostTso6, kNetCsum},
    {kNetHostUfo, kNetCsum},
    {kNetHostEcn, kNetHostTso4 | kNetHostTso6},
    {kNetCtrlRx, kNetCtrlVq},
    {kNetCtrlRxExtra, kNetCtrlVq},
    {kNetCtrlVlan, kNetCtrlVq},
    {kNetGuestAnnounce, kNetCtrlVq},
    {kNetMq, kNetCtrlVq},
    {kNetCtrlMacAddr, kNetCtrlVq},
    {kNetCtrlGuestOffloads, kNetCtrlVq},
};

}  // namespace

VirtioNet::VirtioNet(std::shared_ptr<NetBackend> backend, const VirtioNetOptions& options)
    : backend_(std::move(backend)),
      options_(options),
      pair_count_(options.has_multiqueue && backend_ != nullptr ? backend_->queues() : 1) {
  state_.filter.mac = options_.mac;
}

VirtioNet::~VirtioNet() {
  if (backend_ != nullptr) backend_->on_link({});
}

void VirtioNet::attach(VirtioCore& core) {
  VirtioDevice::attach(core);
  negotiated_with_ = &core;
  if (backend_ == nullptr) return;
  for (unsigned i = 0; i < pair_count_; ++i)
    pairs_.push_back(std::make_unique<VirtioNetPair>(VirtioNetPair::Shared{core, *backend_, mutex_, state_},
                                                     i, backend_->queue(i)));
  backend_->on_link([this] { link_changed(); });
}

std::uint64_t VirtioNet::features() const {
  std::uint64_t features = kNetMac | kNetMrgRxbuf | kNetStatus | kNetCtrlVq | kNetCtrlRx | kNetCtrlVlan |
                           kNetCtrlRxExtra | kNetCtrlMacAddr | kNetGuestAnnounce | kNetCtrlGuestOffloads;
  const unsigned offloads = backend_ == nullptr ? 0 : backend_->offloads();
  for (const OffloadRow& row : kOffloads)
    if ((offloads & row.offload) != 0) features |= row.host | row.guest;
  if (options_.mtu != 0) features |= kNetMtu;
  if (options_.has_speed) features |= kNetSpeedDuplex;
  if (options_.has_multiqueue) features |= kNetMq;
  features &= ~options_.refused_features;
  for (const Requirement& row : kRequirements)
    if ((features & row.needed) == 0) features &= ~row.feature;
  return features;
}

bool VirtioNet::has_feature(std::uint64_t feature) const {
  return negotiated_with_ != nullptr && (negotiated_with_->features() & feature) != 0;
}

unsigned VirtioNet::visible_pairs() const {
  return negotiated_with_ == nullptr || has_feature(kNetMq) ? pair_count_ : 1;
}

std::uint16_t VirtioNet::max_queue_size(unsigned index) const {
  // What is there does not depend on what is negotiated: a transport keeps sizes over a reset. Without MQ the
  // third queue is the control queue, of whatever size.
  if (index >= pair_count_ * 2) return index == pair_count_ * 2 ? kControlQueueSize : 0;
  return index % 2 == 0 ? options_.receive_queue_size : options_.transmit_queue_size;
}

void VirtioNet::read_config(std::uint32_t offset, std::span<std::uint8_t> to) {
  Config config{};
  const bool is_up = backend_ == nullptr || backend_->is_link_up();
  {
    const std::lock_guard lock(mutex_);
    config.mac = state_.filter.mac;
    config.status =
        static_cast<std::uint16_t>((is_up ? kLinkUp : 0) | (state_.is_announcing ? kAnnounce : 0));
  }
  config.max_pairs = static_cast<std::uint16_t>(pair_count_);
  config.mtu = options_.mtu;
  config.speed = options_.speed;
  config.duplex = options_.duplex;
  read_config_struct(config, offset, to);
}

void VirtioNet::write_config(std::uint32_t offset, std::span<const std::uint8_t> from) {
  // Drivers of the time before the control queue set the address byte by byte.
  if (!has_feature(kVersion1 | kNetCtrlMacAddr) && offset + from.size() <= sizeof(MacAddress)) {
    const std::lock_guard lock(mutex_);
    std::copy(from.begin(), from.end(), state_.filter.mac.begin() + offset);
    return;
  }
  log_line(Log::kGuestErrors, "virtio-net: configuration byte %u cannot be written", offset);
}

void VirtioNet::tell_offloads(std::uint64_t features) {
  if (backend_ == nullptr) return;
  unsigned offloads = 0;
  for (const OffloadRow& row : kOffloads)
    if ((features & row.guest) != 0) offloads |= row.offload;
  backend_->use_offloads(offloads);
}

void VirtioNet::negotiated() {
  const std::uint64_t features = core().features();
  {
    const std::lock_guard lock(mutex_);
    state_.guest_offloads = features & kNetGuestOffloads;
    state_.filter.filters_vlans = (features & kNetCtrlVlan) != 0;
  }
  tell_offloads(features);
}

void VirtioNet::reset() {
  {
    const std::lock_guard lock(mutex_);
    state_ = NetControlState{};
    state_.filter.mac = options_.mac;
  }
  tell_offloads(0);
  // Frames that wait for room are let go.
  for (const auto& pair : pairs_) pair->wake(false);
}

void VirtioNet::visit(Visitor& visitor) {
  const std::lock_guard lock(mutex_);
  NetFilter& filter = state_.filter;
  visitor.field("mac", filter.mac);
  visitor.field("is_promiscuous", filter.is_promiscuous);
  visitor.field("takes_all_multicast", filter.takes_all_multicast);
  visitor.field("takes_all_unicast", filter.takes_all_unicast);
  visitor.field("takes_no_multicast", filter.takes_no_multicast);
  visitor.field("takes_no_unicast", filter.takes_no_unicast);
  visitor.field("takes_no_broadcast", filter.takes_no_broadcast);
  visitor.field("is_unicast_overflown", filter.is_unicast_overflown);
  visitor.field("is_multicast_overflown", filter.is_multicast_overflown);
  visitor.list("unicast", filter.unicast, NetFilter::kMostAddresses);
  visitor.list("multicast", filter.multicast, NetFilter::kMostAddresses);
  visitor.field("filters_vlans", filter.filters_vlans);
  visitor.field("vlans", filter.vlans);
  visitor.field("pairs", state_.pairs, static_cast<std::uint16_t>(pair_count_));
  visitor.field("guest_offloads", state_.guest_offloads);
  visitor.field("is_announcing", state_.is_announcing);
}

void VirtioNet::restored() { tell_offloads(state_.guest_offloads); }

bool VirtioNet::wake_own(unsigned index) {
  if (index / 2 >= pairs_.size() || index >= visible_pairs() * 2) return false;
  pairs_[index / 2]->wake(index % 2 == 1);
  return true;
}

Served VirtioNet::serve(unsigned index) {
  if (index == visible_pairs() * 2) {
    serve_control(index);
  } else if (index / 2 < pairs_.size() && index % 2 == 1) {
    return pairs_[index / 2]->transmit();
  } else if (index % 2 == 1) {
    Chain lost;
    while (core().pop(index, lost)) core().queue(index).push(lost, 0);
    if (core().is_live(index)) core().notify_used(index);
  } else {
    // Without a network no frame ever comes: the buffers wait.
    return Served::kLater;
  }
  return Served::kAll;
}

bool VirtioNet::execute(const Chain& chain) {
  const std::uint64_t size = total_bytes(chain.readable);
  if (size > kMaxNetCommand) return false;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  copy_from(chain.readable, bytes);
  const NetControlLimits limits{core().features(), static_cast<std::uint16_t>(pair_count_)};
  std::uint64_t offloads = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!execute_net_command(bytes, limits, state_)) return false;
    offloads = state_.guest_offloads;
  }
  tell_offloads(offloads);
  // Frames that a pair held back are let go when it is not in use any more.
  for (const auto& pair : pairs_) pair->wake(false);
  return true;
}

void VirtioNet::serve_control(unsigned index) {
  while (core().pop(index, command_)) {
    if (command_.writable.empty()) return core().fail(index, "a command leaves no room for its answer");
    const std::uint8_t answer = execute(command_) ? 0 : 1;
    if (answer != 0) log_line(Log::kGuestErrors, "virtio-net: a control command makes no sense");
    copy_to(core().memory(), command_.writable, {&answer, 1});
    core().queue(index).push(command_, 1);
  }
  if (core().is_live(index)) core().notify_used(index);
}

void VirtioNet::link_changed() {
  if (backend_->is_link_up() && has_feature(kNetGuestAnnounce)) {
    const std::lock_guard lock(mutex_);
    state_.is_announcing = true;
  }
  core().notify_config();
}

}  // namespace gstage::hw
