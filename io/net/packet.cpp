// SPDX-License-Identifier: Apache-2.0
#include "io/net/packet.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace gstage {

namespace {

constexpr std::size_t kEthernetBytes = 14;
constexpr std::size_t kIpv4Bytes = 20;
constexpr std::size_t kIpv6Bytes = 40;
constexpr std::size_t kTcpBytes = 20;
constexpr std::size_t kTcpChecksum = 16;
constexpr unsigned kTypeIpv4 = 0x0800;
constexpr unsigned kTypeIpv6 = 0x86dd;
constexpr unsigned kMoreFragments = 0x2000;
constexpr unsigned kFragmentOffset = 0x1fff;

unsigned load16(const std::uint8_t* at) { return at[0] * 256u + at[1]; }
void store16(std::uint8_t* at, std::size_t value) {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}

std::uint16_t fold(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

/// The sum of the pseudo-header, with the transport's length.
std::uint64_t pseudo_header(std::span<const std::uint8_t> frame, const IpPacket& packet) {
  const std::uint8_t* const ip = frame.data() + packet.ip_offset;
  const std::size_t length = packet.end - packet.transport_offset;
  std::uint8_t tail[8] = {};
  tail[2] = static_cast<std::uint8_t>(length >> 8);
  tail[3] = static_cast<std::uint8_t>(length);
  tail[7] = packet.protocol;
  const std::uint64_t addresses = packet.is_v6 ? checksum_add({ip + 8, 32}) : checksum_add({ip + 12, 8});
  return checksum_add(tail, addresses);
}

}  // namespace

std::uint64_t checksum_add(std::span<const std::uint8_t> bytes, std::uint64_t sum) {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  // Words of 32 bits in 64-bit sums: carries come to rest above, and the compiler takes several at once.
  std::uint64_t words = 0;
  for (; left >= 4; left -= 4, at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, at, 4);
    words += word;
  }
  std::uint32_t last = 0;
  std::memcpy(&last, at, left);
  return sum + fold(words) + fold(last);
}

std::uint16_t checksum_finish(std::uint64_t sum) { return static_cast<std::uint16_t>(~fold(sum)); }

std::optional<IpPacket> parse_ip(std::span<const std::uint8_t> frame) {
  if (frame.size() < kEthernetBytes + kIpv4Bytes) return {};
  const unsigned type = load16(frame.data() + 12);
  const std::uint8_t* const ip = frame.data() + kEthernetBytes;
  IpPacket packet;
  packet.ip_offset = kEthernetBytes;
  if (type == kTypeIpv4) {
    const std::size_t header = (ip[0] & 15u) * 4;
    packet.end = kEthernetBytes + load16(ip + 2);
    packet.transport_offset = kEthernetBytes + header;
    packet.is_fragment = (load16(ip + 6) & (kMoreFragments | kFragmentOffset)) != 0;
    packet.protocol = ip[9];
    if (ip[0] >> 4 != 4 || header < kIpv4Bytes) return {};
  } else if (type == kTypeIpv6 && frame.size() >= kEthernetBytes + kIpv6Bytes) {
    packet.is_v6 = true;
    packet.end = kEthernetBytes + kIpv6Bytes + load16(ip + 4);
    packet.transport_offset = kEthernetBytes + kIpv6Bytes;
    packet.protocol = ip[6];
    if (ip[0] >> 4 != 6) return {};
  } else {
    return {};
  }
  if (packet.end > frame.size() || packet.transport_offset > packet.end) return {};
  return packet;
}

bool complete_checksum(std::span<std::uint8_t> frame, const NetOffload& offload) {
  const std::size_t at = std::size_t{offload.checksum_start} + offload.checksum_offset;
  if (offload.checksum_start >= frame.size() || at + 2 > frame.size()) return false;
  // A packet that is to be cut counts as a whole: its length in the pseudo-header may be another.
  if (const auto packet = parse_ip(frame); packet && !packet->is_fragment && offload.gso != 0 &&
                                           packet->transport_offset == offload.checksum_start) {
    const std::uint16_t sum = fold(pseudo_header(frame, *packet));
    std::memcpy(frame.data() + at, &sum, 2);
    frame = frame.first(packet->end);
    if (at + 2 > frame.size()) return false;
  }
  std::uint16_t value = checksum_finish(checksum_add(frame.subspan(offload.checksum_start)));
  // Zero means "none" to UDP, and all ones is the same number.
  if (value == 0) value = 0xffff;
  std::memcpy(frame.data() + at, &value, 2);
  return true;
}

std::size_t tcp_payload_offset(std::span<const std::uint8_t> frame, const IpPacket& packet) {
  if (packet.protocol != IpPacket::kTcp || packet.is_fragment) return 0;
  if (packet.end - packet.transport_offset < kTcpBytes) return 0;
  const std::size_t header = (frame[packet.transport_offset + 12] >> 4) * std::size_t{4};
  if (header < kTcpBytes || header > packet.end - packet.transport_offset) return 0;
  return packet.transport_offset + header;
}

std::uint8_t* find_tcp_mss(std::span<std::uint8_t> frame, const IpPacket& packet) {
  constexpr std::uint8_t kSyn = 2;
  constexpr std::uint8_t kNop = 1;
  constexpr std::uint8_t kMss = 2;
  const std::size_t end = tcp_payload_offset(frame, packet);
  if (end == 0 || (frame[packet.transport_offset + 13] & kSyn) == 0) return nullptr;
  for (std::size_t at = packet.transport_offset + kTcpBytes; at + 1 < end;) {
    if (frame[at] == 0) return nullptr;
    if (frame[at] == kNop) {
      ++at;
      continue;
    }
    if (frame[at] == kMss && frame[at + 1] == 4 && at + 4 <= end) return &frame[at + 2];
    if (frame[at + 1] < 2) return nullptr;
    at += frame[at + 1];
  }
  return nullptr;
}

void replace_word(std::uint8_t* field, std::uint16_t value, std::uint8_t* checksum) {
  const std::uint64_t sum = (~load16(checksum) & 0xffffu) + (~load16(field) & 0xffffu) + value;
  store16(field, value);
  store16(checksum, static_cast<std::uint16_t>(~fold(sum)));
}

NetOffload prepare_segmentation(std::span<std::uint8_t> frame, const IpPacket& packet,
                                std::uint16_t segment_bytes) {
  const std::size_t payload = tcp_payload_offset(frame, packet);
  if (payload == 0) return {};
  const std::uint16_t sum = fold(pseudo_header(frame, packet));
  std::memcpy(frame.data() + packet.transport_offset + kTcpChecksum, &sum, 2);
  NetOffload offload;
  offload.flags = NetOffload::kNeedsChecksum;
  offload.gso = packet.is_v6 ? NetOffload::kTcp6 : NetOffload::kTcp4;
  offload.header_bytes = static_cast<std::uint16_t>(payload);
  offload.segment_bytes = segment_bytes;
  offload.checksum_start = static_cast<std::uint16_t>(packet.transport_offset);
  offload.checksum_offset = kTcpChecksum;
  return offload;
}

void cut_tcp(std::span<const std::uint8_t> frame, const IpPacket& packet, std::size_t segment_bytes,
             const std::function<void(std::span<const std::uint8_t>)>& take) {
  constexpr std::uint8_t kFinPush = 1 | 8;
  constexpr std::uint8_t kCwr = 0x80;
  const std::size_t headers = tcp_payload_offset(frame, packet);
  if (headers == 0 || segment_bytes == 0) return;
  std::vector<std::uint8_t> segment;
  for (std::size_t at = headers, index = 0; at < packet.end; at += segment_bytes, ++index) {
    const auto part = frame.subspan(at, std::min(segment_bytes, packet.end - at));
    segment.assign(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(headers));
    segment.insert(segment.end(), part.begin(), part.end());
    std::uint8_t* const ip = segment.data() + packet.ip_offset;
    std::uint8_t* const tcp = segment.data() + packet.transport_offset;
    if (packet.is_v6) {
      store16(ip + 4, segment.size() - packet.transport_offset);
    } else {
      store16(ip + 2, segment.size() - packet.ip_offset);
      store16(ip + 4, load16(ip + 4) + index);
      store16(ip + 10, 0);
      const std::uint16_t sum =
          checksum_finish(checksum_add({ip, packet.transport_offset - packet.ip_offset}));
      std::memcpy(ip + 10, &sum, 2);
    }
    const std::size_t sequence = (std::size_t{load16(tcp + 4)} << 16 | load16(tcp + 6)) + (at - headers);
    store16(tcp + 4, sequence >> 16);
    store16(tcp + 6, sequence);
    if (at + part.size() < packet.end) tcp[13] &= static_cast<std::uint8_t>(~kFinPush);
    if (index != 0) tcp[13] &= static_cast<std::uint8_t>(~kCwr);
    store16(tcp + kTcpChecksum, 0);
    IpPacket cut = packet;
    cut.end = segment.size();
    const auto transport = std::span<const std::uint8_t>(segment).subspan(packet.transport_offset);
    const std::uint16_t sum = checksum_finish(checksum_add(transport, pseudo_header(segment, cut)));
    std::memcpy(tcp + kTcpChecksum, &sum, 2);
    take(segment);
  }
}

void fragment_ipv4(std::span<const std::uint8_t> frame, const IpPacket& packet, std::size_t mtu,
                   const std::function<void(std::span<const std::uint8_t>)>& take) {
  const std::size_t header = packet.transport_offset;
  const std::size_t step = (mtu - (header - packet.ip_offset)) & ~std::size_t{7};
  const unsigned flags = load16(frame.data() + packet.ip_offset + 6);
  std::vector<std::uint8_t> fragment;
  for (std::size_t at = header; at < packet.end; at += step) {
    const std::size_t size = std::min(step, packet.end - at);
    fragment.assign(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(header));
    fragment.insert(fragment.end(), frame.begin() + static_cast<std::ptrdiff_t>(at),
                    frame.begin() + static_cast<std::ptrdiff_t>(at + size));
    std::uint8_t* const ip = fragment.data() + packet.ip_offset;
    const bool has_more = at + size < packet.end || (flags & kMoreFragments) != 0;
    store16(ip + 2, fragment.size() - packet.ip_offset);
    store16(ip + 6, (flags & kFragmentOffset) + (at - header) / 8 + (has_more ? kMoreFragments : 0));
    store16(ip + 10, 0);
    const std::uint16_t sum = checksum_finish(checksum_add({ip, header - packet.ip_offset}));
    std::memcpy(ip + 10, &sum, 2);
    take(fragment);
  }
}

}  // namespace gstage
