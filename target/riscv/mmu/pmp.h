// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/base/types.h"
#include "target/riscv/hart.h"
#include "target/riscv/mmu/regime.h"

namespace gstage::riscv {

/// Permissions as a set of bits, one an Access.
using Allowed = std::uint8_t;
constexpr Allowed allows(AccessType access) {
  return static_cast<Allowed>(1u << static_cast<unsigned>(access));
}
inline constexpr Allowed kAllowAll = 7;

/// What PMP says of a range.
struct PmpVerdict {
  Allowed allowed;
  bool is_uniform;  ///< the verdict holds for the whole 4 KiB page, so that it may be cached
};

/// Recomputes Hart::pmp_rules from pmpcfg, pmpaddr and mseccfg.
void pmp_decode(Hart& hart);

/// What an implicit access to the entry of a page table may do: S-mode's verdict on its 8 bytes.
Allowed pmp_check_table(Hart& hart, Paddr slot);

/// What PMP says of fetching instructions.
struct PmpFetch {
  bool is_allowed;      ///< the first halfword may be fetched
  bool is_whole_page;   ///< … and so may all of its 4 KiB page
  std::uint16_t limit;  ///< offset in the page up to which, from the first halfword on, all may be fetched
};

/// The verdict on the halfword at `paddr` and on what follows it. An instruction is fetched in halfwords:
/// "misaligned … instruction fetches may be decomposed into multiple memory operations" ("Priority and
/// Matching Logic"), and none of them can straddle two entries, whose bounds are multiples of 4.
PmpFetch pmp_check_fetch(const Hart& hart, Paddr paddr, std::uint8_t priv);

/// The verdict on `size` bytes at `paddr` (they do not cross a page) for an access at the privilege.
/// ISA manual vol. II, "Physical Memory Protection" and "Smepmp".
PmpVerdict pmp_check(const Hart& hart, Paddr paddr, unsigned size, std::uint8_t priv);

/// A verdict, and who gave it.
struct PmpReason {
  Allowed allowed;
  int entry;        ///< the number of the entry that decides, −1: none matches
  bool is_partial;  ///< it matches some of the bytes, which fails whatever it permits
};
/// pmp_check with its reason.
PmpReason pmp_explain(const Hart& hart, Paddr paddr, unsigned size, std::uint8_t priv);

}  // namespace gstage::riscv
