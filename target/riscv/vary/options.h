// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace gstage::riscv {

/// How a value that may be left out is written by a trap.
enum class Informs : std::uint8_t { kAlways, kNever, kSometimes };

/// `-vary`: choices where the specification leaves some. What is not said is chosen by the seed; without a
/// seed it is as without the option.
struct VaryOptions {
  std::optional<std::uint64_t> seed;
  std::optional<Informs> htinst;     ///< the transformed instruction in htinst and mtinst, or zero
  std::optional<Informs> htval;      ///< the guest physical address in htval and mtval2, or zero
  std::optional<unsigned> vmidlen;   ///< bits, 0 to 14
  std::optional<unsigned> asidlen;   ///< bits, 0 to 16
  std::optional<unsigned> spurious;  ///< percent of wfi's that end without a reason
  std::optional<unsigned> tlb;       ///< translations are dropped after about so many misses; 0: never
  std::optional<unsigned> sc_fails;  ///< percent of reservations that are lost, 0 to 90

  [[nodiscard]] bool is_on() const {
    return seed || htinst || htval || vmidlen || asidlen || spurious || tlb || sc_fails;
  }
};

}  // namespace gstage::riscv
