// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "io/net/peer.h"
#include "hw/virtio/chain.h"
#include "hw/virtio/device.h"
#include "hw/virtio/net_control.h"

namespace gstage::hw {

class VirtioCore;

/// A receive and a transmit queue: serves both on the loop of the back end's queue that they are wired to.
class VirtioNetPair final : public NetPeer, private NetLoop::Source {
 public:
  /// What the pairs of a device share.
  struct Shared {
    VirtioCore& core;
    const NetBackend& backend;
    std::mutex& mutex;  ///< guards `state`
    const NetControlState& state;
  };

  VirtioNetPair(const Shared& shared, unsigned number, NetQueue& wire);
  ~VirtioNetPair() override;
  VirtioNetPair(const VirtioNetPair&) = delete;
  VirtioNetPair& operator=(const VirtioNetPair&) = delete;

  bool deliver(const NetFrame& frame) override;
  void ready() override;

  /// The loop looks at one of the queues soon. Any thread.
  void wake(bool is_transmit);
  /// Sends what the driver offers; on the loop, with the transmit queue's lock.
  Served transmit();

 private:
  void dispatch(const PollSet& poll) override;
  [[nodiscard]] unsigned receive_index() const { return number_ * 2; }
  [[nodiscard]] unsigned transmit_index() const { return number_ * 2 + 1; }
  [[nodiscard]] bool has_feature(std::uint64_t feature) const;
  [[nodiscard]] std::size_t header_bytes() const;
  /// What the driver negotiated and switched on of kNetGuestOffloads; nothing where it does not want the
  /// frame.
  bool wants(const NetFrame& frame, std::uint64_t& offloads);
  /// False: the wire is full.
  bool send_chain(const Chain& chain);
  enum class Room : std::uint8_t { kFound, kNone, kNever };
  /// Takes chains with room for a frame into `room_`.
  Room take_room(std::size_t bytes);
  void give_back(std::size_t count);
  /// Writes a frame into the chains that take_room found.
  void fill(const NetFrame& frame, std::uint64_t offloads);

  const Shared shared_;
  const unsigned number_;
  NetQueue& wire_;
  std::atomic<bool> must_transmit_{false};
  std::atomic<bool> must_look_for_room_{false};
  // All that follows is the loop's:
  bool is_starved_ = false;    ///< a frame was refused
  bool has_received_ = false;  ///< frames that the driver was not told of
  bool is_wire_full_ = false;
  Chain sending_;
  std::vector<Chain> room_;     ///< kept between frames: a chain that is used again costs no allocation
  std::size_t room_count_ = 0;  ///< chains of room_ that are taken
  std::vector<iovec> parts_;
};

}  // namespace gstage::hw
