// SPDX-License-Identifier: Apache-2.0
#include "tcg/ir/op_info.h"

namespace gstage::tcg {
namespace {

constexpr const char* kMemNames[] = {"u8", "u16", "u32", "u64", "s8", "s16", "s32"};
constexpr const char* kCondNames[] = {"eq", "ne", "lt", "ge", "ltu", "geu"};
constexpr const char* kFmaNames[] = {"madd", "msub", "nmsub", "nmadd"};
constexpr const char* kFpCondNames[] = {"eq", "lt", "le", "ltq", "leq"};
constexpr const char* kIntNames[] = {"s32", "u32", "s64", "u64"};
constexpr const char* kHintNames[] = {"", "call", "ret"};
constexpr const char* kRmwNames[] = {"swap", "add", "xor", "and", "or", "min", "max", "minu", "maxu"};

template <unsigned N>
const char* at(const char* const (&names)[N], unsigned i) {
  return i < N ? names[i] : nullptr;
}

}  // namespace

const char* aux_name(AuxKind kind, unsigned value) {
  switch (kind) {
    case AuxKind::mem: return at(kMemNames, value);
    case AuxKind::cond: return at(kCondNames, value);
    case AuxKind::fma: return at(kFmaNames, value);
    case AuxKind::fp_cond: return at(kFpCondNames, value);
    case AuxKind::int_kind: return at(kIntNames, value);
    case AuxKind::jump_hint: return at(kHintNames, value);
    case AuxKind::none:
    case AuxKind::length: break;
  }
  return nullptr;
}

const char* rmw_name(unsigned value) { return at(kRmwNames, value); }

}  // namespace gstage::tcg
