// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trap/tinst.h"

#include "softmmu/base/bits.h"

namespace gstage::riscv {

namespace {

using Opcode = Field<6, 0>;
using Rd = Field<11, 7>;
using Funct3 = Field<14, 12>;
using Rs1 = Field<19, 15>;
using Rs2 = Field<24, 20>;

constexpr std::uint64_t kLoad = 0x03;
constexpr std::uint64_t kLoadFp = 0x07;
constexpr std::uint64_t kStore = 0x23;
constexpr std::uint64_t kStoreFp = 0x27;
constexpr std::uint64_t kAmo = 0x2f;
constexpr std::uint64_t kSystem = 0x73;
constexpr std::uint64_t kFunct3Hypervisor = 4;

std::uint64_t transform_long(std::uint64_t raw, unsigned offset) {
  constexpr std::uint64_t kLoadFields = Opcode::kMask | Rd::kMask | Funct3::kMask;
  constexpr std::uint64_t kStoreFields = Opcode::kMask | Rs2::kMask | Funct3::kMask;
  switch (Opcode::get(raw)) {
    case kLoad:
    case kLoadFp: return Rs1::set(raw & kLoadFields, offset);
    case kStore:
    case kStoreFp: return Rs1::set(raw & kStoreFields, offset);
    case kAmo: return Rs1::set(raw, offset);
    case kSystem: return Funct3::get(raw) == kFunct3Hypervisor ? Rs1::set(raw, offset) : 0;
    default: return 0;
  }
}

/// The loads and stores of RV64C by funct3; the same in quadrants 0 and 2 (C chapter, "Load and Store
/// Instructions"). The immediates do not survive the transformation, so they need not be expanded.
struct ShortAccess {
  std::uint8_t opcode;  ///< 0: no load or store
  std::uint8_t funct3;
};
constexpr ShortAccess kShortAccesses[8] = {{0, 0}, {kLoadFp, 3},  {kLoad, 2},  {kLoad, 3},
                                           {0, 0}, {kStoreFp, 3}, {kStore, 2}, {kStore, 3}};

std::uint64_t expand_short(std::uint64_t raw) {
  const std::uint64_t quadrant = bits(raw, 1, 0);
  if (quadrant == 1) return 0;
  const ShortAccess access = kShortAccesses[bits(raw, 15, 13)];
  if (access.opcode == 0) return 0;
  const bool is_load = access.opcode == kLoad || access.opcode == kLoadFp;
  std::uint64_t reg = 8 + bits(raw, 4, 2);
  if (quadrant == 2) reg = is_load ? bits(raw, 11, 7) : bits(raw, 6, 2);
  const std::uint64_t base = Funct3::set(access.opcode, access.funct3);
  return is_load ? Rd::set(base, reg) : Rs2::set(base, reg);
}

}  // namespace

std::uint64_t transformed_instruction(std::uint32_t raw, unsigned offset) {
  if ((raw & 3) == 3) return transform_long(raw, offset);
  constexpr std::uint64_t kBit1 = 2;
  return transform_long(expand_short(raw), offset) & ~kBit1;
}

}  // namespace gstage::riscv
