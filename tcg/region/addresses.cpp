// SPDX-License-Identifier: Apache-2.0
#include "tcg/region/addresses.h"

#include <algorithm>
#include <bit>

#include "tcg/ir/op_info.h"

namespace gstage::tcg {
namespace {

/// Beyond these, nothing is known: sums stay far from overflow.
constexpr std::int64_t kMaxDistance = std::int64_t{1} << 20;
constexpr std::uint64_t kMaxNumber = std::uint64_t{1} << 32;

class Finder {
 public:
  explicit Finder(const Unit& unit) : unit_(unit), values_(unit.insts.size()) {
    for (unsigned x = 1; x < 32; ++x) registers_[x].range = {static_cast<std::uint8_t>(x), 0, 0};
  }

  UnitAddresses find() {
    result_.of.resize(unit_.insts.size());
    for (std::uint32_t i = 0; i < unit_.insts.size(); ++i) follow(i);
    return std::move(result_);
  }

 private:
  /// What is known of a value: where it is as an address, or the largest number that it can be.
  struct Knowledge {
    AddressRange range;
    bool is_number = false;
    std::uint64_t most = 0;
  };
  static Knowledge number(std::uint64_t most) { return {{}, most < kMaxNumber, most}; }

  const Knowledge& of(const Inst& inst, unsigned argument) const {
    return values_[inst.args[argument].index];
  }
  [[nodiscard]] bool is_constant(const Inst& inst, unsigned argument) const {
    return unit_.insts[inst.args[argument].index].op == Op::const_;
  }
  [[nodiscard]] std::int64_t constant(const Inst& inst, unsigned argument) const {
    return unit_.insts[inst.args[argument].index].imm;
  }

  static AddressRange moved(const AddressRange& range, std::int64_t low, std::int64_t high) {
    const AddressRange moved{range.x, range.low + low, range.high + high};
    return moved.low < -kMaxDistance || moved.high > kMaxDistance ? AddressRange{} : moved;
  }

  Knowledge sum(const Inst& inst) const {
    const Knowledge& a = of(inst, 0);
    const Knowledge& b = of(inst, 1);
    for (const unsigned k : {1u, 0u}) {
      const AddressRange& range = of(inst, 1 - k).range;
      if (range.x == 0) continue;
      const std::int64_t addend = is_constant(inst, k) ? constant(inst, k) : kMaxDistance + 1;
      if (addend >= -kMaxDistance && addend <= kMaxDistance) return {moved(range, addend, addend)};
      if (of(inst, k).is_number && of(inst, k).most <= kMaxDistance)
        return {moved(range, 0, static_cast<std::int64_t>(of(inst, k).most))};
    }
    return a.is_number && b.is_number ? number(a.most + b.most) : Knowledge{};
  }

  /// Without carries: no bit above those of both.
  Knowledge joined(const Inst& inst) const {
    if (!of(inst, 0).is_number || !of(inst, 1).is_number) return {};
    const std::uint64_t either = of(inst, 0).most | of(inst, 1).most;
    return number((std::uint64_t{1} << std::bit_width(either)) - 1);
  }

  Knowledge masked(const Inst& inst) const {
    std::uint64_t most = kMaxNumber;
    for (const unsigned k : {0u, 1u})
      if (of(inst, k).is_number) most = std::min(most, of(inst, k).most);
    return number(most);
  }

  Knowledge shifted_left(const Inst& inst) const {
    const std::int64_t by = is_constant(inst, 1) ? constant(inst, 1) & 63 : 63;
    return of(inst, 0).is_number && by < 32 ? number(of(inst, 0).most << by) : Knowledge{};
  }

  Knowledge shifted_right(const Inst& inst) const {
    if (!is_constant(inst, 1)) return {};
    const std::int64_t by = constant(inst, 1) & 63;
    return number((of(inst, 0).is_number ? of(inst, 0).most : ~std::uint64_t{0}) >> by);
  }

  Knowledge loaded(MemKind kind) const {
    return mem_is_signed(kind) || mem_size(kind) > 2 ? Knowledge{}
                                                     : number(kind == MemKind::u8 ? 0xff : 0xffff);
  }

  Knowledge value_of(const Inst& inst) const {
    switch (inst.op) {
      case Op::const_: return inst.imm >= 0 ? number(static_cast<std::uint64_t>(inst.imm)) : Knowledge{};
      case Op::get_x: return registers_[static_cast<unsigned>(inst.imm)];
      case Op::add: return sum(inst);
      case Op::and_: return masked(inst);
      case Op::or_:
      case Op::xor_: return joined(inst);
      case Op::shl: return shifted_left(inst);
      case Op::shr: return shifted_right(inst);
      case Op::zext8: return number(0xff);
      case Op::zext16: return number(0xffff);
      case Op::setcond: return number(1);
      case Op::load: return loaded(static_cast<MemKind>(inst.aux));
      default: return {};
    }
  }

  void follow(std::uint32_t index) {
    const Inst& inst = unit_.insts[index];
    if (inst.op == Op::load || inst.op == Op::store) {
      const AddressRange& base = of(inst, 0).range;
      if (base.x != 0) result_.of[index] = moved(base, inst.imm, inst.imm);
    }
    if (inst.op == Op::set_x) set(static_cast<unsigned>(inst.imm), of(inst, 0));
    if (touches_registers(inst))
      for (unsigned x = 1; x < 32; ++x) set(x, {});
    values_[index] = value_of(inst);
  }

  void set(unsigned x, const Knowledge& value) {
    registers_[x] = value;
    RegisterChange& change = result_.changes[x];
    const AddressRange& range = value.range;
    if (range.x != x || range.low != range.high) {
      change.is_unknown = true;
      return;
    }
    change.up = std::max(change.up, range.high);
    change.down = std::max(change.down, -range.low);
  }

  const Unit& unit_;
  std::vector<Knowledge> values_;  ///< by instruction
  std::array<Knowledge, 32> registers_;
  UnitAddresses result_;
};

}  // namespace

UnitAddresses find_addresses(const Unit& unit) { return Finder(unit).find(); }

}  // namespace gstage::tcg
