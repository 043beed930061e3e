// SPDX-License-Identifier: Apache-2.0
#include "tcg/ir/print.h"

#include "softmmu/base/format.h"
#include "tcg/ir/op_info.h"

namespace gstage::tcg {
namespace {

using LongLong = long long;
using UnsignedLongLong = unsigned long long;

/// Small numbers in decimal, others in hexadecimal.
std::string number(std::int64_t v) {
  constexpr std::int64_t kSmall = 4096;
  if (v >= -kSmall && v <= kSmall) return format("%lld", static_cast<LongLong>(v));
  return format("0x%llx", static_cast<UnsignedLongLong>(v));
}

std::string offset(std::int64_t v) {
  if (v >= 0) return format("0x%llx", static_cast<UnsignedLongLong>(v));
  return format("-0x%llx", UnsignedLongLong{0} - static_cast<UnsignedLongLong>(v));
}

std::string name_or_number(const char* name, unsigned value) {
  return name != nullptr ? name : format("%u", value);
}

/// The operand that stands before the values: a register or a helper.
std::string leading(const Inst& inst, ImmKind kind) {
  switch (kind) {
    case ImmKind::x: return format("x%lld", static_cast<LongLong>(inst.imm));
    case ImmKind::f: return format("f%lld", static_cast<LongLong>(inst.imm));
    case ImmKind::helper: return inst.helper() != nullptr ? inst.helper()->name : "null";
    default: return {};
  }
}

/// The one that stands after them.
std::string trailing(const Inst& inst, ImmKind kind) {
  switch (kind) {
    case ImmKind::number: return number(inst.imm);
    case ImmKind::offset: return offset(inst.imm);
    case ImmKind::rmw: return name_or_number(rmw_name(static_cast<unsigned>(inst.imm)), inst.aux);
    default: return {};
  }
}

std::string second_immediate(const Inst& inst) {
  if (inst.op == Op::branch) return offset(inst.imm2);
  if (inst.op == Op::insn) return format("0x%08x", static_cast<unsigned>(inst.imm2));
  return {};
}

}  // namespace

std::string print_inst(const Inst& inst, unsigned index) {
  const OpInfo& row = info(inst.op);
  std::string text;
  if (row.result != Type::none) text = format("v%u = ", index);
  text += row.name;
  if (row.aux != AuxKind::none) {
    const std::string suffix = name_or_number(aux_name(row.aux, inst.aux), inst.aux);
    if (!suffix.empty()) text += '.' + suffix;
  }
  const char* separator = " ";
  const auto operand = [&](const std::string& word) {
    if (word.empty()) return;
    text += separator + word;
    separator = ", ";
  };
  operand(leading(inst, row.imm));
  for (unsigned i = 0; i < inst.argument_count && i < inst.args.size(); ++i)
    operand(format("v%u", inst.args[i].index));
  operand(trailing(inst, row.imm));
  operand(second_immediate(inst));
  return text;
}

std::string print(const Unit& unit) {
  std::string text = format("unit flags=0x%x first=0x%x bytes=%u insns=%u\n", unit.flags, unit.first_offset,
                            unit.guest_bytes, unit.guest_insns);
  for (unsigned i = 0; i < unit.insts.size(); ++i) text += print_inst(unit.insts[i], i) + '\n';
  return text;
}

}  // namespace gstage::tcg
