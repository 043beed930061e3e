// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/mem/tlb.h"
#include "target/riscv/hart.h"

namespace gstage::riscv {

/// The kind of a memory access; stores include AMOs and sc.
enum class Access : std::uint8_t { kLoad, kStore, kFetch };

/// Under which rules one access is translated. Built here and nowhere else.
struct Regime {
  bool v;               ///< two-stage translation
  bool sum;             ///< of the status that governs the first stage
  bool mxr;             ///< sstatus.MXR: executable pages are readable, in both stages
  bool vs_mxr;          ///< vsstatus.MXR: in the VS-stage only
  bool needs_execute;   ///< HLVX: execute takes the place of read
  bool adue;            ///< the first stage sets A and D itself (Svadu)
  bool g_adue;          ///< the G-stage does
  bool pbmte;           ///< entries of the first stage have memory types (Svpbmt)
  bool g_pbmte;         ///< those of the G-stage do
  std::uint8_t priv;    ///< effective Privilege
  std::uint8_t pmlen;   ///< upper bits of data addresses that count for nothing (pointer masking)
  std::uint64_t satp;   ///< root of the first stage, 0: Bare
  std::uint64_t hgatp;  ///< root of the G-stage with VMID; only under v

  /// What tells this regime's cached translations from those of others.
  [[nodiscard]] TlbKey key() const;
  /// The transformed address of an explicit access ("Pointer Masking Extensions").
  [[nodiscard]] Vaddr unmasked(Vaddr vaddr) const {
    if (pmlen == 0) return vaddr;
    const std::uint64_t shifted = vaddr.value << pmlen;
    // Virtual addresses are sign-extended, physical ones, guest physical ones included, zero-extended.
    if (satp == 0) return Vaddr{shifted >> pmlen};
    return Vaddr{static_cast<std::uint64_t>(static_cast<std::int64_t>(shifted) >> pmlen)};
  }
};

/// Whether addresses go through any page table.
inline bool is_translating(const Regime& regime) {
  return (regime.satp | (regime.v ? regime.hgatp : 0)) >> 60 != 0;
}
/// Explicit loads and stores, with MPRV and MPV.
Regime data_regime(const Hart& hart);
/// Instruction fetches.
Regime fetch_regime(const Hart& hart);
/// HLV, HLVX, HSV: as V=1 at the privilege of hstatus.SPVP.
Regime hypervisor_regime(const Hart& hart, bool needs_execute);

/// Fields of the keys, as the fences select by them. Entries of a masked key are found under the addresses
/// that programs use, upper bits included.
bool key_is_masked(const TlbKey& key);
bool key_is_virtual(const TlbKey& key);
bool key_is_user(const TlbKey& key);
/// MODE of satp or vsatp; 0: Bare.
std::uint64_t key_mode(const TlbKey& key);
std::uint64_t key_asid(const TlbKey& key);
std::uint64_t key_vmid(const TlbKey& key);

}  // namespace gstage::riscv
