// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/net_control.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace gstage::hw {
namespace {

using Bytes = std::span<const std::uint8_t>;

template <class T>
T load(Bytes bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

template <bool NetFilter::*flag>
bool set_flag(Bytes data, const NetControlLimits&, NetControlState& state) {
  state.filter.*flag = data[0] != 0;
  return true;
}

/// Takes one table off the front of `data`; false when it is cut off.
bool take_addresses(Bytes& data, std::vector<MacAddress>& table, bool& is_overflown) {
  if (data.size() < sizeof(std::uint32_t)) return false;
  const std::size_t count = load<std::uint32_t>(data);
  data = data.subspan(sizeof(std::uint32_t));
  if (count > data.size() / sizeof(MacAddress)) return false;
  is_overflown = count > NetFilter::kMostAddresses;
  table.clear();
  for (std::size_t i = 0; i < count && !is_overflown; ++i)
    table.push_back(load<MacAddress>(data.subspan(i * sizeof(MacAddress))));
  data = data.subspan(count * sizeof(MacAddress));
  return true;
}

bool set_addresses(Bytes data, const NetControlLimits&, NetControlState& state) {
  NetFilter filter = state.filter;
  if (!take_addresses(data, filter.unicast, filter.is_unicast_overflown) ||
      !take_addresses(data, filter.multicast, filter.is_multicast_overflown) || !data.empty())
    return false;
  state.filter = std::move(filter);
  return true;
}

bool set_address(Bytes data, const NetControlLimits&, NetControlState& state) {
  state.filter.mac = load<MacAddress>(data);
  return true;
}

template <bool is_member>
bool set_vlan(Bytes data, const NetControlLimits&, NetControlState& state) {
  const auto id = load<std::uint16_t>(data);
  if (id >= NetFilter::kVlans) return false;
  state.filter.vlans[id] = is_member;
  return true;
}

bool acknowledge_announce(Bytes, const NetControlLimits&, NetControlState& state) {
  if (!state.is_announcing) return false;
  state.is_announcing = false;
  return true;
}

bool set_pairs(Bytes data, const NetControlLimits& limits, NetControlState& state) {
  const auto pairs = load<std::uint16_t>(data);
  if (pairs == 0 || pairs > limits.max_pairs) return false;
  state.pairs = pairs;
  return true;
}

bool set_offloads(Bytes data, const NetControlLimits& limits, NetControlState& state) {
  const auto offloads = load<std::uint64_t>(data);
  if ((offloads & ~(limits.features & kNetGuestOffloads)) != 0) return false;
  state.guest_offloads = offloads;
  return true;
}

struct Command {
  static constexpr std::size_t kAny = ~std::size_t{0};
  std::uint8_t kind;
  std::uint8_t number;
  std::uint64_t feature;
  std::size_t size;  ///< of its data, bytes
  bool (*execute)(Bytes data, const NetControlLimits& limits, NetControlState& state);
};

using F = NetFilter;
constexpr Command kCommands[] = {
    {0, 0, kNetCtrlRx, 1, set_flag<&F::is_promiscuous>},
    {0, 1, kNetCtrlRx, 1, set_flag<&F::takes_all_multicast>},
    {0, 2, kNetCtrlRxExtra, 1, set_flag<&F::takes_all_unicast>},
    {0, 3, kNetCtrlRxExtra, 1, set_flag<&F::takes_no_multicast>},
    {0, 4, kNetCtrlRxExtra, 1, set_flag<&F::takes_no_unicast>},
    {0, 5, kNetCtrlRxExtra, 1, set_flag<&F::takes_no_broadcast>},
    {1, 0, kNetCtrlRx, Command::kAny, set_addresses},
    {1, 1, kNetCtrlMacAddr, sizeof(MacAddress), set_address},
    {2, 0, kNetCtrlVlan, 2, set_vlan<true>},
    {2, 1, kNetCtrlVlan, 2, set_vlan<false>},
    {3, 0, kNetGuestAnnounce, 0, acknowledge_announce},
    {4, 0, kNetMq, 2, set_pairs},
    {5, 0, kNetCtrlGuestOffloads, 8, set_offloads},
};

}  // namespace

bool execute_net_command(Bytes bytes, const NetControlLimits& limits, NetControlState& state) {
  if (bytes.size() < 2) return false;
  const auto command = std::find_if(std::begin(kCommands), std::end(kCommands), [&](const Command& c) {
    return c.kind == bytes[0] && c.number == bytes[1];
  });
  if (command == std::end(kCommands) || (limits.features & command->feature) == 0) return false;
  const Bytes data = bytes.subspan(2);
  if (command->size != Command::kAny && data.size() != command->size) return false;
  return command->execute(data, limits, state);
}

}  // namespace gstage::hw
