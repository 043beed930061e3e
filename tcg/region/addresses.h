// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tcg/ir/unit.h"

namespace gstage::tcg {

/// An address, relative to what a register held at the unit's start: at least `low` bytes from it, at most
/// `high`.
struct AddressRange {
  std::uint8_t x = 0;  ///< the register; 0: nothing is known
  std::int64_t low = 0;
  std::int64_t high = 0;
};

/// What a unit does to an integer register.
struct RegisterChange {
  bool is_unknown = false;  ///< it becomes something else than itself plus a constant
  std::int64_t up = 0;      ///< how far above its value at the start it gets at most
  std::int64_t down = 0;    ///< how far below
};

/// Addresses of a unit's accesses, and what becomes of registers that addresses are made from.
struct UnitAddresses {
  std::vector<AddressRange> of;  ///< by instruction; of loads and stores
  std::array<RegisterChange, 32> changes;
};

/// Finds what the unit alone tells: it follows added constants, and indices that are masked, shifted or
/// loaded as bytes.
UnitAddresses find_addresses(const Unit& unit);

}  // namespace gstage::tcg
