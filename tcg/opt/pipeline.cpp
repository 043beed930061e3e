// SPDX-License-Identifier: Apache-2.0
#include "tcg/opt/pipeline.h"

#include <cstdio>

#include "softmmu/base/check.h"
#include "tcg/ir/print.h"
#include "tcg/ir/verify.h"
#include "tcg/opt/passes.h"

namespace gstage::tcg {
namespace {

constexpr NamedPass kPasses[] = {
    {"forward", forward},
    {"dead_code", dead_code},
};

void check([[maybe_unused]] const Unit& unit) {
#ifndef NDEBUG
  const Status status = verify(unit);
  if (!status.ok()) std::fprintf(stderr, "%s\n%s", status.error().message.c_str(), print(unit).c_str());
  CHECK(status.ok());
#endif
}

}  // namespace

std::span<const NamedPass> passes() { return kPasses; }

void optimize(Unit& unit) {
  check(unit);
  for (const NamedPass& pass : kPasses) {
    pass.run(unit);
    check(unit);
  }
}

}  // namespace gstage::tcg
