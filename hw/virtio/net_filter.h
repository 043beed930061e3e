// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <cstdint>
#include <span>
#include <vector>

#include "hw/core/mac_address.h"

namespace gstage::hw {

/// Which frames a network device lets through to its driver (Virtio 1.3, 5.1.6.5.1 to 5.1.6.5.3). Plain
/// state.
struct NetFilter {
  static constexpr std::size_t kMostAddresses = 64;
  static constexpr std::size_t kVlans = 4096;

  MacAddress mac{};
  bool is_promiscuous = true;  ///< until the driver says something else
  bool takes_all_multicast = false;
  bool takes_all_unicast = false;
  bool takes_no_multicast = false;
  bool takes_no_unicast = false;
  bool takes_no_broadcast = false;
  bool is_unicast_overflown = false;  ///< the table has more addresses than are kept: all pass
  bool is_multicast_overflown = false;
  std::vector<MacAddress> unicast;
  std::vector<MacAddress> multicast;
  bool filters_vlans = false;
  std::bitset<kVlans> vlans;

  /// `head` is the front of a frame, at least 14 bytes; with a VLAN tag 16.
  [[nodiscard]] bool passes(std::span<const std::uint8_t> head) const;
};

}  // namespace gstage::hw
