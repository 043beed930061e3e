// SPDX-License-Identifier: Apache-2.0
// Counters: what they count, what stops them, their overflow interrupt, and how they are delegated.
#include "target/riscv/pmu/pmu.h"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/riscv_hart.h"
#include "tests/unit/source_dir.h"

namespace gstage::riscv {
namespace {

constexpr unsigned kMcountinhibit = 0x320;
constexpr unsigned kMhpmevent3 = 0x323;
constexpr unsigned kMcycle = 0xb00;
constexpr unsigned kMinstret = 0xb02;
constexpr unsigned kMhpmcounter3 = 0xb03;
constexpr unsigned kHpmcounter3 = 0xc03;
constexpr unsigned kMip = 0x344;
constexpr unsigned kMie = 0x304;
constexpr std::uint64_t kInterruptEvent = 0x110;
constexpr std::uint64_t kOf = 1ull << 63;
constexpr std::uint64_t kLcofiBit = 1ull << 13;
/// MINH, SINH, UINH, VSINH, VUINH, in the order of kModes.
constexpr std::uint64_t kFilterOfMode[] = {1ull << 62, 1ull << 61, 1ull << 60, 1ull << 59, 1ull << 58};

class PmuTest : public RiscvHart {
 protected:
  PmuTest() {
    config.sscofpmf = config.smcntrpmf = config.shlcofideleg = true;
    restart();
  }
  void count(Event event, unsigned times = 1) {
    for (unsigned i = 0; i < times; ++i) count_event(hart(), event);
  }
};

TEST_F(PmuTest, EachSelectorCountsItsEventAndNoOther) {
  for (const EventRow& row : event_rows()) {
    if (is_clocked_event(row.event)) continue;
    restart();
    write(kMhpmevent3, row.selector);
    for (const EventRow& other : event_rows()) count(other.event, 3);
    EXPECT_EQ(read(kMhpmcounter3), 3u) << row.text;
    EXPECT_EQ(read(kHpmcounter3), 3u) << row.text;
  }
}

TEST_F(PmuTest, SelectorsAreDistinctAndOnlyRawOnesAreInTheRawRange) {
  for (const EventRow& row : event_rows()) {
    for (const EventRow& other : event_rows())
      EXPECT_EQ(row.selector == other.selector, row.event == other.event) << row.text;
    EXPECT_TRUE(row.selector < kFirstRawSelector || row.selector <= kLastRawSelector ||
                row.selector >= 0x10000)
        << row.text;
  }
}

TEST_F(PmuTest, AllTwentyNineCountersCount) {
  for (unsigned i = 0; i < 29; ++i) write(kMhpmevent3 + i, kInterruptEvent);
  for (unsigned i = 0; i < 29; ++i) write(kMhpmcounter3 + i, 100 * i);
  count(Event::kInterrupt);
  for (unsigned i = 0; i < 29; ++i) EXPECT_EQ(read(kMhpmcounter3 + i), 100 * i + 1) << i;
}

TEST_F(PmuTest, McountinhibitStopsOneCounterEach) {
  write(kMhpmevent3, kInterruptEvent);
  write(kMhpmevent3 + 1, kInterruptEvent);
  write(kMcountinhibit, 1u << 4);
  count(Event::kInterrupt);
  EXPECT_EQ(read(kMhpmcounter3), 1u);
  EXPECT_EQ(read(kMhpmcounter3 + 1), 0u);
  write(kMcountinhibit, 0);
  count(Event::kInterrupt);
  EXPECT_EQ(read(kMhpmcounter3 + 1), 1u);
}

TEST_F(PmuTest, InhibitedClocksStandAndTakeWrittenValues) {
  for (const unsigned number : {kMcycle, kMinstret}) {
    write(kMcountinhibit, 5);
    write(number, 1234);
    cpu.now += 50;
    EXPECT_EQ(read(number), 1234u);
    write(kMcountinhibit, 0);
    EXPECT_EQ(read(number), 1234u);
    cpu.now += 2;
    EXPECT_EQ(read(number), 1434u);
    write(number, 7);
    cpu.now += 1;
    EXPECT_EQ(read(number), 107u);
  }
}

TEST_F(PmuTest, ProgrammableCountersCanFollowTheClock) {
  for (const std::uint64_t selector : {1, 2}) {
    write(kMhpmevent3, selector);
    write(kMhpmcounter3, 0);
    cpu.now += 3;
    EXPECT_EQ(read(kMhpmcounter3), 300u);
    // What it has counted stays when it counts something else.
    write(kMhpmevent3, kInterruptEvent);
    cpu.now += 3;
    count(Event::kInterrupt);
    EXPECT_EQ(read(kMhpmcounter3), 301u);
  }
}

TEST_F(PmuTest, ClocksGoOnWhenTheTimeIsSet) {
  const std::uint64_t cycles = read(kMcycle);
  const std::uint64_t retired = read(kMinstret);
  cpu.set_by = -std::uint64_t{1'000'000};
  cpu.now += 3 + cpu.set_by;
  EXPECT_EQ(read(kMcycle), cycles + 300);
  EXPECT_EQ(read(kMinstret), retired + 300);
}

TEST_F(PmuTest, FiltersStopEventsInTheirModeAlone) {
  for (unsigned filtered = 0; filtered < std::size(kModes); ++filtered) {
    for (unsigned mode = 0; mode < std::size(kModes); ++mode) {
      enter(kM);
      write(kMhpmevent3, kInterruptEvent | kFilterOfMode[filtered]);
      write(kMhpmcounter3, 0);
      enter(kModes[mode]);
      count(Event::kInterrupt);
      enter(kM);
      EXPECT_EQ(read(kMhpmcounter3), mode == filtered ? 0u : 1u) << kModes[mode].name;
    }
  }
}

TEST_F(PmuTest, FiltersStopClocksInTheirModeAlone) {
  constexpr unsigned kConfigs[][2] = {{0x321, kMcycle}, {0x322, kMinstret}, {kMhpmevent3, kMhpmcounter3}};
  for (const auto& [configuration, counter] : kConfigs) {
    for (unsigned filtered = 0; filtered < std::size(kModes); ++filtered) {
      enter(kM);
      write(configuration, kFilterOfMode[filtered] | 1);
      const std::uint64_t before = read(counter);
      for (const Mode& mode : kModes) {
        enter(mode);
        cpu.now += 10;
      }
      enter(kM);
      EXPECT_EQ(read(counter) - before, 4000u) << csr_name(counter) << kModes[filtered].name;
    }
  }
}

TEST_F(PmuTest, ConfigurationsHaveTheBitsOfTheirExtensions) {
  write(0x321, ~0ull);
  EXPECT_EQ(read(0x321), 0x7c00'0000'0000'0000u);
  write(kMhpmevent3, ~0ull);
  EXPECT_EQ(read(kMhpmevent3), 0xfc00'0000'000f'ffffu);
  write(0x301, 0);
  write(kMhpmevent3, ~0ull);
  EXPECT_EQ(read(kMhpmevent3), 0xf000'0000'000f'ffffu);
  config.sscofpmf = config.smcntrpmf = config.shlcofideleg = false;
  restart();
  write(kMhpmevent3, ~0ull);
  EXPECT_EQ(read(kMhpmevent3), 0xf'ffffu);
  for (const unsigned number : {0x321u, 0x322u, 0xda0u}) EXPECT_EQ(verdict(number), 'I') << csr_name(number);
}

TEST_F(PmuTest, OverflowSetsOfOnceAndRequestsTheInterruptOnce) {
  write(kMhpmevent3, kInterruptEvent);
  write(kMhpmcounter3, ~0ull);
  count(Event::kInterrupt);
  EXPECT_EQ(read(kMhpmcounter3), 0u);
  EXPECT_EQ(read(kMhpmevent3), kOf | kInterruptEvent);
  EXPECT_EQ(read(0xda0), 8u);
  EXPECT_EQ(read(kMip) & kLcofiBit, kLcofiBit);
  // While OF is set, nothing is requested.
  write(kMip, 0);
  write(kMhpmcounter3, ~0ull);
  count(Event::kInterrupt);
  EXPECT_EQ(read(kMip) & kLcofiBit, 0u);
  EXPECT_EQ(read(0xda0), 8u);
}

TEST_F(PmuTest, WritesNeverOverflow) {
  write(kMhpmevent3, kInterruptEvent);
  write(kMhpmcounter3, ~0ull);
  write(kMhpmcounter3, 0);
  EXPECT_EQ(read(0xda0), 0u);
  write(kMhpmevent3, 1);
  write(kMhpmcounter3, ~0ull - 10'000);
  write(kMhpmcounter3, 5);
  notice_overflows(hart());
  EXPECT_EQ(read(0xda0), 0u);
}

TEST_F(PmuTest, ClockedCountersOverflowWhenTheTimerLooks) {
  write(kMhpmevent3, 1);
  write(kMhpmcounter3, ~0ull - 999);
  EXPECT_GE(ticks_to_overflow(hart()), 10u);
  EXPECT_LE(ticks_to_overflow(hart()), 12u);
  notice_overflows(hart());
  EXPECT_EQ(read(0xda0), 0u);
  cpu.now += ticks_to_overflow(hart());
  notice_overflows(hart());
  EXPECT_EQ(read(0xda0), 8u);
  EXPECT_EQ(read(kMip) & kLcofiBit, kLcofiBit);
  EXPECT_EQ(ticks_to_overflow(hart()), ~0ull);
}

TEST_F(PmuTest, ScountovfShowsWhatTheCounterEnablesLetSee) {
  for (unsigned i = 0; i < 29; ++i) write(kMhpmevent3 + i, kOf);
  hart().mcounteren = 0x0ff0;
  hart().hcounteren = 0xff00;
  const std::uint64_t seen[] = {0xffff'fff8, 0x0ff0, 0, 0x0f00, 0};
  const char verdicts[] = {'A', 'A', 'I', 'A', 'V'};
  for (unsigned mode = 0; mode < std::size(kModes); ++mode) {
    enter(kModes[mode]);
    EXPECT_EQ(verdict(0xda0), verdicts[mode]) << kModes[mode].name;
    if (verdicts[mode] == 'A') {
      EXPECT_EQ(read(0xda0), seen[mode]) << kModes[mode].name;
    }
  }
}

/// Where the overflow interrupt is taken, as the mode: M, S (of V=0) or G (of V=1).
char taker(Hart& hart) {
  if (!take_interrupt(hart)) return '-';
  if (hart.priv == kMachine) return hart.mcause == (kCauseInterrupt | 13) ? 'M' : '?';
  const std::uint64_t cause = hart.v != 0 ? hart.vs.cause : hart.hs.cause;
  return cause != (kCauseInterrupt | 13) ? '?' : hart.v != 0 ? 'G' : 'S';
}

TEST_F(PmuTest, OverflowInterruptGoesWhereItIsDelegated) {
  const struct {
    std::uint64_t mideleg, hideleg;
    const char* takers;  // M HS U VS VU, all with their interrupts enabled
  } cases[] = {
      {0, 0, "MMMMM"}, {kLcofiBit, 0, "-SSSS"}, {kLcofiBit, kLcofiBit, "---GG"}, {0, kLcofiBit, "MMMMM"}};
  for (const auto& c : cases) {
    std::string takers;
    for (const Mode& mode : kModes) {
      restart();
      write(0x303, c.mideleg);
      write(0x603, c.hideleg);
      write(kMie, kLcofiBit);
      hart().mstatus |= status::Mie::kMask;
      hart().hs.status |= status::Sie::kMask;
      hart().vs.status |= status::Sie::kMask;
      write(kMhpmevent3, kInterruptEvent);
      write(kMhpmcounter3, ~0ull);
      enter(mode);
      hart().core.attention = 0;
      count(Event::kInterrupt);
      EXPECT_NE(hart().core.attention & kAttendInterrupt, 0u);
      takers += taker(hart());
    }
    EXPECT_EQ(takers, c.takers);
  }
}

TEST_F(PmuTest, SupervisorsSeeAndClearTheirOverflowInterrupt) {
  constexpr unsigned kSie = 0x104;
  constexpr unsigned kSip = 0x144;
  write(kMip, kLcofiBit);
  enter(kHs);
  EXPECT_EQ(read(kSip) & kLcofiBit, 0u);
  enter(kM);
  write(0x303, kLcofiBit);
  enter(kHs);
  write(kSie, kLcofiBit);
  EXPECT_EQ(read(kSie) & kLcofiBit, kLcofiBit);
  EXPECT_EQ(read(kSip) & kLcofiBit, kLcofiBit);
  enter(kVs);
  EXPECT_EQ((read(kSip) | read(kSie)) & kLcofiBit, 0u);
  enter(kM);
  write(0x603, kLcofiBit);
  enter(kVs);
  EXPECT_EQ(read(kSip) & read(kSie) & kLcofiBit, kLcofiBit);
  EXPECT_TRUE(access(kSip, CsrOp::kClear, kLcofiBit));
  EXPECT_EQ(read(kSip) & kLcofiBit, 0u);
  enter(kM);
  EXPECT_EQ(read(kMip) & kLcofiBit, 0u);
}

TEST_F(PmuTest, WithoutSscofpmfThereIsNoOverflowInterrupt) {
  config.sscofpmf = config.shlcofideleg = false;
  restart();
  write(kMhpmevent3, kInterruptEvent);
  write(kMhpmcounter3, ~0ull);
  count(Event::kInterrupt);
  EXPECT_EQ(read(kMhpmcounter3), 0u);
  for (const unsigned number : {kMip, kMie, 0x303u}) {
    write(number, kLcofiBit);
    EXPECT_EQ(read(number) & kLcofiBit, 0u) << csr_name(number);
  }
}

TEST_F(PmuTest, TrapsAndGuestEntriesAreCounted) {
  const Event events[] = {Event::kException,  Event::kVirtualInstruction,
                          Event::kGuestExit,  Event::kGuestExitByInstruction,
                          Event::kGuestEntry, Event::kGuestExitByCall};
  for (unsigned i = 0; i < std::size(events); ++i)
    for (const EventRow& row : event_rows())
      if (row.event == events[i]) write(kMhpmevent3 + i, row.selector);
  enter(kVs);
  raise_virtual(hart(), kRaw);
  deliver_trap(hart());
  EXPECT_EQ(hart().priv, kMachine);
  const unsigned expected[] = {1, 1, 1, 1, 1, 0};
  for (unsigned i = 0; i < std::size(events); ++i) EXPECT_EQ(read(kMhpmcounter3 + i), expected[i]) << i;
}

TEST(EventsDocTest, DocsCountersListsTheTable) {
  std::ifstream file(GSTAGE_SOURCE_DIR "/docs/counters.md");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  for (const EventRow& row : event_rows()) {
    char line[200];
    std::snprintf(line, sizeof line, "| `0x%x` | %s |", row.selector, row.text);
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace gstage::riscv
