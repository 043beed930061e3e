// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <string>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "target/riscv/cpu.h"
#include "target/riscv/csr/csr.h"
#include "target/riscv/csr/gates.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/mmu/mmu.h"

namespace gstage::riscv {

namespace {

constexpr unsigned kLastFpCsr = 3;
/// Whoever polls must write: to read alone is illegal in every mode ("The seed CSR").
constexpr unsigned kSeed = 0x015;

CsrMode mode_of(const Hart& hart) {
  if (hart.priv == kMachine) return CsrMode::kM;
  if (hart.priv == kSupervisor) return hart.v != 0 ? CsrMode::kVs : CsrMode::kHs;
  return hart.v != 0 ? CsrMode::kVu : CsrMode::kU;
}

Verdict gate_verdict(const Hart& hart, const CsrRow& row, unsigned number, CsrMode mode) {
  if (const Verdict verdict = gate_stateen(hart, number, mode); verdict != Verdict::kAllowed) return verdict;
  return row.gate == nullptr ? Verdict::kAllowed : row.gate(hart, number, mode);
}

/// The access rule ("CSR Address Mapping Conventions"; "Trap Cause Codes" of the hypervisor chapter): what
/// does not exist, is read-only or belongs to M-mode is illegal. When V=1, what HS-mode could do, but the
/// guest not, is a virtual instruction.
Verdict judge(const Hart& hart, const CsrRow* row, unsigned number, bool is_write) {
  constexpr unsigned kHypervisor = 2;
  if (row == nullptr || !row->exists(hart)) return Verdict::kIllegal;
  if (is_write && row->write == nullptr) return Verdict::kIllegal;
  if (!is_write && number == kSeed) return Verdict::kIllegal;
  const unsigned least = number >> 8 & 3;
  const unsigned least_privilege = least == kHypervisor ? unsigned{kSupervisor} : least;
  if (hart.v == 0) {
    if (hart.priv < least_privilege) return Verdict::kIllegal;
    return gate_verdict(hart, *row, number, mode_of(hart));
  }
  if (least == kMachine) return Verdict::kIllegal;
  if (gate_verdict(hart, *row, number, CsrMode::kHsQualified) != Verdict::kAllowed) return Verdict::kIllegal;
  if (least == kHypervisor || hart.priv < least_privilege) return Verdict::kVirtual;
  const Verdict verdict = gate_verdict(hart, *row, number, mode_of(hart));
  return verdict == Verdict::kAllowed && is_write ? gate_guest_write(hart, number) : verdict;
}

void apply_effects(Hart& hart, std::uint8_t effects) {
  if ((effects & kEffectPmp) != 0) pmp_changed(hart);
  if ((effects & kEffectRegimes) != 0) update_regimes(hart);
  if ((effects & kEffectTimers) != 0) hart.cpu->update_timers();
  if ((effects & (kEffectTimers | kEffectInterrupts)) != 0) update_interrupts(hart);
}

/// While the guest runs, its rounding mode and flags are the host's; the handlers work on CpuCore::mxcsr.
void fetch_mxcsr([[maybe_unused]] Hart& hart) {
#if defined(__x86_64__)
  hart.core.mxcsr = _mm_getcsr();
#endif
}
void put_mxcsr([[maybe_unused]] const Hart& hart) {
#if defined(__x86_64__)
  _mm_setcsr(hart.core.mxcsr);
#endif
}

}  // namespace

std::optional<std::uint64_t> csr_access(Hart& hart, unsigned number, CsrOp op, std::uint64_t operand,
                                        std::uint64_t raw) {
  const CsrRow* row = find_csr(number);
  const Verdict verdict = judge(hart, row, number, is_writing(op));
  if (verdict == Verdict::kIllegal) {
    raise_illegal(hart, raw);
    return std::nullopt;
  }
  if (verdict == Verdict::kVirtual) {
    raise_virtual(hart, raw);
    return std::nullopt;
  }
  fold_fp_dirty(hart);
  const unsigned index = number - row->number;
  if (hart.v != 0 && row->vs_alias != 0) row = find_csr(row->vs_alias);
  const bool is_fp = number <= kLastFpCsr;
  if (is_fp) fetch_mxcsr(hart);
  const std::uint64_t old = is_reading(op) ? row->read(hart, index) : 0;
  if (is_writing(op)) {
    const std::uint8_t effects = row->write(hart, index, make_write(op, old, operand));
    if (is_fp) put_mxcsr(hart);
    apply_effects(hart, effects);
  }
  return old;
}

std::optional<std::uint64_t> csr_peek(Hart& hart, unsigned number) {
  const CsrRow* const row = find_csr(number);
  if (row == nullptr || !row->exists(hart)) return std::nullopt;
  fold_fp_dirty(hart);
  return row->read(hart, number - row->number);
}

bool csr_poke(Hart& hart, unsigned number, std::uint64_t value) {
  const CsrRow* const row = find_csr(number);
  if (row == nullptr || !row->exists(hart) || row->write == nullptr) return false;
  fold_fp_dirty(hart);
  apply_effects(hart, row->write(hart, number - row->number, {value, ~std::uint64_t{0}}));
  return true;
}

std::string csr_name(unsigned number) {
  const CsrRow* const row = find_csr(number);
  if (row == nullptr) return {};
  std::string name = row->name;
  if (row->count == 1) return name;
  // A row of several is called after the first: its trailing number counts on.
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  const unsigned first = static_cast<unsigned>(std::strtoul(name.c_str() + digits, nullptr, 10));
  return name.substr(0, digits) + std::to_string(first + number - row->number);
}

}  // namespace gstage::riscv
