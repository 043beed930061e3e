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

/// Local and custom interrupts, 13–63: those that mvien and hvien can make virtual.
inline constexpr std::uint64_t kLocalInterrupts = ~std::uint64_t{0} << 13;

struct Hart;

/// What mideleg can delegate: kSupervisorInterrupts, and count overflows where there are any.
std::uint64_t supervisor_interrupts(const Hart& hart);
/// What hip and hie hold: SGEI exists with guest external interrupts only.
std::uint64_t hypervisor_interrupts(const Hart& hart);

/// Interrupts that are pending and enabled at a level, whatever the global enables say. Those of VS level are
/// numbered as in vsip, and hvictl is not yet considered.
std::uint64_t ready_for_machine(const Hart& hart);
std::uint64_t ready_for_supervisor(const Hart& hart);
std::uint64_t ready_for_guest(const Hart& hart);
/// The bits of sip that mvien makes virtual, and those of vsip that hvien makes so, as far as they are
/// pending.
std::uint64_t virtual_for_supervisor(const Hart& hart);
std::uint64_t virtual_for_guest(const Hart& hart);

}  // namespace gstage::riscv
