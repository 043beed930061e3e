// SPDX-License-Identifier: Apache-2.0
#include "tcg/x86_64/allocator.h"

#include <bit>
#include <cstddef>

#include "softmmu/base/check.h"
#include "tcg/ir/op_info.h"

namespace gstage::tcg::x86_64 {

using Xbyak::util::dword;
using Xbyak::util::qword;

namespace {

Source slot_operand(std::int16_t slot) {
  return {Source::Kind::frame, 0, static_cast<std::int32_t>(offsetof(Frame, slots)) + 8 * slot};
}

}  // namespace

Allocator::Allocator(Assembler& assembler, const GuestLayout& layout)
    : a_(assembler),
      x_displacement_(static_cast<std::int32_t>(layout.x_offset) - kCoreBias),
      f_displacement_(static_cast<std::int32_t>(layout.f_offset) - kCoreBias) {
  common_global_registers_.fill(kNoReg);
  for (unsigned i = 0; i < kGlobalRegisters; ++i)
    common_global_registers_[layout.global_registers[i]] = kGlobalHosts[i];
  classes_[kInts].all = kScratchGprs;
  set_global_registers(common_global_registers_);
}

void Allocator::set_global_registers(const GlobalRegisters& hosts) {
  global_registers_ = hosts;
  classes_[kFloats].all = kAllXmms;
  for (unsigned home = 32; home < hosts.size(); ++home)
    if (hosts[home] != kNoReg) classes_[kFloats].all &= ~reg_bit(hosts[home]);
}

void Allocator::start(const Unit& unit) {
  unit_ = &unit;
  is_overflown_ = false;
  states_.assign(unit.insts.size(), State{});
  for (std::uint32_t i = 0; i < unit.insts.size(); ++i) {
    const Inst& inst = unit.insts[i];
    for (unsigned n = 0; n < inst.argument_count; ++n) state(inst.args[n]).last_use = i;
  }
  for (ClassState& state : classes_) state.owned = state.temps = state.locked = 0;
  home_values_.fill(kNoValue);
  homes_in_use_ = 0;
  free_slot_count_ = Frame::kSlots;
  for (unsigned i = 0; i < Frame::kSlots; ++i)
    free_slots_[i] = static_cast<std::uint16_t>(Frame::kSlots - 1 - i);
}

Value Allocator::add_value(std::uint32_t last_use) {
  states_.push_back(State{});
  states_.back().last_use = last_use;
  return Value{static_cast<std::uint32_t>(states_.size() - 1)};
}

Type Allocator::type(Value v) const {
  return v.index < unit_->insts.size() ? info(unit_->insts[v.index].op).result : Type::i64;
}

void Allocator::end_inst() {
  const Inst& inst = unit_->insts[now_];
  for (unsigned n = 0; n < inst.argument_count; ++n)
    if (state(inst.args[n]).last_use <= now_) release(inst.args[n]);
  if (states_[now_].last_use == 0) release(Value{now_});
  for (ClassState& state : classes_) state.temps = state.locked = 0;
}

void Allocator::release(Value v) {
  drop_reg(v);
  State& s = state(v);
  if (s.slot >= 0) free_slots_[free_slot_count_++] = static_cast<std::uint16_t>(s.slot);
  s.slot = -1;  // A home's list is left alone: it goes as a whole.
}

void Allocator::drop_reg(Value v) {
  State& s = state(v);
  if (s.reg == kNoReg) return;
  ClassState& state = classes_[class_of(v)];
  state.owned &= ~reg_bit(s.reg);
  s.reg = kNoReg;
}

std::int16_t Allocator::allocate_slot() {
  if (free_slot_count_ == 0) {
    is_overflown_ = true;
    return 0;
  }
  return static_cast<std::int16_t>(free_slots_[--free_slot_count_]);
}

Source Allocator::home_operand(unsigned home) const {
  const std::uint8_t host = global_registers_[home];
  if (home >= 32) {
    if (host != kNoReg) return {Source::Kind::xmm, host, 0};
    return {Source::Kind::hart, 0, f_displacement_ + 8 * (static_cast<std::int32_t>(home) - 32)};
  }
  if (host != kNoReg) return {Source::Kind::reg, host, 0};
  return {Source::Kind::hart, 0, x_displacement_ + 8 * static_cast<std::int32_t>(home)};
}

Source Allocator::location(Value v) const {
  const State& s = state(v);
  if (is_const(v)) return {Source::Kind::imm, 0, static_cast<std::int32_t>(const_of(v))};
  if (s.reg != kNoReg) return {Source::Kind::reg, s.reg, 0};
  return s.home != kNoHome ? home_operand(s.home) : slot_operand(s.slot);
}

Source Allocator::source(Value v) {
  const State& s = state(v);
  if (is_const(v) && fits_int32(const_of(v)))
    return {Source::Kind::imm, 0, static_cast<std::int32_t>(const_of(v))};
  if (s.reg == kNoReg && !is_live(v) && !is_const(v)) {
    // Used for the last time: straight from memory.
    const Source source = s.home != kNoHome ? home_operand(s.home) : slot_operand(s.slot);
    if (source.is_memory()) return source;
  }
  return {Source::Kind::reg, use_in(class_of(v), v), 0};
}

Source Allocator::bits_source(Value v, bool may_be_imm) {
  const State& s = state(v);
  if (may_be_imm && is_const(v) && fits_int32(const_of(v)))
    return {Source::Kind::imm, 0, static_cast<std::int32_t>(const_of(v))};
  if (s.reg == kNoReg && s.home >= 32 && s.home != kNoHome && global_registers_[s.home] != kNoReg)
    return {Source::Kind::xmm, global_registers_[s.home], 0};
  return {Source::Kind::reg, use_in(kInts, v), 0};
}

std::uint8_t Allocator::global_location(RegisterClass reg_class, const State& s) const {
  const bool is_own_class = s.home != kNoHome && (s.home < 32) == (reg_class == kInts);
  return is_own_class ? global_registers_[s.home] : kNoReg;
}

std::uint8_t Allocator::use_in(RegisterClass reg_class, Value v) {
  const State& s = state(v);
  std::uint8_t reg = s.reg;
  if (reg == kNoReg) reg = global_location(reg_class, s);
  if (reg == kNoReg) {
    reg = allocate(reg_class, classes_[reg_class].all);
    move_to_register(reg, v);
    bind(reg_class, reg, v);
  }
  classes_[reg_class].locked |= reg_bit(reg);
  return reg;
}

void Allocator::move_to_register(std::uint8_t reg, Value v) {
  const State& s = state(v);
  if (is_const(v)) return a_.load_constant(gpr(reg), static_cast<std::uint64_t>(const_of(v)));
  Source from = {Source::Kind::reg, s.reg, 0};
  if (s.reg == kNoReg) from = s.home != kNoHome ? home_operand(s.home) : slot_operand(s.slot);
  if (type(v) == Type::i64) {
    if (from.is_reg())
      a_.mov(gpr(reg), gpr(from.reg));
    else if (from.is_xmm())
      a_.movq(gpr(reg), xmm(from.reg));
    else
      a_.mov(gpr(reg), from.memory(qword));
  } else if (from.is_reg() || from.is_xmm()) {
    a_.movaps(xmm(reg), xmm(from.reg));
  } else if (type(v) == Type::f64) {
    a_.movsd(xmm(reg), from.memory(qword));
  } else {
    a_.movss(xmm(reg), from.memory(dword));
  }
}

void Allocator::bind(RegisterClass reg_class, std::uint8_t reg, Value v) {
  ClassState& b = classes_[reg_class];
  b.owned |= reg_bit(reg);
  b.temps &= ~reg_bit(reg);
  b.owner[reg] = v.index;
  state(v).reg = reg;
}

std::uint8_t Allocator::allocate(RegisterClass reg_class, RegMask allowed) {
  const ClassState& b = classes_[reg_class];
  const RegMask candidates = allowed & ~(b.locked | b.temps);
  const RegMask free = candidates & ~b.owned;
  if (free != 0) return static_cast<std::uint8_t>(std::countr_zero(free));
  CHECK(candidates != 0);
  const std::uint8_t victim = choose_victim(reg_class, candidates);
  evict(reg_class, victim);
  return victim;
}

std::uint8_t Allocator::choose_victim(RegisterClass reg_class, RegMask candidates) const {
  const ClassState& b = classes_[reg_class];
  std::uint8_t best = kNoReg;
  std::uint64_t best_score = 0;
  for (RegMask rest = candidates; rest != 0; rest &= rest - 1) {
    const auto reg = static_cast<std::uint8_t>(std::countr_zero(rest));
    const Value v{b.owner[reg]};
    const State& s = state(v);
    // What is also elsewhere costs no store; else what is wanted last.
    const std::uint64_t score = (has_backup(s, v, true) ? std::uint64_t{1} << 32 : 0) + s.last_use;
    if (best == kNoReg || score > best_score) {
      best = reg;
      best_score = score;
    }
  }
  return best;
}

void Allocator::save_to_slot(Value v) {
  State& s = state(v);
  s.slot = allocate_slot();
  const Source to = slot_operand(s.slot);
  if (type(v) == Type::i64)
    a_.mov(to.memory(qword), gpr(s.reg));
  else
    a_.movsd(to.memory(qword), xmm(s.reg));
}

void Allocator::move_home_to_slot(Value v) {
  State& s = state(v);
  const Source home = home_operand(s.home);
  if (!home.is_memory()) {
    s.slot = allocate_slot();
    const Xbyak::Address to = slot_operand(s.slot).memory(qword);
    home.is_xmm() ? a_.movsd(to, xmm(home.reg)) : a_.mov(to, gpr(home.reg));
    return;
  }
  if (s.reg == kNoReg) {
    const RegisterClass reg_class = class_of(v);
    const std::uint8_t reg = allocate(reg_class, classes_[reg_class].all);
    move_to_register(reg, v);
    bind(reg_class, reg, v);
  }
  save_to_slot(v);
}

void Allocator::evict(RegisterClass reg_class, std::uint8_t reg) {
  const Value v{classes_[reg_class].owner[reg]};
  if (!has_backup(state(v), v, true)) save_to_slot(v);
  drop_reg(v);
}

std::uint8_t Allocator::temp_in(RegisterClass reg_class) {
  const std::uint8_t reg = allocate(reg_class, classes_[reg_class].all);
  classes_[reg_class].temps |= reg_bit(reg);
  return reg;
}

Xbyak::Reg64 Allocator::take(unsigned reg) {
  ClassState& b = classes_[kInts];
  CHECK(((b.locked | b.temps) & reg_bit(reg)) == 0);
  if ((b.owned & reg_bit(reg)) != 0) {
    const Value v{b.owner[reg]};
    const RegMask free = b.all & ~(b.owned | b.locked | b.temps);
    if (free != 0 && !has_backup(state(v), v, true)) {
      const auto other = static_cast<std::uint8_t>(std::countr_zero(free));
      a_.mov(gpr(other), gpr(reg));
      drop_reg(v);
      bind(kInts, other, v);
    } else {
      evict(kInts, static_cast<std::uint8_t>(reg));
    }
  }
  b.temps |= reg_bit(reg);
  return gpr(reg);
}

Xbyak::Reg64 Allocator::bring(Value v, unsigned reg) {
  State& s = state(v);
  ClassState& b = classes_[kInts];
  if (s.reg == reg && (b.locked & reg_bit(reg)) == 0) {
    // In place, and where it is still wanted it moves on (take copies it away).
    if (!is_live(v)) {
      const Inst& inst = unit_->insts[now_];
      unsigned uses = 0;
      for (unsigned n = 0; n < inst.argument_count; ++n) uses += inst.args[n] == v;
      if (uses == 1) {
        drop_reg(v);
        b.temps |= reg_bit(reg);
        return gpr(reg);
      }
    }
    const RegMask mask = b.all & ~(b.locked | b.temps) & ~reg_bit(reg);
    const std::uint8_t other = allocate(kInts, mask);
    a_.mov(gpr(other), gpr(reg));
    drop_reg(v);
    bind(kInts, other, v);
    b.temps |= reg_bit(reg);
    return gpr(reg);
  }
  take(reg);
  move_to_register(static_cast<std::uint8_t>(reg), v);
  return gpr(reg);
}

std::uint8_t Allocator::hinted_home() const {
  if (now_ + 1 >= unit_->insts.size()) return kNoHome;
  const Inst& next = unit_->insts[now_ + 1];
  if (next.argument_count != 1 || next.args[0].index != now_) return kNoHome;
  unsigned home = 0;
  switch (next.op) {
    case Op::set_x: home = static_cast<unsigned>(next.imm); break;
    case Op::set_f64:
    case Op::set_f32: home = 32 + static_cast<unsigned>(next.imm); break;
    default: return kNoHome;
  }
  return global_registers_[home] == kNoReg ? kNoHome : static_cast<std::uint8_t>(home);
}

std::uint8_t Allocator::def_hinted() {
  const std::uint8_t home = hinted_home();
  if (home == kNoHome) return kNoReg;
  evacuate(home);
  settle(home, Value{now_});
  return global_registers_[home];
}

std::uint8_t Allocator::def_in(RegisterClass reg_class, Value reuse) {
  ClassState& b = classes_[reg_class];
  const Value v{now_};
  if (const std::uint8_t host = def_hinted(); host != kNoReg) return host;
  std::uint8_t reg = kNoReg;
  if (reuse.is_valid() && state(reuse).last_use <= now_ && state(reuse).reg != kNoReg &&
      class_of(reuse) == reg_class) {
    reg = state(reuse).reg;
    drop_reg(reuse);
  } else {
    reg = allocate(reg_class, b.all);
  }
  bind(reg_class, reg, v);
  b.locked |= reg_bit(reg);
  return reg;
}

Xbyak::Reg64 Allocator::def_or(const Xbyak::Reg64& temporary) {
  if (hinted() != kNoReg) return def();
  def_in_scratch(static_cast<unsigned>(temporary.getIdx()));
  return temporary;
}

std::uint8_t Allocator::def_apart_in(RegisterClass reg_class) {
  const std::uint8_t host = hinted();
  if (host != kNoReg && (classes_[reg_class].locked & reg_bit(host)) == 0) return def_hinted();
  const std::uint8_t reg = allocate(reg_class, classes_[reg_class].all);
  bind(reg_class, reg, Value{now_});
  classes_[reg_class].locked |= reg_bit(reg);
  return reg;
}

Xbyak::Reg64 Allocator::def_apart() { return gpr(def_apart_in(kInts)); }
Xbyak::Xmm Allocator::def_xmm_apart() { return xmm(def_apart_in(kFloats)); }

void Allocator::def_in_scratch(unsigned reg) {
  bind(kInts, static_cast<std::uint8_t>(reg), Value{now_});
  classes_[kInts].locked |= reg_bit(reg);
}

void Allocator::def_home(unsigned home) { settle(home, Value{now_}); }

void Allocator::settle(unsigned home, Value v) {
  State& s = state(v);
  if (s.home != kNoHome) return;
  s.home = static_cast<std::uint8_t>(home);
  s.next_in_home = home_values_[home];
  home_values_[home] = v.index;
  homes_in_use_ |= std::uint64_t{1} << home;
}

void Allocator::evacuate(unsigned home) {
  for (std::uint32_t i = home_values_[home]; i != kNoValue;) {
    const Value v{i};
    State& s = state(v);
    i = s.next_in_home;
    if (is_live(v) && s.reg == kNoReg && s.slot < 0) leave_home(v);
    s.home = kNoHome;
    s.next_in_home = kNoValue;
  }
  home_values_[home] = kNoValue;
  homes_in_use_ &= ~(std::uint64_t{1} << home);
}

void Allocator::leave_home(Value v) {
  const RegisterClass reg_class = class_of(v);
  const ClassState& b = classes_[reg_class];
  if ((b.all & ~(b.locked | b.temps)) == 0) return move_home_to_slot(v);
  const std::uint8_t reg = allocate(reg_class, b.all);
  move_to_register(reg, v);
  bind(reg_class, reg, v);
}

RegMask Allocator::live_in(RegisterClass reg_class) const {
  const ClassState& b = classes_[reg_class];
  RegMask live = 0;
  for (RegMask rest = b.owned; rest != 0; rest &= rest - 1) {
    const int reg = std::countr_zero(rest);
    const Value v{b.owner[static_cast<unsigned>(reg)]};
    if (v.index != now_ && is_live(v)) live |= reg_bit(static_cast<unsigned>(reg));
  }
  return live;
}

void Allocator::before_call(bool touches_registers) {
  for (const RegisterClass reg_class : {kInts, kFloats}) {
    ClassState& b = classes_[reg_class];
    for (RegMask rest = b.owned; rest != 0; rest &= rest - 1) {
      const Value v{b.owner[static_cast<unsigned>(std::countr_zero(rest))]};
      if (is_live(v) && !has_backup(state(v), v, !touches_registers)) save_to_slot(v);
    }
  }
  if (!touches_registers) return;
  for (std::uint64_t homes = homes_in_use_; homes != 0; homes &= homes - 1) {
    const auto home = static_cast<unsigned>(std::countr_zero(homes));
    for (std::uint32_t i = home_values_[home]; i != kNoValue; i = states_[i].next_in_home) {
      const Value v{i};
      if (is_live(v) && !has_backup(state(v), v, false)) move_home_to_slot(v);
    }
  }
}

void Allocator::after_call(bool touches_registers) {
  for (const RegisterClass reg_class : {kInts, kFloats}) {
    ClassState& b = classes_[reg_class];
    for (RegMask rest = b.owned; rest != 0; rest &= rest - 1)
      states_[b.owner[static_cast<unsigned>(std::countr_zero(rest))]].reg = kNoReg;
    b.owned = b.temps = b.locked = 0;
  }
  if (!touches_registers) return;
  for (std::uint64_t homes = homes_in_use_; homes != 0; homes &= homes - 1) {
    const auto home = static_cast<unsigned>(std::countr_zero(homes));
    for (std::uint32_t i = home_values_[home]; i != kNoValue;) {
      State& s = states_[i];
      i = s.next_in_home;
      s.home = kNoHome;
      s.next_in_home = kNoValue;
    }
    home_values_[home] = kNoValue;
  }
  homes_in_use_ = 0;
}

}  // namespace gstage::tcg::x86_64
