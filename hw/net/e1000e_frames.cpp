// SPDX-License-Identifier: Apache-2.0
#include "hw/net/e1000e_frames.h"

#include <algorithm>
#include <cstring>

#include <zlib.h>

#include "io/net/packet.h"

namespace gstage::hw {
namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr std::size_t kAddresses = 12;  ///< bytes in front of the tag or the type

void store16(Bytes& frame, std::size_t at, std::size_t value) {
  if (at + 2 > frame.size()) return;
  frame[at] = static_cast<std::uint8_t>(value >> 8);
  frame[at + 1] = static_cast<std::uint8_t>(value);
}

std::uint32_t load(const Bytes& frame, std::size_t at, unsigned bytes) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) value = value << 8 | (at + i < frame.size() ? frame[at + i] : 0);
  return value;
}

void store32(Bytes& frame, std::size_t at, std::uint32_t value) {
  store16(frame, at, value >> 16);
  store16(frame, at + 2, value & 0xffff);
}

/// Stores the checksum of the bytes from `start` to `last` (0: the end). The field at `at` counts with them:
/// the driver put the pseudo-header's sum there, or zero.
void put_checksum(Bytes& frame, std::size_t start, std::size_t last, std::size_t at, std::size_t more = 0) {
  const std::size_t end = last == 0 ? frame.size() : std::min(last + 1, frame.size());
  if (start >= end || at + 2 > frame.size()) return;
  const std::uint8_t more_bytes[] = {static_cast<std::uint8_t>(more >> 8), static_cast<std::uint8_t>(more)};
  const std::uint64_t sum =
      checksum_add(std::span(frame).subspan(start, end - start), checksum_add(more_bytes));
  const std::uint16_t value = checksum_finish(sum);
  std::memcpy(frame.data() + at, &value, sizeof value);
}

void finish(const E1000ePacket& packet, const E1000eContext& context, Bytes frame, std::size_t tcp_length,
            const std::function<void(Bytes)>& take) {
  if (packet.has_ip_checksum) {
    store16(frame, context.ip_offset, 0);
    put_checksum(frame, context.ip_start, context.ip_end, context.ip_offset);
  }
  if (packet.has_tcp_checksum)
    put_checksum(frame, context.tcp_start, context.tcp_end, context.tcp_offset, tcp_length);
  if (packet.vlan && frame.size() > kAddresses) {
    const std::uint8_t tag[] = {0x81, 0x00, static_cast<std::uint8_t>(*packet.vlan >> 8),
                                static_cast<std::uint8_t>(*packet.vlan)};
    frame.insert(frame.begin() + kAddresses, std::begin(tag), std::end(tag));
  }
  take(std::move(frame));
}

/// Makes a segment's headers of the packet's: lengths, IPv4's identification, TCP's sequence number and
/// flags.
void fix_headers(Bytes& frame, const E1000eContext& context, unsigned index, std::size_t done, bool is_last) {
  constexpr std::size_t kIpv6Bytes = 40;
  constexpr std::uint8_t kFinPush = 1 | 8;
  constexpr std::uint8_t kCwr = 0x80;
  const std::size_t ip = context.ip_start;
  if (context.is_ipv4()) {
    store16(frame, ip + 2, frame.size() - ip);
    store16(frame, ip + 4, load(frame, ip + 4, 2) + index);
  } else {
    store16(frame, ip + 4, frame.size() - ip - kIpv6Bytes);
  }
  const std::size_t tcp = context.tcp_start;
  if (!context.is_tcp()) {
    store16(frame, tcp + 4, frame.size() - tcp);
    return;
  }
  store32(frame, tcp + 4, load(frame, tcp + 4, 4) + static_cast<std::uint32_t>(done));
  const std::size_t flags = tcp + 13;
  if (flags >= frame.size()) return;
  if (!is_last) frame[flags] &= static_cast<std::uint8_t>(~kFinPush);
  if (index != 0) frame[flags] &= static_cast<std::uint8_t>(~kCwr);
}

}  // namespace

void make_frames(const E1000ePacket& packet, const E1000eContext& context,
                 const std::function<void(Bytes frame)>& take) {
  const std::size_t header = context.header_bytes;
  const bool can_cut = packet.is_cut && context.segment_bytes != 0 && header < packet.bytes.size() &&
                       context.tcp_start < header && context.ip_start < context.tcp_start;
  if (!can_cut) return finish(packet, context, packet.bytes, 0, take);
  const std::size_t payload = packet.bytes.size() - header;
  unsigned index = 0;
  for (std::size_t done = 0; done < payload; done += context.segment_bytes) {
    const std::size_t size = std::min<std::size_t>(context.segment_bytes, payload - done);
    const auto begin = packet.bytes.begin();
    Bytes frame(begin, begin + static_cast<std::ptrdiff_t>(header));
    const auto data = begin + static_cast<std::ptrdiff_t>(header + done);
    frame.insert(frame.end(), data, data + static_cast<std::ptrdiff_t>(size));
    fix_headers(frame, context, index++, done, done + size == payload);
    const std::size_t tcp_length = frame.size() - context.tcp_start;
    finish(packet, context, std::move(frame), tcp_length, take);
  }
}

E1000eChecks check_frame(std::span<const std::uint8_t> frame) {
  E1000eChecks checks;
  const auto packet = parse_ip(frame);
  if (!packet) return checks;
  const auto ip = frame.subspan(packet->ip_offset);
  checks.has_ip = !packet->is_v6;
  if (checks.has_ip)
    checks.is_ip_wrong =
        checksum_finish(checksum_add(ip.first(packet->transport_offset - packet->ip_offset))) != 0;
  checks.is_udp = packet->protocol == IpPacket::kUdp;
  if (packet->is_fragment || (packet->protocol != IpPacket::kTcp && !checks.is_udp)) return checks;
  const auto transport = frame.subspan(packet->transport_offset, packet->end - packet->transport_offset);
  constexpr std::size_t kUdpBytes = 8;
  constexpr std::size_t kUdpChecksum = 6;
  if (transport.size() < kUdpBytes) return checks;
  // Zero in UDP's field means that there is none.
  if (checks.is_udp && transport[kUdpChecksum] == 0 && transport[kUdpChecksum + 1] == 0) return checks;
  const std::uint8_t tail[] = {static_cast<std::uint8_t>(transport.size() >> 8),
                               static_cast<std::uint8_t>(transport.size()), 0, packet->protocol};
  const auto addresses = packet->is_v6 ? ip.subspan(8, 32) : ip.subspan(12, 8);
  checks.has_tcp = true;
  checks.is_tcp_wrong =
      checksum_finish(checksum_add(transport, checksum_add(tail, checksum_add(addresses)))) != 0;
  return checks;
}

std::uint32_t ethernet_crc(std::span<const std::uint8_t> frame) {
  return static_cast<std::uint32_t>(crc32(0, frame.data(), static_cast<unsigned>(frame.size())));
}

}  // namespace gstage::hw
