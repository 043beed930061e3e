// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tcg/ir/unit.h"
#include "tcg/runtime/guest.h"
#include "tcg/x86_64/assembler.h"
#include "tcg/x86_64/host.h"

namespace gstage::tcg::x86_64 {

/// A value as an operand: a register, memory below rbp or rsp, or a 32-bit immediate.
struct Source {
  /// xmm: an integer whose value lies in an SSE register, as that of a global register (`reg`: a register of
  /// the value's own class).
  enum class Kind : std::uint8_t { reg, xmm, hart, frame, imm };
  Kind kind = Kind::imm;
  std::uint8_t reg = 0;
  std::int32_t number = 0;  ///< displacement or immediate

  [[nodiscard]] bool is_imm() const { return kind == Kind::imm; }
  [[nodiscard]] bool is_reg(unsigned r) const { return kind == Kind::reg && reg == r; }
  [[nodiscard]] bool is_reg() const { return kind == Kind::reg; }
  [[nodiscard]] bool is_xmm() const { return kind == Kind::xmm; }
  [[nodiscard]] bool is_xmm(unsigned r) const { return kind == Kind::xmm && reg == r; }
  [[nodiscard]] bool is_memory() const { return kind == Kind::hart || kind == Kind::frame; }
  /// Of the memory operand.
  [[nodiscard]] Xbyak::RegExp address() const {
    return (kind == Kind::hart ? Xbyak::util::rbp : Xbyak::util::rsp) + number;
  }
  /// The memory operand; the bits of it that matter are the caller's choice.
  [[nodiscard]] Xbyak::Address memory(const Xbyak::AddressFrame& size) const { return size[address()]; }
};

/// Assigns the values of a unit to locations, in one pass that goes in step with the emission. A value may be
/// in several locations at once: it may be a constant, and be in a host register, in the home of a guest
/// register, in a slot of the frame. Guest registers are read lazily: a value that get_x makes costs nothing,
/// unless the register is overwritten while the value is still wanted.
class Allocator {
 public:
  /// The host register of each guest register (32 + n: floating point), or kNoReg.
  using GlobalRegisters = std::array<std::uint8_t, 64>;

  Allocator(Assembler& assembler, const GuestLayout& layout);

  /// Where guest registers are in the units to come.
  void set_global_registers(const GlobalRegisters& hosts);
  /// The global registers of everything that is not in a region.
  [[nodiscard]] const GlobalRegisters& common_global_registers() const { return common_global_registers_; }
  /// Starts a unit. References it until the next start.
  void start(const Unit& unit);
  /// Adds an integer value that no instruction makes; `last_use` is the index of an instruction. It must be
  /// released by hand.
  Value add_value(std::uint32_t last_use);
  /// The added value is in this temporary from now on.
  void bind_value(Value v, const Xbyak::Reg64& temporary) {
    bind(kInts, static_cast<std::uint8_t>(temporary.getIdx()), v);
  }
  void begin_inst(std::uint32_t index) { now_ = index; }
  /// The index of the current instruction.
  [[nodiscard]] std::uint32_t now() const { return now_; }
  /// Frees temporaries and values that were used for the last time.
  void end_inst();
  /// The value is not used any more.
  void release(Value v);
  /// Whether some value found no slot in the frame: the code made is unusable.
  [[nodiscard]] bool is_overflown() const { return is_overflown_; }

  [[nodiscard]] bool is_const(Value v) const {
    return v.index < unit_->insts.size() && unit_->insts[v.index].op == Op::const_;
  }
  [[nodiscard]] std::int64_t const_of(Value v) const { return unit_->insts[v.index].imm; }
  /// Whether the value is used after the current instruction.
  [[nodiscard]] bool is_live(Value v) const { return state(v).last_use > now_; }

  /// Whether the value is used after the instruction.
  [[nodiscard]] bool is_used_after(Value v, std::uint32_t inst) const { return state(v).last_use > inst; }

  /// The value as an operand, wherever it is. Registers named by it stay valid during this instruction.
  Source source(Value v);
  /// An integer whose bits go to memory or to an SSE register: in a general register, the SSE register of a
  /// global one or, with `may_be_imm`, as an immediate.
  Source bits_source(Value v, bool may_be_imm = false);
  /// The operand was used and need not stay where it is.
  void unlock(const Source& source) {
    if (source.is_reg()) classes_[kInts].locked &= ~reg_bit(source.reg);
  }
  /// Where the value is now, a 64-bit constant aside. Changes nothing.
  [[nodiscard]] Source location(Value v) const;
  /// The value in a register, not to be written.
  Xbyak::Reg64 use(Value v) { return gpr(use_in(kInts, v)); }
  std::uint8_t use_index(Value v) { return use_in(kInts, v); }
  Xbyak::Xmm use_xmm(Value v) { return xmm(use_in(kFloats, v)); }
  /// The value in this very register, which is then a temporary.
  Xbyak::Reg64 bring(Value v, unsigned reg);
  /// A register for scratch use within this instruction.
  Xbyak::Reg64 temp() { return gpr(temp_in(kInts)); }
  Xbyak::Xmm temp_xmm() { return xmm(temp_in(kFloats)); }
  /// This very register as a temporary; what it holds moves away.
  Xbyak::Reg64 take(unsigned reg);

  /// The register in which to make the current instruction's value: the host register of a global register
  /// that is set next, the one of a dying argument, or a free one. It may be that of any argument: arguments
  /// that are still needed after it is first written must be different (`def_apart`). After all sources are
  /// fetched.
  Xbyak::Reg64 def(Value reuse = {}) { return gpr(def_in(kInts, reuse)); }
  Xbyak::Xmm def_xmm(Value reuse = {}) { return xmm(def_in(kFloats, reuse)); }
  /// The same, but a temporary is used where there is no better place.
  Xbyak::Reg64 def_or(const Xbyak::Reg64& temporary);
  /// A register for the value that is none of the current sources.
  Xbyak::Reg64 def_apart();
  Xbyak::Xmm def_xmm_apart();

  /// The current instruction's value is what guest register `home` holds (32 + n: floating point).
  void def_home(unsigned home);
  /// To be called before the home is overwritten: values that live there only move away.
  void evacuate(unsigned home);
  [[nodiscard]] bool is_at_home(Value v, unsigned home) const { return state(v).home == home; }
  /// The home now holds this value.
  void settle(unsigned home, Value v);
  /// Host register of a global register (32 + n: floating point), or kNoReg.
  [[nodiscard]] std::uint8_t global_host(unsigned home) const { return global_registers_[home]; }
  [[nodiscard]] Source home_operand(unsigned home) const;

  /// Scratch registers with values that outlive this instruction, other than its own: a slow path keeps them.
  [[nodiscard]] RegMask live_gprs() const { return live_in(kInts); }
  [[nodiscard]] RegMask live_xmms() const { return live_in(kFloats); }

  /// Sees to it that no live value depends on scratch registers, nor, when the helper touches registers, on
  /// homes. Arguments stay where they are until `after_call`.
  void before_call(bool touches_registers);
  void after_call(bool touches_registers);
  /// Binds the current value to a scratch register that holds it now (a helper's result in rax).
  void def_in_scratch(unsigned reg);
  /// The home of the global register that the current value is made for and that is set next, or kNoHome.
  [[nodiscard]] std::uint8_t hinted_home() const;
  /// The same, as the host's register (else kNoReg).
  [[nodiscard]] std::uint8_t hinted() const {
    const std::uint8_t home = hinted_home();
    return home == kNoHome ? kNoReg : global_registers_[home];
  }

  static constexpr std::uint8_t kNoReg = 0xff;
  static constexpr std::uint8_t kNoHome = 0xff;

 private:
  enum RegisterClass : unsigned { kInts, kFloats };
  static constexpr std::uint32_t kNoValue = ~0u;

  struct State {
    std::uint32_t last_use = 0;
    std::uint32_t next_in_home = kNoValue;
    std::int16_t slot = -1;
    std::uint8_t reg = kNoReg;
    std::uint8_t home = kNoHome;
  };
  /// The registers of one kind.
  struct ClassState {
    RegMask all = 0;
    RegMask owned = 0;   ///< hold values
    RegMask temps = 0;   ///< hold temporaries
    RegMask locked = 0;  ///< are operands of the current instruction
    std::array<std::uint32_t, 16> owner{};
  };

  [[nodiscard]] State& state(Value v) { return states_[v.index]; }
  [[nodiscard]] const State& state(Value v) const { return states_[v.index]; }
  [[nodiscard]] Type type(Value v) const;
  [[nodiscard]] RegisterClass class_of(Value v) const { return type(v) == Type::i64 ? kInts : kFloats; }
  [[nodiscard]] bool has_backup(const State& s, Value v, bool homes_count) const {
    return s.slot >= 0 || is_const(v) || (homes_count && s.home != kNoHome);
  }

  std::uint8_t use_in(RegisterClass reg_class, Value v);
  std::uint8_t temp_in(RegisterClass reg_class);
  std::uint8_t def_in(RegisterClass reg_class, Value reuse);
  std::uint8_t def_apart_in(RegisterClass reg_class);
  std::uint8_t def_hinted();
  /// The host register in which the value lies because it is that of a global register; kNoReg if there is
  /// none of the value's class.
  [[nodiscard]] std::uint8_t global_location(RegisterClass reg_class, const State& s) const;
  [[nodiscard]] RegMask live_in(RegisterClass reg_class) const;
  std::uint8_t allocate(RegisterClass reg_class, RegMask allowed);
  [[nodiscard]] std::uint8_t choose_victim(RegisterClass reg_class, RegMask candidates) const;
  void evict(RegisterClass reg_class, std::uint8_t reg);
  void bind(RegisterClass reg_class, std::uint8_t reg, Value v);
  void drop_reg(Value v);
  void save_to_slot(Value v);
  void move_home_to_slot(Value v);
  void leave_home(Value v);
  void move_to_register(std::uint8_t reg, Value v);
  std::int16_t allocate_slot();

  Assembler& a_;
  GlobalRegisters common_global_registers_;
  GlobalRegisters global_registers_;
  std::int32_t x_displacement_;
  std::int32_t f_displacement_;
  const Unit* unit_ = nullptr;
  std::uint32_t now_ = 0;
  bool is_overflown_ = false;
  std::vector<State> states_;
  std::array<ClassState, 2> classes_;
  std::array<std::uint32_t, 64> home_values_{};  ///< lists of values by home
  std::uint64_t homes_in_use_ = 0;
  std::array<std::uint16_t, Frame::kSlots> free_slots_{};
  unsigned free_slot_count_ = 0;
};

}  // namespace gstage::tcg::x86_64
