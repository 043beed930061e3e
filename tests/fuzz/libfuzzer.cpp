// SPDX-License-Identifier: Apache-2.0
// The targets under libFuzzer (clang's -fsanitize=fuzzer): fuzz_targets TARGET [libFuzzer's arguments].
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/target.h"

namespace {

/// libFuzzer starts itself anew for some of its work, without the argument that is taken away here.
constexpr const char* kTargetVariable = "GSTAGE_FUZZ_TARGET";
const gstage::fuzz::Target* target = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc > 1) target = gstage::fuzz::find_target((*argv)[1]);
  if (target != nullptr) {
    setenv(kTargetVariable, target->name, 1);
    (*argv)[1] = (*argv)[0];
    ++*argv;
    --*argc;
  } else if (const char* name = std::getenv(kTargetVariable)) {
    target = gstage::fuzz::find_target(name);
  }
  if (target != nullptr) return 0;
  std::fprintf(stderr, "the first argument names the target, one of:\n%s",
               gstage::fuzz::target_names().c_str());
  std::exit(1);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gstage::fuzz::Input input({data, size});
  target->run(input);
  return 0;
}

/// Undefined behaviour is a finding like any other.
extern "C" const char* __ubsan_default_options() { return "halt_on_error=1:print_stacktrace=1"; }
