// SPDX-License-Identifier: Apache-2.0
// The text form of the IR: what is read comes back, and what is well formed stays so in each pass.
#include "softmmu/base/check.h"
#include "tcg/ir/parse.h"
#include "tcg/ir/print.h"
#include "tcg/ir/verify.h"
#include "tcg/opt/pipeline.h"

#include "tests/fuzz/helpers.h"
#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

void run(Input& input) {
  static const bool is_ready = (register_helpers(), true);
  CHECK(is_ready);
  auto unit = tcg::parse(input.rest_as_text());
  if (!unit.ok()) return CHECK(!unit.error().message.empty());
  if (!tcg::verify(*unit).ok()) return;
  const std::string text = tcg::print(*unit);
  auto back = tcg::parse(text);
  CHECK(back.ok() && tcg::print(*back) == text);
  for (const auto& pass : tcg::passes()) {
    pass.run(*unit);
    CHECK(tcg::verify(*unit).ok());
  }
}

const Registration registration("ir_text", run);

}  // namespace
}  // namespace gstage::fuzz
