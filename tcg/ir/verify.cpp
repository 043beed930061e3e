// SPDX-License-Identifier: Apache-2.0
#include "tcg/ir/verify.h"

#include <cstddef>

#include "tcg/ir/op_info.h"

namespace gstage::tcg {
namespace {

bool is_int32(std::int64_t v) { return v == static_cast<std::int32_t>(v); }

const char* check_aux(const Inst& inst, AuxKind kind) {
  if (kind == AuxKind::none) return inst.aux == 0 ? nullptr : "has an aux but takes none";
  if (kind == AuxKind::length) return inst.aux == 2 || inst.aux == 4 ? nullptr : "is not 2 or 4 bytes long";
  if (aux_name(kind, inst.aux) == nullptr) return "has an aux out of range";
  const bool is_reserving = inst.op == Op::load_reserved || inst.op == Op::store_conditional;
  if (is_reserving && mem_size(static_cast<MemKind>(inst.aux)) < 4) return "is not of 4 or 8 bytes";
  return nullptr;
}

const char* check_helper(const Inst& inst) {
  const Helper* helper = inst.helper();
  if (helper == nullptr || helper->function == nullptr) return "has no helper";
  if (helper->arguments > inst.args.size()) return "has a helper with more than 4 arguments";
  if (inst.op == Op::trap_if_zero) return helper->may_trap ? nullptr : "has a helper that cannot trap";
  return inst.argument_count == helper->arguments ? nullptr
                                                  : "passes another number of values than its helper takes";
}

const char* check_imm(const Inst& inst, ImmKind kind) {
  switch (kind) {
    case ImmKind::none: return inst.imm == 0 ? nullptr : "has an immediate but takes none";
    case ImmKind::number:
      return inst.op == Op::const_ || is_int32(inst.imm) ? nullptr
                                                         : "has a displacement of more than 32 bits";
    case ImmKind::offset: return is_int32(inst.imm) ? nullptr : "has an offset of more than 32 bits";
    case ImmKind::x: return inst.imm >= 1 && inst.imm <= 31 ? nullptr : "names no integer register x1–x31";
    case ImmKind::f: return inst.imm >= 0 && inst.imm <= 31 ? nullptr : "names no register f0–f31";
    case ImmKind::rmw:
      return inst.imm >= 0 && rmw_name(static_cast<unsigned>(inst.imm)) != nullptr
                 ? nullptr
                 : "has an unknown operation";
    case ImmKind::helper: return check_helper(inst);
  }
  return nullptr;
}

const char* check_arguments(const Unit& unit, std::size_t index) {
  const Inst& inst = unit.insts[index];
  const OpInfo& row = info(inst.op);
  if (inst.op != Op::call && inst.argument_count != row.arguments) return "has a wrong number of arguments";
  if (inst.argument_count > inst.args.size()) return "has more than 4 arguments";
  for (unsigned i = 0; i < inst.argument_count; ++i) {
    if (!inst.args[i].is_valid()) return "has an argument that is no value";
    if (inst.args[i].index >= index) return "uses a value before it is made";
    if (info(unit.insts[inst.args[i].index].op).result != row.types[i])
      return "has an argument of a wrong type";
  }
  return nullptr;
}

const char* check_inst(const Unit& unit, std::size_t index) {
  const Inst& inst = unit.insts[index];
  if (inst.op >= Op::kCount) return "is no op";
  const OpInfo& row = info(inst.op);
  if (const char* failure = check_arguments(unit, index)) return failure;
  if (const char* failure = check_aux(inst, row.aux)) return failure;
  if (const char* failure = check_imm(inst, row.imm)) return failure;
  const bool is_last = index + 1 == unit.insts.size();
  if (row.has(kEnds) != is_last)
    return is_last ? "is last but ends no block" : "ends the block but is not last";
  return nullptr;
}

Error describe(const Unit& unit, std::size_t index, const char* failure) {
  const Op op = unit.insts[index].op;
  const std::string name(op < Op::kCount ? info(op).name : "?");
  return error("IR instruction %zu (%s) %s", index, name.c_str(), failure);
}

}  // namespace

Status verify(const Unit& unit) {
  if (unit.insts.empty()) return error("the IR unit is empty: it must end with a jump or an exit");
  bool has_insn = false;
  for (std::size_t i = 0; i < unit.insts.size(); ++i) {
    if (const char* failure = check_inst(unit, i)) return describe(unit, i, failure);
    const Inst& inst = unit.insts[i];
    has_insn |= inst.op == Op::insn;
    if (!has_insn && !info(inst.op).has(kEnds) && may_leave(inst))
      return describe(unit, i, "may trap but belongs to no guest instruction");
  }
  return Ok{};
}

}  // namespace gstage::tcg
