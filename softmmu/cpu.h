// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "softmmu/base/types.h"
#include "softmmu/mem/tlb.h"

namespace gstage {

/// Reasons for a hart to leave generated code at the next back edge; a bit set in `CpuCore::attention`.
enum Attention : std::uint32_t {
  kAttendInterrupt = 1u << 0,  ///< an interrupt may have become pending or enabled
  kAttendStop = 1u << 1,       ///< pause, reset or quit is requested
  kAttendExclusive = 1u << 2,  ///< another thread wants all harts outside generated code
  kAttendTimer = 1u << 3,      ///< a deadline of the hart's timers has passed
  kAttendSample = 1u << 4,     ///< the engine wants to know where the hart is; nothing else comes of it
  kAttendWatch = 1u << 5,      ///< an atomic instruction of the hart may have stored to what is watched
  kAttendDebug = 1u << 6,      ///< the debugger has something for the hart, or the hart for the debugger
};

/// What generated code and the translator's runtime reach at fixed offsets. The first member of the target's
/// hart.
struct CpuCore {
  TlbEntry* read = nullptr;  ///< table of the current data regime's context
  TlbEntry* write = nullptr;
  TlbEntry* fetch = nullptr;  ///< tables of the current fetch regime's context
  JumpEntry* straddlers = nullptr;
  std::uint32_t data_mask = kTlbFirstMask;  ///< TlbTables::mask of the two contexts
  std::uint32_t fetch_mask = kTlbFirstMask;
  const JumpSlot* jump_slots = kNoJumps.data();  ///< of the hart's JumpTable, while an engine runs it
  std::uint32_t jump_mask = 0;
  std::uint64_t jump_kind = 0;  ///< JumpTable::kind of the current block flags
  std::uint64_t pc_page = 0;    ///< inside generated code: virtual page of the running block
  std::uint64_t pc = 0;         ///< outside generated code: the next (or trapping) instruction
  std::atomic<std::uint32_t> attention{0};
  std::uint32_t trap_pending = 0;  ///< a helper raised a trap; the instruction has no further effect
  std::uint32_t mxcsr = 0x1f80;    ///< guest's rounding mode and sticky flags while outside generated code
  std::atomic<std::uint32_t> in_guest{0};  ///< the hart is inside generated code; only Exclusive writes it
  std::uint64_t reservation_vaddr = ~std::uint64_t{0};  ///< of lr; all ones: none
  std::uint64_t reservation_value = 0;
  Tlb* tlb = nullptr;             ///< the hart's, while an engine runs it
  std::uint64_t scratch[2] = {};  ///< spill slots of the runtime's stubs
};

/// A hart as the machine sees it. One thread runs each.
class Cpu {
 public:
  virtual ~Cpu() = default;

  [[nodiscard]] virtual unsigned index() const = 0;
  virtual CpuCore& core() = 0;
  virtual Tlb& tlb() = 0;
  /// Executes until `kAttendStop` is seen at a safe point. Sleeps in wfi.
  virtual void run() = 0;
  /// To the state at power-on. Only while stopped.
  virtual void reset() = 0;
  /// Sets attention bits and wakes the hart if it sleeps in wfi. Any thread.
  virtual void kick(std::uint32_t attention) = 0;
  /// The hart's number and registers as text for the monitor's `info registers`, lines ended. Only while
  /// stopped.
  [[nodiscard]] virtual std::string describe() const { return {}; }
};

}  // namespace gstage
