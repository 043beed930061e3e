// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "softmmu/base/types.h"
#include "target/riscv/debug/debugger.h"
#include "target/riscv/debug/triggers.h"
#include "target/riscv/hart.h"
#include "target/riscv/mmu/regime.h"

namespace gstage::tcg {
class Engine;
}

namespace gstage::riscv {

struct Translation;

/// One hart's part of the debugger: what is set as the hart knows it, and where it stops. On the hart's own
/// thread, or while it is stopped.
///
/// A page of code with a breakpoint is in no table for fetches, as one that PMP cuts: each block of it is
/// asked for, ends before the next breakpoint, and leads nowhere by itself. A page with a watched byte is in
/// no table for loads or stores. So nothing is generated that looks for either, and other pages go on as
/// ever.
class HartDebug {
 public:
  HartDebug(Debugger& debugger, unsigned index, Hart& hart)
      : debugger_(debugger), index_(index), hart_(hart) {}

  /// Whether the hart has to look before it runs.
  [[nodiscard]] bool is_used() const { return debugger_.version() != 0; }
  /// Does what there is to do before the hart goes on; the state is exact, no trap pending. Returns whether
  /// the hart stops. Executes instructions by `engine`.
  bool attend(tcg::Engine& engine);
  /// The hart was reset: of a step or a stop nothing is left.
  void reset();

  // What the MMU asks, on slow paths, while Hart::debug is set.

  /// Of a page that was translated for fetching: how far a block that begins at `vaddr` may go, as
  /// FetchPage::limit; `limit` is how far without breakpoints. Nothing: the hart stops here, which is raised.
  std::optional<std::uint16_t> limit_of_fetch(const Regime& regime, Vaddr vaddr, const Translation& t,
                                              std::uint16_t limit);
  /// Which accesses of a page must be seen.
  struct Watched {
    bool reads = false;
    bool writes = false;
  };
  [[nodiscard]] Watched watched(const Regime& regime, Vaddr page, const Translation& t) const;
  /// Shows the watchpoints an access to the transformed address. Returns whether the hart stops, which is
  /// raised.
  bool stops_access(const Regime& regime, Vaddr vaddr, unsigned size, AccessKind kind);
  /// Whether a page that is the same in all address spaces may be watched in one of them.
  [[nodiscard]] bool tells_address_spaces_apart() const { return has_asids_; }

  /// mret, sret or mnret was executed while Hart::stepping is set; the pc is where it leads.
  void note_return();

 private:
  /// Where a step was made, to be known again.
  struct World {
    std::uint8_t privilege = 0;
    std::uint8_t v = 0;
    std::uint64_t vmid = 0;
    std::uint64_t asid = 0;
    bool operator==(const World&) const = default;
  };
  /// A step over traps whose handler is running.
  struct Away {
    World world;
    std::uint64_t pc;    ///< of the instruction
    std::uint64_t next;  ///< the one behind it
    std::uint64_t sp;
  };

  void refresh();
  void forget_step();
  [[nodiscard]] World world() const;
  [[nodiscard]] std::uint64_t next_pc() const;
  bool report(const StopEvent& event);
  bool report_pending();
  bool proceed(tcg::Engine& engine);
  bool step_once(tcg::Engine& engine);
  bool end_step();
  void wait_for_return(const Away& away);
  bool execute_one(tcg::Engine& engine, bool sees_watchpoints);
  void raise_stop(StopCause cause, std::uint64_t address, WatchKind watch);
  std::optional<std::uint64_t> touched(const Regime& regime, const Watchpoint& point, Vaddr vaddr,
                                       unsigned size, bool stores);

  Debugger& debugger_;
  const unsigned index_;
  Hart& hart_;
  std::uint64_t seen_version_ = 0;
  Debugger::Points points_;
  Debugger::Step step_;
  bool has_asids_ = false;
  std::optional<StopEvent> pending_;        ///< was raised and is to be reported
  std::optional<std::uint64_t> passes_at_;  ///< the stop at this pc was reported: it is not for the next one
  std::optional<Away> away_;
  bool is_alone_ = false;  ///< one instruction is executed on behalf of the debugger: no breakpoints
  bool sees_watchpoints_ = true;
};

}  // namespace gstage::riscv
