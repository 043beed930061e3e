// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>

#include "softmmu/typed_property.h"

namespace gstage::hw {

/// The address of a network card, as it stands in frames.
using MacAddress = std::array<std::uint8_t, 6>;

/// "52:54:00:12:34:56", with colons or dashes. False: it is none.
bool parse_mac(const std::string& text, MacAddress& to);

/// Gives addresses to the network cards of a machine: 52:54:00:12:34:56 to the first, and so on, past those
/// that the user chose.
class MacAddresses {
 public:
  void use(const MacAddress& mac) { used_.insert(mac); }
  MacAddress next();

 private:
  std::set<MacAddress> used_;
};

}  // namespace gstage::hw

namespace gstage {

/// An address that a device may have; all zeroes: not said.
template <>
struct PropertyCodec<hw::MacAddress> {
  static constexpr const char* kForm = "ADDRESS";
  static bool parse(const std::string& text, const PropertyRow& row, hw::MacAddress& to);
  static std::string show(const hw::MacAddress& value);
};

}  // namespace gstage
