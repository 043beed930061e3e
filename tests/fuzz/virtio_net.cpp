// SPDX-License-Identifier: Apache-2.0
// virtio-net with two queue pairs on a wire that sends frames back and is full at times.
#include <deque>
#include <vector>

#include "softmmu/base/check.h"
#include "hw/virtio/net.h"

#include "tests/fuzz/target.h"
#include "tests/fuzz/virtio_guest.h"

namespace gstage::fuzz {
namespace {

constexpr unsigned kPairs = 2;
constexpr unsigned kQueues = 2 * kPairs + 1;

class Wire final : public NetQueue, private NetLoop::Source {
 public:
  explicit Wire(NetLoop& loop) : NetQueue(loop) { loop.add(*this); }

  void clear() {
    waiting_.clear();
    is_full_ = false;
  }
  void set_full(bool is_full) {
    is_full_ = is_full;
    if (!is_full_ && device() != nullptr) device()->ready();
  }
  void put(std::span<const std::uint8_t> frame, const NetOffload& offload) {
    if (waiting_.size() < 64) waiting_.push_back({{frame.begin(), frame.end()}, offload});
  }

 private:
  struct Frame {
    std::vector<std::uint8_t> bytes;
    NetOffload offload;
  };
  bool deliver(const NetFrame& frame) override {
    std::vector<std::uint8_t> bytes(frame.size);
    CHECK(frame.size >= NetFrame::kMinBytes && frame.size <= NetFrame::kMaxBytes);
    CHECK(copy_frame(frame, 0, bytes) == frame.size);
    if (!is_full_) put(bytes, frame.offload);
    return !is_full_;
  }
  void ready() override { dispatch({}); }
  void dispatch(const PollSet& /*poll*/) override {
    while (!waiting_.empty()) {
      Frame& front = waiting_.front();
      const iovec part{front.bytes.data(), front.bytes.size()};
      if (!send_to_device({{&part, 1}, front.bytes.size(), front.offload})) return;
      waiting_.pop_front();
    }
  }

  std::deque<Frame> waiting_;
  bool is_full_ = false;
};

class Network final : public NetBackend {
 public:
  [[nodiscard]] unsigned queues() const override { return kPairs; }
  NetQueue& queue(unsigned index) override { return wires[index]; }
  [[nodiscard]] unsigned offloads() const override {
    return kOffloadChecksum | kOffloadTso4 | kOffloadTso6 | kOffloadEcn | kOffloadUfo;
  }
  [[nodiscard]] std::string describe() const override { return "fuzz"; }

  NetLoop loop{"fuzz", NetLoop::Runner::kCaller};
  Wire wires[kPairs] = {Wire(loop), Wire(loop)};
};

void run(Input& input) {
  static const auto network = std::make_shared<Network>();
  static VirtioGuest guest(
      [] {
        hw::VirtioNetOptions options;
        options.has_multiqueue = true;
        return std::make_unique<hw::VirtioNet>(network, options);
      }(),
      kQueues,
      [](Input& more) {
        Wire& wire = network->wires[more.below(kPairs)];
        switch (more.below(4)) {
          case 0: wire.set_full(more.flag()); break;
          case 1: network->set_link(more.flag()); break;
          default: {
            const auto offload = more.take<NetOffload>();
            wire.put(more.take_bytes(more.take<std::uint16_t>()), offload);
          }
        }
        network->loop.step();
      });
  for (Wire& wire : network->wires) wire.clear();
  guest.run(input);
  network->loop.step();
}

const Registration registration("virtio_net", run);

}  // namespace
}  // namespace gstage::fuzz
