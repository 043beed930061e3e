// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "softmmu/base/result.h"

namespace gstage::riscv {

/// What an address counts as.
enum class AddressKind : std::uint8_t {
  kVirtual,        ///< what the program uses: of whatever regime is in force, also where there is no paging
  kGuestPhysical,  ///< what the VS-stage yields: with V=1 alone
  kPhysical        ///< what the last stage yields
};

/// Which worlds a stop is for; what is not set matches all. For a breakpoint it is the world that the hart is
/// in, for a watchpoint the one that the access reaches into: `hlv` and loads under MPRV count as accesses of
/// the world, and at the privilege, that they are made for.
struct WorldFilter {
  std::optional<bool> v = std::nullopt;
  std::optional<unsigned> vmid = std::nullopt;  ///< of hgatp: with V=1 alone
  /// Of satp, or with V=1 of vsatp: where that translates alone.
  std::optional<unsigned> asid = std::nullopt;
  std::optional<std::uint8_t> privilege = std::nullopt;  ///< Privilege
  bool operator==(const WorldFilter&) const = default;
};

/// A hart stops before it executes an instruction that begins here. The page need not be mapped or exist yet;
/// of an instruction that cannot be fetched, the fault comes and no stop.
struct Breakpoint {
  AddressKind kind = AddressKind::kVirtual;
  std::uint64_t address = 0;  ///< even
  WorldFilter filter;
  bool operator==(const Breakpoint&) const = default;
};

/// What is looked for. An AMO reads and writes; of lr and sc, lr reads and sc writes; cbo.zero writes.
enum class WatchKind : std::uint8_t { kWrite, kRead, kAccess };

/// A hart stops before it executes an instruction that accesses any of these bytes. gdb wants it so: Debian's
/// says `have_nonsteppable_watchpoint = 1` of RISC-V (`maint print architecture`), removes its watchpoints,
/// steps once and compares. An access that faults is none. Not seen: what walks of page tables, devices, the
/// debugger and semihosting read and write.
struct Watchpoint {
  AddressKind kind = AddressKind::kVirtual;
  std::uint64_t address = 0;
  std::uint64_t size = 1;  ///< bytes, at least 1
  WatchKind watch = WatchKind::kWrite;
  WorldFilter filter;
  bool operator==(const Watchpoint&) const = default;
};

/// How a step treats traps, interrupts among them.
enum class StepMode : std::uint8_t {
  /// A trap is a step: the hart stops before the first instruction of the handler. An interrupt that can be
  /// taken is taken in place of the instruction.
  kIntoTraps,
  /// The handler runs until it comes back: until mret, sret or mnret lead to the same privilege, V, VMID and
  /// (for U and VU) ASID, with the same stack pointer, either behind the instruction, which ends the step, or
  /// to the instruction itself (a page fault, an interrupt), which is then tried again. Where this never
  /// comes, since a task goes on elsewhere or on another hart, or ends, the hart runs on until something else
  /// stops it; then nothing is left of the step.
  kOverTraps
};

/// Why a hart stopped.
enum class StopCause : std::uint8_t {
  kBreakpoint,
  kWatchpoint,
  kStep,
  kHalted  ///< somebody asked for it; never from Debugger itself
};

/// A hart has stopped before the instruction at its pc, all its state exact.
struct StopEvent {
  unsigned hart = 0;
  StopCause cause = StopCause::kHalted;
  /// Of a breakpoint or step: the (virtual) pc. Of a watchpoint: the first watched byte that the access
  /// touches, of the watchpoint's kind.
  std::uint64_t address = 0;
  WatchKind watch = WatchKind::kWrite;  ///< of a watchpoint
};

/// Breakpoints, watchpoints and single steps of a machine's harts: CpuCluster::debugger(). While nothing is
/// set nothing costs anything; what is set slows the pages that it concerns (docs/engine.md).
///
/// Going on from a stop executes the instruction, without another stop for it, unless the pc was changed; if
/// it traps and is executed again after that, it is stopped at again. A breakpoint at the pc where a hart
/// stopped for another reason (a step, somebody's request) stops the hart there when it goes on: it has not
/// been told of yet. A step executes the instruction at the pc, whatever breakpoints are there.
///
/// A step of wfi ends at once, as wfi may; so does the wfi in which a hart sleeps that is stepped.
class Debugger {
 public:
  /// What becomes of a stop.
  enum class Answer : std::uint8_t {
    kReported,  ///< the hart parks, and goes on with the instruction
    kLater      ///< the hart parks; whoever handles stops is busy with another one. It stops here again
  };
  /// Called on the hart's own thread, which parks when it returns: it keeps the hart from running by then.
  using OnStop = std::function<Answer(const StopEvent&)>;
  /// Makes a hart look at the debugger at its next safe point. Any thread.
  using Kick = std::function<void(unsigned hart)>;

  Debugger(unsigned harts, Kick kick);

  /// In force at once for harts that are stopped, for others as soon as they come to a safe point
  /// (microseconds). What is inserted twice is there until it is removed twice; removing what is not there
  /// does nothing. Any thread; nothing here waits for a hart. Errors: an odd address, no bytes, bytes past
  /// the end of the address space.
  Status insert(const Breakpoint& breakpoint);
  Status insert(const Watchpoint& watchpoint);
  void remove(const Breakpoint& breakpoint);
  void remove(const Watchpoint& watchpoint);
  void remove_all();

  /// The hart executes one instruction when it is let go next, and stops with StopCause::kStep, or another
  /// if that comes first. For a stopped hart. Any thread.
  void step(unsigned hart, StepMode mode);
  /// Nothing is left of a step that has not ended. For a stopped hart.
  void forget_step(unsigned hart);

  /// Whom stops are told to: RunState. Null: nobody, harts do not stop. Set while no hart runs.
  void on_stop(OnStop on_stop) { on_stop_ = std::move(on_stop); }

  // For the harts.

  /// What is set.
  struct Points {
    std::vector<Breakpoint> breakpoints;
    std::vector<Watchpoint> watchpoints;
    std::uint64_t version = 0;     ///< counts changes
    std::uint64_t insertions = 0;  ///< counts insertions
  };
  /// What a hart is to do.
  struct Step {
    std::uint64_t number = 0;  ///< counts calls of `step` and `forget_step`
    std::optional<StepMode> mode;
  };
  /// Counts all changes of what a hart may look at. 0: nothing was ever asked for.
  [[nodiscard]] std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
  void copy(unsigned hart, Points& points, Step& step) const;
  /// Nothing: nobody wants to know.
  std::optional<Answer> report(const StopEvent& event);

 private:
  template <class Point>
  Status insert_into(std::vector<Point>& points, const Point& point);
  template <class Point>
  void remove_from(std::vector<Point>& points, const Point& point);
  void changed();

  const Kick kick_;
  OnStop on_stop_;
  mutable std::mutex mutex_;
  Points points_;
  std::vector<Step> steps_;
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace gstage::riscv
