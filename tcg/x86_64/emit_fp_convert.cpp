// SPDX-License-Identifier: Apache-2.0
// Conversions between floating point and integers; what SSE has no instruction for is called.
#include <bit>

#include "tcg/ir/fp_semantics.h"
#include "tcg/x86_64/compiler.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names

namespace {

// Helpers on raw bits; the last argument is an IntKind or Fma.
std::uint64_t to_int_f32(CpuCore*, std::uint64_t bits, std::uint64_t kind, std::uint64_t, std::uint64_t) {
  return fp::to_int(static_cast<IntKind>(kind), std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
}
std::uint64_t to_int_f64(CpuCore*, std::uint64_t bits, std::uint64_t kind, std::uint64_t, std::uint64_t) {
  return fp::to_int(static_cast<IntKind>(kind), std::bit_cast<double>(bits));
}
std::uint64_t to_f32(CpuCore*, std::uint64_t value, std::uint64_t kind, std::uint64_t, std::uint64_t) {
  return std::bit_cast<std::uint32_t>(fp::to_float(static_cast<IntKind>(kind), value));
}
std::uint64_t to_f64(CpuCore*, std::uint64_t value, std::uint64_t kind, std::uint64_t, std::uint64_t) {
  return std::bit_cast<std::uint64_t>(fp::to_double(static_cast<IntKind>(kind), value));
}
std::uint64_t fma_f32(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t form) {
  const auto single = [](std::uint64_t v) { return std::bit_cast<float>(static_cast<std::uint32_t>(v)); };
  return std::bit_cast<std::uint32_t>(
      fp::fma_portable(static_cast<Fma>(form), single(a), single(b), single(c)));
}
std::uint64_t fma_f64(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t form) {
  const auto wide = [](std::uint64_t v) { return std::bit_cast<double>(v); };
  return std::bit_cast<std::uint64_t>(fp::fma_portable(static_cast<Fma>(form), wide(a), wide(b), wide(c)));
}

constexpr Helper kToIntF32{"fcvt_int_s", to_int_f32, 2, true, false, false};
constexpr Helper kToIntF64{"fcvt_int_d", to_int_f64, 2, true, false, false};
constexpr Helper kToF32{"fcvt_s_int", to_f32, 2, true, false, false};
constexpr Helper kToF64{"fcvt_d_int", to_f64, 2, true, false, false};
constexpr Helper kFmaF32{"fmadd_s", fma_f32, 4, true, false, false};
constexpr Helper kFmaF64{"fmadd_d", fma_f64, 4, true, false, false};

}  // namespace

void Compiler::bits_from_xmm(const Reg& to, const Xmm& from, Type type) {
  type == Type::f64 ? a_.movq(to, from) : a_.movd(to.cvt32(), from);
}

void Compiler::bits_to_xmm(const Xmm& to, const Reg& from, Type type) {
  type == Type::f64 ? a_.movq(to, from) : a_.movd(to, from.cvt32());
}

/// Calls a helper of (bits, kind) out of the way: from an xmm register to `result`, or from a general
/// register to xmm `result`.
void Compiler::fp_call_out_of_line(const OutOfLine& path) {
  a_.bind(path.entries[0]);
  save_live(path);
  if (path.is_from_xmm)
    bits_from_xmm(rsi, xmm(path.a), path.type);
  else
    move(rsi, {Source::Kind::reg, path.a, 0});
  a_.mov(edx, static_cast<std::uint32_t>(path.imm));
  call_thunk(path.thunk, path.page_offset);
  if (path.is_from_xmm)
    move(gpr(path.result), {Source::Kind::reg, kRax, 0});
  else
    bits_to_xmm(xmm(path.result), rax, path.type);
  if (path.is_boxed) box(xmm(path.result));
  restore_live(path);
  a_.jump_back(path.back);
}

void Compiler::fp_to_int(const Inst& inst, Type type) {
  const auto kind = static_cast<IntKind>(inst.aux);
  const Xmm from = regs_.use_xmm(inst.args[0]);
  const Reg t = regs_.temp();
  const Reg d = regs_.def();
  OutOfLine slow = out_of_line(&Compiler::fp_call_out_of_line);
  slow.thunk = thunks_.helper(type == Type::f64 ? kToIntF64 : kToIntF32);
  slow.a = static_cast<std::uint8_t>(from.getIdx());
  slow.result = static_cast<std::uint8_t>(d.getIdx());
  slow.is_from_xmm = true;
  slow.type = type;
  slow.imm = inst.aux;
  const auto convert = [&](const Xbyak::Reg& to) {
    type == Type::f64 ? a_.cvttsd2si(to, from) : a_.cvttss2si(to, from);
  };
  if (kind == IntKind::s32 || kind == IntKind::s64) {
    // The host answers with the lowest integer, and NV, to what does not fit.
    const bool is_word = kind == IntKind::s32;
    convert(is_word ? Xbyak::Reg(t.cvt32()) : Xbyak::Reg(t));
    is_word ? a_.cmp(t.cvt32(), 1) : a_.cmp(t, 1);
    slow.entries[0] = a_.jump_on(Cc::o);
    is_word ? a_.movsxd(d, t.cvt32()) : a_.mov(d, t);
  } else {
    // Positive and below 2^32 or 2^63, as bits, is what the signed conversion serves.
    const std::uint64_t limit = kind == IntKind::u32 ? (type == Type::f64 ? 0x41f0000000000000 : 0x4f800000)
                                                     : (type == Type::f64 ? 0x43e0000000000000 : 0x5f000000);
    a_.load_constant(t, limit);
    bits_from_xmm(d, from, type);
    a_.cmp(d, t);
    slow.entries[0] = a_.jump_on(Cc::ae);
    convert(d);
    if (kind == IntKind::u32) a_.movsxd(d, d.cvt32());
  }
  keep_live(slow);
  resume(slow);
}

void Compiler::fp_from_int(const Inst& inst, Type type) {
  const auto kind = static_cast<IntKind>(inst.aux);
  const Reg from = regs_.use(inst.args[0]);
  const bool is_hinted = regs_.hinted() != kNoReg;
  const Xmm d = regs_.def_xmm();
  const auto convert = [&](const Xbyak::Reg& r) {
    a_.xorps(d, d);
    type == Type::f64 ? a_.cvtsi2sd(d, r) : a_.cvtsi2ss(d, r);
    if (type == Type::f32) box_in_place(d);
  };
  if (kind == IntKind::s32) return convert(from.cvt32());
  if (kind == IntKind::s64) return convert(from);
  if (kind == IntKind::u32) {
    const Reg t = regs_.temp();
    a_.mov(t.cvt32(), from.cvt32());
    return convert(t);
  }
  OutOfLine slow = out_of_line(&Compiler::fp_call_out_of_line);
  slow.thunk = thunks_.helper(type == Type::f64 ? kToF64 : kToF32);
  slow.a = static_cast<std::uint8_t>(from.getIdx());
  slow.result = static_cast<std::uint8_t>(d.getIdx());
  slow.type = type;
  slow.is_boxed = type == Type::f32 && is_hinted;
  slow.imm = inst.aux;
  a_.test(from, from);
  slow.entries[0] = a_.jump_on(Cc::s);
  convert(from);
  keep_live(slow);
  resume(slow);
}

/// A host without FMA3.
void Compiler::fp_fma_by_call(const Inst& inst, Type type) {
  regs_.before_call(false);
  const unsigned kTo[] = {kRsi, kRdx, kRcx};
  for (unsigned n = 0; n < 3; ++n) {
    const Xmm from = regs_.use_xmm(inst.args[n]);
    bits_from_xmm(gpr(kTo[n]), from, type);
  }
  a_.mov(eax, inst.aux);
  call_thunk(thunks_.helper(type == Type::f64 ? kFmaF64 : kFmaF32), insn_offset_);
  regs_.after_call(false);
  const Xmm d = regs_.def_xmm();
  bits_to_xmm(d, rax, type);
  if (type == Type::f32) box_in_place(d);
}

void Compiler::fcvt_s_int(const Inst& inst) { fp_from_int(inst, Type::f32); }
void Compiler::fcvt_d_int(const Inst& inst) { fp_from_int(inst, Type::f64); }
void Compiler::fcvt_int_s(const Inst& inst) { fp_to_int(inst, Type::f32); }
void Compiler::fcvt_int_d(const Inst& inst) { fp_to_int(inst, Type::f64); }

}  // namespace gstage::tcg::x86_64
