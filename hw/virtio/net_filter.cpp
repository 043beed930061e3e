// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/net_filter.h"

#include <algorithm>

namespace gstage::hw {
namespace {

constexpr MacAddress kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr unsigned kVlanType = 0x8100;

bool contains(const std::vector<MacAddress>& table, const MacAddress& mac) {
  return std::find(table.begin(), table.end(), mac) != table.end();
}

}  // namespace

bool NetFilter::passes(std::span<const std::uint8_t> head) const {
  if (head.size() < 14) return false;
  if (is_promiscuous) return true;
  if (filters_vlans && head[12] * 256u + head[13] == kVlanType) {
    if (head.size() < 16) return false;
    if (!vlans[(head[14] & 15u) * 256 + head[15]]) return false;
  }
  MacAddress target;
  std::copy_n(head.begin(), target.size(), target.begin());
  if ((target[0] & 1) != 0) {
    if (target == kBroadcast) return !takes_no_broadcast;
    if (takes_no_multicast) return false;
    return takes_all_multicast || is_multicast_overflown || contains(multicast, target);
  }
  if (takes_no_unicast) return false;
  return takes_all_unicast || is_unicast_overflown || target == mac || contains(unicast, target);
}

}  // namespace gstage::hw
