// SPDX-License-Identifier: Apache-2.0
#include "hw/net/e1000e_phy.h"

namespace gstage::hw {
namespace {

constexpr unsigned kChecksumWord = 0x3f;
/// What all words up to the checksum add up to (82574 datasheet, "NVM Checksum").
constexpr std::uint16_t kChecksum = 0xbaba;

enum : unsigned {
  kControl = 0,
  kStatus = 1,
  kId1 = 2,
  kId2 = 3,
  kAdvertised = 4,
  kPartner = 5,
  kGigabitControl = 9,
  kGigabitStatus = 10,
  kExtendedStatus = 15,
  kSpecificStatus = 17,
};
constexpr std::uint16_t kReset = 1 << 15;
constexpr std::uint16_t kRestart = 1 << 9;
constexpr std::uint16_t kLinkBits = 1 << 2 | 1 << 5;  ///< of the status: link up, negotiation complete
constexpr std::uint16_t kSpecificLink = 1 << 10;

}  // namespace

E1000eEeprom::E1000eEeprom(const MacAddress& mac) {
  for (unsigned i = 0; i < mac.size(); i += 2)
    words_[i / 2] = static_cast<std::uint16_t>(mac[i] | mac[i + 1] << 8);
  words_[4] = 0xffff;  // LEDs: the default
  words_[8] = words_[9] = 0xffff;
  std::uint16_t sum = 0;
  for (unsigned word = 0; word < kChecksumWord; ++word) sum = static_cast<std::uint16_t>(sum + words_[word]);
  words_[kChecksumWord] = static_cast<std::uint16_t>(kChecksum - sum);
}

const std::array<std::uint16_t, E1000ePhy::kRegisters> E1000ePhy::kAtReset = [] {
  std::array<std::uint16_t, kRegisters> all{};
  all[kControl] = 0x1140;
  all[kStatus] = 0x7949;
  all[kId1] = 0x0141;
  all[kId2] = 0x0cb1;
  all[kAdvertised] = 0x0de1;
  all[kPartner] = 0x45e1;
  all[kGigabitControl] = 0x0e00;
  all[kGigabitStatus] = 0x3c00;
  all[kExtendedStatus] = 0x3000;
  all[kSpecificStatus] = 0xa800;
  return all;
}();

std::uint16_t E1000ePhy::read(unsigned index, bool is_link_up) const {
  const std::uint16_t value = written_[index % kRegisters];
  if (index == kStatus && is_link_up) return value | kLinkBits;
  if (index == kSpecificStatus && is_link_up) return value | kSpecificLink;
  return value;
}

bool E1000ePhy::write(unsigned index, std::uint16_t value) {
  switch (index) {
    case kControl: {
      if ((value & kReset) != 0) reset();
      written_[kControl] = static_cast<std::uint16_t>(value & ~(kReset | kRestart));
      return (value & (kReset | kRestart)) != 0;
    }
    case kStatus:
    case kId1:
    case kId2:
    case kPartner:
    case kGigabitStatus:
    case kExtendedStatus:
    case kSpecificStatus: return false;
    default: written_[index % kRegisters] = value; return false;
  }
}

}  // namespace gstage::hw
