// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "target/riscv/aia/priority.h"

namespace gstage::riscv {

struct Hart;

/// The most urgent of the interrupts that are ready at a level; `ready` is not empty.
Candidate machine_top(const Hart& hart, std::uint64_t ready);
Candidate supervisor_top(const Hart& hart, std::uint64_t ready);

/// The values of mtopi, stopi and vstopi.
std::uint64_t mtopi(const Hart& hart);
std::uint64_t stopi(const Hart& hart);
std::uint64_t vstopi(const Hart& hart);
/// vstopi, given the interrupts that are ready at VS level (numbered as in vsip). An interrupt is pending at
/// VS level if and only if it is not zero (AIA, "Interrupt traps to VS-mode").
std::uint64_t vstopi_of(const Hart& hart, std::uint64_t ready);
/// The field IID of these.
constexpr unsigned topi_number(std::uint64_t topi) { return topi >> 16 & 0xfff; }

}  // namespace gstage::riscv
