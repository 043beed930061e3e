// SPDX-License-Identifier: Apache-2.0
// Floating point on SSE and FMA3. MXCSR holds the guest's rounding mode, and its sticky flags are fflags;
// only NaN results differ, which become RISC-V's canonical NaN out of the way.
#include <bit>

#include "tcg/ir/fp_semantics.h"
#include "tcg/x86_64/compiler.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names
using Xbyak::CodeGenerator;

namespace {

const Xbyak::AddressFrame& memory_size(Type type) { return type == Type::f64 ? qword : dword; }

}  // namespace

// Registers.

void Compiler::get_f64(const Inst& inst) { regs_.def_home(32 + static_cast<unsigned>(inst.imm)); }
void Compiler::get_f_bits(const Inst& inst) { regs_.def_home(32 + static_cast<unsigned>(inst.imm)); }

void Compiler::get_f32(const Inst& inst) {
  const auto f = static_cast<unsigned>(inst.imm);
  if ((boxed_ >> f & 1) != 0) return regs_.def_home(32 + f);
  const Source home = regs_.home_operand(32 + f);
  const Xmm d = regs_.def_xmm();
  OutOfLine unboxed = out_of_line(&Compiler::nan_out_of_line);
  unboxed.result = static_cast<std::uint8_t>(d.getIdx());
  unboxed.type = Type::f32;
  if (home.is_xmm()) {
    const Reg t = regs_.temp();
    a_.movq(t, xmm(home.reg));
    a_.shr(t, 32);
    if (!home.is_xmm(static_cast<unsigned>(d.getIdx()))) a_.movaps(d, xmm(home.reg));
    a_.cmp(t.cvt32(), 0xffffffff);
  } else {
    a_.movss(d, home.memory(dword));
    a_.cmp(dword[home.address() + 4], 0xffffffff);
  }
  unboxed.entries[0] = a_.jump_on(Cc::ne);
  resume(unboxed);
  box_in_place(d);
}

/// Boxes a single that was just made in the register of a guest's.
void Compiler::box_in_place(const Xmm& reg) {
  if (regs_.hinted() != kNoReg) box(reg);
}

void Compiler::box(const Xmm& reg) {
  a_.orps(reg, xword[rip]);
  a_.rewrite(a_.here() - 4, thunks_.box() - a_.here(), 4);
}

void Compiler::set_f_bits(const Inst& inst) {
  const unsigned home = 32 + static_cast<unsigned>(inst.imm);
  boxed_ &= ~(1u << inst.imm);
  const Value v = inst.args[0];
  if (regs_.is_at_home(v, home)) return;
  const std::uint8_t host = regs_.global_host(home);
  if (host != kNoReg) {
    const Source from = regs_.bits_source(v);
    regs_.evacuate(home);
    from.is_xmm() ? a_.movaps(xmm(host), xmm(from.reg)) : a_.movq(xmm(host), gpr(from.reg));
  } else {
    const Source from = regs_.bits_source(v, true);
    regs_.evacuate(home);
    store_to(regs_.home_operand(home).address(), MemKind::u64, from);
  }
  if (!regs_.is_const(v)) regs_.settle(home, v);
}

void Compiler::set_f32_bits(const Inst& inst) {
  const unsigned home = 32 + static_cast<unsigned>(inst.imm);
  boxed_ |= 1u << inst.imm;
  const std::uint8_t host = regs_.global_host(home);
  // A load into the register itself has boxed it.
  const bool is_loaded =
      inst.args[0].index + 1 == regs_.now() && unit_->insts[inst.args[0].index].op == Op::load;
  if (host != kNoReg && is_loaded && regs_.is_at_home(inst.args[0], home)) return;
  const Source from = regs_.bits_source(inst.args[0], host == kNoReg);
  regs_.evacuate(home);
  if (host != kNoReg) {
    from.is_xmm() ? a_.movaps(xmm(host), xmm(from.reg)) : a_.movd(xmm(host), gpr(from.reg).cvt32());
    return box(xmm(host));
  }
  const Source to = regs_.home_operand(home);
  store_to(to.address(), MemKind::u32, from);
  a_.mov(dword[to.address() + 4], 0xffffffff);
}

void Compiler::set_f64(const Inst& inst) {
  const unsigned home = 32 + static_cast<unsigned>(inst.imm);
  boxed_ &= ~(1u << inst.imm);
  const Value v = inst.args[0];
  if (regs_.is_at_home(v, home)) return;
  const Xmm from = regs_.use_xmm(v);
  regs_.evacuate(home);
  const Source to = regs_.home_operand(home);
  to.is_xmm() ? a_.movaps(xmm(to.reg), from) : a_.movsd(to.memory(qword), from);
  regs_.settle(home, v);
}

void Compiler::set_f32(const Inst& inst) {
  const unsigned home = 32 + static_cast<unsigned>(inst.imm);
  const Value v = inst.args[0];
  const bool was_boxed = (boxed_ >> inst.imm & 1) != 0;
  boxed_ |= 1u << inst.imm;
  const Source to = regs_.home_operand(home);
  if (regs_.is_at_home(v, home)) {
    // Made in place and boxed there, or what was read from there.
    if (to.is_xmm() || was_boxed) return;
  }
  const Xmm from = regs_.use_xmm(v);
  regs_.evacuate(home);
  if (to.is_xmm()) {
    a_.movaps(xmm(to.reg), from);
    box(xmm(to.reg));
  } else {
    a_.movss(to.memory(dword), from);
    a_.mov(dword[to.address() + 4], 0xffffffff);
  }
  regs_.settle(home, v);
}

// NaNs.

void Compiler::load_canonical_nan(const Xmm& to, Type type) {
  // All 8 bytes, so that a single is boxed. The displacement is from the instruction's end, which is known
  // when it is emitted.
  a_.movsd(to, qword[rip]);
  a_.rewrite(a_.here() - 4, thunks_.canonical_nan(type) - a_.here(), 4);
}

void Compiler::nan_out_of_line(const OutOfLine& path) {
  a_.bind(path.entries[0]);
  load_canonical_nan(xmm(path.result), path.type);
  a_.jump_back(path.back);
}

void Compiler::canonicalize(const Xmm& reg, Type type) {
  OutOfLine nan = out_of_line(&Compiler::nan_out_of_line);
  nan.result = static_cast<std::uint8_t>(reg.getIdx());
  nan.type = type;
  type == Type::f64 ? a_.ucomisd(reg, reg) : a_.ucomiss(reg, reg);
  nan.entries[0] = a_.jump_on(Cc::p);
  resume(nan);
}

// Arithmetic.

/// Whether the register is a guest's that is known to hold a boxed single.
bool Compiler::has_boxed(const Xmm& reg) const {
  for (std::uint32_t rest = boxed_; rest != 0; rest &= rest - 1)
    if (regs_.global_host(32 + static_cast<unsigned>(std::countr_zero(rest))) == reg.getIdx()) return true;
  return false;
}

void Compiler::fp_binary(const Inst& inst, const FpBinary& how, Type type) {
  const Xmm a = regs_.use_xmm(inst.args[0]);
  const Source b = regs_.source(inst.args[1]);
  const bool is_boxed = type == Type::f32 && has_boxed(a);
  const Xmm d = regs_.def_xmm(inst.args[0]);
  if (features_.fma) {
    // The upper part is that of the first operand.
    if (b.is_memory())
      (a_.*how.vex)(d, a, b.memory(memory_size(type)));
    else
      (a_.*how.vex)(d, a, xmm(b.reg));
  } else {
    if (d.getIdx() != a.getIdx()) a_.movaps(d, a);
    if (b.is_memory())
      (a_.*how.sse)(d, b.memory(memory_size(type)));
    else
      (a_.*how.sse)(d, xmm(b.reg));
  }
  canonicalize(d, type);
  if (type == Type::f32 && !is_boxed) box_in_place(d);
}

void Compiler::fp_unary(const Inst& inst, Sse how, Type type, Type from) {
  const Source a = regs_.source(inst.args[0]);
  const Xmm d = regs_.def_xmm(inst.args[0]);
  // These write the low part alone: break the dependency on what was there.
  if (!a.is_reg(static_cast<unsigned>(d.getIdx()))) a_.xorps(d, d);
  if (a.is_memory())
    (a_.*how)(d, a.memory(memory_size(from)));
  else
    (a_.*how)(d, xmm(a.reg));
  canonicalize(d, type);
  if (type == Type::f32) box_in_place(d);
}

#define FP_BINARY(name, mnemonic, type)                                             \
  void Compiler::name(const Inst& inst) {                                           \
    fp_binary(inst, {&CodeGenerator::mnemonic, &CodeGenerator::v##mnemonic}, type); \
  }
FP_BINARY(fadd_s, addss, Type::f32)
FP_BINARY(fsub_s, subss, Type::f32)
FP_BINARY(fmul_s, mulss, Type::f32)
FP_BINARY(fdiv_s, divss, Type::f32)
FP_BINARY(fadd_d, addsd, Type::f64)
FP_BINARY(fsub_d, subsd, Type::f64)
FP_BINARY(fmul_d, mulsd, Type::f64)
FP_BINARY(fdiv_d, divsd, Type::f64)
#undef FP_BINARY
void Compiler::fsqrt_s(const Inst& inst) { fp_unary(inst, &CodeGenerator::sqrtss, Type::f32, Type::f32); }
void Compiler::fsqrt_d(const Inst& inst) { fp_unary(inst, &CodeGenerator::sqrtsd, Type::f64, Type::f64); }
void Compiler::fcvt_s_d(const Inst& inst) { fp_unary(inst, &CodeGenerator::cvtsd2ss, Type::f32, Type::f64); }
void Compiler::fcvt_d_s(const Inst& inst) { fp_unary(inst, &CodeGenerator::cvtss2sd, Type::f64, Type::f32); }

// Fused multiplication and addition.

void Compiler::fp_fma(const Inst& inst, Type type) {
  if (!features_.fma) return fp_fma_by_call(inst, type);
  // The first operand times the second plus the third; and in place of the addend: plus the second times the
  // third.
  static constexpr Fused kFused[2][4] = {{&CodeGenerator::vfmadd213ss, &CodeGenerator::vfmsub213ss,
                                          &CodeGenerator::vfnmadd213ss, &CodeGenerator::vfnmsub213ss},
                                         {&CodeGenerator::vfmadd213sd, &CodeGenerator::vfmsub213sd,
                                          &CodeGenerator::vfnmadd213sd, &CodeGenerator::vfnmsub213sd}};
  static constexpr Fused kInPlace[2][4] = {{&CodeGenerator::vfmadd231ss, &CodeGenerator::vfmsub231ss,
                                            &CodeGenerator::vfnmadd231ss, &CodeGenerator::vfnmsub231ss},
                                           {&CodeGenerator::vfmadd231sd, &CodeGenerator::vfmsub231sd,
                                            &CodeGenerator::vfnmadd231sd, &CodeGenerator::vfnmsub231sd}};
  const Xmm a = regs_.use_xmm(inst.args[0]);
  const Xmm b = regs_.use_xmm(inst.args[1]);
  const Xmm c = regs_.use_xmm(inst.args[2]);
  const bool is_in_place =
      regs_.hinted() == c.getIdx() && c.getIdx() != a.getIdx() && c.getIdx() != b.getIdx();
  // The upper part is that of what is overwritten.
  const bool is_boxed = type == Type::f32 && has_boxed(is_in_place ? c : a);
  // Not in a or b, which the out-of-line path wants.
  const Xmm d = is_in_place ? regs_.def_xmm() : regs_.def_xmm_apart();
  if (is_in_place) {
    (a_.*kInPlace[type == Type::f64][inst.aux])(d, a, b);
  } else {
    a_.movaps(d, a);
    (a_.*kFused[type == Type::f64][inst.aux])(d, b, c);
  }
  OutOfLine nan = out_of_line(&Compiler::fma_nan_out_of_line);
  nan.result = static_cast<std::uint8_t>(d.getIdx());
  nan.a = static_cast<std::uint8_t>(a.getIdx());
  nan.b = static_cast<std::uint8_t>(b.getIdx());
  nan.type = type;
  type == Type::f64 ? a_.ucomisd(d, d) : a_.ucomiss(d, d);
  nan.entries[0] = a_.jump_on(Cc::p);
  resume(nan);
  if (type == Type::f32 && !is_boxed) box_in_place(d);
}

void Compiler::fma_nan_out_of_line(const OutOfLine& path) {
  // Infinity times zero raises NV even if the addend is a quiet NaN ("F" chapter, multiply-add). The host's
  // fused instruction does not raise it, a multiplication alone does. If the product is no NaN, its flags do
  // not count.
  a_.bind(path.entries[0]);
  const Xmm d = xmm(path.result);
  const Xbyak::Address saved = a_.frame32(offsetof(Frame, temp_mxcsr));
  a_.stmxcsr(saved);
  a_.movaps(d, xmm(path.a));
  path.type == Type::f64 ? a_.mulsd(d, xmm(path.b)) : a_.mulss(d, xmm(path.b));
  path.type == Type::f64 ? a_.ucomisd(d, d) : a_.ucomiss(d, d);
  const auto is_raised = a_.short_on(Cc::p);
  a_.ldmxcsr(saved);
  a_.bind(is_raised);
  load_canonical_nan(d, path.type);
  a_.jump_back(path.back);
}

void Compiler::fmadd_s(const Inst& inst) { fp_fma(inst, Type::f32); }
void Compiler::fmadd_d(const Inst& inst) { fp_fma(inst, Type::f64); }

// Comparisons.

void Compiler::fp_compare(const Inst& inst, Type type) {
  const auto cond = static_cast<FpCond>(inst.aux);
  // a < b as b > a: "above" is false for unordered operands.
  const Xmm x = regs_.use_xmm(inst.args[cond == FpCond::eq ? 0 : 1]);
  const Xmm y = regs_.use_xmm(inst.args[cond == FpCond::eq ? 1 : 0]);
  const Reg d = regs_.def();
  if (cond != FpCond::eq) {
    const bool is_less = cond == FpCond::lt || cond == FpCond::ltq;
    if (cond == FpCond::ltq || cond == FpCond::leq)
      type == Type::f64 ? a_.ucomisd(x, y) : a_.ucomiss(x, y);
    else
      type == Type::f64 ? a_.comisd(x, y) : a_.comiss(x, y);
    a_.set_on(is_less ? Cc::a : Cc::ae, d.cvt8());
    a_.movzx(d.cvt32(), d.cvt8());
    return;
  }
  type == Type::f64 ? a_.ucomisd(x, y) : a_.ucomiss(x, y);
  a_.set_on(Cc::e, d.cvt8());
  a_.movzx(d.cvt32(), d.cvt8());
  const auto is_ordered = a_.short_on(Cc::np);
  a_.xor_(d.cvt32(), d.cvt32());
  a_.bind(is_ordered);
}
void Compiler::fcmp_s(const Inst& inst) { fp_compare(inst, Type::f32); }
void Compiler::fcmp_d(const Inst& inst) { fp_compare(inst, Type::f64); }

}  // namespace gstage::tcg::x86_64
