// SPDX-License-Identifier: Apache-2.0
// Single steps (target/riscv/debug/debugger.h), on each engine.
#include "target/riscv/mmu/translate.h"
#include "target/riscv/trap/interrupts.h"

#include "tests/unit/debug_machine.h"

namespace gstage::riscv {
namespace {

using namespace rv;  // NOLINT: instructions

constexpr StepMode kOver = StepMode::kOverTraps;
constexpr StepMode kInto = StepMode::kIntoTraps;

class StepTest : public DebugTest {
 protected:
  std::string stepped_to(std::uint64_t address) { return at("step", address); }
  /// A handler in M-mode that goes on behind the instruction, and counts in x20.
  void write_handler() {
    machine.write(kHandler,
                  {addi(20, 20, 1), csrrs(21, 0x341, 0), addi(21, 21, 4), csrrw(0, 0x341, 21), kMret});
  }
  /// One that comes back to the instruction itself.
  void write_retrying_handler() { machine.write(kHandler, {addi(20, 20, 1), sd(23, 24, 0), kMret}); }
  void raise_timer() {
    csr_poke(hart(), 0x304, 1 << kMti);
    csr_poke(hart(), 0x300, csr_peek(hart(), 0x300).value_or(0) | 8);
    machine.harts()->cpu(0).set_irq(kMti, true);
  }
};

TEST_P(StepTest, OneInstructionEach) {
  machine.write(kCode, {addi(10, 10, 1), jal(1, 8), kSelf, bne(10, 0, -12)});
  for (const StepMode mode : {kInto, kOver}) {
    pc() = kCode;
    x(10) = 0;
    EXPECT_EQ(step(mode), stepped_to(kCode + 4));
    EXPECT_EQ(x(10), 1u);
    EXPECT_EQ(step(mode), stepped_to(kCode + 12));
    EXPECT_EQ(step(mode), stepped_to(kCode));
    EXPECT_EQ(x(10), 1u);
  }
}

TEST_P(StepTest, ABreakpointAtThePcIsSteppedFromAndOneAfterItStopsWhenTheHartGoesOn) {
  machine.write(kCode, {addi(10, 10, 1), addi(10, 10, 1), addi(10, 10, 1), kSelf});
  break_at(kCode);
  break_at(kCode + 4);
  EXPECT_EQ(step(), stepped_to(kCode + 4));
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 4));
  EXPECT_EQ(x(10), 1u);
  EXPECT_EQ(step(), stepped_to(kCode + 8));
  EXPECT_EQ(x(10), 2u);
}

TEST_P(StepTest, TrapsAreSteppedIntoOrOver) {
  machine.write(kCode, {kEcall, addi(10, 10, 1), kSelf});
  write_handler();
  enter(kSupervisor, false, 0, 1);
  EXPECT_EQ(step(kInto), stepped_to(kHandler));
  EXPECT_EQ(hart().priv, kMachine);
  EXPECT_EQ(x(20), 0u) << "the handler's first instruction is the next one";
  enter(kSupervisor, false, 0, 1);
  pc() = kCode;
  EXPECT_EQ(step(kOver), stepped_to(kCode + 4));
  EXPECT_EQ(hart().priv, kSupervisor);
  EXPECT_EQ(x(20), 1u);
  EXPECT_EQ(step(kOver), stepped_to(kCode + 8));
  EXPECT_EQ(x(10), 1u);
}

TEST_P(StepTest, AHandlerThatExecutesTheInstructionItselfIsNotItsReturn) {
  // Trap handler and program share a function, and the mode: only mret ends the step.
  machine.write(kCode, {kEcall, addi(10, 10, 1), jalr(0, 1)});
  // The handler jumps behind the ecall, which is where it goes on in the end.
  machine.write(kHandler, {addi(20, 20, 1), jal(1, static_cast<std::int32_t>(kCode - kHandler)),
                           csrrs(21, 0x341, 0), addi(21, 21, 4), csrrw(0, 0x341, 21), kMret});
  EXPECT_EQ(step(kOver), stepped_to(kCode + 4));
  EXPECT_EQ(x(20), 1u);
  EXPECT_EQ(x(10), 1u) << "once in the handler";
}

TEST_P(StepTest, AnInstructionThatFaultsIsTriedAgain) {
  // The store faults for want of a page, the handler maps it, and the store is what was stepped.
  enter(kSupervisor, false, 0, 1);
  const std::uint64_t missing = 0x1'0000'0000;
  const std::uint64_t entry = kTables + 8 * (missing >> 30);
  machine.write(kCode, {sd(12, 10, 0x100), kSelf});
  write_retrying_handler();
  const auto prepare = [&] {
    machine.write64(entry, 0);
    hart().mmu->tlb.clear(TlbFlush::kReset);
    hart().mmu->leaf_tables.clear();
    set_mode(hart(), kSupervisor, false);
    pc() = kCode;
    x(10) = missing;
    x(12) = 4711;
    x(23) = kRam >> 12 << 10 | 0xcf;
    x(24) = entry;
    x(20) = 0;
  };
  prepare();
  EXPECT_EQ(step(kInto), stepped_to(kHandler));
  prepare();
  EXPECT_EQ(step(kOver), stepped_to(kCode + 4));
  EXPECT_EQ(machine.read64(kRam + 0x100), 4711u);
  EXPECT_EQ(x(20), 1u);
}

TEST_P(StepTest, AnInterruptIsSteppedIntoInPlaceOfTheInstructionOrOver) {
  machine.write(kCode, {addi(10, 10, 1), kSelf});
  // The handler switches the interrupt off and comes back.
  machine.write(kHandler, {addi(20, 20, 1), csrrw(0, 0x304, 0), kMret});
  raise_timer();
  EXPECT_EQ(step(kInto), stepped_to(kHandler));
  EXPECT_EQ(x(10), 0u);
  EXPECT_EQ(hart().mepc, kCode);
  pc() = kCode;
  raise_timer();
  EXPECT_EQ(step(kOver), stepped_to(kCode + 4));
  EXPECT_EQ(x(20), 1u);
  EXPECT_EQ(x(10), 1u);
}

TEST_P(StepTest, AReturnWithAnotherStackIsAnotherTasks) {
  // The handler comes back behind the ecall with another stack pointer.
  machine.write(kHandler, {addi(20, 20, 1), csrrs(21, 0x341, 0), addi(21, 21, 4), csrrw(0, 0x341, 21),
                           addi(2, 2, 16), kMret});
  machine.write(kCode,
                {kEcall, addi(10, 10, 1), addi(2, 2, -32), addi(5, 22, 0), bne(5, 0, 8), kEcall, kSelf});
  enter(kSupervisor, false, 0, 1);
  break_at(kCode + 24);
  x(22) = 1;
  EXPECT_EQ(step(kOver), at("breakpoint", kCode + 24)) << "the step's own return never came";
  EXPECT_EQ(x(10), 1u);
  EXPECT_EQ(hart().stepping, nullptr);
  EXPECT_EQ(step(kOver), stepped_to(kCode + 24));
}

TEST_P(StepTest, ABreakpointInTheHandlerEndsAStepOverIt) {
  machine.write(kCode, {kEcall, addi(10, 10, 1), kSelf});
  write_handler();
  enter(kSupervisor, false, 0, 1);
  break_at(kHandler + 8);
  EXPECT_EQ(step(kOver), at("breakpoint", kHandler + 8));
  break_at(kCode + 8);
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 8)) << "nothing is left of the step";
}

TEST_P(StepTest, AForgottenStepIsNone) {
  machine.write(kCode, {addi(10, 10, 1), addi(10, 10, 1), kSelf});
  break_at(kCode + 8);
  debugger().step(0, kInto);
  debugger().forget_step(0);
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 8));
}

TEST_P(StepTest, WfiEndsAtOnce) {
  machine.write(kCode, {kWfi, addi(10, 10, 1), kSelf});
  EXPECT_EQ(step(), stepped_to(kCode + 4));
  EXPECT_EQ(hart().is_waiting, 0u);
  EXPECT_EQ(step(), stepped_to(kCode + 8));
  EXPECT_EQ(x(10), 1u);
}

TEST_P(StepTest, AHartThatSleepsIsStepped) {
  machine.write(kCode, {kWfi, addi(10, 10, 1), kSelf});
  break_at(kCode);
  EXPECT_EQ(go_on(), at("breakpoint", kCode));
  // It sleeps; somebody stops it.
  std::thread other([&] {
    while (static_cast<volatile std::uint32_t&>(hart().is_waiting) == 0) std::this_thread::yield();
    machine.harts()->cpu(0).kick(kAttendStop);
  });
  EXPECT_EQ(go_on(), "nothing");
  other.join();
  EXPECT_EQ(hart().is_waiting, 1u);
  EXPECT_EQ(step(), stepped_to(kCode + 8));
  EXPECT_EQ(x(10), 1u);
}

TEST_P(StepTest, CodeThatWritesItselfIsSteppedAsItIsThen) {
  machine.write(kCode, {sw(12, 10, 0), kFenceI, addi(11, 11, 1), kSelf});
  x(10) = kCode + 8;
  x(12) = addi(11, 11, 100);
  EXPECT_EQ(step(), stepped_to(kCode + 4));
  EXPECT_EQ(step(), stepped_to(kCode + 8));
  EXPECT_EQ(step(), stepped_to(kCode + 12));
  EXPECT_EQ(x(11), 100u);
}

TEST_P(StepTest, AReturnToALowerModeIsOneStep) {
  enter(kSupervisor, false, 0, 1);
  set_mode(hart(), kMachine, false);
  machine.write(kHandler, {kMret});
  csr_poke(hart(), 0x341, kCode);
  csr_poke(hart(), 0x300, csr_peek(hart(), 0x300).value_or(0) | 1 << 11);
  pc() = kHandler;
  EXPECT_EQ(step(), stepped_to(kCode));
  EXPECT_EQ(hart().priv, kSupervisor);
}

TEST_P(StepTest, AfterAResetNothingIsLeftOfAStep) {
  machine.write(kCode, {kEcall, addi(10, 10, 1), kSelf});
  machine.write(kHandler, {kSelf});
  break_at(kHandler);
  EXPECT_EQ(step(kOver), at("breakpoint", kHandler));
  debugger().step(0, kOver);
  machine.restart();
  EXPECT_EQ(go_on(), at("breakpoint", kHandler));
}

INSTANTIATE_TEST_SUITE_P(Engines, StepTest, testing::ValuesIn(kDebugEngines), name_of_engine);

}  // namespace
}  // namespace gstage::riscv
