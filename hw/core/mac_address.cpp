// SPDX-License-Identifier: Apache-2.0
#include "hw/core/mac_address.h"

#include <charconv>

namespace gstage::hw {

bool parse_mac(const std::string& text, MacAddress& to) {
  MacAddress mac{};
  constexpr std::size_t kBytes = std::tuple_size_v<MacAddress>;
  if (text.size() != kBytes * 3 - 1) return false;
  for (std::size_t i = 0; i < kBytes; ++i) {
    const char* const at = text.data() + i * 3;
    const auto [end, failure] = std::from_chars(at, at + 2, mac[i], 16);
    if (failure != std::errc{} || end != at + 2) return false;
    if (i + 1 < kBytes && at[2] != ':' && at[2] != '-') return false;
  }
  to = mac;
  return true;
}

MacAddress MacAddresses::next() {
  MacAddress mac{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
  while (used_.count(mac) != 0) ++mac[5];
  used_.insert(mac);
  return mac;
}

}  // namespace gstage::hw

namespace gstage {

bool PropertyCodec<hw::MacAddress>::parse(const std::string& text, const PropertyRow& /*row*/,
                                          hw::MacAddress& to) {
  hw::MacAddress mac{};
  // The address of a group of devices is none's own.
  if (!hw::parse_mac(text, mac) || (mac[0] & 1) != 0) return false;
  to = mac;
  return true;
}

/// The default is the next free one.
std::string PropertyCodec<hw::MacAddress>::show(const hw::MacAddress& /*value*/) {
  return "52:54:00:12:34:56 and up";
}

}  // namespace gstage
