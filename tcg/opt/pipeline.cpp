// SPDX-License-Identifier: Apache-2.0
#include "tcg/opt/pipeline.h"

#include "softmmu/base/check.h"
#include "tcg/ir/verify.h"
#include "tcg/opt/passes.h"

namespace gstage::tcg {
namespace {

constexpr NamedPass kPasses[] = {
    {"forward", forward},
    {"dead_code", dead_code},
};

}  // namespace

std::span<const NamedPass> passes() { return kPasses; }

void optimize(Unit& unit) {
  for (const NamedPass& pass : kPasses) {
    pass.run(unit);
#ifndef NDEBUG
    CHECK(verify(unit).ok());
#endif
  }
}

}  // namespace gstage::tcg
