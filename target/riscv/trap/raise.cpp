// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/hart.h"
#include "target/riscv/trap/trap.h"

namespace gstage::riscv {

const char* cause_name(Cause cause) {
  switch (cause) {
#define CAUSE(name, code, text) \
  case Cause::name:             \
    return text;
#include "target/riscv/trap/causes.inc"
#undef CAUSE
  }
  return "unknown exception";
}

void raise(Hart& hart, const Trap& trap) {
  if (hart.core.trap_pending != 0) return;
  hart.core.trap_pending = 1;
  hart.trap = trap;
}

void raise_illegal(Hart& hart, std::uint64_t raw) {
  Trap trap{};
  trap.cause = Cause::kIllegalInstruction;
  trap.tval = raw;
  raise(hart, trap);
}

void raise_virtual(Hart& hart, std::uint64_t raw) {
  Trap trap{};
  trap.cause = Cause::kVirtualInstruction;
  trap.tval = raw;
  raise(hart, trap);
}

}  // namespace gstage::riscv
