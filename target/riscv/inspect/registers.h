// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "target/riscv/hart.h"

namespace gstage::riscv {

/// What belongs together, for debuggers and monitors.
enum class RegisterGroup : std::uint8_t {
  kGeneral,     ///< x0–x31, pc
  kFloat,       ///< f0–f31, fflags, frm, fcsr
  kVirtual,     ///< priv
  kCsr,         ///< CSRs that are in no other group
  kHypervisor,  ///< of the hypervisor extension
  kVs,          ///< vsstatus and its like
  kAia,         ///< of the AIA, those behind miselect and siselect and all interrupt files included
  kPmp,
  kCounters,
  kCount
};
/// "general", "float", "virtual", "csr", …
const char* group_name(RegisterGroup group);

/// Numbers by which gdb knows the registers of RISC-V; those of indirect registers are ours.
inline constexpr unsigned kPcNumber = 32;
inline constexpr unsigned kF0Number = 33;
inline constexpr unsigned kCsr0Number = 65;
inline constexpr unsigned kPrivNumber = kCsr0Number + 4096;
inline constexpr unsigned kIndirect0Number = kPrivNumber + 1;

/// One register of a hart.
struct Register {
  /// Where it is.
  enum class Place : std::uint8_t {
    kX,
    kPc,
    kF,
    kCsr,
    kPriv,                ///< privilege in bits 1:0, V in bit 2, as in the debug specification's `priv`
    kMachineIndirect,     ///< by miselect
    kSupervisorIndirect,  ///< by siselect
    kGuestFile            ///< of a guest's interrupt file
  };
  std::string name;
  RegisterGroup group;
  unsigned number;  ///< gdb's
  unsigned bits;    ///< 32 or 64
  Place place;
  unsigned index;     ///< number of an x or f register or a CSR; what an indirect one is selected by
  unsigned file = 0;  ///< guest file, from 1 on
};

/// All registers that the hart has, by number. `x10` is called by its ABI name, "a0". `seed` is none of them:
/// each of its reads consumes entropy.
std::vector<Register> list_registers(const Hart& hart);

/// The value, without side effects; nothing where it cannot be read now.
std::optional<std::uint64_t> read_register(Hart& hart, const Register& row);
/// Writes as an M-mode program would, with all that follows from it. False for what cannot be written. A
/// write of `priv` makes the hart go on in that mode; of `pc`, there.
bool write_register(Hart& hart, const Register& row, std::uint64_t value);
// Both while the hart is outside generated code and does not run.

}  // namespace gstage::riscv
