// SPDX-License-Identifier: Apache-2.0
// Configuration files: what is read are options that the command line takes or refuses with a message.
#include "system/read_config.h"

#include "softmmu/base/check.h"
#include "softmmu/option_values.h"

#include "tests/fuzz/target.h"

namespace gstage::fuzz {
namespace {

void run(Input& input) {
  auto options = parse_config(input.rest_as_text(), "file");
  if (!options.ok()) return CHECK(!options.error().message.empty());
  for (const ConfiguredOption& option : *options) {
    CHECK(!option.word.empty());
    // Names and values survive the command line's commas.
    if (option.word != "global") CHECK(parse_properties("-" + option.word, option.argument, "").ok());
  }
}

const Registration registration("read_config", run);

}  // namespace
}  // namespace gstage::fuzz
