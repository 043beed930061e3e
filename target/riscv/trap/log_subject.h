// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "softmmu/base/log_filter.h"
#include "target/riscv/csr/fields.h"
#include "target/riscv/hart.h"
#include "target/riscv/inspect/symbols.h"

namespace gstage::riscv {

/// What a line of the log is about that the hart's instruction at core.pc gives rise to.
inline LogSubject log_subject(const Hart& hart) {
  return {hart.core.pc, static_cast<unsigned>(hart.hartid), hart.v != 0,
          static_cast<unsigned>(atp::Vmid::get(hart.hgatp))};
}

/// ", do_trap_ecall_u+0x12", if `-symbols` names what is at core.pc; else empty.
inline std::string symbol_suffix(const Hart& hart) {
  if (program_symbols().empty()) return {};
  std::optional<unsigned> vmid;
  if (hart.v != 0) vmid = static_cast<unsigned>(atp::Vmid::get(hart.hgatp));
  const std::optional<SymbolPlace> place = program_symbols().find(hart.core.pc, vmid);
  return place ? ", " + place->text() : std::string();
}

}  // namespace gstage::riscv
