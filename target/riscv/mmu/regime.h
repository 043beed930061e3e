// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/mem/tlb.h"
#include "target/riscv/csr/fields.h"
#include "target/riscv/hart.h"

namespace gstage::riscv {

/// The kind of a memory access; stores include AMOs and sc.
enum class AccessType : std::uint8_t { kLoad, kStore, kFetch };

/// Under which rules one access is translated: the words of its key in the TLB. Built here and nowhere else.
struct Regime {
  std::uint64_t satp = 0;   ///< root of the first stage, 0: Bare
  std::uint64_t hgatp = 0;  ///< root of the G-stage with VMID; only under v
  std::uint64_t flags = 0;  ///< the rest: the effective Privilege in the lowest bits, and what follows

  static constexpr std::uint64_t kPrivilege = 3;
  static constexpr std::uint64_t kVirtual = 1 << 2;  ///< two-stage translation
  static constexpr std::uint64_t kSum = 1 << 3;      ///< of the status that governs the first stage
  static constexpr std::uint64_t kMxr = 1 << 4;      ///< sstatus.MXR: executable is readable, in both stages
  static constexpr std::uint64_t kVsMxr = 1 << 5;    ///< vsstatus.MXR: in the VS-stage only
  static constexpr std::uint64_t kExecute = 1 << 6;  ///< HLVX: execute takes the place of read
  static constexpr std::uint64_t kAdue = 1 << 7;     ///< the first stage sets A and D itself (Svadu)
  static constexpr std::uint64_t kGAdue = 1 << 8;    ///< the G-stage does
  static constexpr std::uint64_t kPbmte = 1 << 9;  ///< entries of the first stage have memory types (Svpbmt)
  static constexpr std::uint64_t kGPbmte = 1 << 10;  ///< those of the G-stage do
  static constexpr unsigned kPmlenShift = 24;        ///< upper bits of data addresses that count for nothing

  [[nodiscard]] bool has(std::uint64_t flag) const { return (flags & flag) != 0; }
  [[nodiscard]] bool v() const { return has(kVirtual); }
  [[nodiscard]] std::uint8_t priv() const { return static_cast<std::uint8_t>(flags & kPrivilege); }
  [[nodiscard]] unsigned pmlen() const { return static_cast<unsigned>(flags >> kPmlenShift & 0xff); }

  /// What tells this regime's cached translations from those of others.
  [[nodiscard]] TlbKey key() const { return TlbKey{{satp, hgatp, flags}}; }
  /// The transformed address of an explicit access ("Pointer Masking Extensions").
  [[nodiscard]] Vaddr unmasked(Vaddr vaddr) const {
    if (pmlen() == 0) return vaddr;
    const std::uint64_t shifted = vaddr.value << pmlen();
    // Virtual addresses are sign-extended, physical ones, guest physical ones included, zero-extended.
    if (satp == 0) return Vaddr{shifted >> pmlen()};
    return Vaddr{static_cast<std::uint64_t>(static_cast<std::int64_t>(shifted) >> pmlen())};
  }
};

/// Levels of the page table that a mode of satp, vsatp or hgatp names; 0: Bare.
constexpr unsigned levels_of(std::uint64_t atp) {
  const std::uint64_t mode = atp::Mode::get(atp);
  return mode < atp::kSv39 ? 0 : static_cast<unsigned>(mode - atp::kSv39) + 3;
}

/// Whether addresses go through any page table.
inline bool is_translating(const Regime& regime) {
  return atp::Mode::get(regime.satp | (regime.v() ? regime.hgatp : 0)) != 0;
}
/// Of explicit loads and stores, with MPRV and MPV. (These store where they are told: the words are read
/// again at once, and a copy in between would cost more than all the rest.)
void make_data_regime(const Hart& hart, Regime& regime);
/// Of instruction fetches.
void make_fetch_regime(const Hart& hart, Regime& regime);
/// Of HLV, HLVX and HSV: as V=1 at the privilege of hstatus.SPVP.
void make_hypervisor_regime(const Hart& hart, bool needs_execute, Regime& regime);

/// Of explicit accesses at a privilege and V, whatever mode the hart is in.
void make_access_regime(const Hart& hart, std::uint8_t priv, bool v, Regime& regime);

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
