// SPDX-License-Identifier: Apache-2.0
#include "io/net/hub.h"

#include <algorithm>
#include <deque>
#include <map>

namespace gstage {

namespace {

/// Frames that wait at one port.
constexpr std::size_t kMostWaiting = 1024;

using Bytes = std::shared_ptr<const std::vector<std::uint8_t>>;

class HubPort;

/// Frames go from a port to the others on the sender's thread; each port hands its own on, on its own.
struct Hub {
  std::mutex mutex;
  std::vector<HubPort*> ports;
  void flood(const HubPort* from, const NetFrame& frame);
};

class HubPort {
 public:
  HubPort(std::shared_ptr<Hub> hub, NetLoop& loop) : hub_(std::move(hub)), loop_(loop) {
    const std::lock_guard lock(hub_->mutex);
    hub_->ports.push_back(this);
  }
  virtual ~HubPort() = default;

  void put(const Bytes& frame) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() >= kMostWaiting) return;
      waiting_.push_back(frame);
    }
    loop_.wake();
  }

 protected:
  /// Before the parts of the port are gone.
  void leave() {
    const std::lock_guard lock(hub_->mutex);
    std::erase(hub_->ports, this);
  }
  void flood(const NetFrame& frame) { hub_->flood(this, frame); }
  /// Hands frames to `send` until it refuses one.
  template <class Send>
  void pass(Send&& send) {
    while (const Bytes frame = front()) {
      const iovec part{const_cast<std::uint8_t*>(frame->data()), frame->size()};
      if (!send(NetFrame{{&part, 1}, frame->size(), {}})) return;
      const std::lock_guard lock(mutex_);
      waiting_.pop_front();
    }
  }

 private:
  Bytes front() {
    const std::lock_guard lock(mutex_);
    return waiting_.empty() ? nullptr : waiting_.front();
  }

  std::shared_ptr<Hub> hub_;
  NetLoop& loop_;
  std::mutex mutex_;
  std::deque<Bytes> waiting_;
};

void Hub::flood(const HubPort* from, const NetFrame& frame) {
  std::vector<std::uint8_t> bytes(frame.size);
  copy_frame(frame, 0, bytes);
  const auto shared = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
  const std::lock_guard lock(mutex);
  for (HubPort* const port : ports)
    if (port != from) port->put(shared);
}

/// A port that a device is wired to.
class DevicePort final : public NetBackend, private NetLoop::Source, private NetQueue, private HubPort {
 public:
  DevicePort(const std::string& id, std::shared_ptr<Hub> hub)
      : NetQueue(own_loop_), HubPort(std::move(hub), own_loop_), own_loop_("net-" + id) {
    own_loop_.add(*this);
  }
  ~DevicePort() override {
    leave();
    own_loop_.stop();
  }
  NetQueue& queue(unsigned /*index*/) override { return *this; }
  [[nodiscard]] std::string describe() const override { return "hubport"; }

 private:
  bool deliver(const NetFrame& frame) override {
    flood(frame);
    return true;
  }
  void ready() override {
    is_held_ = false;
    own_loop_.wake();
  }
  void dispatch(const PollSet& /*poll*/) override {
    if (!is_held_) pass([this](const NetFrame& frame) { return !(is_held_ = !send_to_device(frame)); });
  }

  bool is_held_ = false;
  NetLoop own_loop_;
};

/// A port that another network is wired to, on whose loop it is.
class NetworkPort final : public NetBackend, private NetPeer, private NetLoop::Source, private HubPort {
 public:
  NetworkPort(std::shared_ptr<Hub> hub, std::shared_ptr<NetBackend> network)
      : HubPort(std::move(hub), network->queue(0).loop()), network_(std::move(network)) {
    network_->queue(0).attach(this);
    network_->queue(0).loop().add(*this);
  }
  ~NetworkPort() override {
    leave();
    network_->queue(0).loop().remove(*this);
    network_->queue(0).attach(nullptr);
  }
  NetQueue& queue(unsigned index) override { return network_->queue(index); }
  [[nodiscard]] std::string describe() const override { return "hubport," + network_->describe(); }

 private:
  bool deliver(const NetFrame& frame) override {
    flood(frame);
    return true;
  }
  void ready() override {
    is_held_ = false;
    network_->queue(0).loop().wake();
  }
  void dispatch(const PollSet& /*poll*/) override {
    if (!is_held_)
      pass([this](const NetFrame& frame) { return !(is_held_ = !network_->queue(0).send(frame)); });
  }

  std::shared_ptr<NetBackend> network_;
  bool is_held_ = false;
};

}  // namespace

Result<std::shared_ptr<NetBackend>> make_hub_port(const std::string& id, unsigned hub,
                                                  std::shared_ptr<NetBackend> network) {
  // The ports keep their hub; the table only knows it.
  static std::map<unsigned, std::weak_ptr<Hub>> hubs;
  auto found = hubs[hub].lock();
  if (found == nullptr) hubs[hub] = found = std::make_shared<Hub>();
  if (network != nullptr && network->queues() > 1)
    return error("-netdev %s: a network of several queues cannot be on a hub: leave queues= out", id.c_str());
  if (network != nullptr)
    return std::shared_ptr<NetBackend>(std::make_shared<NetworkPort>(std::move(found), std::move(network)));
  return std::shared_ptr<NetBackend>(std::make_shared<DevicePort>(id, std::move(found)));
}

}  // namespace gstage
