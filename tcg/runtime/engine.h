// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "softmmu/base/result.h"
#include "softmmu/exclusive.h"
#include "softmmu/mem/address_space.h"
#include "tcg/runtime/engine_options.h"
#include "tcg/runtime/guest.h"

namespace gstage::tcg {

/// Translates and executes guest code for all harts of a machine; one code cache for all.
class Engine {
 public:
  /// Also has CodePages report stores to translated code to it.
  static Result<std::unique_ptr<Engine>> make(Guest& guest, AddressSpace& memory, Exclusive& exclusive,
                                              const EngineOptions& options);
  virtual ~Engine() = default;

  /// Runs the hart from CpuCore::pc until its attention word is not zero. Returns with the state exact and no
  /// trap pending. The tables in `core` must be set.
  virtual void run(CpuCore& core, Tlb& tlb) = 0;
  /// Executes exactly one block of at most `max_insns` instructions, without links (tests, single step). A
  /// trap is left pending, undelivered, with CpuCore::pc at the instruction.
  virtual void run_block(CpuCore& core, Tlb& tlb, unsigned max_insns) = 0;
  /// Drops translated code that overlaps the range. Any thread. (CodePages calls it.)
  virtual void invalidate(Paddr first, std::uint64_t size) = 0;
  /// What it holds, for reading: blocks, regions, room for code, flushes. Any thread.
  [[nodiscard]] virtual std::string describe() = 0;
};

}  // namespace gstage::tcg
