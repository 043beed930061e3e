// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/trace/exit_names.h"

#include "softmmu/base/format.h"
#include "target/riscv/csr/fields.h"
#include "target/riscv/trap/entry.h"
#include "target/riscv/trap/trap.h"

namespace gstage::riscv {

namespace {

struct Extension {
  std::uint64_t id;
  const char* name;
};
constexpr Extension kExtensions[] = {
#define EXTENSION(id, name) {id, #name},
#define CALL(extension, function, name)
#define LEGACY(id, name)
#include "target/riscv/trace/sbi_calls.inc"
#undef EXTENSION
#undef CALL
#undef LEGACY
};

constexpr Extension kLegacy[] = {
#define EXTENSION(id, name)
#define CALL(extension, function, name)
#define LEGACY(id, name) {id, #name},
#include "target/riscv/trace/sbi_calls.inc"
#undef EXTENSION
#undef CALL
#undef LEGACY
};

struct Call {
  const char* extension;
  std::uint64_t function;
  const char* name;
};
constexpr Call kCalls[] = {
#define EXTENSION(id, name)
#define CALL(extension, function, name) {#extension, function, #name},
#define LEGACY(id, name)
#include "target/riscv/trace/sbi_calls.inc"
#undef EXTENSION
#undef CALL
#undef LEGACY
};

std::string sbi_name(const ExitKey& key) {
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  for (const Extension& extension : kLegacy)
    if (extension.id == key.extension) return format("SBI legacy %s", extension.name);
  for (const Extension& extension : kExtensions) {
    if (extension.id != key.extension) continue;
    for (const Call& call : kCalls)
      if (call.function == key.function && std::string_view(call.extension) == extension.name)
        return format("SBI %s.%s", extension.name, call.name);
    return format("SBI %s.%llu", extension.name, number(key.function));
  }
  return format("SBI 0x%llx.%llu", number(key.extension), number(key.function));
}

std::string name_of(const ExitKey& key, Cause call) {
  if (key.cause == ExitTotals::kOtherCause) return "all others";
  // The cause of a non-maskable interrupt is implementation-defined; ours has no number.
  if (key.cause == kCauseInterrupt) return "non-maskable interrupt";
  if ((key.cause & kCauseInterrupt) != 0) return interrupt_name(key.cause & ~kCauseInterrupt);
  const auto cause = static_cast<Cause>(key.cause);
  return cause == call ? sbi_name(key) : cause_name(cause);
}

}  // namespace

std::string exit_name(const ExitKey& key) { return name_of(key, Cause::kEcallVs); }

std::string call_name(const ExitKey& key) { return name_of(key, Cause::kEcallHs); }

const char* place_name(ExitPlace place) {
  static constexpr const char* kNames[kExitPlaces] = {"guest", "hypervisor", "firmware", "user", "idle"};
  return kNames[static_cast<unsigned>(place)];
}

}  // namespace gstage::riscv
