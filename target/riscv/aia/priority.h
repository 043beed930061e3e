// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace gstage::riscv {

/// A pending-and-enabled major interrupt of one level.
struct Candidate {
  unsigned number = 0;
  unsigned priority = 0;  ///< its priority number; 0: the default order decides
  bool is_above = false;  ///< its default priority is above that of the level's external interrupt
};

/// The priority number of an external interrupt that no interrupt controller stands behind (AIA, "Configuring
/// priorities of major interrupts at supervisor level").
inline constexpr unsigned kLowestExternal = 256;

/// The place in the default order, 0 is the highest (AIA, "Defined major interrupts and default priorities").
/// The local interrupts lie as planned there; custom and reserved ones lowest, in the order of their numbers.
unsigned default_rank(unsigned number);

/// What is smaller goes first: the nominal priority, then the default order. `external` is the number of the
/// level's external interrupt.
std::uint32_t urgency(const Candidate& candidate, unsigned external);

/// The field IPRIO of mtopi, stopi and vstopi.
unsigned reported_priority(const Candidate& candidate);

/// The most urgent interrupt of a nonempty set. `priorities` has a priority number for each, the external
/// interrupt's is `external_priority`.
Candidate most_urgent(std::uint64_t set, const std::uint8_t* priorities, unsigned external,
                      unsigned external_priority);

}  // namespace gstage::riscv
