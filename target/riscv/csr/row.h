// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "target/riscv/csr/fields.h"
#include "target/riscv/hart.h"
#include "target/riscv/ops/helpers.h"

namespace gstage::riscv {

/// What an access is answered with.
enum class Verdict : std::uint8_t { kAllowed, kIllegal, kVirtual };

/// In whose name an access is judged. kHsQualified asks what HS-mode could do if mstatus.TVM were zero: the
/// question that separates virtual- from illegal-instruction exceptions ("Trap Cause Codes" of the hypervisor
/// chapter).
enum class CsrMode : std::uint8_t { kM, kHs, kU, kVs, kVu, kHsQualified };

/// What a write may have changed besides the register; csr_access sees to it.
enum CsrEffect : std::uint8_t {
  kNoEffect = 0,
  kEffectRegimes = 1,     ///< update_regimes
  kEffectInterrupts = 2,  ///< update_interrupts
  kEffectTimers = 4,      ///< RiscvCpu::update_timers, then update_interrupts
  kEffectPmp = 8          ///< pmp_changed
};

/// A write: the new value whole, and the bits that the instruction names (all for csrrw; the operand's for
/// csrrs and csrrc). Registers that combine stored bits with wires store the named bits alone.
struct CsrWrite {
  std::uint64_t value;
  std::uint64_t mask;
  bool has_read = false;   ///< the instruction reads too …
  std::uint64_t read = 0;  ///< … this
  /// `stored` with the named bits replaced, of those in `writable`.
  [[nodiscard]] std::uint64_t over(std::uint64_t stored, std::uint64_t writable) const {
    const std::uint64_t taken = mask & writable;
    return (stored & ~taken) | (value & taken);
  }
};

/// Whether the instruction reads the register.
inline bool is_reading(CsrOp op) { return op != CsrOp::kWriteOnly; }
/// Whether it writes it.
inline bool is_writing(CsrOp op) { return op != CsrOp::kRead; }

/// What an instruction makes of the old value.
inline CsrWrite make_write(CsrOp op, std::uint64_t old, std::uint64_t operand) {
  if (op == CsrOp::kSet) return {old | operand, operand, true, old};
  if (op == CsrOp::kClear) return {old & ~operand, operand, true, old};
  return {operand, ~std::uint64_t{0}, is_reading(op), old};
}

/// One row of csr_table.inc. The address says what else there is: bits 11:10 read-only, 9:8 the least
/// privilege. `index` is the number's distance from the row's first.
struct CsrRow {
  std::uint16_t number;
  std::uint16_t count;
  const char* name;                                        ///< of the first of `count`
  bool (*exists)(const Hart&);                             ///< extension or feature
  Verdict (*gate)(const Hart&, unsigned number, CsrMode);  ///< null: none
  std::uint16_t vs_alias;                                  ///< what takes its place when V=1; 0: nothing
  std::uint64_t (*read)(Hart&, unsigned index);            ///< without side effects
  std::uint8_t (*write)(Hart&, unsigned index,
                        const CsrWrite&);  ///< → CsrEffect; null: read-only zero or number
};

/// All rows, ascending.
struct CsrTable {
  const CsrRow* rows;
  unsigned count;
};
CsrTable csr_table();
/// The row of a number, or null.
const CsrRow* find_csr(unsigned number);

/// Whether misa has the letter now.
inline bool has_misa(const Hart& hart, char letter) { return (hart.misa & misa_bit(letter)) != 0; }
/// Sstc and menvcfg.STCE: stimecmp drives STIP.
inline bool has_stimecmp_interrupt(const Hart& hart) {
  return hart.config->sstc && envcfg::Stce::get(hart.menvcfg) != 0;
}
/// … and henvcfg.STCE: vstimecmp drives VSTIP.
inline bool has_vstimecmp_interrupt(const Hart& hart) {
  return has_stimecmp_interrupt(hart) && envcfg::Stce::get(hart.henvcfg) != 0;
}
/// Ssdbltrp with DTE of menvcfg, and for VS-mode's bank also of henvcfg: SDT exists.
inline bool has_double_trap(const Hart& hart, const Bank& bank) {
  const std::uint64_t enabled = &bank == &hart.vs ? hart.menvcfg & hart.henvcfg : hart.menvcfg;
  return hart.config->ssdbltrp && envcfg::Dte::get(enabled) != 0;
}
/// Ssccfg and menvcfg.CDE: counters of mcounteren are S-mode's.
inline bool has_counter_delegation(const Hart& hart) {
  return hart.config->ssccfg && envcfg::Cde::get(hart.menvcfg) != 0;
}
/// What a write of a counter or of its configuration changes: with overflow interrupts, when the next is due.
inline std::uint8_t counter_effect(const Hart& hart) {
  return hart.config->sscofpmf ? kEffectTimers : kNoEffect;
}
/// The bits that an instruction address cannot have: bit 0, and bit 1 when instructions have 4 bytes.
inline std::uint64_t epc_mask(const Hart& hart) { return hart.config->zca ? ~1ull : ~3ull; }
/// mideleg with the bits that the hypervisor extension makes read-only one.
std::uint64_t effective_mideleg(const Hart& hart);

/// Writes the software-writable bits of mip, as far as `writable` names them.
void store_software_pending(Hart& hart, const CsrWrite& write, std::uint64_t writable);
/// The bits of sie that are no views of mie.
std::uint64_t filtered_interrupts(const Hart& hart);

/// Bits of senvcfg that can be set on this hart; henvcfg has them too, and but for PMM menvcfg.
std::uint64_t senvcfg_mask(const Hart& hart);
/// What a write makes of a PMM field: its reserved encoding is dropped.
constexpr std::uint64_t pmm_value(std::uint64_t old, std::uint64_t named) { return named == 1 ? old : named; }
/// What a write of `value` makes of an envcfg register: the reserved encodings of CBIE and PMM are dropped.
std::uint64_t envcfg_value(std::uint64_t old, std::uint64_t value, std::uint64_t mask);
/// All triggers disabled.
void reset_triggers(Hart& hart);
/// Bits of menvcfg that can be set on this hart, and of henvcfg, which menvcfg restricts.
std::uint64_t menvcfg_mask(const Hart& hart);
std::uint64_t henvcfg_mask(const Hart& hart);
/// Clears SDT where DTE no longer allows it.
void drop_disabled_sdt(Hart& hart);

// The handlers that csr_table.inc names, by the file that defines them; `N` is the index in the row.
#define CSR_READ(name) std::uint64_t name(Hart& hart, unsigned index)
#define CSR_WRITE(name) std::uint8_t name(Hart& hart, unsigned index, const CsrWrite& write)
#include "target/riscv/csr/handlers.inc"

}  // namespace gstage::riscv
