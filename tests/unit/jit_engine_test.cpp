// SPDX-License-Identifier: Apache-2.0
// The engine on a toy instruction set, with both accelerators: control flow, code that changes, traps.
#include <thread>

#include <gtest/gtest.h>

#include "tests/unit/jit_toy.h"

namespace gstage::tcg::test {
namespace {

using namespace toy;  // NOLINT: the instruction set

constexpr std::uint64_t kCode = kToyRam + 0x1000;
constexpr std::uint64_t kOther = kToyRam + 0x5000;

class EngineTest : public testing::TestWithParam<EngineKind> {
 protected:
  static void expect_translations(const ToyMachine& m, unsigned count) {
    if (GetParam().translates_once()) {
      EXPECT_EQ(m.guest->translations, count);
    }
  }
};

TEST_P(EngineTest, RunsALoop) {
  ToyMachine m(GetParam());
  // x10 = sum of 3 a round; x11 counts 1000 rounds down.
  m.write(kCode, {li(1), 1000, li(0), 0, addi(0, 3), addi(1, -1), bnez(1, -2), halt()});
  m.run(kCode);
  EXPECT_EQ(m.hart().x[10], 3000u);
  EXPECT_EQ(m.hart().x[11], 0u);
  EXPECT_EQ(m.hart().core.pc, kCode + 16);
  // Start, loop, what follows: one block each, whatever the number of rounds.
  expect_translations(m, 3u);
}

TEST_P(EngineTest, JumpsForwardWithinThePage) {
  ToyMachine m(GetParam());
  m.write(kCode, {li(0), 1, jump(4), halt(), halt(), halt(), addi(0, 5), bnez(0, 3), halt(), halt(),
                  addi(0, 7), halt()});
  for (int round = 0; round < 3; ++round) {
    m.run(kCode);
    EXPECT_EQ(m.hart().x[10], 13u);
  }
}

TEST_P(EngineTest, JumpsAcrossPagesAndThroughRegisters) {
  ToyMachine m(GetParam());
  constexpr std::uint64_t kLast = kCode + kPageSize - 4;
  m.write(kLast, {addi(0, 1), jump(20)});
  m.write(kLast + 2 + 40, {addi(0, 2), auipc(2), jump_reg(1)});
  m.write(kOther, {addi(0, 4), halt()});
  m.hart().x[11] = kOther;
  for (int round = 1; round <= 3; ++round) {
    m.run(kLast);
    EXPECT_EQ(m.hart().x[10], 7u * round);
    EXPECT_EQ(m.hart().x[12], kLast + 2 + 40 + 2);
  }
}

TEST_P(EngineTest, JumpsSurviveTheLossOfTheirPageAndLeadElsewhereWhenItChanges) {
  ToyMachine m(GetParam());
  constexpr std::uint64_t kVirtual = 0x7000'0000;
  constexpr std::uint64_t kThird = kOther + kPageSize;
  m.write(kCode, {addi(0, 1), jump_reg(1)});
  m.write(kOther, {addi(0, 4), halt()});
  m.write(kThird, {addi(0, 9), halt()});
  m.hart().x[11] = kVirtual;
  m.guest->remapped[kVirtual] = kOther;
  m.run(kCode);
  m.run(kCode);  // what is asked for once is not kept
  EXPECT_EQ(m.hart().x[10], 10u);
  TlbContext& context = m.cpus[0]->context();
  const auto is_known = [&] {
    return m.cpus[0]->tlb().jump_table().find(JumpTable::key_of(m.memory.host(Paddr{kOther}), 0)) != nullptr;
  };
  const auto is_mapped = [&] {
    return context.table(TlbAccess::kFetch)[tlb_index(kVirtual, context.mask())].tag == kVirtual;
  };
  EXPECT_TRUE(is_known() && is_mapped());
  context.clear();
  EXPECT_TRUE(is_known() && !is_mapped());
  m.run(kCode);
  EXPECT_EQ(m.hart().x[10], 15u);
  EXPECT_TRUE(is_mapped());
  m.guest->remapped[kVirtual] = kThird;
  context.clear_page(Vaddr{kVirtual}, false);
  m.run(kCode);
  EXPECT_EQ(m.hart().x[10], 25u);
}

TEST_P(EngineTest, TranslatesAPageOnceForAllItsAddresses) {
  ToyMachine m(GetParam());
  m.write(kCode + 0x100, {auipc(1), jump(2), halt(), addi(0, 1), halt()});
  m.guest->remapped[0x7000'0000] = kCode;
  m.run(kCode + 0x100);
  EXPECT_EQ(m.hart().x[11], kCode + 0x100);
  const unsigned translations = m.guest->translations;
  m.run(0x7000'0100);
  EXPECT_EQ(m.hart().x[11], 0x7000'0100u);
  EXPECT_EQ(m.hart().x[10], 2u);
  EXPECT_EQ(m.hart().core.pc, 0x7000'010au);
  expect_translations(m, translations);
}

TEST_P(EngineTest, SeesWhatAnotherAgentWrote) {
  ToyMachine m(GetParam());
  // A linked pair in one page: the second is rewritten, over and over.
  m.write(kCode, {jump(8)});
  for (int value = -60; value <= 60; ++value) {
    m.write(kCode + 16, {li(0), 0, addi(0, value), halt()});
    for (int round = 0; round < 2; ++round) {
      m.run(kCode);
      ASSERT_EQ(m.hart().x[10], static_cast<std::uint64_t>(value));
    }
  }
}

TEST_P(EngineTest, LeavesBlocksAloneThatWereNotHit) {
  ToyMachine m(GetParam());
  m.write(kCode, {addi(0, 1), halt()});
  m.run(kCode);
  const unsigned translations = m.guest->translations;
  m.write(kCode + 4, {addi(0, 9)});  // right behind the block
  m.run(kCode);
  expect_translations(m, translations);
  m.write(kCode + 2, {halt()});
  m.run(kCode);
  expect_translations(m, translations + 1);
}

TEST_P(EngineTest, SeesWhatIsWrittenToAnyLineOfALongBlock) {
  ToyMachine m(GetParam());
  constexpr std::uint64_t kStart = kCode + 34;  // amid a 64-byte line
  constexpr unsigned kInsns = 60;
  for (unsigned i = 0; i < kInsns; ++i) m.write(kStart + 2 * i, {addi(0, 1)});
  m.write(kStart + 2 * kInsns, {halt()});
  for (unsigned i = 0; i < kInsns; ++i) {
    m.hart().x[10] = 0;
    m.run(kStart);
    ASSERT_EQ(m.hart().x[10], kInsns + 9 * i);
    m.write(kStart + 2 * i, {addi(0, 10)});
  }
}

TEST_P(EngineTest, SeesItsOwnStoresAfterAFence) {
  ToyMachine m(GetParam());
  // Stores an instruction to the place behind the fence, twice through a loop: addi 1, then addi 2.
  m.write(kCode, {store(1), exit(), halt(), halt()});
  m.hart().x[11] = kCode + 4;
  m.hart().x[10] = addi(2, 1);
  m.run(kCode);
  EXPECT_EQ(m.hart().x[12], 1u);
  m.hart().x[10] = addi(2, 10);
  m.run(kCode);
  EXPECT_EQ(m.hart().x[12], 11u);
  m.run(kCode);
  EXPECT_EQ(m.hart().x[12], 21u);
}

TEST_P(EngineTest, SeesStoresToAPageThatWasDataBefore) {
  ToyMachine m(GetParam());
  // The page is in the write table when it first becomes code.
  m.write(kCode, {store(1), exit(), jump_reg(1)});
  m.hart().x[11] = kOther;
  m.write(kOther + 2, {halt()});
  for (int value = 1; value < 50; ++value) {
    m.hart().x[10] = addi(2, value);
    m.hart().x[12] = 0;
    m.run(kCode);
    ASSERT_EQ(m.hart().x[12], static_cast<std::uint64_t>(value));
  }
}

TEST_P(EngineTest, KeysAStraddlingInstructionByBothPages) {
  ToyMachine m(GetParam());
  constexpr std::uint64_t kEnd = kCode + kPageSize - 2;
  constexpr std::uint64_t kVirtualSecond = kCode + kPageSize;
  m.write(kEnd - 2, {addi(1, 1), li(0)});
  m.write(kVirtualSecond, {1111, halt()});
  m.write(kOther, {2222, halt()});
  for (int round = 0; round < 3; ++round) {
    m.run(kEnd - 2);
    ASSERT_EQ(m.hart().x[10], 1111u);
    m.guest->remapped[kVirtualSecond] = kOther;
    m.cpus[0]->context().clear_page(Vaddr{kVirtualSecond}, false);
    m.run(kEnd - 2);
    ASSERT_EQ(m.hart().x[10], 2222u);
    m.guest->remapped.clear();
    m.cpus[0]->context().clear_page(Vaddr{kVirtualSecond}, false);
  }
  // Its second half is rewritten in the second page.
  m.write(kVirtualSecond, {3333});
  m.run(kEnd - 2);
  EXPECT_EQ(m.hart().x[10], 3333u);
}

TEST_P(EngineTest, SeesAStoreToAStraddlingInstructionWhoseTwoPagesAreOnePhysicalPage) {
  ToyMachine m(GetParam());
  constexpr std::uint64_t kEnd = kCode + kPageSize - 2;
  m.guest->remapped[kCode + kPageSize] = kCode;
  m.write(kEnd, {li(0)});
  m.write(kCode, {1111, halt()});
  m.run(kEnd);
  ASSERT_EQ(m.hart().x[10], 1111u);
  m.write(kCode, {3333});
  m.run(kEnd);
  EXPECT_EQ(m.hart().x[10], 3333u);
}

TEST_P(EngineTest, TrapsWhenTheSecondHalfCannotBeFetched) {
  ToyMachine m(GetParam());
  constexpr std::uint64_t kEnd = kToyRam + kToyPages * kPageSize - 2;
  m.write(kEnd, {li(0)});
  m.run(kEnd);
  EXPECT_EQ(m.guest->trapped_at, std::vector<std::uint64_t>{kEnd});
  EXPECT_EQ(m.hart().core.pc, kToyVector + 2);
}

TEST_P(EngineTest, DeliversTrapsAtTheInstruction) {
  ToyMachine m(GetParam());
  m.write(kCode, {addi(2, 1), addi(2, 1), load(1), addi(2, 1), halt()});
  m.hart().x[11] = 0x8;  // nothing there
  m.hart().x[10] = 77;
  m.run(kCode);
  EXPECT_EQ(m.guest->trapped_at, std::vector<std::uint64_t>{kCode + 4});
  EXPECT_EQ(m.hart().x[12], 2u);
  EXPECT_EQ(m.hart().x[10], 77u);
  m.hart().x[11] = kOther;
  m.run(kCode);
  EXPECT_EQ(m.hart().x[12], 5u);
  // A jump to where nothing can be fetched traps there.
  m.write(kCode, {jump_reg(1)});
  m.hart().x[11] = 0x7777'0000;
  m.run(kCode);
  EXPECT_EQ(m.guest->trapped_at.back(), 0x7777'0000u);
}

TEST_P(EngineTest, LeavesATightLoopOnAttention) {
  ToyMachine m(GetParam());
  m.write(kCode, {jump(0)});
  m.write(kOther, {addi(0, 1), jump(-1)});
  for (const std::uint64_t pc : {kCode, kOther}) {
    m.hart().core.pc = pc;
    std::thread kicker([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      m.cpus[0]->kick(kAttendInterrupt);
    });
    m.engine->run(m.hart().core, m.cpus[0]->tlb());
    EXPECT_EQ(m.hart().core.attention.load(), kAttendInterrupt);
    EXPECT_EQ(m.hart().core.pc, pc);
    m.hart().core.attention = 0;
    kicker.join();
  }
}

TEST_P(EngineTest, SurvivesAFullBuffer) {
  constexpr std::size_t kTiny = 1 << 20;
  ToyMachine m(GetParam(), GetParam().accel == Accel::kInterp ? kTiny / 4 : kTiny);
  // Blocks of one addition and a jump to the next one, all over the RAM, walked again and again.
  constexpr unsigned kBlocks = 40 * 512;
  constexpr std::uint64_t kFirst = kToyRam + 8 * kPageSize;
  for (unsigned i = 0; i < kBlocks; ++i) m.write(kFirst + 8 * i, {addi(0, 1), addi(0, 1), jump(2), halt()});
  m.write(kFirst + 8ull * kBlocks, {halt()});
  for (unsigned round = 1; round <= 2; ++round) {
    m.hart().x[10] = 0;
    m.run(kFirst);
    ASSERT_EQ(m.hart().x[10], 2u * kBlocks);
  }
  EXPECT_GT(m.guest->translations, kBlocks + kBlocks / 2);
}

TEST_P(EngineTest, RunsSingleBlocks) {
  ToyMachine m(GetParam());
  m.write(kCode, {addi(0, 1), addi(0, 1), addi(0, 1), jump(4), halt(), halt(), halt(), load(1)});
  CpuCore& core = m.hart().core;
  core.pc = kCode;
  m.engine->run_block(core, m.cpus[0]->tlb(), 1);
  EXPECT_EQ(core.pc, kCode + 2);
  EXPECT_EQ(m.hart().x[10], 1u);
  m.engine->run_block(core, m.cpus[0]->tlb(), 10);
  EXPECT_EQ(core.pc, kCode + 14);
  EXPECT_EQ(m.hart().x[10], 3u);
  // A trap is left pending.
  m.hart().x[11] = 0x8;
  m.engine->run_block(core, m.cpus[0]->tlb(), 10);
  EXPECT_EQ(core.pc, kCode + 14);
  EXPECT_EQ(core.trap_pending, 1u);
  EXPECT_TRUE(m.guest->trapped_at.empty());
  core.trap_pending = 0;
  core.pc = 0x7777'0000;
  m.engine->run_block(core, m.cpus[0]->tlb(), 10);
  EXPECT_EQ(core.trap_pending, 1u);
  EXPECT_EQ(core.pc, 0x7777'0000u);
}

TEST_P(EngineTest, RunsCodeThatAnotherThreadRewrites) {
  ToyMachine m(GetParam(), 1 << 20, 2);
  // Harts loop over code in one page; another thread rewrites it all the time, between two versions that
  // differ in a register that nobody checks meanwhile.
  m.write(kCode, {addi(0, 1), jump(3), halt(), halt(), addi(2, 1), addi(1, -1), bnez(1, -6), halt()});
  std::atomic<bool> is_done{false};
  std::thread writer([&] {
    for (unsigned i = 0; !is_done.load(); ++i) m.write(kCode + 8, {addi(i % 2 == 0 ? 3 : 2, 1)});
    m.write(kCode + 8, {addi(4, 1)});
  });
  constexpr std::uint64_t kRounds = 300000;
  const auto work = [&](unsigned i) {
    m.hart(i).x[11] = kRounds;
    m.run(kCode, i);
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  is_done = true;
  writer.join();
  for (unsigned i = 0; i < 2; ++i) {
    EXPECT_EQ(m.hart(i).x[10], kRounds);
    EXPECT_EQ(m.hart(i).x[12] + m.hart(i).x[13], kRounds);
  }
  m.hart().x[11] = 10;
  m.run(kCode);
  EXPECT_EQ(m.hart().x[14], 10u);
}

TEST_P(EngineTest, OneHartStoresCodeThatAnotherRuns) {
  ToyMachine m(GetParam(), 0, 2);
  // Hart 1 stores addi instructions and then a flag; hart 0 waits for the flag, fences, runs the code.
  constexpr std::uint64_t kPatched = kToyRam + 0x8000;
  constexpr std::uint64_t kFlag = kToyRam + 0x9000;
  m.write(kPatched, {addi(3, 0), jump_reg(2)});
  // x10 = [flag]; while x10 != 0 …: the flag is 1 while there is nothing new.
  m.write(kCode, {load(1), bnez(0, -1), exit(), jump_reg(5)});
  m.write(kCode + 64, {halt()});
  m.write(kOther, {store(1), halt()});
  for (int value = 1; value < 40; ++value) {
    m.write(kFlag, {1});
    m.hart(0).x[11] = kFlag;
    m.hart(0).x[12] = kCode + 64;
    m.hart(0).x[15] = kPatched;
    m.hart(0).x[13] = 0;
    std::thread waiter([&] { m.run(kCode, 0); });
    m.hart(1).x[11] = kPatched;
    m.hart(1).x[10] = addi(3, value);
    m.run(kOther, 1);
    m.hart(1).x[11] = kFlag;
    m.hart(1).x[10] = 0;
    m.run(kOther, 1);
    waiter.join();
    ASSERT_EQ(m.hart(0).x[13], static_cast<std::uint64_t>(value));
  }
}

INSTANTIATE_TEST_SUITE_P(Accels, EngineTest,
                         testing::Values(EngineKind{"jit", Accel::kJit},
                                         EngineKind{"regions", Accel::kJit, Regions::kEager},
                                         EngineKind{"interp", Accel::kInterp}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace gstage::tcg::test
