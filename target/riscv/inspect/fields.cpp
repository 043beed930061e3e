// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/inspect/fields.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "softmmu/base/bits.h"
#include "softmmu/base/format.h"
#include "target/riscv/cpu.h"
#include "target/riscv/csr/fields.h"
#include "target/riscv/trap/entry.h"
#include "target/riscv/trap/trap.h"

namespace gstage::riscv {

namespace {

/// A row of csr/fields.inc within its layout: a field, or a value of the field before it.
struct Row {
  const char* name;
  unsigned high;
  unsigned low;
  unsigned views;
  bool is_value;
  std::uint64_t value;
};

/// Registers that share a layout, by whose fields they have.
constexpr unsigned NONE = 0;
constexpr unsigned M = 1;
constexpr unsigned S = 2;
constexpr unsigned H = 4;
constexpr unsigned ALL = M | S | H;

#define LAYOUT(space, id) constexpr Row kLayout_##id[] = {
#define BITS(type, name, high, low, views) {name, high, low, (views), false, 0},
#define VALUE(constant, value, name) {name, 0, 0, NONE, true, value},
#define NAMED(value, name) {name, 0, 0, NONE, true, value},
#define END_LAYOUT \
  }                \
  ;
#define REGISTERS(number, count, id, views)
#define BY_TYPE(number, type, id)
#define ENTRIES(number, stem, first, id)
#include "target/riscv/csr/fields.inc"
#undef LAYOUT
#undef BITS
#undef VALUE
#undef NAMED
#undef END_LAYOUT
#undef REGISTERS
#undef BY_TYPE
#undef ENTRIES

/// Which layout `count` registers have, whole or in each of their bytes.
struct Use {
  unsigned number;
  unsigned count;
  const Row* rows;
  std::size_t row_count;
  unsigned views;
  unsigned type;           ///< of tdata1; kNoType: any
  const char* entry_stem;  ///< null: one layout for all of the register
  unsigned first_entry;
};
constexpr unsigned kNoType = ~0u;

constexpr Use kUses[] = {
#define LAYOUT(space, id)
#define BITS(type, name, high, low, views)
#define VALUE(constant, value, name)
#define NAMED(value, name)
#define END_LAYOUT
#define REGISTERS(number, count, id, views) \
  {number, count, kLayout_##id, std::size(kLayout_##id), (views), kNoType, nullptr, 0},
#define BY_TYPE(number, type, id) {number, 1, kLayout_##id, std::size(kLayout_##id), ALL, type, nullptr, 0},
#define ENTRIES(number, stem, first, id) \
  {number, 1, kLayout_##id, std::size(kLayout_##id), ALL, kNoType, stem, first},
#include "target/riscv/csr/fields.inc"
#undef LAYOUT
#undef BITS
#undef VALUE
#undef NAMED
#undef END_LAYOUT
#undef REGISTERS
#undef BY_TYPE
#undef ENTRIES
};

/// Major interrupts, by the levels whose registers have them: M all, S and H theirs.
struct InterruptField {
  const char* name;
  unsigned bit;
  unsigned views;
};
constexpr InterruptField kInterrupts[] = {
    {"SSI", kSsi, M | S},   {"VSSI", kVssi, M | H}, {"MSI", kMsi, M},       {"STI", kSti, M | S},
    {"VSTI", kVsti, M | H}, {"MTI", kMti, M},       {"SEI", kSei, M | S},   {"VSEI", kVsei, M | H},
    {"MEI", kMei, M},       {"SGEI", kSgei, M | H}, {"LCOFI", kLcofi, ALL},
};

/// Registers with a bit an interrupt. `suffix` is what their bits add to the interrupt's name.
struct InterruptRegister {
  unsigned number;
  unsigned views;
  const char* suffix;
};
constexpr InterruptRegister kInterruptRegisters[] = {
    {0x344, M, "P"}, {0x304, M, "E"}, {0x303, M, ""},  {0x308, S, ""},  {0x309, S, "P"},
    {0x144, S, "P"}, {0x104, S, "E"}, {0x244, S, "P"}, {0x204, S, "E"}, {0x644, H, "P"},
    {0x604, H, "E"}, {0x645, H, "P"}, {0x603, H, ""},  {0x608, H, ""},
};

struct CauseField {
  const char* name;
  unsigned bit;
};
constexpr CauseField kCauses[] = {
#define CAUSE(name, code, text) {#name, code},
#include "target/riscv/trap/causes.inc"
#undef CAUSE
};
constexpr unsigned kMedeleg = 0x302;
constexpr unsigned kHedeleg = 0x602;
constexpr unsigned kMisa = 0x301;

void add_rows(const Use& use, const std::string& prefix, unsigned shift, std::vector<FieldInfo>& fields) {
  bool is_shown = false;
  for (std::size_t i = 0; i < use.row_count; ++i) {
    const Row& row = use.rows[i];
    if (row.is_value) {
      if (is_shown) fields.back().values.push_back({row.value, row.name});
      continue;
    }
    is_shown = (row.views & use.views) != 0;
    if (is_shown) fields.push_back({prefix + row.name, row.high + shift, row.low + shift, {}});
  }
}

void add_use(const Use& use, std::vector<FieldInfo>& fields) {
  if (use.entry_stem == nullptr) return add_rows(use, "", 0, fields);
  constexpr unsigned kEntries = 8;
  for (unsigned i = 0; i < kEntries; ++i)
    add_rows(use, format("%s%ucfg_", use.entry_stem, use.first_entry + i), 8 * i, fields);
}

void add_misa(std::vector<FieldInfo>& fields) {
  for (char letter = 'A'; letter <= 'Z'; ++letter) {
    const auto bit = static_cast<unsigned>(letter - 'A');
    fields.push_back({std::string(1, letter), bit, bit, {}});
  }
  fields.push_back({"MXL", 63, 62, {{kXlen64, "64"}}});
}

/// Registers whose fields other tables tell.
void add_from_others(unsigned number, std::vector<FieldInfo>& fields) {
  if (number == kMisa) add_misa(fields);
  if (number == kMedeleg || number == kHedeleg)
    for (const CauseField& cause : kCauses) fields.push_back({cause.name + 1, cause.bit, cause.bit, {}});
  for (const InterruptRegister& reg : kInterruptRegisters) {
    if (reg.number != number) continue;
    for (const InterruptField& i : kInterrupts)
      if ((i.views & reg.views) != 0) fields.push_back({std::string(i.name) + reg.suffix, i.bit, i.bit, {}});
  }
}

bool has_cause(unsigned number) {
  return std::any_of(std::begin(kUses), std::end(kUses),
                     [&](const Use& use) { return use.rows == kLayout_cause && use.number == number; });
}

}  // namespace

std::uint64_t FieldInfo::get(std::uint64_t reg) const { return bits(reg, high, low); }

const char* FieldInfo::value_name(std::uint64_t value) const {
  for (const FieldValueName& named : values)
    if (named.value == value) return named.name;
  return nullptr;
}

std::vector<FieldInfo> csr_fields(unsigned number, std::uint64_t value) {
  std::vector<FieldInfo> fields;
  for (const Use& use : kUses) {
    const bool is_it = number >= use.number && number < use.number + use.count;
    if (is_it && (use.type == kNoType || tdata1::Type::get(value) == use.type)) add_use(use, fields);
  }
  add_from_others(number, fields);
  std::sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.low < b.low; });
  return fields;
}

const std::vector<FieldInfo>& pte_fields() {
  static const std::vector<FieldInfo> kFields = [] {
    std::vector<FieldInfo> fields;
    add_rows({0, 0, kLayout_pte, std::size(kLayout_pte), ALL, kNoType, nullptr, 0}, "", 0, fields);
    return fields;
  }();
  return kFields;
}

std::string spell_fields(const std::vector<FieldInfo>& fields, std::uint64_t value) {
  std::string text;
  for (const FieldInfo& field : fields) {
    const std::uint64_t is = field.get(value);
    const char* const name = field.value_name(is);
    if (is == 0 && name == nullptr) continue;
    text += (text.empty() ? "" : " ") + field.name;
    if (name != nullptr)
      text += std::string("=") + name;
    else if (field.high != field.low)
      text += format(is < 10 ? "=%llu" : "=0x%llx", static_cast<unsigned long long>(is));
  }
  return text;
}

std::string spell_csr(unsigned number, std::uint64_t value) {
  if (!has_cause(number)) return spell_fields(csr_fields(number, value), value);
  const std::uint64_t code = cause::Code::get(value);
  if (cause::Interrupt::get(value) != 0) return interrupt_name(code);
  const bool is_known = std::any_of(std::begin(kCauses), std::end(kCauses),
                                    [&](const CauseField& field) { return field.bit == code; });
  return is_known ? cause_name(static_cast<Cause>(code)) : "unknown exception";
}

}  // namespace gstage::riscv
