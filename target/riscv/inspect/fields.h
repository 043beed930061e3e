// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gstage::riscv {

/// What a value of a field is called: Sv39 for 8 in MODE of satp.
struct FieldValueName {
  std::uint64_t value;
  const char* name;
};

/// Bits high–low of a register or a page-table entry.
struct FieldInfo {
  std::string name;  ///< in the specification's spelling; letters, digits and _ alone
  unsigned high;
  unsigned low;
  std::vector<FieldValueName> values;  ///< those that have a name

  [[nodiscard]] std::uint64_t get(std::uint64_t reg) const;
  /// The name of the value, or null.
  [[nodiscard]] const char* value_name(std::uint64_t value) const;
};

/// The fields of a CSR, from the lowest bit up, none over another; empty where it has none (mepc) or is not
/// known. tdata1 has besides `type` those of the type that `value` says.
std::vector<FieldInfo> csr_fields(unsigned number, std::uint64_t value = 0);
/// The fields of a page-table entry.
const std::vector<FieldInfo>& pte_fields();

/// "SPP=S SPIE FS=Dirty": what `value` says by these fields. Bits are named where they are set, wider fields
/// where they are not zero or zero has a name.
std::string spell_fields(const std::vector<FieldInfo>& fields, std::uint64_t value);
/// spell_fields of a CSR, the cause registers by the cause's name; empty where it has no fields.
std::string spell_csr(unsigned number, std::uint64_t value);

}  // namespace gstage::riscv
