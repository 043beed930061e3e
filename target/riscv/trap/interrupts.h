// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "target/riscv/cpu.h"
#include "target/riscv/csr/fields.h"

namespace gstage::riscv {

/// The bit of an interrupt in mip, mie, mideleg and hideleg.
constexpr std::uint64_t interrupt_bit(InterruptBit interrupt) { return std::uint64_t{1} << interrupt; }

inline constexpr std::uint64_t kMachineInterrupts =
    interrupt_bit(kMsi) | interrupt_bit(kMti) | interrupt_bit(kMei);
inline constexpr std::uint64_t kSupervisorInterrupts =
    interrupt_bit(kSsi) | interrupt_bit(kSti) | interrupt_bit(kSei);
inline constexpr std::uint64_t kVsInterrupts =
    interrupt_bit(kVssi) | interrupt_bit(kVsti) | interrupt_bit(kVsei);
/// What hip and hie hold: SGEI exists with guest external interrupts only.
inline constexpr std::uint64_t kHypervisorInterrupts =
    kVsInterrupts | (kGeilen > 0 ? interrupt_bit(kSgei) : 0);

/// Bits GEILEN:1 of hgeip and hgeie.
inline constexpr std::uint64_t kGuestFileMask = ((std::uint64_t{1} << kGeilen) - 1) << 1;

}  // namespace gstage::riscv
