// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <sys/uio.h>

namespace gstage {

/// What is left to do with a frame, as Virtio 1.3, 5.1.6 and Linux' tap interfaces describe it.
/// Little-endian, and the first ten bytes of the header that both exchange.
struct NetOffload {
  enum Flag : std::uint8_t {
    kNeedsChecksum = 1,  ///< the field at checksum_start + checksum_offset holds the sum of the pseudo-header
    kDataValid = 2,      ///< the checksum was looked at and is right
  };
  enum Gso : std::uint8_t { kNone = 0, kTcp4 = 1, kUdp = 3, kTcp6 = 4, kUdpL4 = 5, kEcn = 0x80 };

  std::uint8_t flags = 0;
  std::uint8_t gso = kNone;
  std::uint16_t header_bytes = 0;   ///< Ethernet, IP and TCP headers together; a hint
  std::uint16_t segment_bytes = 0;  ///< payload of each segment
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;
};
static_assert(sizeof(NetOffload) == 10);

/// The offloads that one side of a wire takes from the other.
enum NetOffloads : unsigned {
  kOffloadChecksum = 1,
  kOffloadTso4 = 2,
  kOffloadTso6 = 4,
  kOffloadEcn = 8,
  kOffloadUfo = 16,
};

/// An Ethernet frame without its check sequence, or a large one that is still to be cut into segments.
struct NetFrame {
  /// The most bytes of one frame: 64 KiB of IP and its Ethernet header with one VLAN tag.
  static constexpr std::size_t kMaxBytes = 65535 + 18;
  static constexpr std::size_t kMinBytes = 14;

  std::span<const iovec> parts;
  std::size_t size = 0;  ///< the sum of the parts
  NetOffload offload{};
};

/// Copies a frame's bytes from `skip` on; returns how many there were, at most `to.size()`.
std::size_t copy_frame(const NetFrame& frame, std::size_t skip, std::span<std::uint8_t> to);

}  // namespace gstage
