// SPDX-License-Identifier: Apache-2.0
// The exit profile: what counts as an exit, what its time is spent on, and what the reports say of it.
#include <algorithm>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "target/riscv/trace/exit_names.h"
#include "target/riscv/trace/exit_recorder.h"
#include "target/riscv/trap/entry.h"
#include "system/trace/exit_report.h"
#include "system/trace/exit_timeline.h"

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

constexpr std::uint64_t kTime = 0x5449'4d45;

class ExitTraceTest : public RiscvHart {
 protected:
  static constexpr std::uint64_t kPc = kRam + 0x100;

  ExitTraceTest() : ring_(64), recorder(time_, &ring_) {
    hart().hgatp = std::uint64_t{7} << 44;
    hart().exits = &recorder;
  }
  ~ExitTraceTest() override { hart().exits = nullptr; }

  void trap(TrapTarget target, const TrapEntry& entry) {
    hart().core.pc = kPc;
    enter_trap(hart(), target, entry);
  }
  void trap(TrapTarget target, std::uint64_t cause) {
    TrapEntry entry{};
    entry.cause = cause;
    trap(target, entry);
  }
  void trap(TrapTarget target, Cause cause) { trap(target, static_cast<std::uint64_t>(cause)); }
  ExitReport report() {
    const ExitTotals* const totals[] = {&recorder.totals()};
    return make_exit_report(totals);
  }
  /// "VMID: name × count" of all rows, in alphabetical order.
  std::string rows() {
    std::vector<std::string> lines;
    for (const ExitRow& row : report().rows)
      lines.push_back(std::to_string(row.key.vmid) + ": " + exit_name(row.key) + " x " +
                      std::to_string(row.count));
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
  }

  HostTime time_;
  ExitRing ring_;
  ExitRecorder recorder;
};

TEST_F(ExitTraceTest, EachTrapOutOfAGuestIsAnExit) {
  enter(kVs);
  trap(TrapTarget::kSupervisor, Cause::kVirtualInstruction);
  enter(kVs);
  trap(TrapTarget::kSupervisor, kCauseInterrupt | 5);
  enter(kVu);
  trap(TrapTarget::kMachine, Cause::kIllegalInstruction);
  enter(kVs);
  EXPECT_EQ(rows(),
            "7: illegal instruction x 1\n7: supervisor timer interrupt x 1\n7: virtual instruction x 1\n");
}

TEST_F(ExitTraceTest, TrapsWithinTheGuestOrTheHostAreNone) {
  enter(kHs);
  trap(TrapTarget::kMachine, Cause::kEcallHs);
  enter(kVu);
  trap(TrapTarget::kGuest, Cause::kLoadPageFault);
  enter(kVu);
  enter(kVs);
  EXPECT_EQ(rows(), "");
}

TEST_F(ExitTraceTest, CallsAreToldApartByExtensionAndFunction) {
  const struct {
    std::uint64_t extension, function;
  } calls[] = {{kTime, 0}, {kTime, 0}, {kTime, 9}, {0x0900'0000, 2}, {8, 77}};
  for (const auto& call : calls) {
    enter(kVs);
    hart().x[17] = call.extension;
    hart().x[16] = call.function;
    trap(TrapTarget::kSupervisor, Cause::kEcallVs);
  }
  enter(kVs);
  EXPECT_EQ(
      rows(),
      "7: SBI 0x9000000.2 x 1\n7: SBI TIME.9 x 1\n7: SBI TIME.set_timer x 2\n7: SBI legacy shutdown x 1\n");
}

TEST_F(ExitTraceTest, TheAddressIsTheGuestPhysicalOne) {
  const struct {
    std::uint64_t tval, tval2, tinst, address;
  } cases[] = {{0x1237, 0x1000'0008 >> 2, 0, 0x1000'000b}, {0x1237, 0x1000'0008 >> 2, 0x3000, 0x1000'0008}};
  for (const auto& c : cases) {
    enter(kVs);
    TrapEntry entry{};
    entry.cause = static_cast<std::uint64_t>(Cause::kLoadGuestPageFault);
    entry.tval = c.tval;
    entry.tval2 = c.tval2;
    entry.tinst = c.tinst;
    trap(TrapTarget::kSupervisor, entry);
    enter(kVs);
    ASSERT_NE(ring_.front(), nullptr);
    EXPECT_EQ(ring_.front()->address, c.address);
    EXPECT_EQ(ring_.front()->pc, kPc);
    ring_.pop();
  }
}

TEST_F(ExitTraceTest, StaysBelowAndAboveAreEventsOfTheirOwn) {
  enter(kVs);
  trap(TrapTarget::kSupervisor, Cause::kLoadGuestPageFault);
  hart().x[17] = kTime;
  hart().x[16] = 0;
  trap(TrapTarget::kMachine, Cause::kEcallHs);
  enter(kHs);
  enter(kU);
  trap(TrapTarget::kSupervisor, Cause::kEcallU);
  recorder.sleep(hart(), true);
  recorder.sleep(hart(), false);
  enter(kVs);
  const ExitPlace places[] = {ExitPlace::kFirmware, ExitPlace::kUser, ExitPlace::kIdle};
  for (const ExitPlace place : places) {
    ASSERT_NE(ring_.front(), nullptr);
    EXPECT_EQ(ring_.front()->kind, ExitEvent::Kind::kStay);
    EXPECT_EQ(ring_.front()->place, place);
    if (place == ExitPlace::kFirmware) {
      EXPECT_EQ(call_name(ring_.front()->key), "SBI TIME.set_timer");
    }
    ring_.pop();
  }
  ASSERT_NE(ring_.front(), nullptr);
  EXPECT_EQ(ring_.front()->kind, ExitEvent::Kind::kExit);
  ExitReport all = report();
  ASSERT_EQ(all.rows.size(), 1u);
  const auto& ns = all.rows[0].ns;
  for (unsigned i = 1; i < kExitPlaces; ++i) EXPECT_GT(ns[i], 0u) << place_name(static_cast<ExitPlace>(i));
  // Each part is rounded down.
  EXPECT_LE(ns[1] + ns[2] + ns[3] + ns[4], ns[0]);
  EXPECT_GE(ns[1] + ns[2] + ns[3] + ns[4] + kExitPlaces, ns[0]);
}

TEST_F(ExitTraceTest, AnExitThatDoesNotReturnCounts) {
  enter(kVs);
  trap(TrapTarget::kSupervisor, Cause::kEcallVs);
  recorder.end(hart());
  recorder.end(hart());
  EXPECT_EQ(report().rows.at(0).count, 1u);
  ASSERT_NE(ring_.front(), nullptr);
  EXPECT_FALSE(ring_.front()->has_returned);
}

TEST_F(ExitTraceTest, ManyKindsAndPlacesTakeBoundedMemoryAndAreAllCounted) {
  constexpr std::uint64_t kMany = 3000;
  hart().x[17] = kTime;
  for (std::uint64_t i = 0; i < kMany; ++i) {
    enter(kVs);
    hart().x[16] = i;
    hart().core.pc = kRam + 4 * i;
    TrapEntry entry{};
    entry.cause = static_cast<std::uint64_t>(Cause::kEcallVs);
    enter_trap(hart(), TrapTarget::kSupervisor, entry);
  }
  enter(kVs);
  std::uint64_t count = 0;
  const ExitReport all = report();
  for (const ExitRow& row : all.rows) count += row.count;
  EXPECT_EQ(count, kMany);
  EXPECT_EQ(all.rows.size(), ExitTotals::kGroups);
  EXPECT_NE(rows().find("0: all others x "), std::string::npos);
  // The ring is full: the rest is lost, and counted.
  EXPECT_EQ(ring_.lost(), kMany - 64);
}

TEST_F(ExitTraceTest, FoldedStacksSumUpFunctions) {
  ExitReport report;
  ExitRow row;
  row.key = {static_cast<std::uint64_t>(Cause::kVirtualInstruction), 0, 0, 3};
  row.count = 3;
  row.ns[0] = 100;
  report.rows.push_back(row);
  report.sites.push_back({row.key, 0x1000, 1, 40});
  report.sites.push_back({row.key, 0x1004, 1, 35});
  const GuestSymbol symbol = [](std::uint32_t, std::uint64_t pc) {
    return pc == 0x1000 ? "idle" : "idle+0x4";
  };
  EXPECT_EQ(exit_report_folded(report, symbol),
            "VM 3;[elsewhere];virtual instruction 25\nVM 3;idle;virtual instruction 75\n");
  EXPECT_EQ(exit_report_folded(report, nullptr),
            "VM 3;0x1000;virtual instruction 40\nVM 3;0x1004;virtual instruction 35\n"
            "VM 3;[elsewhere];virtual instruction 25\n");
}

TEST(ExitTextTest, JsonStringsAreEscaped) { EXPECT_EQ(json_string("a\"\\\n"), "\"a\\\"\\\\\\u000a\""); }

}  // namespace
}  // namespace gstage::riscv
