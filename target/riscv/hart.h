// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "softmmu/cpu.h"
#include "softmmu/mem/address_space.h"
#include "io/clock.h"
#include "target/riscv/extensions.h"
#include "target/riscv/pmu/counters.h"
#include "target/riscv/trap/trap.h"

namespace gstage::riscv {

class RiscvCpu;
struct MmuState;
class Imsic;
class Semihosting;
class HartDebug;
class ExitRecorder;
class FenceSanitizer;
class IcacheSanitizer;
class Variation;

/// Privilege levels, as mstatus.MPP encodes them.
enum Privilege : std::uint8_t { kUser = 0, kSupervisor = 1, kMachine = 3 };

/// The supervisor-level state that a change of V swaps. `Hart::s` points to the active one: nothing is
/// copied.
struct Bank {
  std::uint64_t status;  ///< SIE SPIE UBE SPP VS FS SUM MXR SDT UXL as in sstatus/vsstatus; SD is derived
  std::uint64_t tvec;
  std::uint64_t scratch;
  std::uint64_t epc;
  std::uint64_t cause;
  std::uint64_t tval;
  std::uint64_t satp;
  std::uint64_t timecmp;  ///< stimecmp / vstimecmp
  std::uint64_t iselect;  ///< siselect / vsiselect
};

inline constexpr unsigned kMajorInterrupts = 64;
inline constexpr unsigned kPmpEntries = 16;
inline constexpr unsigned kStateEnables = 4;

inline constexpr unsigned kTriggers = 4;

/// One trigger of the debug specification: what tselect makes visible.
struct Trigger {
  std::uint64_t tdata1;
  std::uint64_t tdata2;
};

/// A PMP entry that is not off, decoded: it covers the bytes first–last.
struct PmpRule {
  std::uint64_t first;
  std::uint64_t last;
  std::uint8_t cfg;
};

/// What S-mode may do with all of a page, remembered for walks.
struct PmpPage {
  std::uint64_t page;
  std::uint8_t allowed;
};
inline constexpr unsigned kPmpPages = 64;

/// The registers of one hart. Standard layout: generated code reaches it at fixed offsets from `core`.
/// Only the hart's own thread touches it, except what is atomic.
struct Hart {
  CpuCore core;
  std::uint64_t x[32];
  std::uint64_t f[32];

  // Execution state that generated code tests.
  Bank* s;                   ///< the active bank: &hs or &vs
  std::uint64_t fp_enabled;  ///< 1 when FS (and under V also HS's FS) is not Off, else 0
  std::uint64_t fp_dirty;    ///< 1 after a floating-point write that the status registers do not show yet
  std::uint8_t priv;         ///< Privilege
  std::uint8_t v;            ///< virtualization mode, 0 or 1
  std::uint8_t frm;          ///< fcsr.frm, 0–7 as written; mirrored in MXCSR.RC when 0–3
  Bank hs;
  Bank vs;

  // M-mode. mstatus holds M's bits alone (MIE MPIE MPP MPRV TVM TW TSR GVA MPV MDT): the rest is hs.status.
  std::uint64_t mstatus;
  std::uint64_t misa;
  std::uint64_t mtvec;
  std::uint64_t mscratch;
  std::uint64_t mepc;
  std::uint64_t mcause;
  std::uint64_t mtval;
  std::uint64_t mtval2;
  std::uint64_t mtinst;
  std::uint64_t medeleg;
  std::uint64_t mideleg;
  std::uint64_t mie;  ///< also sie, hie and vsie: views of it
  std::uint64_t mip;  ///< the software-writable bits: SSIP, STIP, SEIP (VSSIP… are in hvip)
  std::atomic<std::uint64_t> irq_lines;  ///< levels that devices and timers drive, as bits of mip; any thread
  std::uint64_t miselect;
  std::uint64_t mvien;
  std::uint64_t mvip;     ///< SSIP while mvien has it, and the local interrupts
  std::uint64_t sie_own;  ///< bits of sie that are no views of mie: those that mvien makes virtual
  std::uint8_t miprio[kMajorInterrupts];
  std::uint64_t mcounteren;
  std::uint64_t mcountinhibit;
  std::uint64_t menvcfg;
  std::uint64_t mseccfg;
  std::uint64_t pmpaddr[kPmpEntries];
  std::uint8_t pmpcfg[kPmpEntries];
  Counters counters;  ///< cycle, instret, hpmcounter3–31 and what selects their events
  std::uint64_t mstateen[kStateEnables];
  std::uint64_t mnscratch;
  std::uint64_t mnepc;
  std::uint64_t mncause;
  std::uint64_t mnstatus;  ///< without Smrnmi NMIE alone, which is then always set
  /// A non-maskable interrupt that is not taken yet. Any thread sets it, then kicks.
  std::atomic<std::uint32_t> is_nmi_pending;
  std::uint64_t tselect;
  Trigger triggers[kTriggers];
  // Of `triggers`, so that what none is armed for costs nothing (debug/triggers.h); modes are bits 1 << mode.
  std::uint8_t execute_trigger_modes;  ///< modes in which some trigger looks at each instruction
  std::uint8_t access_trigger_modes;   ///< modes in which some looks at loads or stores
  std::uint8_t trap_trigger_modes;     ///< modes in which some looks at traps
  std::uint8_t checks_instructions;    ///< the present mode is one of execute_trigger_modes

  // HS-mode.
  std::uint64_t scounteren;
  std::uint64_t senvcfg;
  std::uint64_t hstatus;
  std::uint64_t hedeleg;
  std::uint64_t hideleg;
  std::uint64_t hvip;
  std::uint64_t hcounteren;
  std::uint64_t henvcfg;
  std::uint64_t hgeie;
  std::atomic<std::uint64_t> hgeip;  ///< guest files that may signal (see InterruptFile); any thread
  std::uint64_t hvien;
  std::uint64_t vsie_own;  ///< bits of vsie that are no views of mie: those that hvien makes virtual
  std::uint64_t hvictl;
  std::uint8_t siprio[kMajorInterrupts];
  std::uint8_t hviprio[kMajorInterrupts];  ///< of hviprio1 and hviprio2, by the number at VS level
  std::uint64_t htimedelta;
  std::uint64_t htval;
  std::uint64_t htinst;
  std::uint64_t hgatp;
  std::uint64_t hstateen[kStateEnables];  ///< as written; bits that mstateen lacks read as zero

  /// STI and VSTI, where stimecmp and vstimecmp are known to be reached: RiscvCpu::update_timers sets them,
  /// and each look after a deadline has passed. Reached they stay until a register is written or the time
  /// wraps; any thread that sets mtime clears this.
  std::atomic<std::uint64_t> timers_due;

  Trap trap;                 ///< valid while core.trap_pending
  std::uint32_t is_waiting;  ///< wfi was executed: the run loop sleeps before it goes on
  std::uint32_t wfi_spins;   ///< wfi's without a trap between them that an interrupt kept from sleeping
  /// The hart sleeps although an interrupt is there (see kWfiPatience). Any thread clears it, then kicks.
  std::atomic<std::uint32_t> is_napping;
  std::uint32_t has_critical_error;  ///< a double trap in M-mode: nothing but reset starts the hart again

  // The surroundings.
  PmpRule pmp_rules[kPmpEntries];  ///< of pmpcfg and pmpaddr, lowest number first
  unsigned pmp_rule_count;
  PmpPage pmp_pages[kPmpPages];  ///< pages of page tables that were judged since pmp_decode, by their number

  const CpuConfig* config;
  AddressSpace* memory;
  MmuState* mmu;
  Imsic* imsic;              ///< null: there is none
  Semihosting* semihosting;  ///< null: it is off
  HartDebug* debug;          ///< null: no breakpoint and no watchpoint is set
  HartDebug* stepping;       ///< null: no step waits for a handler to return (HartDebug::note_return)
  ExitRecorder* exits;       ///< null: nobody wants to know of exits (trace/exit_recorder.h)
  // Of `-sanitize` and `-vary`; null: they are off.
  FenceSanitizer* fence_sanitizer;
  IcacheSanitizer* icache_sanitizer;
  Variation* variation;
  RiscvCpu* cpu;
  std::uint64_t hartid;
};

static_assert(std::is_standard_layout_v<Hart>);

/// The hart that a core is the first member of.
inline Hart& hart_of(CpuCore* core) { return *reinterpret_cast<Hart*>(core); }
/// The same for references.
inline Hart& hart_of(CpuCore& core) { return reinterpret_cast<Hart&>(core); }
/// The same for what is only read.
inline const Hart& hart_of(const CpuCore& core) { return reinterpret_cast<const Hart&>(core); }

/// Block flags (tcg::Guest::block_flags): what translation depends on besides the bytes.
namespace block_flags {
inline constexpr std::uint32_t kPrivMask = 3;       ///< Privilege
inline constexpr std::uint32_t kVirtual = 1u << 2;  ///< V=1
/// frm is RMM or reserved: instructions with the dynamic rounding mode take helpers.
inline constexpr std::uint32_t kSlowRounding = 1u << 3;
/// Each instruction is shown to the triggers before it executes.
inline constexpr std::uint32_t kTriggers = 1u << 4;
}  // namespace block_flags

/// The flags of blocks that the hart runs now.
inline std::uint32_t current_block_flags(const Hart& hart) {
  return hart.priv | (hart.v ? block_flags::kVirtual : 0) | (hart.frm > 3 ? block_flags::kSlowRounding : 0) |
         (hart.checks_instructions != 0 ? block_flags::kTriggers : 0);
}

}  // namespace gstage::riscv
