// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#define XBYAK_NO_EXCEPTION
#include <xbyak/xbyak.h>

#include "softmmu/cpu.h"
#include "tcg/x86_64/host.h"

namespace gstage::tcg::x86_64 {

/// Condition codes as encoded in jcc, setcc and cmovcc; the lowest bit negates.
enum class Cc : std::uint8_t {
  o = 0,
  no = 1,
  b = 2,
  ae = 3,
  e = 4,
  ne = 5,
  be = 6,
  a = 7,
  s = 8,
  ns = 9,
  p = 10,
  np = 11,
  l = 12,
  ge = 13,
  le = 14,
  g = 15,
};
constexpr Cc negate(Cc cc) { return static_cast<Cc>(static_cast<std::uint8_t>(cc) ^ 1); }

/// Emits into the writable view of the code buffer. Adds to Xbyak what its labels would need memory for:
/// jumps that are bound later.
class Assembler : public Xbyak::CodeGenerator {
 public:
  Assembler(std::uint8_t* buffer, std::size_t size) : CodeGenerator(size, buffer) {}

  /// The offset in the buffer at which the next instruction goes.
  [[nodiscard]] std::size_t here() const { return getSize(); }
  void go_to(std::size_t offset) { setSize(offset); }
  std::uint8_t* at(std::size_t offset) { return top_ + offset; }
  /// Whether anything since the last call could not be emitted: the buffer's end was reached, or (a bug of
  /// ours) operands do not fit.
  [[nodiscard]] static bool take_error() {
    const bool is_error = Xbyak::GetError() != 0;
    Xbyak::ClearError();
    return is_error;
  }

  /// A jump whose target is not known yet: where its displacement ends.
  struct Jump {
    std::uint32_t end = 0;
  };
  struct ShortJump {
    std::uint32_t end = 0;
  };
  Jump jump_on(Cc cc) {
    db(0x0f);
    db(0x80 | static_cast<int>(cc));
    dd(0);
    return {static_cast<std::uint32_t>(here())};
  }
  Jump jump() {
    db(0xe9);
    dd(0);
    return {static_cast<std::uint32_t>(here())};
  }
  ShortJump short_on(Cc cc) {
    db(0x70 | static_cast<int>(cc));
    db(0);
    return {static_cast<std::uint32_t>(here())};
  }
  ShortJump short_jump() {
    db(0xeb);
    db(0);
    return {static_cast<std::uint32_t>(here())};
  }
  void bind(Jump jump) { rewrite(jump.end - 4, here() - jump.end, 4); }
  void bind(ShortJump jump) {
    if (here() - jump.end > 127) Xbyak::local::SetError(Xbyak::ERR_LABEL_IS_TOO_FAR);

    rewrite(jump.end - 1, here() - jump.end, 1);
  }
  void jump_back(std::size_t offset) {
    db(0xe9);
    dd(static_cast<std::uint32_t>(offset - (here() + 4)));
  }
  void set_on(Cc cc, const Xbyak::Reg8& to) { (this->*kSet[static_cast<unsigned>(cc)])(to); }
  void move_on(Cc cc, const Xbyak::Reg64& to, const Xbyak::Operand& from) {
    (this->*kMove[static_cast<unsigned>(cc)])(to, from);
  }

  /// Loads and extends.
  void load(const Xbyak::Reg64& to, const Xbyak::RegExp& address, MemKind kind) {
    switch (kind) {
      case MemKind::u8: movzx(to.cvt32(), byte[address]); break;
      case MemKind::u16: movzx(to.cvt32(), word[address]); break;
      case MemKind::u32: mov(to.cvt32(), dword[address]); break;
      case MemKind::u64: mov(to, qword[address]); break;
      case MemKind::s8: movsx(to, byte[address]); break;
      case MemKind::s16: movsx(to, word[address]); break;
      case MemKind::s32: movsxd(to, dword[address]); break;
    }
  }

  /// The offset of the address's slot in tables whose mask is there in CpuCore (see tlb_index). `slot` may be
  /// the register of the address, which else stays as it is.
  void find_slot(const Xbyak::Reg64& slot, const Xbyak::Reg64& address, const Xbyak::Reg64& scratch,
                 std::size_t mask, bool has_bmi2 = false) {
    shift_right(scratch, address, kTlbShift + kTlbFold, has_bmi2);
    shift_right(slot, address, kTlbShift, has_bmi2);
    xor_(slot.cvt32(), scratch.cvt32());
    and_(slot.cvt32(), core32(mask));
  }

  /// Memory operands of the hart and of the frame.
  Xbyak::Address core(std::size_t offset) {
    return qword[rbp + (static_cast<std::int64_t>(offset) - kCoreBias)];
  }
  Xbyak::Address core32(std::size_t offset) {
    return dword[rbp + (static_cast<std::int64_t>(offset) - kCoreBias)];
  }
  Xbyak::Address frame(std::size_t offset) { return qword[rsp + offset]; }
  Xbyak::Address frame32(std::size_t offset) { return dword[rsp + offset]; }

  /// Loads a constant in the shortest form; leaves the flags alone.
  void load_constant(const Xbyak::Reg64& to, std::uint64_t value) {
    if (value == static_cast<std::uint32_t>(value))
      mov(to.cvt32(), static_cast<std::uint32_t>(value));
    else
      mov(to, value);
  }

 private:
  /// The lower half of `to` is right.
  void shift_right(const Xbyak::Reg64& to, const Xbyak::Reg64& from, unsigned count, bool has_bmi2) {
    if (has_bmi2 && to.getIdx() != from.getIdx()) return rorx(to, from, static_cast<std::uint8_t>(count));
    if (to.getIdx() != from.getIdx()) mov(to, from);
    shr(to, static_cast<int>(count));
  }

  using Set = void (CodeGenerator::*)(const Xbyak::Operand&);
  using Move = void (CodeGenerator::*)(const Xbyak::Reg&, const Xbyak::Operand&);
  static constexpr Set kSet[16] = {
      &CodeGenerator::seto, &CodeGenerator::setno, &CodeGenerator::setb,  &CodeGenerator::setae,
      &CodeGenerator::sete, &CodeGenerator::setne, &CodeGenerator::setbe, &CodeGenerator::seta,
      &CodeGenerator::sets, &CodeGenerator::setns, &CodeGenerator::setp,  &CodeGenerator::setnp,
      &CodeGenerator::setl, &CodeGenerator::setge, &CodeGenerator::setle, &CodeGenerator::setg};
  static constexpr Move kMove[16] = {
      &CodeGenerator::cmovo, &CodeGenerator::cmovno, &CodeGenerator::cmovb,  &CodeGenerator::cmovae,
      &CodeGenerator::cmove, &CodeGenerator::cmovne, &CodeGenerator::cmovbe, &CodeGenerator::cmova,
      &CodeGenerator::cmovs, &CodeGenerator::cmovns, &CodeGenerator::cmovp,  &CodeGenerator::cmovnp,
      &CodeGenerator::cmovl, &CodeGenerator::cmovge, &CodeGenerator::cmovle, &CodeGenerator::cmovg};
};

/// A general register by its number.
inline Xbyak::Reg64 gpr(unsigned number) { return Xbyak::Reg64(static_cast<int>(number)); }
/// An SSE register by its number.
inline Xbyak::Xmm xmm(unsigned number) { return Xbyak::Xmm(static_cast<int>(number)); }
/// Whether the value can be a sign-extended 32-bit immediate.
constexpr bool fits_int32(std::int64_t v) { return v == static_cast<std::int32_t>(v); }

}  // namespace gstage::tcg::x86_64
