// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trans/translator.h"

// RV64I and Zifencei (ISA manual vol. I, "RV32I", "RV64I" and "Zifencei" chapters).

namespace gstage::riscv {

using tcg::Builder;
using tcg::Cond;
using tcg::JumpHint;
using tcg::MemKind;

bool Translator::compute(const ArgsR& args, Binary op) {
  if (args.rd != 0) set_x(args.rd, (ir_.*op)(x(args.rs1), x(args.rs2)));
  return true;
}

bool Translator::compute(unsigned rd, unsigned rs1, std::int64_t constant, Binary op) {
  if (rd != 0) set_x(rd, (ir_.*op)(x(rs1), ir_.const_(constant)));
  return true;
}

bool Translator::compare(unsigned rd, Value a, Value b, Cond cond) {
  set_x(rd, ir_.setcond(a, b, cond));
  return true;
}

// Arithmetic on immediates.
bool Translator::lui(const ArgsU& args) {
  if (args.rd != 0) set_x(args.rd, ir_.const_(args.imm));
  return true;
}
bool Translator::auipc(const ArgsU& args) {
  if (args.rd != 0) set_x(args.rd, ir_.pc(offset_ + args.imm));
  return true;
}
bool Translator::addi(const ArgsI& args) {
  if (args.rd == 0) return true;
  if (args.rs1 == 0) {
    set_x(args.rd, ir_.const_(args.imm));
  } else if (args.imm == 0) {
    if (args.rd != args.rs1) set_x(args.rd, x(args.rs1));
  } else {
    compute(args.rd, args.rs1, args.imm, &Builder::add);
  }
  return true;
}
bool Translator::addiw(const ArgsI& args) {
  if (args.rd != 0 && args.imm == 0) {
    set_x(args.rd, ir_.sext32(x(args.rs1)));
    return true;
  }
  return compute(args.rd, args.rs1, args.imm, &Builder::addw);
}
bool Translator::slti(const ArgsI& args) {
  return args.rd == 0 || compare(args.rd, x(args.rs1), ir_.const_(args.imm), Cond::lt);
}
bool Translator::sltiu(const ArgsI& args) {
  return args.rd == 0 || compare(args.rd, x(args.rs1), ir_.const_(args.imm), Cond::ltu);
}
bool Translator::xori(const ArgsI& args) { return compute(args.rd, args.rs1, args.imm, &Builder::xor_); }
bool Translator::ori(const ArgsI& args) { return compute(args.rd, args.rs1, args.imm, &Builder::or_); }
bool Translator::andi(const ArgsI& args) {
  if (args.rd != 0 && args.imm == 0xff) {
    set_x(args.rd, ir_.zext8(x(args.rs1)));
    return true;
  }
  return compute(args.rd, args.rs1, args.imm, &Builder::and_);
}
bool Translator::slli(const ArgsShift& args) { return compute(args.rd, args.rs1, args.shamt, &Builder::shl); }
bool Translator::srli(const ArgsShift& args) { return compute(args.rd, args.rs1, args.shamt, &Builder::shr); }
bool Translator::srai(const ArgsShift& args) { return compute(args.rd, args.rs1, args.shamt, &Builder::sar); }
bool Translator::slliw(const ArgsShift& args) {
  return compute(args.rd, args.rs1, args.shamt, &Builder::shlw);
}
bool Translator::srliw(const ArgsShift& args) {
  return compute(args.rd, args.rs1, args.shamt, &Builder::shrw);
}
bool Translator::sraiw(const ArgsShift& args) {
  return compute(args.rd, args.rs1, args.shamt, &Builder::sarw);
}

// Arithmetic on registers.
bool Translator::add(const ArgsR& args) {
  // add rd, x0, rs2 is what c.mv stands for.
  if (args.rs1 == 0 || args.rs2 == 0)
    return addi({args.rd, static_cast<std::uint8_t>(args.rs1 | args.rs2), 0});
  return compute(args, &Builder::add);
}
bool Translator::sub(const ArgsR& args) { return compute(args, &Builder::sub); }
bool Translator::sll(const ArgsR& args) { return compute(args, &Builder::shl); }
bool Translator::slt(const ArgsR& args) {
  return args.rd == 0 || compare(args.rd, x(args.rs1), x(args.rs2), Cond::lt);
}
bool Translator::sltu(const ArgsR& args) {
  if (args.rd == 0) return true;
  // sltu rd, x0, rs2: "is not zero".
  if (args.rs1 == 0) return compare(args.rd, x(args.rs2), ir_.const_(0), Cond::ne);
  return compare(args.rd, x(args.rs1), x(args.rs2), Cond::ltu);
}
bool Translator::xor_(const ArgsR& args) { return compute(args, &Builder::xor_); }
bool Translator::srl(const ArgsR& args) { return compute(args, &Builder::shr); }
bool Translator::sra(const ArgsR& args) { return compute(args, &Builder::sar); }
bool Translator::or_(const ArgsR& args) { return compute(args, &Builder::or_); }
bool Translator::and_(const ArgsR& args) { return compute(args, &Builder::and_); }
bool Translator::addw(const ArgsR& args) { return compute(args, &Builder::addw); }
bool Translator::subw(const ArgsR& args) { return compute(args, &Builder::subw); }
bool Translator::sllw(const ArgsR& args) { return compute(args, &Builder::shlw); }
bool Translator::srlw(const ArgsR& args) { return compute(args, &Builder::shrw); }
bool Translator::sraw(const ArgsR& args) { return compute(args, &Builder::sarw); }

// Memory. A load into x0 still accesses memory.
bool Translator::load(const ArgsI& args, MemKind kind) {
  set_x(args.rd, ir_.load(x(args.rs1), args.imm, kind));
  return true;
}
bool Translator::store(const ArgsS& args, MemKind kind) {
  ir_.store(x(args.rs1), x(args.rs2), args.imm, kind);
  return true;
}
bool Translator::lb(const ArgsI& args) { return load(args, MemKind::s8); }
bool Translator::lh(const ArgsI& args) { return load(args, MemKind::s16); }
bool Translator::lw(const ArgsI& args) { return load(args, MemKind::s32); }
bool Translator::ld(const ArgsI& args) { return load(args, MemKind::u64); }
bool Translator::lbu(const ArgsI& args) { return load(args, MemKind::u8); }
bool Translator::lhu(const ArgsI& args) { return load(args, MemKind::u16); }
bool Translator::lwu(const ArgsI& args) { return load(args, MemKind::u32); }
bool Translator::sb(const ArgsS& args) { return store(args, MemKind::u8); }
bool Translator::sh(const ArgsS& args) { return store(args, MemKind::u16); }
bool Translator::sw(const ArgsS& args) { return store(args, MemKind::u32); }
bool Translator::sd(const ArgsS& args) { return store(args, MemKind::u64); }

// Control flow. Without C a taken jump to a target off 4 bytes traps at the jump, which then writes no
// register.
void Translator::jump_to(std::int64_t target) {
  ir_.jump(target);
  is_done_ = true;
}
bool Translator::jal(const ArgsJ& args) {
  const std::int64_t target = offset_ + args.imm;
  if (is_misaligned(target)) {
    always_trap(k_misaligned_fetch, {ir_.pc(target)});
    return true;
  }
  if (args.rd != 0) set_x(args.rd, ir_.pc(next_));
  jump_to(target);
  return true;
}
namespace {

/// The Unprivileged ISA's hints for return-address stacks, section "Unconditional Jumps"; of two link
/// registers the one that is written counts.
JumpHint hint_of(const ArgsI& args) {
  const auto is_link = [](unsigned x) { return x == 1 || x == 5; };
  if (is_link(args.rd)) return JumpHint::call;
  return args.rd == 0 && is_link(args.rs1) ? JumpHint::ret : JumpHint::none;
}

}  // namespace

bool Translator::jalr(const ArgsI& args) {
  Value target = x(args.rs1);
  if (args.imm != 0) target = ir_.add(target, ir_.const_(args.imm));
  target = ir_.and_(target, ir_.const_(~std::int64_t{1}));
  if (!config_.zca) ir_.call(k_misaligned_fetch, {target});
  if (args.rd != 0) set_x(args.rd, ir_.pc(next_));
  ir_.jump_reg(target, hint_of(args));
  is_done_ = true;
  return true;
}
bool Translator::branch(const ArgsB& args, Cond cond) {
  const std::int64_t target = offset_ + args.imm;
  const Value a = x(args.rs1);
  const Value b = x(args.rs2);
  if (is_misaligned(target)) {
    // The helper traps only for a misaligned argument.
    ir_.call(k_misaligned_fetch, {ir_.select(ir_.setcond(a, b, cond), ir_.pc(target), ir_.const_(0))});
    jump_to(next_);
    return true;
  }
  ir_.branch_to(cond, a, b, static_cast<std::int32_t>(target), static_cast<std::int32_t>(next_));
  is_done_ = true;
  return true;
}
bool Translator::beq(const ArgsB& args) { return branch(args, Cond::eq); }
bool Translator::bne(const ArgsB& args) { return branch(args, Cond::ne); }
bool Translator::blt(const ArgsB& args) { return branch(args, Cond::lt); }
bool Translator::bge(const ArgsB& args) { return branch(args, Cond::ge); }
bool Translator::bltu(const ArgsB& args) { return branch(args, Cond::ltu); }
bool Translator::bgeu(const ArgsB& args) { return branch(args, Cond::geu); }

// Fences. The host keeps all orders but that of a store before a load (x86 TSO), so only a fence that asks
// for this one costs anything. fence.tso does not ask for it.
bool Translator::fence(const ArgsFence& args) {
  constexpr unsigned kInputOrRead = 8 | 2;
  constexpr unsigned kOutputOrWrite = 4 | 1;
  constexpr unsigned kTso = 8;
  const bool is_tso = args.fm == kTso && args.pred == 3 && args.succ == 3;
  if (!is_tso && (args.pred & kOutputOrWrite) != 0 && (args.succ & kInputOrRead) != 0) ir_.fence();
  return true;
}
bool Translator::fence_i(const ArgsNone&) {
  ir_.call(k_fence_i, {});
  leave();
  return true;
}

bool Translator::ecall(const ArgsNone&) {
  always_trap(k_ecall);
  return true;
}
bool Translator::ebreak(const ArgsNone&) {
  // Where it is a semihosting call, registers and pc change.
  ir_.call(k_ebreak, {ir_.pc(offset_)});
  ir_.exit_pc();
  is_done_ = true;
  return true;
}

}  // namespace gstage::riscv
