// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "softmmu/base/types.h"
#include "softmmu/mem/tlb.h"
#include "tcg/ir/unit.h"
#include "target/riscv/hart.h"

namespace gstage::riscv {

/// Recomputes the regimes of data and fetch and points `core` at their TLB contexts; also fp_enabled. To be
/// called after any change of privilege, V, mstatus (MPRV MPP MPV SUM MXR FS), vsstatus, satp, vsatp, hgatp,
/// frm class, menvcfg/henvcfg (ADUE, PBMTE), PMM fields, mnstatus. Never flushes.
void update_regimes(Hart& hart);

/// The same where nothing but SUM of the active bank has changed, or nothing but FS.
void update_sum(Hart& hart);
void update_fp_enabled(Hart& hart);

/// PMP or mseccfg changed: cached permissions of all regimes are dropped.
void pmp_changed(Hart& hart);
/// Drops everything (reset).
void reset_mmu(Hart& hart);

/// The operands of a fence; nothing means "all".
struct FenceOperands {
  std::optional<std::uint64_t> address;
  std::optional<std::uint64_t> id;  ///< ASID or VMID
  bool is_sinval = false;           ///< of Svinval: ordered by the fences around it alone
};
/// sfence.vma in HS-mode (V=0), or on behalf of V=1 (then as hfence.vvma of the current VMID).
void sfence_vma(Hart& hart, const FenceOperands& operands);
/// hfence.vvma: VS-stage translations of the VMID in hgatp.
void hfence_vvma(Hart& hart, const FenceOperands& operands);
/// hfence.gvma: G-stage translations; `address` is a guest physical address (already shifted left by 2).
void hfence_gvma(Hart& hart, const FenceOperands& operands);

/// HLV/HLVX/HSV: V=1 access at the privilege of hstatus.SPVP. May raise.
std::uint64_t hyp_load(Hart& hart, Vaddr vaddr, tcg::MemKind kind, bool needs_execute);
void hyp_store(Hart& hart, Vaddr vaddr, tcg::MemKind kind, std::uint64_t value);

/// Bytes of a cache block (Zic64b).
inline constexpr std::uint64_t kCacheBlockBytes = 64;
/// cbo.zero: stores zeros to the block that holds the address. May raise.
void zero_cache_block(Hart& hart, Vaddr vaddr);
/// What the other cache-block operations check: raises a store fault unless the address can be read.
void check_cache_block(Hart& hart, Vaddr vaddr);

/// The instruction bits at core.pc, for transformed instructions; nothing when it cannot be fetched any more.
std::optional<std::uint32_t> peek_instruction(Hart& hart);

}  // namespace gstage::riscv
