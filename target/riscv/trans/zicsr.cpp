// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

#include "target/riscv/trans/translator.h"

// Zicsr (ISA manual vol. I, "Zicsr" chapter). Nearly all of it is helper_csr, which checks the access at run
// time. Here is decided which accesses need no helper, and after which ones the block may go on.

namespace gstage::riscv {
namespace {

using tcg::MemKind;

enum CsrNumber : unsigned { kFflags = 0x001, kSstatus = 0x100 };

/// A CSR that is no more than 64 bits in the hart, with no condition but the privilege in its number.
struct PlainCsr {
  std::uint16_t number;
  bool is_banked;      ///< `offset` is in the active Bank, else in the Hart
  std::size_t offset;  ///< bytes
  bool is_writable;    ///< a write stores the bits as they are; else writes take the helper
  bool is_pc;          ///< epc: the bits below IALIGN are zero
};
constexpr PlainCsr kPlainCsrs[] = {
    {0x105, true, offsetof(Bank, tvec), false, false},
    {0x140, true, offsetof(Bank, scratch), true, false},
    {0x141, true, offsetof(Bank, epc), true, true},
    {0x142, true, offsetof(Bank, cause), true, false},
    {0x143, true, offsetof(Bank, tval), true, false},
    {0x305, false, offsetof(Hart, mtvec), false, false},
    {0x340, false, offsetof(Hart, mscratch), true, false},
    {0x341, false, offsetof(Hart, mepc), true, true},
    {0x342, false, offsetof(Hart, mcause), true, false},
    {0x343, false, offsetof(Hart, mtval), true, false},
};

const PlainCsr* find_plain(unsigned number) {
  for (const PlainCsr& csr : kPlainCsrs)
    if (csr.number == number) return &csr;
  return nullptr;
}

/// Whether a write has no effect that the rest of the block could see: no change of the translation regime,
/// of interrupt enables or of the rounding mode. What traps is taken from these registers only when it is
/// delivered; a timer that is due shows in CpuCore::attention.
bool is_harmless(unsigned number) {
  switch (number) {
    case kFflags:
    case 0x105:  // stvec, scounteren, sscratch, sepc, scause, stval, stimecmp
    case 0x106:
    case 0x140:
    case 0x141:
    case 0x142:
    case 0x143:
    case 0x14d:
    case 0x150:  // siselect; a claim (stopei) can only take interrupts away
    case 0x15c:
    case 0x205:  // the same of VS
    case 0x240:
    case 0x241:
    case 0x242:
    case 0x243:
    case 0x24d:
    case 0x250:
    case 0x25c:
    case 0x302:  // medeleg, mtvec, mcounteren
    case 0x305:
    case 0x306:
    case 0x350:  // miselect, mtopei
    case 0x35c:
    case 0x340:  // mscratch, mepc, mcause, mtval, mtinst, mtval2
    case 0x341:
    case 0x342:
    case 0x343:
    case 0x34a:
    case 0x34b:
    case 0x602:  // hedeleg, hcounteren, htval, htinst
    case 0x606:
    case 0x643:
    case 0x64a: return true;
    default: return false;
  }
}

constexpr unsigned least_privilege(unsigned number) { return number >> 8 & 3; }

}  // namespace

Translator::Value Translator::csr_operand(const CsrAccess& access) {
  return access.is_immediate ? ir_.const_(access.source) : x(access.source);
}

bool Translator::csr_inline(const CsrAccess& access) {
  const PlainCsr* plain = find_plain(access.number);
  if (plain == nullptr || privilege() < least_privilege(access.number)) return false;
  if (access.op != CsrOp::kRead && !plain->is_writable) return false;
  Value bank;
  if (plain->is_banked) bank = env(offsetof(Hart, s));
  const auto offset = static_cast<std::int64_t>(plain->offset);
  // The operand is read before rd is written: they may be one register.
  const Value operand = access.op == CsrOp::kRead ? Value{} : csr_operand(access);
  Value old;
  if (access.op != CsrOp::kWriteOnly)
    old = plain->is_banked ? ir_.host_load(bank, offset, MemKind::u64) : env(plain->offset);
  if (access.op != CsrOp::kRead) {
    Value value = operand;
    if (access.op == CsrOp::kSet) value = ir_.or_(old, operand);
    if (access.op == CsrOp::kClear) value = ir_.and_(old, ir_.xor_(operand, ir_.const_(-1)));
    if (plain->is_pc) value = ir_.and_(value, ir_.const_(config_.zca ? -2 : -4));
    if (plain->is_banked) {
      ir_.host_store(bank, value, offset, MemKind::u64);
    } else {
      set_env(plain->offset, value);
    }
  }
  if (access.op != CsrOp::kWriteOnly) set_x(access.rd, old);
  return true;
}

// sstatus as it reads: FS is Dirty where a floating-point write is not noted yet, and SD sums FS up. What the
// bank holds is what can be set, see csr/status.cpp.
Translator::Value Translator::status_view(Value bank) {
  constexpr unsigned kFsLow = 13;
  constexpr std::int64_t kFsDirtyBits = std::int64_t{3} << kFsLow;
  constexpr std::int64_t kUxl64 = std::int64_t{2} << 32;
  const Value stored = ir_.host_load(bank, offsetof(Bank, status), MemKind::u64);
  const Value dirty =
      ir_.and_(ir_.sub(ir_.const_(0), env(offsetof(Hart, fp_dirty))), ir_.const_(kFsDirtyBits));
  const Value status = ir_.or_(ir_.or_(stored, dirty), ir_.const_(kUxl64));
  const Value both_bits = ir_.and_(status, ir_.shl(status, ir_.const_(1)));  // in the upper of FS's bits
  const Value sd = ir_.shl(ir_.shr(both_bits, ir_.const_(kFsLow + 1)), ir_.const_(63));
  return ir_.or_(status, sd);
}

// Reads of sstatus, and those that clear SIE: no regime changes, and what was pending stays so.
bool Translator::status_inline(const CsrAccess& access) {
  constexpr unsigned kSie = 2;
  if (access.number != kSstatus || privilege() < kSupervisor) return false;
  const bool clears_sie = access.op == CsrOp::kClear && access.is_immediate && access.source == kSie;
  if (access.op != CsrOp::kRead && !clears_sie) return false;
  const Value bank = env(offsetof(Hart, s));
  Value old;
  if (access.rd != 0) old = status_view(bank);
  if (clears_sie) {
    const Value status = ir_.host_load(bank, offsetof(Bank, status), MemKind::u64);
    ir_.host_store(bank, ir_.and_(status, ir_.const_(~std::int64_t{kSie})), offsetof(Bank, status),
                   MemKind::u64);
  }
  if (access.rd != 0) set_x(access.rd, old);
  return true;
}

// Other writes of sstatus. No block depends on what they change but for FS, which is looked at once a block.
// Those that set nothing enable no interrupt: after them the block may go on.
bool Translator::status_write(const CsrAccess& access) {
  if (access.number != kSstatus || privilege() < kSupervisor || access.op == CsrOp::kRead) return false;
  const Value old =
      ir_.call(k_sstatus, {ir_.const_(static_cast<std::int64_t>(access.op)), csr_operand(access)});
  set_x(access.rd, old);
  fp_required_ = fp_marked_ = false;
  if (access.op != CsrOp::kClear) leave();
  return true;
}

bool Translator::csr(const CsrAccess& access) {
  if (csr_inline(access) || status_inline(access) || status_write(access)) return true;
  const Value old =
      ir_.call(k_csr, {ir_.const_(access.number), ir_.const_(static_cast<std::int64_t>(access.op)),
                       csr_operand(access), raw_bits()});
  set_x(access.rd, old);
  if (access.op != CsrOp::kRead && !is_harmless(access.number)) leave();
  return true;
}

bool Translator::csrrw(const ArgsCsr& args) {
  return csr({args.csr, args.rd == 0 ? CsrOp::kWriteOnly : CsrOp::kSwap, args.rd, args.rs1, false});
}
bool Translator::csrrs(const ArgsCsr& args) {
  return csr({args.csr, args.rs1 == 0 ? CsrOp::kRead : CsrOp::kSet, args.rd, args.rs1, false});
}
bool Translator::csrrc(const ArgsCsr& args) {
  return csr({args.csr, args.rs1 == 0 ? CsrOp::kRead : CsrOp::kClear, args.rd, args.rs1, false});
}
bool Translator::csrrwi(const ArgsCsr& args) {
  return csr({args.csr, args.rd == 0 ? CsrOp::kWriteOnly : CsrOp::kSwap, args.rd, args.rs1, true});
}
bool Translator::csrrsi(const ArgsCsr& args) {
  return csr({args.csr, args.rs1 == 0 ? CsrOp::kRead : CsrOp::kSet, args.rd, args.rs1, true});
}
bool Translator::csrrci(const ArgsCsr& args) {
  return csr({args.csr, args.rs1 == 0 ? CsrOp::kRead : CsrOp::kClear, args.rd, args.rs1, true});
}

}  // namespace gstage::riscv
