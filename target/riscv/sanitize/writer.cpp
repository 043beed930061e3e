// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/sanitize/writer.h"

#include "softmmu/base/format.h"
#include "target/riscv/guest.h"

namespace gstage::riscv {

namespace {

thread_local Hart* hart_of_thread = nullptr;

}  // namespace

void set_current_hart(Hart* hart) { hart_of_thread = hart; }
Hart* current_hart() { return hart_of_thread; }

Writer present_writer() {
  Writer writer;
  writer.kind = Writer::Kind::kDevice;
  if (const Hart* const hart = hart_of_thread; hart != nullptr)
    writer = {Writer::Kind::kHart, hart->priv, hart->v != 0, hart->hartid, hart->core.pc};
  return writer;
}

std::string describe(const Writer& writer) {
  switch (writer.kind) {
    case Writer::Kind::kHart:
      return format("hart %llu in %s-mode, pc 0x%llx", static_cast<unsigned long long>(writer.hart),
                    mode_name(writer.priv, writer.v), static_cast<unsigned long long>(writer.pc));
    case Writer::Kind::kDevice: return "a device";
    case Writer::Kind::kUnknown: break;
  }
  return "someone unknown";
}

}  // namespace gstage::riscv
