// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "hw/virtio/net_filter.h"

namespace gstage::hw {

/// Feature bits of a network device (Virtio 1.3, 5.1.3).
enum NetFeature : std::uint64_t {
  kNetCsum = 1ull << 0,
  kNetGuestCsum = 1ull << 1,
  kNetCtrlGuestOffloads = 1ull << 2,
  kNetMtu = 1ull << 3,
  kNetMac = 1ull << 5,
  kNetGuestTso4 = 1ull << 7,
  kNetGuestTso6 = 1ull << 8,
  kNetGuestEcn = 1ull << 9,
  kNetGuestUfo = 1ull << 10,
  kNetHostTso4 = 1ull << 11,
  kNetHostTso6 = 1ull << 12,
  kNetHostEcn = 1ull << 13,
  kNetHostUfo = 1ull << 14,
  kNetMrgRxbuf = 1ull << 15,
  kNetStatus = 1ull << 16,
  kNetCtrlVq = 1ull << 17,
  kNetCtrlRx = 1ull << 18,
  kNetCtrlVlan = 1ull << 19,
  kNetCtrlRxExtra = 1ull << 20,
  kNetGuestAnnounce = 1ull << 21,
  kNetMq = 1ull << 22,
  kNetCtrlMacAddr = 1ull << 23,
  kNetSpeedDuplex = 1ull << 63,
};
/// What VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET may switch.
inline constexpr std::uint64_t kNetGuestOffloads =
    kNetGuestCsum | kNetGuestTso4 | kNetGuestTso6 | kNetGuestEcn | kNetGuestUfo;

/// What the control queue's commands change.
struct NetControlState {
  NetFilter filter;
  std::uint16_t pairs = 1;           ///< queue pairs in use
  std::uint64_t guest_offloads = 0;  ///< of kNetGuestOffloads
  bool is_announcing = false;        ///< the driver is asked to announce itself
};

/// What is the same for all commands between two resets.
struct NetControlLimits {
  std::uint64_t features = 0;  ///< negotiated
  std::uint16_t max_pairs = 1;
};

/// The most bytes of a command that make sense.
inline constexpr std::size_t kMaxNetCommand = 32 << 10;

/// Executes one command of the control queue (Virtio 1.3, 5.1.6.5): class, command and its data. False, and
/// nothing has changed, where it makes no sense.
bool execute_net_command(std::span<const std::uint8_t> bytes, const NetControlLimits& limits,
                         NetControlState& state);

}  // namespace gstage::hw
