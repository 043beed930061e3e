// SPDX-License-Identifier: Apache-2.0
#include "tcg/opt/fold.h"

#include <bit>

#include "tcg/ir/int_semantics.h"
#include "tcg/ir/op_info.h"
#include "tcg/opt/passes.h"

namespace gstage::tcg {
namespace {

/// An operand that was made so many ops ago is not used instead: a register would have to keep it that long.
constexpr std::uint32_t kFar = 16;

bool is_int32(std::int64_t v) { return v == static_cast<std::int32_t>(v); }

/// In how many low bits a value fits, zero-extended and sign-extended; 64: unknown.
struct Width {
  unsigned zero = 64;
  unsigned sign = 64;
};

constexpr Width zero_extended(unsigned n) { return {n, n < 64 ? n + 1 : 64}; }
constexpr Width sign_extended(unsigned n) { return {64, n}; }

Width width_of_memory(const Inst& inst) {
  const auto kind = static_cast<MemKind>(inst.aux);
  const unsigned n = 8 * mem_size(kind);
  return mem_is_signed(kind) ? sign_extended(n) : zero_extended(n);
}

Width width_of(const Inst& inst) {
  switch (inst.op) {
    case Op::load:
    case Op::load_reserved:
    case Op::atomic_rmw:
    case Op::atomic_cas:
    case Op::env_load:
    case Op::host_load: return width_of_memory(inst);
    case Op::setcond:
    case Op::store_conditional:
    case Op::fcmp_s:
    case Op::fcmp_d: return zero_extended(1);
    case Op::clz:
    case Op::ctz:
    case Op::cpop: return zero_extended(7);
    case Op::zext8: return zero_extended(8);
    case Op::zext16: return zero_extended(16);
    case Op::zext32: return zero_extended(32);
    case Op::sext8: return sign_extended(8);
    case Op::sext16: return sign_extended(16);
    case Op::sext32:
    case Op::addw:
    case Op::subw:
    case Op::shlw:
    case Op::shrw:
    case Op::sarw:
    case Op::rotrw:
    case Op::mulw:
    case Op::divw:
    case Op::divuw:
    case Op::remw:
    case Op::remuw: return sign_extended(32);
    default: return {};
  }
}

/// One instruction being folded.
class Folder {
 public:
  Folder(Unit& unit, Knowledge& knowledge, std::uint32_t index)
      : unit_(unit), knowledge_(knowledge), index_(index), inst_(unit.insts[index]) {}

  void integer();
  void setcond();
  void select();
  void branch();
  void jump_reg();
  void trap_if_zero();
  void address();

 private:
  /// The instruction that tells what argument i is.
  [[nodiscard]] const Inst& source(unsigned i) const {
    return unit_.insts[knowledge_.same[inst_.args[i].index]];
  }
  [[nodiscard]] bool is_constant(unsigned i) const { return source(i).op == Op::const_; }
  [[nodiscard]] std::uint64_t constant(unsigned i) const { return static_cast<std::uint64_t>(source(i).imm); }
  [[nodiscard]] bool is_same_twice() const {
    return knowledge_.same[inst_.args[0].index] == knowledge_.same[inst_.args[1].index];
  }

  void become_constant(std::uint64_t value) {
    inst_ = Inst{.op = Op::const_, .imm = static_cast<std::int64_t>(value)};
  }
  void become_pc(std::int64_t offset) {
    if (is_int32(offset)) inst_ = Inst{.op = Op::pc, .imm = offset};
  }
  void become_unary(Op op, Value v) {
    inst_ = Inst{.op = op, .argument_count = 1, .args = {v}};
    integer();
  }
  void become_jump(std::int64_t offset) { inst_ = Inst{.op = Op::jump, .imm = offset}; }
  void replace_by(Value v) {
    knowledge_.use[index_] = v.index;
    knowledge_.same[index_] = knowledge_.same[v.index];
  }

  void unary();
  void put_constant_second();
  void with_constant(std::uint64_t k);
  void with_zero();
  void and_constant(std::uint64_t k);
  void with_itself();
  void pc_and_constant(std::uint64_t k);
  void shift_pair(std::uint64_t k);
  [[nodiscard]] bool is_still_at_hand(Value v) const;

  Unit& unit_;
  Knowledge& knowledge_;
  std::uint32_t index_;
  Inst& inst_;
};

void Folder::integer() {
  if (inst_.argument_count == 1) return unary();
  if (is_constant(0) && is_constant(1))
    return become_constant(semantics::evaluate(inst_.op, constant(0), constant(1)));
  put_constant_second();
  if (is_constant(1)) {
    with_constant(constant(1));
  } else if (is_same_twice()) {
    with_itself();
  }
}

void Folder::unary() {
  if (is_constant(0)) return become_constant(semantics::evaluate(inst_.op, constant(0), 0));
  if (!semantics::is_extension(inst_.op)) return;
  const Width have = width_of(source(0));
  const Width makes = width_of(inst_);
  const bool is_zero_extension = makes.zero < 64;
  if (is_zero_extension ? have.zero <= makes.zero : have.sign <= makes.sign) replace_by(inst_.args[0]);
}

/// Back ends take an immediate as the second operand.
void Folder::put_constant_second() {
  if (is_constant(0) && info(inst_.op).has(kCommutes)) std::swap(inst_.args[0], inst_.args[1]);
}

void Folder::with_constant(std::uint64_t k) {
  if (source(0).op == Op::pc) return pc_and_constant(k);
  if (k == 0) return with_zero();
  switch (inst_.op) {
    case Op::and_: and_constant(k); break;
    case Op::or_:
      if (k == semantics::kOnes) become_constant(k);
      break;
    case Op::mul:
    case Op::div:
    case Op::divu:
      if (k == 1) replace_by(inst_.args[0]);
      break;
    case Op::shr:
    case Op::sar: shift_pair(k & 63); break;
    default: break;
  }
}

void Folder::with_zero() {
  const Value a = inst_.args[0];
  switch (inst_.op) {
    case Op::add:
    case Op::sub:
    case Op::or_:
    case Op::xor_:
    case Op::shl:
    case Op::shr:
    case Op::sar:
    case Op::rotr: replace_by(a); break;
    case Op::and_:
    case Op::mul:
    case Op::mulw:
    case Op::mulh:
    case Op::mulhu:
    case Op::mulhsu: become_constant(0); break;
    case Op::addw:
    case Op::subw:
    case Op::shlw:
    case Op::shrw:
    case Op::sarw:
    case Op::rotrw: become_unary(Op::sext32, a); break;
    default: break;
  }
}

/// A mask that keeps all bits that can be set has no effect and goes; others become zero extensions, which
/// need no immediate.
void Folder::and_constant(std::uint64_t k) {
  const Value a = inst_.args[0];
  const bool is_low_mask = (k & (k + 1)) == 0;
  if (is_low_mask && width_of(source(0)).zero <= static_cast<unsigned>(std::popcount(k)))
    return replace_by(a);
  if (k == 0xff) become_unary(Op::zext8, a);
  if (k == 0xffff) become_unary(Op::zext16, a);
  if (k == 0xffffffff) become_unary(Op::zext32, a);
}

void Folder::with_itself() {
  switch (inst_.op) {
    case Op::and_:
    case Op::or_: replace_by(inst_.args[0]); break;
    case Op::sub:
    case Op::xor_:
    case Op::subw: become_constant(0); break;
    default: break;
  }
}

/// auipc and what is added to it; and jalr's clearing of bit 0. The block's page has 12 zero bits.
void Folder::pc_and_constant(std::uint64_t k) {
  const auto offset = constant(0);
  constexpr std::uint64_t kInPage = 0xfff;
  if (inst_.op == Op::add) become_pc(static_cast<std::int64_t>(offset + k));
  if (inst_.op == Op::sub) become_pc(static_cast<std::int64_t>(offset - k));
  if (inst_.op == Op::and_ && (k | kInPage) == semantics::kOnes)
    become_pc(static_cast<std::int64_t>(offset & k));
}

/// slli and srli or srai by the same amount: how compilers extend without Zba and Zbb.
void Folder::shift_pair(std::uint64_t k) {
  const Inst& first = source(0);
  if (first.op != Op::shl) return;
  const Inst& amount = unit_.insts[knowledge_.same[first.args[1].index]];
  if (amount.op != Op::const_ || (static_cast<std::uint64_t>(amount.imm) & 63) != k) return;
  const Value a = first.args[0];
  if (!is_still_at_hand(a)) return;
  const bool is_signed = inst_.op == Op::sar;
  if (k == 32) become_unary(is_signed ? Op::sext32 : Op::zext32, a);
  if (k == 48) become_unary(is_signed ? Op::sext16 : Op::zext16, a);
  if (k == 56) become_unary(is_signed ? Op::sext8 : Op::zext8, a);
}

/// Whether an operand of an operand was made shortly before.
bool Folder::is_still_at_hand(Value v) const { return index_ - v.index < kFar; }

void Folder::setcond() {
  const auto cond = static_cast<Cond>(inst_.aux);
  if (is_constant(0) && is_constant(1))
    return become_constant(semantics::holds(cond, constant(0), constant(1)));
  if (is_same_twice()) become_constant(semantics::holds(cond, 0, 0));
}

void Folder::select() {
  if (is_constant(0)) return replace_by(inst_.args[constant(0) != 0 ? 1 : 2]);
  if (inst_.args[1] == inst_.args[2]) replace_by(inst_.args[1]);
}

void Folder::branch() {
  const auto cond = static_cast<Cond>(inst_.aux);
  bool is_taken = false;
  if (is_constant(0) && is_constant(1)) {
    is_taken = semantics::holds(cond, constant(0), constant(1));
  } else if (is_same_twice()) {
    is_taken = semantics::holds(cond, 0, 0);
  } else {
    return;
  }
  become_jump(is_taken ? inst_.imm : inst_.imm2);
}

/// auipc and jalr make a jump whose target is known.
void Folder::jump_reg() {
  if (source(0).op == Op::pc) become_jump(source(0).imm);
}

void Folder::trap_if_zero() {
  if (is_constant(0) && constant(0) != 0) kill(inst_);
}

/// A constant added to the address becomes part of the displacement, unless the sum's operand is a guest
/// register's value of long ago.
void Folder::address() {
  const Inst& sum = unit_.insts[inst_.args[0].index];
  if (sum.op != Op::add || !is_still_at_hand(sum.args[0])) return;
  const Inst& addend = unit_.insts[knowledge_.same[sum.args[1].index]];
  if (addend.op != Op::const_ || !is_int32(addend.imm) || !is_int32(inst_.imm + addend.imm)) return;
  inst_.imm += addend.imm;
  inst_.args[0] = sum.args[0];
}

}  // namespace

void fold(Unit& unit, Knowledge& knowledge, std::uint32_t index) {
  Folder folder(unit, knowledge, index);
  const Op op = unit.insts[index].op;
  if (semantics::is_integer_op(op)) return folder.integer();
  switch (op) {
    case Op::setcond: folder.setcond(); break;
    case Op::select: folder.select(); break;
    case Op::branch: folder.branch(); break;
    case Op::jump_reg: folder.jump_reg(); break;
    case Op::trap_if_zero: folder.trap_if_zero(); break;
    case Op::load:
    case Op::store:
    case Op::host_load:
    case Op::host_store: folder.address(); break;
    default: break;
  }
}

}  // namespace gstage::tcg
