// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "softmmu/base/types.h"
#include "tcg/ir/unit.h"
#include "tcg/runtime/guest.h"
#include "target/riscv/hart.h"
#include "target/riscv/mmu/translate.h"

namespace gstage::riscv {

/// A regime with the context that caches its translations.
struct ActiveRegime {
  const Regime& regime;
  TlbContext& context;
};
/// Of explicit loads and stores.
ActiveRegime active_data(Hart& hart);
/// Of HLV and HSV, and (`needs_execute`) of HLVX. The current contexts count as just used and are not
/// recycled for it.
ActiveRegime active_hypervisor(Hart& hart, bool needs_execute);

/// The page in the context, if its second level, or a relative's, holds it for this access; the first level
/// does then, too. Until something else is entered or dropped.
const TlbPage* recall_page(Hart& hart, TlbContext& context, TlbAccess access, Vaddr vaddr);
/// Tells generated code how large the current tables are, which may grow whenever something is entered.
void update_masks(Hart& hart);

/// Loads and stores that missed the inline lookup: they walk, enter the TLB, reach devices, or raise.
std::uint64_t load_slow(Hart& hart, const ActiveRegime& active, Vaddr vaddr, tcg::MemKind kind);
void store_slow(Hart& hart, const ActiveRegime& active, Vaddr vaddr, tcg::MemKind kind, std::uint64_t value);
/// Host pointer for lr (kLoad) or an AMO or sc (kStore) of 1 to 16 bytes; null when a trap was raised.
/// Atomics must be aligned and reach memory: devices have the PMA AMONone and RsrvNone.
void* atomic_slow(Hart& hart, const ActiveRegime& active, Vaddr vaddr, unsigned size, AccessType access);
/// The page that holds `vaddr`, for fetching.
std::optional<tcg::FetchPage> fetch_slow(Hart& hart, Vaddr vaddr);

}  // namespace gstage::riscv
