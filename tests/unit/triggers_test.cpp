// SPDX-License-Identifier: Apache-2.0
// When triggers fire (debug specification, "Native Triggers").
#include "target/riscv/debug/triggers.h"

#include <gtest/gtest.h>

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

constexpr unsigned kTdata1 = 0x7a1;
constexpr unsigned kTdata2 = 0x7a2;
constexpr std::uint64_t kAt = 0x8000'1000;
/// mcontrol6, execute, all modes.
constexpr std::uint64_t kExecute = 6ull << 60 | 1u << 24 | 1u << 23 | 1u << 6 | 1u << 4 | 1u << 3 | 1u << 2;
constexpr std::uint64_t kBreakpointBit = 1u << 3;

class TriggersTest : public RiscvHart {
 protected:
  /// Whether a breakpoint at the next instruction fires in the mode, breakpoints delegated as far as can be.
  bool fires(const Mode& mode, bool has_interrupts_on) {
    restart();
    hart().medeleg = hart().hedeleg = kBreakpointBit;
    write(kTdata2, kAt);
    write(kTdata1, kExecute);
    if (has_interrupts_on) {
      hart().mstatus |= status::Mie::kMask;
      hart().hs.status |= status::Sie::kMask;
      hart().vs.status |= status::Sie::kMask;
    }
    enter(mode);
    check_instruction(hart(), Vaddr{kAt}, 4);
    return hart().core.trap_pending != 0;
  }
};

TEST_F(TriggersTest, FireInAllModesWhateverTheInterruptEnablesSay) {
  for (const Mode& mode : kModes)
    for (const bool is_on : {false, true}) EXPECT_TRUE(fires(mode, is_on)) << mode.name << is_on;
}

TEST_F(TriggersTest, GuardedTheySpareModesThatHandleBreakpointsWithInterruptsOff) {
  config.sdtrig_guard = true;
  for (const Mode& mode : kModes) {
    EXPECT_TRUE(fires(mode, true)) << mode.name;
    EXPECT_EQ(fires(mode, false), mode.priv == kUser) << mode.name;
  }
}

}  // namespace
}  // namespace gstage::riscv
