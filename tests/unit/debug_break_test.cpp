// SPDX-License-Identifier: Apache-2.0
// Breakpoints (target/riscv/debug/debugger.h), on each engine.
#include <functional>

#include "target/riscv/mmu/translate.h"

#include "tests/unit/debug_machine.h"

namespace gstage::riscv {
namespace {

using namespace rv;  // NOLINT: instructions

using BreakTest = DebugTest;

/// x10 counts rounds up to x11; ends at kCode + 12.
void write_loop(DebugMachine& machine) {
  machine.write(DebugMachine::kCode, {addi(10, 10, 1), addi(12, 10, 0), bne(10, 11, -8), kNop, kSelf});
}

TEST_P(BreakTest, StopsBeforeTheInstructionAndGoesOnWithIt) {
  write_loop(machine);
  break_at(kCode + 4);
  x(11) = 5;
  for (std::uint64_t round = 1; round <= 5; ++round) {
    EXPECT_EQ(go_on(), at("breakpoint", kCode + 4));
    EXPECT_EQ(pc(), kCode + 4);
    EXPECT_EQ(x(10), round);
    EXPECT_EQ(x(12), round - 1) << "the instruction itself is not executed";
  }
  break_at(kCode + 12);
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 12));
  EXPECT_EQ(x(12), 5u);
}

TEST_P(BreakTest, StopsInCodeThatWasTranslatedAndLinkedBefore) {
  write_loop(machine);
  break_at(kCode + 12);
  x(11) = 20000;
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 12));
  EXPECT_EQ(x(10), 20000u);
  pc() = kCode;
  x(10) = 0;
  break_at(kCode + 8);
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 8));
  EXPECT_EQ(x(10), 1u);
}

TEST_P(BreakTest, StopsInAPageThatALoopInAnotherOneCallsInto) {
  const std::uint64_t function = kCode + 3 * kPageSize;
  machine.write(kCode, {addi(10, 10, 1), jalr(1, 13), bne(10, 11, -8), kNop, kSelf});
  machine.write(function, {addi(12, 12, 1), jalr(0, 1)});
  x(13) = function;
  x(11) = 20000;
  break_at(kCode + 12);
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 12));
  EXPECT_EQ(x(12), 20000u);
  pc() = kCode;
  x(10) = x(12) = 0;
  break_at(function + 4);
  EXPECT_EQ(go_on(), at("breakpoint", function + 4));
  EXPECT_EQ(x(12), 1u);
  EXPECT_EQ(go_on(), at("breakpoint", function + 4));
  EXPECT_EQ(x(12), 2u);
}

TEST_P(BreakTest, RemovedTheyStopNoMoreAndThePageIsFastAgain) {
  write_loop(machine);
  break_at(kCode);
  break_at(kCode + 12);
  x(11) = 3;
  EXPECT_EQ(go_on(), at("breakpoint", kCode));
  debugger().remove(Breakpoint{AddressKind::kVirtual, kCode, {}});
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 12));
  EXPECT_EQ(x(10), 3u);
  debugger().remove_all();
  break_at(kCode + kPageSize);
  machine.write(kCode + 12, {jal(0, static_cast<std::int32_t>(kPageSize) - 12)});
  EXPECT_EQ(go_on(), at("breakpoint", kCode + kPageSize));
  const TlbContext& context = *hart().mmu->fetch_context;
  EXPECT_EQ(context.table(TlbAccess::kFetch)[tlb_index(kCode, context.mask())].tag, kCode);
}

TEST_P(BreakTest, InsertedTwiceIsThereUntilItIsRemovedTwice) {
  write_loop(machine);
  x(11) = 100;
  break_at(kCode + 4);
  break_at(kCode + 4);
  debugger().remove(Breakpoint{AddressKind::kVirtual, kCode + 4, {}});
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 4));
}

TEST_P(BreakTest, WhoeverIsBusyWithAnotherStopIsToldAgain) {
  write_loop(machine);
  x(11) = 100;
  break_at(kCode + 4);
  answer = Debugger::Answer::kLater;
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 4));
  answer = Debugger::Answer::kReported;
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 4));
  EXPECT_EQ(x(10), 1u) << "the same one";
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 4));
  EXPECT_EQ(x(10), 2u);
}

TEST_P(BreakTest, APcThatWasChangedStopsAtItsBreakpoint) {
  write_loop(machine);
  x(11) = 100;
  break_at(kCode + 4);
  break_at(kCode);
  EXPECT_EQ(go_on(), at("breakpoint", kCode));
  pc() = kCode + 4;
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 4));
}

TEST_P(BreakTest, AnAddressInsideAnInstructionStopsNobody) {
  write_loop(machine);
  x(11) = 10;
  break_at(kCode + 2);
  break_at(kCode + 12);
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 12));
  EXPECT_EQ(x(10), 10u);
}

TEST_P(BreakTest, StopsAtAnInstructionThatStraddlesPages) {
  const std::uint64_t last = kCode + kPageSize - 2;
  machine.write(last - 4, {addi(10, 10, 1), addi(10, 10, 2), addi(10, 10, 4), kSelf});
  pc() = last - 4;
  break_at(last);
  break_at(last + 2);
  break_at(last + 8);
  EXPECT_EQ(go_on(), at("breakpoint", last));
  EXPECT_EQ(x(10), 1u);
  EXPECT_EQ(go_on(), at("breakpoint", last + 8)) << "the second page's first byte begins no instruction";
  EXPECT_EQ(x(10), 7u);
}

TEST_P(BreakTest, StopsAtACompressedInstruction) {
  machine.write(kCode, {0x00010001, 0x00010505, kSelf});  // c.nop; c.nop; c.addi a0, 1; c.nop
  break_at(kCode + 4);
  break_at(kCode + 6);
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 4));
  EXPECT_EQ(x(10), 0u);
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 6));
  EXPECT_EQ(x(10), 1u);
}

TEST_P(BreakTest, OddAddressesAreRefused) {
  const Status status = debugger().insert(Breakpoint{AddressKind::kVirtual, kCode + 1, {}});
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("odd address 0x80001001"), std::string::npos);
}

struct WorldCase {
  const char* name;
  WorldFilter filter;
  bool matches;
};
void expect_worlds(std::initializer_list<WorldCase> cases,
                   const std::function<bool(const WorldFilter&)>& stops) {
  for (const WorldCase& row : cases) EXPECT_EQ(stops(row.filter), row.matches) << row.name;
}

TEST_P(BreakTest, FiltersSelectTheWorld) {
  write_loop(machine);
  x(11) = 2;
  const auto stops_in = [&](Privilege privilege, bool v, const WorldFilter& filter) {
    enter(privilege, v, 3, 7);
    debugger().remove_all();
    break_at(kCode, filter);
    break_at(kCode + 12);
    pc() = kCode;
    x(10) = 0;
    const std::string first = go_on();
    EXPECT_TRUE(first == at("breakpoint", kCode) || first == at("breakpoint", kCode + 12)) << first;
    return first == at("breakpoint", kCode);
  };
  const auto vs = [&](const WorldFilter& filter) { return stops_in(kSupervisor, true, filter); };
  expect_worlds({{"any", {}, true},
                 {"V=1", {.v = true}, true},
                 {"V=0", {.v = false}, false},
                 {"VMID", {.vmid = 3}, true},
                 {"other VMID", {.vmid = 4}, false},
                 {"ASID", {.asid = 7}, true},
                 {"other ASID", {.asid = 3}, false},
                 {"S", {.privilege = kSupervisor}, true},
                 {"U", {.privilege = kUser}, false},
                 {"all", {true, 3, 7, kSupervisor}, true},
                 {"all but one", {true, 3, 8, kSupervisor}, false}},
                vs);
  const auto u = [&](const WorldFilter& filter) { return stops_in(kUser, false, filter); };
  expect_worlds({{"V=0", {.v = false}, true},
                 {"V=1", {.v = true}, false},
                 {"no VMID with V=0", {.vmid = 3}, false},
                 {"ASID", {.asid = 7}, true},
                 {"U", {.privilege = kUser}, true}},
                u);
  const auto m = [&](const WorldFilter& filter) {
    debugger().remove_all();
    set_mode(hart(), kMachine, false);
    break_at(kCode, filter);
    break_at(kCode + 12);
    pc() = kCode;
    x(10) = 0;
    return go_on() == at("breakpoint", kCode);
  };
  expect_worlds({{"M", {.privilege = kMachine}, true},
                 {"S", {.privilege = kSupervisor}, false},
                 {"no ASID without translation", {.asid = 0}, false}},
                m);
}

/// Guest code runs at a virtual address, a guest physical one and a physical one that all differ.
class BreakStagesTest : public BreakTest {
 protected:
  static constexpr std::uint64_t kVirtual = 0x30'0000'0000;
  static constexpr std::uint64_t kGuestPhysical = 0x10'0000'0000;
  BreakStagesTest() {
    constexpr std::uint64_t kGiB = 1 << 30;
    const std::uint64_t vs_root = kTables;
    const std::uint64_t g_root = kTables + 0x10000;
    const std::uint64_t frame = kRam & ~(kGiB - 1);
    machine.write64(vs_root + 8 * (kVirtual >> 30 & 511), kGuestPhysical >> 12 << 10 | 0xcf);
    machine.write64(g_root + 8 * (kGuestPhysical >> 30), frame >> 12 << 10 | 0xdf);
    // The VS-stage's root is read through the G-stage.
    machine.write64(g_root + 8 * (kRam >> 30), kRam >> 12 << 10 | 0xdf);
    csr_poke(hart(), 0x280, kSv39 | vs_root >> 12);
    csr_poke(hart(), 0x680, kSv39 | std::uint64_t{9} << 44 | g_root >> 12);
    set_mode(hart(), kSupervisor, true);
    write_loop(machine);
    x(11) = 2;
    pc() = kVirtual + 0x1000;
  }
};

TEST_P(BreakStagesTest, EachKindOfAddressStops) {
  break_at(kVirtual + 0x1004);
  break_at(kGuestPhysical + 0x1008, {}, AddressKind::kGuestPhysical);
  break_at(kRam + 0x100c, {.vmid = 9}, AddressKind::kPhysical);
  x(11) = 1;
  EXPECT_EQ(go_on(), at("breakpoint", kVirtual + 0x1004));
  EXPECT_EQ(go_on(), at("breakpoint", kVirtual + 0x1008));
  EXPECT_EQ(go_on(), at("breakpoint", kVirtual + 0x100c));
}

TEST_P(BreakStagesTest, AnAddressOfAnotherKindIsNone) {
  break_at(kGuestPhysical + 0x1000);
  break_at(kRam + 0x1000);
  break_at(kVirtual + 0x1000, {}, AddressKind::kPhysical);
  break_at(kVirtual + 0x1000, {}, AddressKind::kGuestPhysical);
  break_at(kRam + 0x1004, {.vmid = 8}, AddressKind::kPhysical);
  break_at(kVirtual + 0x100c);
  EXPECT_EQ(go_on(), at("breakpoint", kVirtual + 0x100c));
}

TEST_P(BreakStagesTest, APhysicalOneStopsBeforePagingAsWell) {
  set_mode(hart(), kMachine, false);
  pc() = kCode;
  break_at(kCode + 4, {}, AddressKind::kGuestPhysical);
  break_at(kCode + 8, {}, AddressKind::kPhysical);
  EXPECT_EQ(go_on(), at("breakpoint", kCode + 8)) << "there are no guest physical addresses with V=0";
}

TEST_P(BreakStagesTest, APageThatIsMappedLaterStopsOnceItIs) {
  // The page at 2 GiB more is not mapped: the fetch faults, M-mode maps it and comes back.
  const std::uint64_t later = kVirtual + 0x8000'0000;
  const std::uint64_t entry = kTables + 8 * (later >> 30 & 511);
  machine.write(kHandler, {sd(5, 6, 0), kMret});
  x(5) = kGuestPhysical >> 12 << 10 | 0xcf;
  x(6) = entry;
  break_at(later + 0x1000);
  break_at(kVirtual + 0x100c);
  pc() = later + 0x1000;
  EXPECT_EQ(go_on(), at("breakpoint", later + 0x1000));
  EXPECT_EQ(machine.read64(entry), x(5)) << "the fault came first";
  EXPECT_EQ(hart().mcause, static_cast<std::uint64_t>(Cause::kFetchPageFault));
}

TEST_P(BreakTest, AGlobalPageOfOneAddressSpaceIsNotTakenOverByAnother) {
  write_loop(machine);
  const std::uint64_t root = kTables;
  machine.write64(root + 8 * (kRam >> 30), kRam >> 12 << 10 | 0xef);  // global
  const auto run_in = [&](std::uint64_t asid) {
    set_mode(hart(), kMachine, false);
    csr_poke(hart(), 0x180, kSv39 | asid << 44 | root >> 12);
    set_mode(hart(), kSupervisor, false);
    pc() = kCode;
    x(10) = 0;
    return go_on();
  };
  x(11) = 2;
  break_at(kCode + 4, {.asid = 2});
  break_at(kHandler);
  machine.write(kCode + 12, {jal(0, static_cast<std::int32_t>(kHandler - kCode) - 12)});
  EXPECT_EQ(run_in(1), at("breakpoint", kHandler));
  EXPECT_EQ(run_in(2), at("breakpoint", kCode + 4));
}

INSTANTIATE_TEST_SUITE_P(Engines, BreakTest, testing::ValuesIn(kDebugEngines), name_of_engine);
INSTANTIATE_TEST_SUITE_P(Engines, BreakStagesTest, testing::ValuesIn(kDebugEngines), name_of_engine);

}  // namespace
}  // namespace gstage::riscv
