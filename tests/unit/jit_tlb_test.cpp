// SPDX-License-Identifier: Apache-2.0
// Generated code looks a page up where TlbTables has put it.
#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "tcg/ir/parse.h"

#include "tests/unit/jit_machine.h"

namespace gstage::tcg::test {
namespace {

/// Most bits of its number are set in a pattern that no fold by another distance keeps.
constexpr std::uint64_t kFarPage = 0x3'a5c6'9000;

class JitTlb : public testing::TestWithParam<bool> {
 protected:
  JitTlb() : machine_({GetParam()}) {
    const std::uint64_t addend = reinterpret_cast<std::uint64_t>(machine_.guest.memory.data()) - kFarPage;
    for (auto* table : {&machine_.read, &machine_.write}) (*table)[tlb_index(kFarPage)] = {kFarPage, addend};
    machine_.hart->x[1] = kFarPage;
    machine_.hart->x[2] = 0x1122334455667788;
  }

  /// Without a trap, and without the slow path.
  void run(const std::string& text) {
    Result<Unit> unit = parse("unit first=0x20\ninsn.4 0x20, 0xabcd\n" + text + "\nexit_at 0x40\n");
    ASSERT_TRUE(unit.ok());
    ASSERT_TRUE(machine_.run(*unit));
    EXPECT_EQ(machine_.guest.slow_accesses, 0u) << text;
    EXPECT_EQ(machine_.hart->core.trap_pending, 0u) << text;
  }

  JitMachine machine_;
};

TEST_P(JitTlb, APageIsFoundByItsFoldedNumber) {
  if (GetParam() && !x86_64::detect_host().bmi2) GTEST_SKIP();
  run("v0 = get_x x1\n v1 = get_x x2\n store.u64 v0, v1, 0");
  run("v0 = get_x x1\n v1 = get_x x2\n store.u32 v0, v1, 264");
  run("v0 = get_x x1\n v1 = load.u64 v0, 0\n set_x x10, v1");
  run("v0 = get_x x1\n v1 = load.u32 v0, 264\n set_x x11, v1");
  run("v0 = get_x x1\n v1 = atomic_host.u64 v0\n v2 = host_load.u64 v1, 264\n set_x x12, v2");
  EXPECT_EQ(machine_.hart->x[10], machine_.hart->x[2]);
  EXPECT_EQ(machine_.hart->x[11], 0x55667788u);
  EXPECT_EQ(machine_.hart->x[12] & 0xffffffff, 0x55667788u);
}

INSTANTIATE_TEST_SUITE_P(Hosts, JitTlb, testing::Values(true, false),
                         [](const auto& info) { return info.param ? "bmi2" : "plain"; });

}  // namespace
}  // namespace gstage::tcg::test
