// SPDX-License-Identifier: Apache-2.0
#include "system/monitor/hart_registers.h"

#include "softmmu/base/format.h"
#include "target/riscv/inspect/fields.h"
#include "target/riscv/inspect/registers.h"

namespace gstage {

using riscv::Register;
using riscv::RegisterGroup;

std::optional<std::uint64_t> hart_register(Machine& machine, unsigned hart, const std::string& name) {
  if (hart >= machine.cpus().size()) return std::nullopt;
  riscv::Hart& state = riscv::hart_of(machine.cpus()[hart]->core());
  for (const Register& row : riscv::list_registers(state)) {
    const bool is_plain = row.place == Register::Place::kX || row.place == Register::Place::kF;
    const char letter = row.place == Register::Place::kX ? 'x' : 'f';
    if (row.name == name || (is_plain && name == format("%c%u", letter, row.index)))
      return riscv::read_register(state, row);
  }
  return std::nullopt;
}

std::optional<std::string> describe_register_group(Machine& machine, const std::string& group) {
  unsigned number = 0;
  while (number < static_cast<unsigned>(RegisterGroup::kCount) &&
         group != riscv::group_name(static_cast<RegisterGroup>(number)))
    ++number;
  if (number == static_cast<unsigned>(RegisterGroup::kCount)) return std::nullopt;
  std::string text;
  for (Cpu* const cpu : machine.cpus()) {
    riscv::Hart& hart = riscv::hart_of(cpu->core());
    text += format("hart %u:\n", cpu->index());
    for (const Register& row : riscv::list_registers(hart)) {
      if (row.group != static_cast<RegisterGroup>(number)) continue;
      const std::optional<std::uint64_t> value = riscv::read_register(hart, row);
      if (!value) continue;
      const std::string fields =
          row.place == Register::Place::kCsr ? riscv::spell_csr(row.index, *value) : std::string();
      text += format("  %-14s 0x%016llx%s%s\n", row.name.c_str(), static_cast<unsigned long long>(*value),
                     fields.empty() ? "" : "  ", fields.c_str());
    }
  }
  return text;
}

std::string register_groups() {
  std::string text;
  for (unsigned i = 0; i < static_cast<unsigned>(RegisterGroup::kCount); ++i)
    text += (i == 0 ? "" : ", ") + std::string(riscv::group_name(static_cast<RegisterGroup>(i)));
  return text;
}

}  // namespace gstage
