// SPDX-License-Identifier: Apache-2.0
// pmpcfg and pmpaddr with their locks (ISA manual vol. II, "Physical Memory Protection CSRs", "Smepmp"). The
// granularity is 4 bytes (G = 0), so pmpaddr reads back as stored.
#include "target/riscv/csr/row.h"

namespace gstage::riscv {

namespace {

constexpr unsigned kEntriesPerCsr = 8;
/// Bits 55:2 of a physical address.
constexpr std::uint64_t kPmpAddrMask = (std::uint64_t{1} << 54) - 1;
constexpr std::uint64_t kPmpCfgMask =
    pmpcfg::R::kMask | pmpcfg::W::kMask | pmpcfg::X::kMask | pmpcfg::A::kMask | pmpcfg::L::kMask;

bool has_bypass(const Hart& hart) { return mseccfg::Rlb::get(hart.mseccfg) != 0; }
bool is_locked(const Hart& hart, unsigned entry) {
  return pmpcfg::L::get(hart.pmpcfg[entry]) != 0 && !has_bypass(hart);
}

/// Under MML, whether M-mode may execute what this rule covers: M-mode-only rules with X, and the two locked
/// shared code regions (table in chapter Smepmp).
bool is_machine_executable(std::uint64_t cfg) {
  if (pmpcfg::L::get(cfg) == 0) return false;
  const std::uint64_t rwx = cfg & (pmpcfg::R::kMask | pmpcfg::W::kMask | pmpcfg::X::kMask);
  constexpr std::uint64_t kSharedData = pmpcfg::R::kMask | pmpcfg::W::kMask | pmpcfg::X::kMask;
  if (rwx == pmpcfg::W::kMask) return true;
  return pmpcfg::X::get(cfg) != 0 && rwx != kSharedData;
}

void write_entry(Hart& hart, unsigned entry, std::uint64_t cfg) {
  if (is_locked(hart, entry)) return;
  cfg &= kPmpCfgMask;
  const bool has_mml = mseccfg::Mml::get(hart.mseccfg) != 0;
  if (has_mml && !has_bypass(hart) && is_machine_executable(cfg)) return;
  // W without R is reserved without MML: W is dropped.
  if (!has_mml && pmpcfg::R::get(cfg) == 0) cfg &= ~pmpcfg::W::kMask;
  hart.pmpcfg[entry] = static_cast<std::uint8_t>(cfg);
}

std::uint64_t read_cfg(const Hart& hart, unsigned first) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < kEntriesPerCsr; ++i)
    value |= static_cast<std::uint64_t>(hart.pmpcfg[first + i]) << (8 * i);
  return value;
}

std::uint8_t write_cfg(Hart& hart, unsigned first, const CsrWrite& write) {
  const std::uint64_t old = read_cfg(hart, first);
  for (unsigned i = 0; i < kEntriesPerCsr; ++i) write_entry(hart, first + i, write.value >> (8 * i) & 0xff);
  return read_cfg(hart, first) == old ? kNoEffect : kEffectPmp | kEffectRegimes;
}

}  // namespace

std::uint64_t read_pmpcfg0(Hart& hart, unsigned) { return read_cfg(hart, 0); }
std::uint64_t read_pmpcfg2(Hart& hart, unsigned) { return read_cfg(hart, kEntriesPerCsr); }
std::uint8_t write_pmpcfg0(Hart& hart, unsigned, const CsrWrite& write) { return write_cfg(hart, 0, write); }
std::uint8_t write_pmpcfg2(Hart& hart, unsigned, const CsrWrite& write) {
  return write_cfg(hart, kEntriesPerCsr, write);
}

std::uint64_t read_pmpaddr(Hart& hart, unsigned index) { return hart.pmpaddr[index]; }

/// A lock covers the address registers of its entry: its own, and for TOR the one below.
std::uint8_t write_pmpaddr(Hart& hart, unsigned index, const CsrWrite& write) {
  if (is_locked(hart, index)) return kNoEffect;
  const bool has_next = index + 1 < kPmpEntries;
  if (has_next && is_locked(hart, index + 1) && pmpcfg::A::get(hart.pmpcfg[index + 1]) == pmpcfg::kTor)
    return kNoEffect;
  const std::uint64_t old = hart.pmpaddr[index];
  hart.pmpaddr[index] = write.value & kPmpAddrMask;
  return hart.pmpaddr[index] == old ? kNoEffect : kEffectPmp | kEffectRegimes;
}

}  // namespace gstage::riscv
