// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "hw/core/mac_address.h"

namespace gstage::hw {

/// The words of a network card's EEPROM: its address, and a checksum over all.
class E1000eEeprom {
 public:
  explicit E1000eEeprom(const MacAddress& mac);
  /// Zero beyond the end.
  [[nodiscard]] std::uint16_t read(unsigned word) const { return word < words_.size() ? words_[word] : 0; }

 private:
  std::array<std::uint16_t, 64> words_{};
};

/// The 82574's PHY as far as drivers look at it (IEEE 802.3, clause 22): negotiation is over at once, at
/// 1000 Mbit/s and full duplex.
class E1000ePhy {
 public:
  [[nodiscard]] std::uint16_t read(unsigned index, bool is_link_up) const;
  /// Answers whether the link is negotiated anew.
  bool write(unsigned index, std::uint16_t value);
  void reset() { written_ = kAtReset; }

 private:
  static constexpr unsigned kRegisters = 32;
  static const std::array<std::uint16_t, kRegisters> kAtReset;
  std::array<std::uint16_t, kRegisters> written_ = kAtReset;
};

}  // namespace gstage::hw
