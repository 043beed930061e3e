// SPDX-License-Identifier: Apache-2.0
// Random units through the x86-64 back end and through the interpreter: the whole hart must be equal.
#include <string>

#include <gtest/gtest.h>

#include "tcg/ir/print.h"
#include "tcg/ir/verify.h"
#include "tcg/opt/pipeline.h"

#include "tests/unit/ir_random.h"
#include "tests/unit/jit_compare.h"
#include "tests/unit/jit_machine.h"

namespace gstage::tcg::test {
namespace {

constexpr std::uint64_t kUnits = 5000;

struct Variant {
  const char* name;
  x86_64::HostFeatures features;
  bool is_optimized;
  std::uint32_t reach;  ///< of RandomUnit: the longer values live the less fit into registers
  bool is_alone = false;
};

class JitRandom : public testing::TestWithParam<Variant> {};

TEST_P(JitRandom, EqualsTheInterpreter) {
  const Variant& variant = GetParam();
  const x86_64::HostFeatures host = x86_64::detect_host();
  if ((variant.features.bmi2 && !host.bmi2) || (variant.features.fma && !host.fma) ||
      (variant.features.bit_counts && !host.bit_counts))
    GTEST_SKIP();
  Machine interpreter;
  JitMachine jit(variant.features);
  jit.is_alone = variant.is_alone;
  unsigned failures = 0;
  for (std::uint64_t seed = 1; seed <= kUnits && failures < 3; ++seed) {
    RandomUnit random(seed, variant.reach);
    Unit unit = random.make();
    set_up(interpreter, seed);
    set_up(jit, seed);
    interpreter.run(unit);
    if (variant.is_optimized) optimize(unit);
    ASSERT_TRUE(verify(unit).ok());
    ASSERT_TRUE(jit.run(unit));
    const std::string text = differences(interpreter, jit);
    if (!text.empty()) ++failures;
    EXPECT_EQ(text, "") << "seed " << seed << "\n" << print(unit);
  }
}

INSTANTIATE_TEST_SUITE_P(Hosts, JitRandom,
                         testing::Values(Variant{"full", {true, true, true}, false, 6},
                                         Variant{"optimized", {true, true, true}, true, 6},
                                         Variant{"long_lives", {true, true, true}, false, 60},
                                         Variant{"alone", {true, true, true}, true, 6, true},
                                         Variant{"plain", {false, false}, false, 6}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace gstage::tcg::test
