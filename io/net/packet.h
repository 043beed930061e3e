// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "io/net/frame.h"

namespace gstage {

/// The ones' complement sum of RFC 1071, not folded: of big-endian words as they lie in memory.
std::uint64_t checksum_add(std::span<const std::uint8_t> bytes, std::uint64_t sum = 0);
/// Folds the sum and complements it; as it is stored.
std::uint16_t checksum_finish(std::uint64_t sum);

/// Where the headers of an IP packet in an Ethernet frame are.
struct IpPacket {
  bool is_v6 = false;
  bool is_fragment = false;
  std::uint8_t protocol = 0;  ///< kTcp, kUdp or another
  std::size_t ip_offset = 0;
  std::size_t transport_offset = 0;
  std::size_t end = 0;  ///< behind the packet's last byte, within the frame

  static constexpr std::uint8_t kTcp = 6;
  static constexpr std::uint8_t kUdp = 17;
};

/// Null where the frame holds no IP packet, or one that is cut off. IPv6 extension headers are not followed.
std::optional<IpPacket> parse_ip(std::span<const std::uint8_t> frame);

/// Writes the checksum that the offload asks for. False when it lies beyond the frame.
bool complete_checksum(std::span<std::uint8_t> frame, const NetOffload& offload);

/// Of a TCP segment that opens a connection: the largest segment that its sender says it takes, in its place
/// in the frame. Null when the frame holds no such thing.
std::uint8_t* find_tcp_mss(std::span<std::uint8_t> frame, const IpPacket& packet);
/// The offset of the TCP header's end; 0 when the header is cut off.
std::size_t tcp_payload_offset(std::span<const std::uint8_t> frame, const IpPacket& packet);
/// Replaces a 16-bit field and corrects the checksum at `checksum` (RFC 1624).
void replace_word(std::uint8_t* field, std::uint16_t value, std::uint8_t* checksum);

/// Makes of a whole TCP packet one that is cut into segments of `segment_bytes` by whoever gets it: the
/// checksum becomes that of the pseudo-header, and the result says what is left to do.
NetOffload prepare_segmentation(std::span<std::uint8_t> frame, const IpPacket& packet,
                                std::uint16_t segment_bytes);

/// Cuts a TCP packet into segments of at most `segment_bytes` of payload, for whoever does not do so himself:
/// headers and checksums are made anew. Hands each frame to `take`.
void cut_tcp(std::span<const std::uint8_t> frame, const IpPacket& packet, std::size_t segment_bytes,
             const std::function<void(std::span<const std::uint8_t>)>& take);

/// Cuts an IPv4 packet into fragments of at most `mtu` bytes (RFC 791) and hands each frame to `take`.
void fragment_ipv4(std::span<const std::uint8_t> frame, const IpPacket& packet, std::size_t mtu,
                   const std::function<void(std::span<const std::uint8_t>)>& take);

}  // namespace gstage
