// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "softmmu/base/types.h"
#include "softmmu/mem/address_space.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/mmu/pte.h"
#include "target/riscv/mmu/regime.h"
#include "target/riscv/sanitize/options.h"
#include "target/riscv/sanitize/shadow.h"
#include "target/riscv/sanitize/writer.h"

namespace gstage::riscv {

/// One step of a walk: the entry that is read, and for what.
struct WalkStep {
  ShadowKey key;              ///< with the ASID of the address space, though the mapping may be global
  std::uint64_t address = 0;  ///< virtual or guest physical
  Paddr slot;
  bool is_global = false;  ///< an entry above had G set
  bool is_told = false;    ///< the walk met a change above: what follows from it is no finding of its own
  pte::Features features;
};

/// What the walk gets for it.
struct StepResult {
  std::uint64_t value = 0;    ///< what to go on with
  bool has_conflict = false;  ///< `held` may still be held, and says something else
  std::uint64_t held = 0;
};

/// The access that walks.
struct WalkUse {
  AccessType access = AccessType::kLoad;
  std::uint64_t vaddr = 0;
  bool is_virtual = false;  ///< two-stage
  std::uint8_t priv = 0;    ///< effective
  std::uint16_t vmid = 0;
  std::uint32_t asid = 0;
};

/// One use of a translation that the page tables no longer say.
struct FenceFinding {
  const Hart* hart;
  WalkStep step;
  WalkUse use;
  std::uint64_t held;
  std::uint64_t held_slot;
  std::uint64_t now;
  Writer writer;
  /// A sinval that covers it lacks one of the fences around it.
  enum class Sinval : std::uint8_t { kNone, kNoBefore, kNoAfter } sinval;
};
/// Text for the user, lines ended.
std::string describe(const FenceFinding& finding);
/// The fence that would have done, with its operands, and where.
std::string missing_fence(const FenceFinding& finding);

/// What `-sanitize fences` has counted.
struct FenceTotals {
  std::uint64_t findings = 0;
  std::uint64_t fences = 0;
  std::uint64_t idle_fences = 0;  ///< dropped nothing that had changed
  std::uint64_t lazy = 0;         ///< accesses that hardware which caches invalid entries would let fault
};

/// Finds uses of translations that the page tables no longer say ("Supervisor Memory-Management Fence
/// Instruction", "Hypervisor Memory-Management Fence Instructions").
///
/// Each hart has a shadow: every entry of page tables that its walks have read since the last fence which
/// covers it. A walk that reads something else than the shadow holds relies on what no fence has ordered.
/// To have such walks take place, pages with entries in a shadow are watched for stores; one that changes an
/// entry takes what was derived from it out of the harts' TLBs.
///
/// What the specification permits is no finding: an entry that was not valid and is now, wider permission, A
/// and D, and an access for which the change makes no difference.
class FenceSanitizer {
 public:
  FenceSanitizer(const SanitizeOptions& options, AddressSpace& memory);
  ~FenceSanitizer();
  FenceSanitizer(const FenceSanitizer&) = delete;
  FenceSanitizer& operator=(const FenceSanitizer&) = delete;
  /// While the machine is built, in order of hart ids.
  void add_hart(Hart& hart);

  /// Before and after an access that takes the slow path.
  void begin_access(Hart& hart);
  void end_access(Hart& hart);
  /// Before an atomic stores to memory through a pointer.
  void will_store(Hart& hart, Paddr paddr, unsigned size);

  /// Reads the entry for a walk.
  StepResult read(Hart& hart, const WalkStep& step);
  /// The access depends on which of both values is used: reports it. Returns the value to go on with; clears
  /// `is_cacheable` where the access must be looked at again.
  std::uint64_t use(Hart& hart, const WalkStep& step, const WalkUse& use, const StepResult& result,
                    bool& is_cacheable);

  /// A fence of the hart.
  void fence(Hart& hart, FenceScope scope, bool is_sinval);
  /// sfence.w.inval.
  void before_sinval(Hart& hart);
  /// sfence.inval.ir: the sinvals so far are done.
  void after_sinval(Hart& hart);
  /// PMP changed, reset: nothing is held any more.
  void clear(Hart& hart);

  [[nodiscard]] FenceTotals totals() const;
  /// One line for the end of a run.
  [[nodiscard]] std::string summary() const;

 private:
  struct HartState {
    Hart* hart;
    HartShadow shadow;
    /// Counts changes by other threads of what the hart's TLB holds; when it differs from `seen` the TLB is
    /// emptied.
    std::atomic<std::uint32_t> epoch{0};
    std::uint32_t seen = 0;
    struct Atomic {
      Paddr paddr;
      unsigned size;
    };
    std::vector<Atomic> atomics;  ///< stores that will be done when the hart comes here again
    std::vector<FenceScope> sinvals;
    std::uint64_t w_inval = 0;  ///< the last store before sfence.w.inval
  };
  /// One entry of page tables.
  struct Slot {
    struct Holder {
      std::uint32_t hart;
      ShadowKey key;
    };
    std::vector<Holder> holders;
    Writer writer;
    std::uint64_t value = 0;
  };

  HartState& state_of(const Hart& hart) { return *states_[hart.hartid]; }
  [[nodiscard]] std::uint64_t load(Paddr slot) const;
  void stored(Paddr first, std::uint64_t size);
  void mark(std::uint64_t address, Slot& slot, bool is_ahead);
  void drop_translations(HartState& state, const ShadowKey& key, const ShadowEntry& entry);
  void finish_atomics(HartState& state);
  void hold(HartState& state, const ShadowKey& key, std::uint64_t value, Paddr slot);
  ShadowEntry* find_held(HartState& state, const WalkStep& step, ShadowKey& key);
  void report(const FenceFinding& finding);
  void apply(HartState& state, const FenceScope& scope);
  void apply_sinvals(HartState& state);
  void note_fence(unsigned dropped);
  [[nodiscard]] bool is_in_grace(const Hart& hart, const ShadowEntry& entry, const Writer& writer) const;

  const SanitizeOptions options_;
  AddressSpace& memory_;
  mutable std::mutex mutex_;  ///< of all below but what is atomic
  std::vector<std::unique_ptr<HartState>> states_;
  std::unordered_map<std::uint64_t, Slot> slots_;
  std::uint64_t stores_ = 0;  ///< that changed entries
  FenceTotals totals_;
  std::set<std::string> reported_;  ///< by place, so that each is told once
};

}  // namespace gstage::riscv
