// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "io/net/packet.h"
#include "hw/net/e1000e.h"

namespace gstage::hw {

using namespace e1000e;

namespace {

constexpr std::uint32_t kDescriptorBytes = 16;
/// Descriptors that are taken before the others of the loop have their turn.
constexpr unsigned kBurst = 256;
constexpr std::size_t kLongestFrame = 1522;
constexpr std::size_t kShortestFrame = 60;
constexpr std::size_t kCrcBytes = 4;

/// A transmit descriptor, of the legacy format or the extended one.
struct TxDescriptor {
  std::uint64_t address;
  std::uint32_t lower;  ///< length, type, command
  std::uint32_t upper;  ///< status, options, tag

  enum : std::uint32_t {
    kEop = 1u << 24,
    kInsertChecksum = 4u << 24,  ///< legacy
    kCut = 4u << 24,             ///< extended
    kReport = 8u << 24,
    kExtended = 0x20u << 24,
    kInsertTag = 0x40u << 24,
    kData = 1 << 20,
    kIpChecksum = 1 << 8,
    kTcpChecksum = 2 << 8,
    kDone = 1,
  };
  [[nodiscard]] bool is(std::uint32_t bits) const { return (lower & bits) == bits; }
  [[nodiscard]] bool is_context() const { return is(kExtended) && !is(kData); }
  [[nodiscard]] std::uint32_t length() const { return is(kExtended) ? lower & 0xfffff : lower & 0xffff; }
};
static_assert(sizeof(TxDescriptor) == kDescriptorBytes);

/// Of a received part: DD, end of packet, checksums as check_frame found them.
std::uint32_t status_of(const E1000eChecks& checks, bool is_last, bool has_vlan) {
  constexpr std::uint32_t kDone = 1, kEop = 2, kIgnore = 4, kVlan = 8, kUdp = 0x10, kTcp = 0x20, kIp = 0x40;
  if (!is_last) return kDone;
  std::uint32_t status = kDone | kEop;
  if (has_vlan) status |= kVlan;
  if (!checks.has_ip && !checks.has_tcp) return status | kIgnore;
  if (checks.has_ip) status |= kIp;
  if (checks.has_tcp) status |= checks.is_udp ? kUdp | kTcp : kTcp;
  return status;
}

/// The byte of errors.
std::uint32_t errors_of(const E1000eChecks& checks) {
  return (checks.is_tcp_wrong ? 0x20u : 0u) | (checks.is_ip_wrong ? 0x40u : 0u);
}

}  // namespace

E1000e::Ring E1000e::ring(std::uint32_t base_register) {
  const std::uint32_t low = reg(base_register) & ~15u;
  Ring found{std::uint64_t{reg(base_register + 4)} << 32 | low, reg(base_register + 8) / kDescriptorBytes,
             reg(base_register + 16) & 0xffff, reg(base_register + 24) & 0xffff};
  // A ring that makes no sense is empty.
  if (found.head >= found.count || found.tail >= found.count) found.tail = found.head = found.count = 0;
  return found;
}

void E1000e::wake() const {
  if (wire_ != nullptr) wire_->loop().wake();
}

void E1000e::dispatch(const PollSet&) {
  if (must_look_for_room_.exchange(false) && std::exchange(is_starved_, false)) wire_->ready();
  if (must_transmit_.exchange(false) && !is_wire_full_) transmit();
  if (!std::exchange(has_received_, false)) return;
  const std::lock_guard lock(mutex_);
  raise(kRxTimer | kRxQueue0);
}

void E1000e::ready() {
  is_wire_full_ = false;
  must_transmit_ = true;
  wake();
}

bool E1000e::send_waiting() {
  while (!waiting_.empty()) {
    std::vector<std::uint8_t>& frame = waiting_.front();
    const iovec part{frame.data(), frame.size()};
    const bool is_frame = frame.size() >= NetFrame::kMinBytes && frame.size() <= NetFrame::kMaxBytes;
    if (is_frame && network_->is_link_up() && !wire_->send({{&part, 1}, frame.size(), {}})) {
      is_wire_full_ = true;
      return false;
    }
    waiting_.pop_front();
  }
  return true;
}

void E1000e::transmit() {
  unsigned budget = kBurst;
  while (send_waiting()) {
    // The lock is not held while frames are sent: an answer may arrive before that ends.
    const std::lock_guard lock(mutex_);
    if (!take_packet(budget)) break;
  }
  if (budget != 0 || is_wire_full_) return;
  must_transmit_ = true;
  wake();
}

bool E1000e::take_packet(unsigned& budget) {
  std::uint32_t causes = 0;
  bool is_complete = false;
  while (!is_complete && budget != 0 && (reg(kTctl) & kTctlEnable) != 0 && bus_master()) {
    const Ring tx = ring(kTdbal);
    if (tx.head == tx.tail) break;
    --budget;
    is_complete = take_descriptor(tx, causes);
    reg(kTdh) = (tx.head + 1) % tx.count;
  }
  if (is_complete) {
    make_frames(packet_, context_, [this](std::vector<std::uint8_t> frame) {
      ++reg(kSentPackets);
      reg(kSentBytes) += static_cast<std::uint32_t>(frame.size());
      waiting_.push_back(std::move(frame));
    });
    packet_ = {};
  }
  if (causes != 0) raise(causes);
  return is_complete;
}

bool E1000e::take_descriptor(const Ring& tx, std::uint32_t& causes) {
  using D = TxDescriptor;
  D descriptor{};
  const Paddr at{tx.base + std::uint64_t{tx.head} * kDescriptorBytes};
  if (!master().read(at, &descriptor, sizeof descriptor)) return false;
  bool is_complete = false;
  if (descriptor.is_context()) {
    context_ = std::bit_cast<E1000eContext>(descriptor);
  } else {
    const std::size_t before = packet_.bytes.size();
    if (before + descriptor.length() <= NetFrame::kMaxBytes) {
      packet_.bytes.resize(before + descriptor.length());
      if (!master().read(Paddr{descriptor.address}, packet_.bytes.data() + before, descriptor.length()))
        packet_.bytes.resize(before);
    }
    if (descriptor.is(D::kExtended) && before == 0) {
      packet_.has_ip_checksum = (descriptor.upper & D::kIpChecksum) != 0;
      packet_.has_tcp_checksum = (descriptor.upper & D::kTcpChecksum) != 0;
      packet_.is_cut = descriptor.is(D::kCut);
    }
    is_complete = descriptor.is(D::kEop);
    if (is_complete && descriptor.is(D::kInsertTag) && (reg(kCtrl) & kCtrlVlan) != 0)
      packet_.vlan = static_cast<std::uint16_t>(descriptor.upper >> 16);
    if (is_complete && !descriptor.is(D::kExtended) && descriptor.is(D::kInsertChecksum)) {
      // A legacy descriptor says by itself where the sum begins and where it is put.
      packet_.has_tcp_checksum = true;
      context_ = {};
      context_.tcp_offset = static_cast<std::uint8_t>(descriptor.lower >> 16);
      context_.tcp_start = static_cast<std::uint8_t>(descriptor.upper >> 8);
    }
  }
  if (!descriptor.is(D::kReport)) return is_complete;
  descriptor.upper |= D::kDone;
  master().write(at + 12, &descriptor.upper, sizeof descriptor.upper);
  causes |= kTxWritten | kTxQueue0;
  return is_complete;
}

bool E1000e::wants(std::span<const std::uint8_t> frame) {
  const std::uint32_t rctl = reg(kRctl);
  constexpr std::array<std::uint8_t, 6> kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  if ((rctl & kRctlAll) != 0) return true;
  if (std::equal(kBroadcast.begin(), kBroadcast.end(), frame.begin())) return (rctl & kRctlBroadcast) != 0;
  const bool is_multicast = (frame[0] & 1) != 0;
  if (is_multicast && (rctl & kRctlAllMulticast) != 0) return true;
  for (std::uint32_t row = 0; row < 16; ++row) {
    const std::uint32_t low = reg(kRal + row * 8);
    const std::uint32_t high = reg(kRal + row * 8 + 4);
    std::uint32_t given_low = 0;
    std::memcpy(&given_low, frame.data(), sizeof given_low);
    const std::uint32_t given_high = frame[4] | frame[5] << 8;
    if ((high & kAddressValid) != 0 && low == given_low && (high & 0xffff) == given_high) return true;
  }
  if (!is_multicast) return false;
  // Twelve bits of the address, which ones RCTL says.
  constexpr unsigned kShifts[] = {4, 3, 2, 0};
  const unsigned hash = (frame[4] | frame[5] << 8) >> kShifts[rctl >> 12 & 3] & 0xfff;
  return (reg(kMta + (hash >> 5) * 4) >> (hash & 31) & 1) != 0;
}

std::uint32_t E1000e::buffer_bytes() {
  const std::uint32_t rctl = reg(kRctl);
  const unsigned size = rctl >> 16 & 3;
  const bool is_extended = (rctl >> 25 & 1) != 0;
  return is_extended && size != 0 ? 32768u >> size : 2048u >> size;
}

bool E1000e::deliver(const NetFrame& frame) {
  if (frame.size < NetFrame::kMinBytes || frame.size > NetFrame::kMaxBytes) return true;
  std::vector<std::uint8_t> bytes(frame.size);
  copy_frame(frame, 0, bytes);
  if ((frame.offload.flags & NetOffload::kNeedsChecksum) != 0) complete_checksum(bytes, frame.offload);
  const std::lock_guard lock(mutex_);
  if ((reg(kRctl) & kRctlEnable) == 0 || !is_link_up() || !bus_master() || !wants(bytes)) return true;
  return receive(bytes, frame);
}

bool E1000e::receive(std::vector<std::uint8_t>& frame, const NetFrame& from) {
  constexpr std::size_t kTag = 12;
  has_vlan_ = frame.size() >= kTag + 4 && frame[kTag] == 0x81 && frame[kTag + 1] == 0;
  vlan_ = has_vlan_ ? static_cast<std::uint16_t>(frame[kTag + 2] << 8 | frame[kTag + 3]) : std::uint16_t{0};
  const unsigned id = vlan_ & 0xfff;
  if (has_vlan_ && (reg(kRctl) & kRctlVlanFilter) != 0 && (reg(kVfta + (id >> 5) * 4) >> (id & 31) & 1) == 0)
    return true;
  if (frame.size() > kLongestFrame - kCrcBytes && (reg(kRctl) & kRctlLong) == 0) return true;
  has_vlan_ = has_vlan_ && (reg(kCtrl) & kCtrlVlan) != 0;
  if (has_vlan_) frame.erase(frame.begin() + kTag, frame.begin() + kTag + 4);
  checks_ = check_frame(frame);
  if ((from.offload.flags & NetOffload::kDataValid) != 0) checks_.is_tcp_wrong = false;
  if (frame.size() < kShortestFrame) frame.resize(kShortestFrame);
  if ((reg(kRctl) & kRctlStripCrc) == 0) {
    const std::uint32_t crc = ethernet_crc(frame);
    for (unsigned i = 0; i < kCrcBytes; ++i) frame.push_back(static_cast<std::uint8_t>(crc >> (8 * i)));
  }
  const std::uint32_t size = buffer_bytes();
  Ring rx = ring(kRdbal);
  const std::size_t needed = (frame.size() + size - 1) / size;
  const std::uint32_t offered = rx.count == 0 ? 0 : (rx.tail + rx.count - rx.head) % rx.count;
  if (needed > offered) {
    raise(kRxOverrun);
    is_starved_ = needed < rx.count;
    return !is_starved_;  // what never fits is lost
  }
  std::span<const std::uint8_t> left(frame);
  while (!left.empty()) {
    const std::size_t part = std::min<std::size_t>(size, left.size());
    write_descriptor(rx, left.first(part), part == left.size());
    left = left.subspan(part);
    rx.head = reg(kRdh) = (rx.head + 1) % rx.count;
  }
  ++reg(kReceivedPackets);
  reg(kReceivedBytes) += static_cast<std::uint32_t>(frame.size());
  has_received_ = true;
  return true;
}

void E1000e::write_descriptor(const Ring& rx, std::span<const std::uint8_t> part, bool is_last) {
  const Paddr at{rx.base + std::uint64_t{rx.head} * kDescriptorBytes};
  std::uint64_t words[2] = {};
  if (!master().read(at, words, sizeof words)) return;
  master().write(Paddr{words[0]}, part.data(), part.size());
  const std::uint32_t status = status_of(checks_, is_last, has_vlan_);
  const std::uint32_t errors = is_last ? errors_of(checks_) : 0;
  if ((reg(kRfctl) & kExtendedStatus) != 0) {
    words[0] = 0;
    words[1] =
        std::uint64_t{status | errors << 24} | std::uint64_t{part.size()} << 32 | std::uint64_t{vlan_} << 48;
  } else {
    words[1] =
        part.size() | std::uint64_t{status} << 32 | std::uint64_t{errors} << 40 | std::uint64_t{vlan_} << 48;
  }
  // What says that it is done comes last.
  master().write(at, words, sizeof words[0]);
  master().write(at + 8, words + 1, sizeof words[1]);
}

}  // namespace gstage::hw
