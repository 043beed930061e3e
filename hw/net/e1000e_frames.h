// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace gstage::hw {

/// What the last context descriptor said (82574 datasheet, "Transmit Context Descriptor"): where checksums
/// go, and how a packet is cut. As it lies in memory.
struct E1000eContext {
  std::uint8_t ip_start = 0;
  std::uint8_t ip_offset = 0;
  std::uint16_t ip_end = 0;  ///< the last byte
  std::uint8_t tcp_start = 0;
  std::uint8_t tcp_offset = 0;
  std::uint16_t tcp_end = 0;  ///< the last byte; 0: the packet's
  std::uint32_t command = 0;  ///< payload length, type, command
  std::uint8_t status = 0;
  std::uint8_t header_bytes = 0;
  std::uint16_t segment_bytes = 0;

  [[nodiscard]] bool is_tcp() const { return (command >> 24 & 1) != 0; }
  [[nodiscard]] bool is_ipv4() const { return (command >> 25 & 1) != 0; }
};
static_assert(sizeof(E1000eContext) == 16);

/// A packet that the driver gave, with what it left to the card.
struct E1000ePacket {
  std::vector<std::uint8_t> bytes;
  bool has_ip_checksum = false;
  bool has_tcp_checksum = false;
  bool is_cut = false;                ///< into segments
  std::optional<std::uint16_t> vlan;  ///< a tag to insert
};

/// Hands the frames of the packet, complete, to `take`. What makes no sense (headers beyond the packet) goes
/// out as it is.
void make_frames(const E1000ePacket& packet, const E1000eContext& context,
                 const std::function<void(std::vector<std::uint8_t> frame)>& take);

/// What the card found of a received frame's checksums.
struct E1000eChecks {
  bool has_ip = false;  ///< they were looked at
  bool has_tcp = false;
  bool is_ip_wrong = false;
  bool is_tcp_wrong = false;
  bool is_udp = false;
};
E1000eChecks check_frame(std::span<const std::uint8_t> frame);

/// Ethernet's check sequence, as it is sent.
std::uint32_t ethernet_crc(std::span<const std::uint8_t> frame);

}  // namespace gstage::hw
