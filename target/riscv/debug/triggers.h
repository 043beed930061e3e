// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/base/types.h"
#include "softmmu/mem/tlb.h"
#include "target/riscv/hart.h"

namespace gstage::riscv {

/// The set that holds the mode alone, as Hart::execute_trigger_modes is one.
constexpr std::uint8_t mode_bit(std::uint8_t priv, bool v) {
  return static_cast<std::uint8_t>(1u << (priv | (v ? 4u : 0u)));
}

/// Triggers changed: recomputes what Hart keeps of them, and drops translations that a new one must see past.
/// The regimes are to be updated after it.
void triggers_changed(Hart& hart);

/// Shows the triggers the instruction of `size` bytes that is about to execute; may raise.
void check_instruction(Hart& hart, Vaddr pc, unsigned size);

/// What one explicit access does.
struct AccessKind {
  bool loads;
  bool stores;
};
/// Shows the triggers an access to the transformed address. Returns whether one fired: then it is raised.
bool check_access(Hart& hart, bool is_guest_vaddr, Vaddr vaddr, unsigned size, AccessKind kind);
/// Whether the triggers want to see all accesses of this table to the page.
bool is_watched(const Hart& hart, TlbAccess access, Vaddr page);

/// Shows the triggers a trap that is about to be taken, by its cause register's value.
void count_trap(Hart& hart, std::uint64_t cause);
/// Whether an exception trigger fires for an exception that was taken from the modes of `from`, one bit.
bool fires_for_exception(Hart& hart, std::uint64_t cause, std::uint8_t from);

}  // namespace gstage::riscv
