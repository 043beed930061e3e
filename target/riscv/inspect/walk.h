// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/base/types.h"
#include "target/riscv/hart.h"
#include "target/riscv/mmu/pmp.h"
#include "target/riscv/mmu/regime.h"
#include "target/riscv/mmu/translate.h"

namespace gstage::riscv {

struct StageWalk;

/// One entry of a page table on the way.
struct WalkStep {
  unsigned level = 0;
  std::uint64_t entry_address = 0;  ///< in the stage's own output space: guest physical for the VS-stage
  /// The G-stage's walks of that address: to read the entry, and then to set A or D in it.
  std::vector<StageWalk> guest_walks;
  std::uint64_t entry_paddr = 0;  ///< supervisor physical
  PmpReason pmp{};                ///< of reading it
  bool is_read = false;           ///< `entry` holds what was read
  std::uint64_t entry = 0;
  std::uint64_t updated = 0;  ///< what a real access would leave: `entry` with A, or A and D, set
};

/// One walk of one stage.
struct StageWalk {
  bool is_guest_stage = false;
  bool is_for_entry = false;  ///< of a G-stage walk: on behalf of the VS-stage's walk
  AccessType access = AccessType::kLoad;
  std::uint64_t atp = 0;      ///< satp, vsatp or hgatp
  std::uint64_t address = 0;  ///< what is translated
  std::vector<WalkStep> steps;
  FaultKind fault = FaultKind::kNone;
  std::string why;  ///< of a fault: the rule that failed, in words of the specification
  // Of a success:
  std::uint64_t leaf = 0;
  unsigned shift = 0;        ///< log2 of the leaf's page size; with Svnapot that of the range
  std::uint64_t output = 0;  ///< `address` translated
};

/// All that an access does to find its memory.
struct Walk {
  Regime regime{};
  AccessType access = AccessType::kLoad;
  unsigned size = 1;
  std::uint64_t address = 0;
  std::vector<StageWalk> stages;  ///< none when nothing is translated; else satp's; vsatp's, hgatp's
  PmpReason pmp{};                ///< of the access itself, once it is translated
  bool has_pmp = false;           ///< it came to that
  // The outcome, as in Translation.
  FaultKind fault = FaultKind::kNone;
  bool is_implicit = false;
  bool is_implicit_write = false;
  std::uint64_t gpa = 0;
  std::uint64_t paddr = 0;
  std::string why;  ///< of a fault

  [[nodiscard]] bool ok() const { return fault == FaultKind::kNone; }
};

/// What translate() would do for an access of `size` bytes that do not cross a page, step by step, by what
/// memory says now: no TLB is asked, nothing is changed, A and D are not set. The hart does not run.
Walk walk(const Hart& hart, const Regime& regime, Vaddr address, unsigned size, AccessType access);

/// Where an address leads by what the page tables say, whoever may use it: permissions, A, D and PMP play no
/// part. With `first_stage` that stage's result. Nothing: nowhere.
std::optional<std::uint64_t> look_through(const Hart& hart, const Regime& regime, Vaddr address,
                                          bool first_stage = false);

/// The regime of a world as the hart has it: "current" (of the mode that it is in), "host" (by satp), "gva"
/// (by vsatp and hgatp), "gpa" (by hgatp), or the VMID of a guest that the hart's TLB remembers. An Error
/// says what there is.
Result<Regime> world_regime(Hart& hart, const std::string& world, AccessType access);

/// The regime whose translations a context of that key holds: without what tells blocks apart.
Regime regime_of_key(const TlbKey& key);

/// The walk for reading: a line a step, and at the end where it leads or why it ends.
std::string describe_walk(const Walk& walk);
/// "Sv39", "Sv48x4" or "Bare": the mode of satp, vsatp or hgatp.
std::string mode_text(std::uint64_t atp, bool is_guest_stage);
/// Whose rules these are: "S, V=1, vmid 3, asid 7".
std::string regime_text(const Regime& regime);

/// Pages that lie side by side and are translated alike.
struct MappedRange {
  std::uint64_t first;  ///< address
  std::uint64_t last;
  std::uint64_t output;  ///< of `first`, in the stage's own output space
  std::uint64_t flags;   ///< of the leaves: their bits below PPN, PBMT and N
};
/// The valid leaves of one stage in the order of addresses, at most `most` ranges. Of a VS-stage
/// (regime.v() and not `is_guest_stage`) the tables are found through the G-stage.
std::vector<MappedRange> mapped_ranges(const Hart& hart, const Regime& regime, bool is_guest_stage,
                                       std::size_t most);
/// A line a range: addresses, size, output, permissions.
std::string describe_ranges(const std::vector<MappedRange>& ranges);

}  // namespace gstage::riscv
