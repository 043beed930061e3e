// SPDX-License-Identifier: Apache-2.0
// Which interrupts are pending, wake the hart, are taken, and by whom.
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

constexpr std::uint64_t kInterrupt = std::uint64_t{1} << 63;
constexpr std::uint64_t kAllS = 0x222;
constexpr std::uint64_t kAllVs = 0x444;

class TrapInterruptTest : public RiscvHart {
 protected:
  static constexpr std::uint64_t kPc = kRam + 0x100;
  static constexpr std::uint64_t kMvec = kRam + 0x1000;
  static constexpr std::uint64_t kSvec = kRam + 0x2000;
  static constexpr std::uint64_t kVsvec = kRam + 0x3000;

  void SetUp() override {
    hart().mtvec = kMvec;
    hart().hs.tvec = kSvec;
    hart().vs.tvec = kVsvec;
  }
  void set_enables(bool mie, bool sie, bool vs_sie) {
    hart().mstatus = status::Mie::set(hart().mstatus, mie);
    hart().hs.status = status::Sie::set(hart().hs.status, sie);
    hart().vs.status = status::Sie::set(hart().vs.status, vs_sie);
  }
  /// "M7": taken by M-mode with cause 7; "-": not taken. In the mode, with everything afterwards as before.
  std::string taken(const Mode& mode) {
    const std::uint64_t mstatus = hart().mstatus;
    const std::uint64_t hstatus = hart().hstatus;
    const Bank hs = hart().hs;
    const Bank vs = hart().vs;
    enter(mode);
    hart().core.pc = kPc;
    std::string by = "-";
    if (take_interrupt(hart())) {
      const bool is_m = hart().priv == kMachine;
      const std::uint64_t cause = is_m ? hart().mcause : hart().s->cause;
      EXPECT_NE(cause & kInterrupt, 0u);
      EXPECT_EQ(is_m ? hart().mepc : hart().s->epc, kPc);
      by = (is_m ? "M" : hart().v != 0 ? "VS" : "HS") + std::to_string(cause & ~kInterrupt);
    }
    hart().mstatus = mstatus;
    hart().hstatus = hstatus;
    hart().hs = hs;
    hart().vs = vs;
    enter(kM);
    return by;
  }
};

TEST_F(TrapInterruptTest, MachineInterruptsNeedMieInMAndNothingBelow) {
  for (const unsigned number : {3u, 7u, 11u}) {
    cpu.set_irq(number, true);
    hart().mie = 0;
    set_enables(true, true, true);
    EXPECT_EQ(taken(kU), "-");
    hart().mie = 1u << number;
    EXPECT_EQ(taken(kM), "M" + std::to_string(number));
    set_enables(false, false, false);
    EXPECT_EQ(taken(kM), "-");
    for (const Mode& mode : {kHs, kU, kVs, kVu}) EXPECT_EQ(taken(mode), "M" + std::to_string(number));
    // Machine interrupts cannot be delegated.
    write(0x303, ~0ull);
    EXPECT_EQ(taken(kU), "M" + std::to_string(number));
    cpu.set_irq(number, false);
  }
}

TEST_F(TrapInterruptTest, SupervisorInterruptsGoToMUnlessDelegated) {
  hart().mie = kAllS;
  for (const unsigned number : {1u, 5u, 9u}) {
    hart().mip = 1u << number;
    hart().mideleg = 0;
    const std::string by_m = "M" + std::to_string(number);
    const std::string by_hs = "HS" + std::to_string(number);
    set_enables(false, true, true);
    EXPECT_EQ(taken(kM), "-");
    EXPECT_EQ(taken(kHs), by_m);
    set_enables(true, false, false);
    EXPECT_EQ(taken(kM), by_m);
    hart().mideleg = 1u << number;
    set_enables(true, true, true);
    EXPECT_EQ(taken(kM), "-") << "delegated interrupts are masked in M-mode";
    EXPECT_EQ(taken(kHs), by_hs);
    set_enables(true, false, true);
    EXPECT_EQ(taken(kHs), "-");
    for (const Mode& mode : {kU, kVs, kVu}) EXPECT_EQ(taken(mode), by_hs) << mode.name;
  }
}

TEST_F(TrapInterruptTest, VsInterruptsGoToHsUnderTheirNumbersUnlessDelegated) {
  hart().mie = kAllVs;
  for (const unsigned number : {2u, 6u, 10u}) {
    hart().hvip = 1u << number;
    hart().hideleg = 0;
    const std::string by_hs = "HS" + std::to_string(number);
    set_enables(true, false, false);
    EXPECT_EQ(taken(kM), "-");
    EXPECT_EQ(taken(kHs), "-");
    for (const Mode& mode : {kU, kVs, kVu}) EXPECT_EQ(taken(mode), by_hs) << mode.name;
    set_enables(true, true, false);
    EXPECT_EQ(taken(kHs), by_hs);
    // Whatever is written to mideleg, they pass M-mode.
    write(0x303, 0);
    EXPECT_EQ(taken(kVs), by_hs);
    hart().mie = 0;
    EXPECT_EQ(taken(kVs), "-");
    hart().mie = kAllVs;
  }
}

TEST_F(TrapInterruptTest, DelegatedVsInterruptsAreTakenWithV1UnderTheNumberBelow) {
  hart().mie = kAllVs;
  hart().hideleg = kAllVs;
  for (const unsigned number : {2u, 6u, 10u}) {
    hart().hvip = 1u << number;
    const std::string by_vs = "VS" + std::to_string(number - 1);
    set_enables(true, true, false);
    for (const Mode& mode : {kM, kHs, kU, kVs}) EXPECT_EQ(taken(mode), "-") << mode.name;
    EXPECT_EQ(taken(kVu), by_vs);
    set_enables(false, false, true);
    EXPECT_EQ(taken(kVs), by_vs);
  }
}

TEST_F(TrapInterruptTest, PriorityWithinALevelIsThatOfTheSpecification) {
  // MEI MSI MTI SEI SSI STI SGEI VSEI VSSI VSTI; here without SGEI, which GEILEN = 0 does not have.
  hart().mie = ~0ull;
  hart().mip = kAllS;
  for (const unsigned number : {3u, 7u, 11u}) cpu.set_irq(number, true);
  for (const unsigned number : {11u, 3u, 7u, 9u, 1u, 5u}) {
    EXPECT_EQ(taken(kU), "M" + std::to_string(number));
    cpu.set_irq(number, false);
    hart().mip &= ~(1ull << number);
  }
  hart().mideleg = kAllS;
  hart().mip = kAllS;
  hart().hvip = kAllVs;
  for (const unsigned number : {9u, 1u, 5u, 10u, 2u, 6u}) {
    EXPECT_EQ(taken(kVu), "HS" + std::to_string(number));
    hart().mip &= ~(1ull << number);
    hart().hvip &= ~(1ull << number);
  }
  hart().hideleg = kAllVs;
  hart().hvip = kAllVs;
  for (const unsigned number : {10u, 2u, 6u}) {
    EXPECT_EQ(taken(kVu), "VS" + std::to_string(number - 1));
    hart().hvip &= ~(1ull << number);
  }
}

TEST_F(TrapInterruptTest, HigherLevelsComeFirst) {
  hart().mie = ~0ull;
  hart().mideleg = 0x20;
  hart().hideleg = kAllVs;
  hart().hvip = 0x400;
  set_enables(true, true, true);
  EXPECT_EQ(taken(kVs), "VS9");
  hart().mip = 0x20;
  EXPECT_EQ(taken(kVs), "HS5");
  hart().mip |= 0x2;
  EXPECT_EQ(taken(kVs), "M1");
}

TEST_F(TrapInterruptTest, EntryWritesZeroToTvalsAndTinstAndClearsGva) {
  hart().mie = 0x80;
  cpu.set_irq(7, true);
  hart().mtval = hart().mtval2 = hart().mtinst = 5;
  hart().mstatus = status::Gva::kMask;
  enter(kVs);
  ASSERT_TRUE(take_interrupt(hart()));
  EXPECT_EQ(hart().mtval | hart().mtval2 | hart().mtinst, 0u);
  EXPECT_EQ(status::Gva::get(hart().mstatus), 0u);
  EXPECT_EQ(status::Mpv::get(hart().mstatus), 1u);
  EXPECT_EQ(status::Mpp::get(hart().mstatus), 1u);
}

TEST_F(TrapInterruptTest, VectoredModeAddsFourTimesTheCause) {
  hart().mie = ~0ull;
  hart().mideleg = 0x20;
  hart().hideleg = kAllVs;
  hart().mtvec = kMvec | 1;
  hart().hs.tvec = kSvec | 1;
  hart().vs.tvec = kVsvec | 1;
  hart().hvip = 0x40;
  enter(kVu);
  ASSERT_TRUE(take_interrupt(hart()));
  EXPECT_EQ(hart().core.pc, kVsvec + 4 * 5);
  hart().mip = 0x20;
  enter(kU);
  ASSERT_TRUE(take_interrupt(hart()));
  EXPECT_EQ(hart().core.pc, kSvec + 4 * 5);
  cpu.set_irq(7, true);
  enter(kU);
  ASSERT_TRUE(take_interrupt(hart()));
  EXPECT_EQ(hart().core.pc, kMvec + 4 * 7);
}

TEST_F(TrapInterruptTest, StipComesFromStimecmpOnlyWithStce) {
  cpu.now = 500;
  hart().hs.timecmp = 500;
  EXPECT_EQ(pending_interrupts(hart()), 0u);
  hart().menvcfg = envcfg::Stce::kMask;
  EXPECT_EQ(pending_interrupts(hart()), 0x20u);
  hart().hs.timecmp = 501;
  EXPECT_EQ(pending_interrupts(hart()), 0u);
  cpu.now = 501;
  EXPECT_EQ(pending_interrupts(hart()), 0x20u);
  // The software bit does not count then.
  hart().hs.timecmp = ~0ull;
  hart().mip = 0x20;
  EXPECT_EQ(pending_interrupts(hart()), 0u);
  hart().menvcfg = 0;
  EXPECT_EQ(pending_interrupts(hart()), 0x20u);
}

TEST_F(TrapInterruptTest, VstipComesFromVstimecmpWithTheDelta) {
  cpu.now = 500;
  hart().htimedelta = ~0ull - 99;  // minus 100
  hart().vs.timecmp = 400;
  EXPECT_EQ(pending_interrupts(hart()), 0u);
  hart().menvcfg = envcfg::Stce::kMask;
  EXPECT_EQ(pending_interrupts(hart()), 0u) << "needs henvcfg.STCE too";
  hart().henvcfg = envcfg::Stce::kMask;
  EXPECT_EQ(pending_interrupts(hart()), 0x40u);
  hart().vs.timecmp = 401;
  EXPECT_EQ(pending_interrupts(hart()), 0u);
  // The sum wraps and is compared unsigned.
  hart().htimedelta = ~0ull - 501;
  EXPECT_EQ(pending_interrupts(hart()), 0x40u);
  // hvip.VSTIP is one more source, with or without STCE.
  hart().vs.timecmp = ~0ull;
  hart().hvip = 0x40;
  EXPECT_EQ(pending_interrupts(hart()), 0x40u);
  hart().menvcfg = hart().henvcfg = 0;
  EXPECT_EQ(pending_interrupts(hart()), 0x40u);
}

TEST_F(TrapInterruptTest, AComparandOfAllOnesNeverFires) {
  hart().menvcfg = hart().henvcfg = envcfg::Stce::kMask;
  hart().hs.timecmp = hart().vs.timecmp = ~0ull;
  cpu.now = ~0ull - 1;
  EXPECT_EQ(pending_interrupts(hart()), 0u);
}

TEST_F(TrapInterruptTest, WiresAndSoftwareBitsAreOred) {
  hart().mip = 0x200;
  EXPECT_EQ(pending_interrupts(hart()), 0x200u);
  cpu.set_irq(9, true);
  hart().mip = 0;
  EXPECT_EQ(pending_interrupts(hart()), 0x200u);
  cpu.set_irq(9, false);
  EXPECT_EQ(pending_interrupts(hart()), 0u);
}

TEST_F(TrapInterruptTest, WithoutHNothingOfItIsPending) {
  hart().hvip = kAllVs;
  hart().mie = ~0ull;
  hart().hideleg = kAllVs;
  hart().misa &= ~misa_bit('H');
  EXPECT_EQ(pending_interrupts(hart()), 0u);
  EXPECT_EQ(taken(kU), "-");
}

TEST_F(TrapInterruptTest, WakeupIgnoresGlobalEnablesAndDelegation) {
  hart().mip = 0x20;
  EXPECT_FALSE(has_wakeup(hart()));
  hart().mie = 0x20;
  for (const std::uint64_t mideleg : {0x0u, 0x20u}) {
    hart().mideleg = mideleg;
    for (const Mode& mode : kModes) {
      enter(mode);
      EXPECT_TRUE(has_wakeup(hart())) << mode.name;
    }
  }
  hart().mip = 0;
  hart().mie = kAllVs;
  hart().hvip = 0x4;
  enter(kHs);
  EXPECT_TRUE(has_wakeup(hart()));
}

TEST_F(TrapInterruptTest, AttentionIsAskedForWhenAWriteMakesAnInterruptTakeable) {
  hart().mideleg = kAllS;
  cpu.set_irq(kSei, true);
  enter(kHs);
  const auto asks = [this](unsigned number, std::uint64_t bits) {
    hart().core.attention = 0;
    EXPECT_TRUE(access(number, CsrOp::kSet, bits));
    return (hart().core.attention & kAttendInterrupt) != 0;
  };
  EXPECT_FALSE(asks(0x100, 2));
  EXPECT_TRUE(asks(0x104, 0x200));
  write(0x100, 0);
  EXPECT_FALSE(asks(0x104, 0x200));
  EXPECT_TRUE(asks(0x100, 2));
  write(0x104, 0);
  hart().mie |= 0x4;
  EXPECT_TRUE(asks(0x645, 0x4)) << "hvip";
}

TEST_F(TrapInterruptTest, AttentionIsAskedForByTimersThatAreDueAtOnce) {
  hart().mideleg = kAllS;
  hart().mie = 0x20;
  hart().menvcfg = envcfg::Stce::kMask;
  hart().mcounteren = 2;
  enter(kHs);
  write(0x100, 2);
  hart().core.attention = 0;
  write(0x14d, 2000);
  EXPECT_EQ(hart().core.attention, 0u);
  write(0x14d, 1000);
  EXPECT_EQ(hart().core.attention, kAttendInterrupt);
}

TEST_F(TrapInterruptTest, TimersThatCameDueWhileTheyWereMaskedAreSeenWithoutTheClock) {
  hart().mideleg = kAllS;
  hart().hideleg = kAllVs;
  hart().mie = 0x60;
  hart().menvcfg = hart().henvcfg = envcfg::Stce::kMask;
  hart().hs.timecmp = 2000;
  hart().vs.timecmp = 2500;
  hart().htimedelta = 400;
  note_due_timers(hart());
  EXPECT_EQ(hart().timers_due, 0u);
  cpu.now = 2000;
  note_due_timers(hart());
  EXPECT_EQ(hart().timers_due, 0x20u);
  cpu.now = 2100;
  note_due_timers(hart());
  EXPECT_EQ(hart().timers_due, 0x60u);
  enter(kVs);
  cpu.now = 0;  // nobody asks for it
  hart().core.attention = 0;
  update_interrupts(hart());
  EXPECT_EQ(hart().core.attention, kAttendInterrupt);
}

TEST_F(TrapInterruptTest, TimersFallWithATimeThatWasSetBack) {
  hart().menvcfg = hart().henvcfg = envcfg::Stce::kMask;
  hart().hs.timecmp = 2000;
  hart().vs.timecmp = 2500;
  hart().htimedelta = 400;
  const std::pair<std::uint64_t, std::uint64_t> rows[] = {
      {2100, 0x60}, {2050, 0x20}, {1999, 0}, {3000, 0x60}, {0, 0}, {-std::uint64_t{1}, 0x20}};
  for (const auto& [time, due] : rows) {
    cpu.now = time;
    note_due_timers(hart());
    EXPECT_EQ(hart().timers_due, due) << time;
    EXPECT_EQ(read(0x344) & 0x60, due) << time;
  }
}

TEST_F(TrapInterruptTest, WhatIsUnknownOfTimersIsComparedWithTheTime) {
  hart().menvcfg = hart().henvcfg = envcfg::Stce::kMask;
  hart().hs.timecmp = 2000;
  hart().vs.timecmp = 2500;
  cpu.now = 3000;
  note_due_timers(hart());
  // As it is between a write of mtime and the hart's next look.
  cpu.now = 2200;
  hart().timers_due = 0;
  EXPECT_EQ(read(0x344) & 0x60, 0x20u);
}

}  // namespace
}  // namespace gstage::riscv
