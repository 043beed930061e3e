// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/net_pair.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "softmmu/base/log.h"
#include "softmmu/base/trace.h"
#include "hw/virtio/virtio_core.h"

namespace gstage::hw {
namespace {

/// Frames that are sent before the others of the loop have their turn.
constexpr unsigned kBurst = 256;

/// The header in front of each frame, with `num_buffers`.
struct Header {
  NetOffload offload;
  std::uint16_t buffers = 0;
};
static_assert(sizeof(Header) == 12);

}  // namespace

VirtioNetPair::VirtioNetPair(const Shared& shared, unsigned number, NetQueue& wire)
    : shared_(shared), number_(number), wire_(wire) {
  wire_.loop().add(*this);
  wire_.attach(this);
}

VirtioNetPair::~VirtioNetPair() {
  wire_.attach(nullptr);
  wire_.loop().remove(*this);
}

bool VirtioNetPair::has_feature(std::uint64_t feature) const {
  return (shared_.core.features() & feature) != 0;
}

std::size_t VirtioNetPair::header_bytes() const {
  return has_feature(kVersion1 | kNetMrgRxbuf) ? sizeof(Header) : sizeof(NetOffload);
}

void VirtioNetPair::wake(bool is_transmit) {
  (is_transmit ? must_transmit_ : must_look_for_room_).store(true, std::memory_order_release);
  wire_.loop().wake();
}

void VirtioNetPair::dispatch(const PollSet& /*poll*/) {
  if (must_look_for_room_.exchange(false, std::memory_order_acquire) && std::exchange(is_starved_, false))
    wire_.ready();
  if (must_transmit_.exchange(false, std::memory_order_acquire) && !is_wire_full_)
    shared_.core.serve_queue(transmit_index());
  if (!std::exchange(has_received_, false)) return;
  const std::lock_guard lock(shared_.core.queue_mutex(receive_index()));
  if (shared_.core.is_served(receive_index())) shared_.core.notify_used(receive_index());
}

void VirtioNetPair::ready() {
  is_wire_full_ = false;
  wake(true);
}

Served VirtioNetPair::transmit() {
  const unsigned index = transmit_index();
  VirtioCore& core = shared_.core;
  unsigned sent = 0;
  while (sent < kBurst && core.pop(index, sending_)) {
    if (!sending_.writable.empty()) {
      core.fail(index, "a frame's buffer is for the device to write");
      return Served::kAll;
    }
    if (!send_chain(sending_)) {
      core.queue(index).unpop(sending_);
      is_wire_full_ = true;
      break;
    }
    core.queue(index).push(sending_, 0);
    ++sent;
  }
  if (!core.is_live(index)) return Served::kAll;
  if (sent != 0) core.notify_used(index);
  if (sent == kBurst) wake(true);
  return sent == kBurst || is_wire_full_ ? Served::kLater : Served::kAll;
}

bool VirtioNetPair::send_chain(const Chain& chain) {
  Header header;
  const std::size_t front = header_bytes();
  const std::uint64_t bytes = total_bytes(chain.readable);
  if (bytes < front + NetFrame::kMinBytes || bytes - front > NetFrame::kMaxBytes) {
    log_line(Log::kGuestErrors, "virtio-net: a frame of %llu bytes with its header",
             static_cast<unsigned long long>(bytes));
    return true;
  }
  copy_from(chain.readable, {reinterpret_cast<std::uint8_t*>(&header), front});
  parts_.clear();
  std::size_t skip = front;
  for (const BufferElement& element : chain.readable) {
    const std::size_t skipped = std::min<std::size_t>(skip, element.size);
    skip -= skipped;
    if (skipped < element.size) parts_.push_back({element.host + skipped, element.size - skipped});
  }
  NetOffload offload = header.offload;
  offload.flags &= NetOffload::kNeedsChecksum;
  if (!has_feature(kNetCsum)) offload = NetOffload{};
  if (!shared_.backend.is_link_up()) return true;
  trace(TraceEvent::net_frame, "sent", static_cast<std::size_t>(bytes) - front);
  return wire_.send({parts_, static_cast<std::size_t>(bytes) - front, offload});
}

void VirtioNetPair::give_back(std::size_t count) {
  while (count > 0) shared_.core.queue(receive_index()).unpop(room_[--count]);
}

VirtioNetPair::Room VirtioNetPair::take_room(std::size_t bytes) {
  const unsigned index = receive_index();
  VirtioCore& core = shared_.core;
  const std::size_t most = has_feature(kNetMrgRxbuf) ? core.setup(index).size : 1;
  std::uint64_t found = 0;
  for (std::size_t count = 0; found < bytes; ++count) {
    if (count == most) {
      log_line(Log::kGuestErrors, "virtio-net: a frame of %zu bytes finds no room in the receive buffers",
               bytes);
      give_back(count);
      room_.clear();
      return Room::kNever;
    }
    if (count == room_.size()) room_.emplace_back();
    while (!core.pop(index, room_[count])) {
      if (!core.is_served(index)) {
        give_back(count);
        return Room::kNever;
      }
      // The driver may have added one before it saw that it is to tell.
      if (core.queue(index).enable_notifications()) continue;
      give_back(count);
      return Room::kNone;
    }
    if (room_[count].writable.empty() || !room_[count].readable.empty()) {
      core.fail(index, "a receive buffer is for the device to read");
      return Room::kNever;
    }
    found += total_bytes(room_[count].writable);
    if (found >= bytes) return room_count_ = count + 1, Room::kFound;
  }
  return Room::kNever;
}

bool VirtioNetPair::wants(const NetFrame& frame, std::uint64_t& offloads) {
  std::array<std::uint8_t, 16> head{};
  const std::size_t head_bytes = copy_frame(frame, 0, head);
  if (!shared_.backend.is_link_up()) return false;
  const std::lock_guard lock(shared_.mutex);
  offloads = shared_.state.guest_offloads;
  return number_ < shared_.state.pairs && shared_.state.filter.passes({head.data(), head_bytes});
}

bool VirtioNetPair::deliver(const NetFrame& frame) {
  std::uint64_t offloads = 0;
  if (frame.size < NetFrame::kMinBytes || frame.size > NetFrame::kMaxBytes) return true;
  if (!wants(frame, offloads)) return true;
  const std::lock_guard lock(shared_.core.queue_mutex(receive_index()));
  // Without access to memory a frame is lost, as with a card.
  if (!shared_.core.is_served(receive_index())) return true;
  switch (take_room(header_bytes() + frame.size)) {
    case Room::kFound: break;
    case Room::kNever: return true;
    case Room::kNone: is_starved_ = true; return false;
  }
  fill(frame, offloads);
  has_received_ = true;
  trace(TraceEvent::net_frame, "received", frame.size);
  return true;
}

void VirtioNetPair::fill(const NetFrame& frame, std::uint64_t offloads) {
  const std::size_t front = header_bytes();
  Header header{frame.offload, static_cast<std::uint16_t>(room_count_)};
  if ((offloads & kNetGuestCsum) == 0) header.offload = NetOffload{};
  const auto* const header_at = reinterpret_cast<const std::uint8_t*>(&header);
  VirtioCore& core = shared_.core;
  Queue& queue = core.queue(receive_index());
  const std::size_t total = front + frame.size;
  std::size_t done = 0;
  for (std::size_t i = 0; i < room_count_; ++i) {
    const std::size_t begin = done;
    for (const BufferElement& element : room_[i].writable) {
      const std::size_t size = std::min<std::size_t>(element.size, total - done);
      std::size_t at = 0;
      if (done < front) {
        at = std::min(size, front - done);
        std::memcpy(element.host, header_at + done, at);
      }
      if (at < size)
        copy_frame(frame, done + at - front, {reinterpret_cast<std::uint8_t*>(element.host) + at, size - at});
      if (size != 0) core.memory().dirty(element.paddr, size);
      done += size;
    }
    queue.stage(room_[i], static_cast<std::uint32_t>(done - begin));
  }
  queue.publish();
  queue.disable_notifications();
}

}  // namespace gstage::hw
