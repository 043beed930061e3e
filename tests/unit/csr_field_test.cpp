// SPDX-License-Identifier: Apache-2.0
// Registers with rules beyond a mask: translation, environments, PMP locks, counters, interrupts' views.
#include <gtest/gtest.h>

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

constexpr unsigned kSatp = 0x180;
constexpr unsigned kVsatp = 0x280;
constexpr unsigned kHgatp = 0x680;
constexpr unsigned kMenvcfg = 0x30a;
constexpr unsigned kHenvcfg = 0x60a;
constexpr unsigned kMseccfg = 0x747;
constexpr unsigned kPmpcfg0 = 0x3a0;
constexpr unsigned kPmpcfg2 = 0x3a2;
constexpr unsigned kPmpaddr0 = 0x3b0;

using CsrFieldTest = RiscvHart;

constexpr std::uint64_t atp(std::uint64_t mode, std::uint64_t id, std::uint64_t ppn) {
  return mode << 60 | id << 44 | ppn;
}

TEST_F(CsrFieldTest, SatpIgnoresAWriteOfAnUnsupportedModeWhole) {
  write(kSatp, atp(8, 3, 0x80000));
  for (const std::uint64_t mode : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 11u, 12u, 13u, 14u, 15u}) {
    write(kSatp, atp(mode, 4, 0x90000));
    EXPECT_EQ(read(kSatp), atp(8, 3, 0x80000)) << mode;
  }
  for (const std::uint64_t mode : {0u, 8u, 9u, 10u}) {
    write(kSatp, atp(mode, 0xffff, 0xfff'ffff'ffff));
    EXPECT_EQ(read(kSatp), atp(mode, 0xffff, 0xfff'ffff'ffff)) << mode;
  }
}

TEST_F(CsrFieldTest, ModesFollowTheConfiguration) {
  config.sv57 = false;
  restart();
  write(kSatp, atp(10, 0, 1));
  EXPECT_EQ(read(kSatp), 0u);
  write(kSatp, atp(9, 0, 1));
  EXPECT_EQ(read(kSatp), atp(9, 0, 1));
  config.sv48 = false;
  write(kHgatp, atp(9, 0, 4));
  EXPECT_EQ(read(kHgatp), atp(0, 0, 4));
  config.mmu = false;
  write(kSatp, atp(8, 0, 2));
  EXPECT_EQ(read(kSatp), atp(9, 0, 1));
}

TEST_F(CsrFieldTest, UnsupportedModeInVsatpIsIgnoredWholeWithV1AndByFieldWithV0) {
  write(kVsatp, atp(8, 3, 0x80000));
  enter(kVs);
  write(kSatp, atp(15, 4, 0x90000));
  EXPECT_EQ(read(kSatp), atp(8, 3, 0x80000));
  enter(kHs);
  for (const std::uint64_t hgatp : {std::uint64_t{0}, atp(8, 1, 0x80000)}) {
    write(kVsatp, atp(8, 3, 0x80000));
    write(kHgatp, hgatp);
    write(kVsatp, atp(15, 4, 0x90000));
    EXPECT_EQ(read(kVsatp), atp(8, 4, 0x90000)) << hgatp;
  }
  EXPECT_EQ(read(kSatp), 0u);
}

TEST_F(CsrFieldTest, HgatpIsWarlByField) {
  write(kHgatp, atp(8, 0xffff, 0x80003));
  EXPECT_EQ(read(kHgatp), atp(8, 0x3fff, 0x80000));
  write(kHgatp, atp(15, 7, 0x90010));
  EXPECT_EQ(read(kHgatp), atp(8, 7, 0x90010));
}

TEST_F(CsrFieldTest, HenvcfgBitsAreZeroWhileThoseOfMenvcfgAre) {
  constexpr std::uint64_t kBits = envcfg::Adue::kMask | envcfg::Stce::kMask;
  constexpr std::uint64_t kOwn = 0xf1;  // FIOM and those of cache blocks
  config.svpbmt = true;
  restart();
  write(kMenvcfg, 0);
  write(kHenvcfg, ~0ull);
  EXPECT_EQ(read(kHenvcfg), kOwn);
  write(kMenvcfg, kBits);
  write(kHenvcfg, ~0ull);
  EXPECT_EQ(read(kHenvcfg), kBits | kOwn);
  write(kMenvcfg, envcfg::Adue::kMask);
  EXPECT_EQ(read(kHenvcfg), envcfg::Adue::kMask | kOwn);
  write(kMenvcfg, envcfg::Pbmte::kMask);
  write(kHenvcfg, ~0ull);
  EXPECT_EQ(read(kHenvcfg), envcfg::Pbmte::kMask | kOwn);
  write(kMenvcfg, 0);
  EXPECT_EQ(read(kHenvcfg), kOwn);
}

TEST_F(CsrFieldTest, AtResetMenvcfgHasUpdatesUnlessSvadeIsThereAndMemoryTypes) {
  for (const bool svade : {false, true})
    for (const bool svadu : {false, true})
      for (const bool svpbmt : {false, true}) {
        config.svade = svade;
        config.svadu = svadu;
        config.svpbmt = svpbmt;
        restart();
        const std::uint64_t expected =
            envcfg::Adue::set(0, svadu && !svade ? 1 : 0) | envcfg::Pbmte::set(0, svpbmt ? 1 : 0);
        EXPECT_EQ(read(0x30a), expected) << svade << svadu << svpbmt;
        EXPECT_EQ(read(0x60a), 0u) << "henvcfg";
      }
}

TEST_F(CsrFieldTest, EnvironmentBitsOfAbsentExtensionsAreZero) {
  constexpr unsigned kSenvcfg = 0x10a;
  config = max_config();
  restart();
  write(kMenvcfg, ~0ull);
  EXPECT_EQ(read(kMenvcfg), 0xf800'0003'0000'00f1u);
  write(kHenvcfg, ~0ull);
  EXPECT_EQ(read(kHenvcfg), 0xe800'0003'0000'00f1u);
  const struct {
    bool CpuConfig::*member;
    std::uint64_t bits;
  } rows[] = {{&CpuConfig::sstc, envcfg::Stce::kMask},
              {&CpuConfig::svadu, envcfg::Adue::kMask},
              {&CpuConfig::svpbmt, envcfg::Pbmte::kMask},
              {&CpuConfig::ssdbltrp, envcfg::Dte::kMask},
              {&CpuConfig::ssccfg, envcfg::Cde::kMask},
              {&CpuConfig::zicbom, envcfg::Cbie::kMask | envcfg::Cbcfe::kMask},
              {&CpuConfig::zicboz, envcfg::Cbze::kMask}};
  for (const auto& row : rows) {
    config = max_config();
    config.*row.member = false;
    restart();
    for (const unsigned number : {kMenvcfg, kHenvcfg, kSenvcfg}) {
      write(number, ~0ull);
      EXPECT_EQ(read(number) & row.bits, 0u) << csr_name(number);
    }
  }
}

TEST_F(CsrFieldTest, TheReservedEncodingOfCbieIsNotTaken) {
  write(kMenvcfg, 1 << 4);
  write(kMenvcfg, 2 << 4 | 1);
  EXPECT_EQ(read(kMenvcfg), 1u << 4 | 1);
}

TEST_F(CsrFieldTest, TimersAreRearmedAfterWhatMovesThem) {
  hart().mcounteren = hart().hcounteren = 2;
  for (const unsigned number : {0x14du, 0x24du, kMenvcfg, kHenvcfg, 0x605u, 0x301u}) {
    cpu.timer_updates = 0;
    write(number, ~0ull);
    EXPECT_EQ(cpu.timer_updates, 1u) << csr_name(number);
    read(number);
    EXPECT_EQ(cpu.timer_updates, 1u) << csr_name(number);
  }
}

TEST_F(CsrFieldTest, ALockedPmpEntryKeepsItsRegisters) {
  write(kPmpcfg0, 0);
  write(kPmpaddr0 + 1, 0x100);
  write(kPmpaddr0 + 2, 0x200);
  write(kPmpcfg0, 0x98ull << 16);  // entry 2: L, NAPOT
  write(kPmpcfg0, 0x1full << 16 | 0x1f);
  EXPECT_EQ(read(kPmpcfg0), 0x98'001fu);
  write(kPmpaddr0 + 2, 0x999);
  EXPECT_EQ(read(kPmpaddr0 + 2), 0x200u);
  // Not TOR: the address below stays free.
  write(kPmpaddr0 + 1, 0x111);
  EXPECT_EQ(read(kPmpaddr0 + 1), 0x111u);
}

TEST_F(CsrFieldTest, ALockedTorEntryKeepsTheAddressBelow) {
  write(kPmpcfg0, 0);
  write(kPmpaddr0 + 1, 0x100);
  write(kPmpcfg0, 0x88ull << 16);
  write(kPmpaddr0 + 1, 0x999);
  EXPECT_EQ(read(kPmpaddr0 + 1), 0x100u);
  write(kPmpaddr0, 0x999);
  EXPECT_EQ(read(kPmpaddr0), 0x999u);
  // Also across the border of two configuration registers.
  write(kPmpcfg2, 0x88);
  write(kPmpaddr0 + 7, 0x777);
  EXPECT_EQ(read(kPmpaddr0 + 7), 0u);
  // Nothing lies above the last entry.
  write(kPmpaddr0 + 15, 0x777);
  EXPECT_EQ(read(kPmpaddr0 + 15), 0x777u);
}

TEST_F(CsrFieldTest, ALockedEntryThatIsOffIsLockedToo) {
  write(kPmpcfg0, 0x80);
  write(kPmpcfg0, 0x1f);
  EXPECT_EQ(read(kPmpcfg0), 0x80u);
}

TEST_F(CsrFieldTest, PmpcfgDropsWWithoutRUnlessMml) {
  write(kPmpcfg0, 0x1a);
  EXPECT_EQ(read(kPmpcfg0), 0x18u);
  write(kPmpcfg0, 0);
  write(kMseccfg, mseccfg::Mml::kMask);
  write(kPmpcfg0, 0x1a);
  EXPECT_EQ(read(kPmpcfg0), 0x1au);
}

TEST_F(CsrFieldTest, RlbOpensLocksAndCannotBeSetWhileOneIsClosed) {
  write(kPmpcfg0, 0);
  write(kMseccfg, mseccfg::Rlb::kMask);
  write(kPmpcfg0, 0x9f);
  write(kPmpaddr0, 0x123);
  EXPECT_EQ(read(kPmpaddr0), 0x123u);
  write(kPmpcfg0, 0x99);
  EXPECT_EQ(read(kPmpcfg0), 0x99u);
  write(kMseccfg, mseccfg::Rlb::kMask);
  EXPECT_EQ(read(kMseccfg), mseccfg::Rlb::kMask);
  write(kMseccfg, 0);
  write(kMseccfg, mseccfg::Rlb::kMask);
  EXPECT_EQ(read(kMseccfg), 0u);
  write(kPmpcfg0, 0);
  EXPECT_EQ(read(kPmpcfg0), 0x99u);
}

TEST_F(CsrFieldTest, MmlAndMmwpStaySet) {
  write(kMseccfg, mseccfg::Mml::kMask);
  write(kMseccfg, mseccfg::Mmwp::kMask);
  EXPECT_EQ(read(kMseccfg), mseccfg::Mml::kMask | mseccfg::Mmwp::kMask);
  write(kMseccfg, 0);
  EXPECT_EQ(read(kMseccfg), mseccfg::Mml::kMask | mseccfg::Mmwp::kMask);
}

TEST_F(CsrFieldTest, MmlRefusesNewRulesThatMmodeCouldExecute) {
  // By L, R, W, X: 1 where M-mode may execute (chapter Smepmp, truth table).
  for (unsigned rwx = 0; rwx < 8; ++rwx) {
    restart();
    write(kPmpcfg0, 0);
    write(kMseccfg, mseccfg::Mml::kMask);
    const bool is_executable = rwx == 4 || rwx == 2 || rwx == 6 || rwx == 5;
    write(kPmpcfg0, 0x98 | rwx);
    EXPECT_EQ(read(kPmpcfg0), is_executable ? 0 : 0x98 | rwx) << rwx;
    // RLB lifts it.
    restart();
    write(kPmpcfg0, 0);
    write(kMseccfg, mseccfg::Mml::kMask | mseccfg::Rlb::kMask);
    write(kPmpcfg0, 0x98 | rwx);
    EXPECT_EQ(read(kPmpcfg0), 0x98u | rwx) << rwx;
    // Without L no rule is M-mode's.
    restart();
    write(kPmpcfg0, 0);
    write(kMseccfg, mseccfg::Mml::kMask);
    write(kPmpcfg0, 0x18 | rwx);
    EXPECT_EQ(read(kPmpcfg0), 0x18u | rwx) << rwx;
  }
}

TEST_F(CsrFieldTest, PmpWritesDropCachedPermissionsWhenTheyChangeSomething) {
  const auto flushes = [this](unsigned number, std::uint64_t value) {
    const std::uint64_t before = cpu.tlb().flushes(TlbFlush::kPmp);
    write(number, value);
    return cpu.tlb().flushes(TlbFlush::kPmp) - before;
  };
  EXPECT_EQ(flushes(kPmpcfg0, 0x1b), 1u);
  EXPECT_EQ(flushes(kPmpcfg0, 0x1b), 0u);
  EXPECT_EQ(flushes(kPmpaddr0, 0x1234), 1u);
  EXPECT_EQ(flushes(kPmpaddr0, 0x1234), 0u);
  EXPECT_EQ(flushes(kMseccfg, mseccfg::Mmwp::kMask), 1u);
  EXPECT_EQ(flushes(kMseccfg, 0), 0u);
  EXPECT_EQ(flushes(kSatp, atp(8, 1, 1)), 0u);
}

TEST_F(CsrFieldTest, WritesOfTranslationRegistersChangeTheContextAndFlushNothing) {
  enter(kHs);
  const TlbEntry* const bare = hart().core.read;
  write(kSatp, atp(8, 1, 0x80001));
  const TlbEntry* const first = hart().core.read;
  EXPECT_NE(first, bare);
  write(kSatp, atp(8, 2, 0x80002));
  EXPECT_NE(hart().core.read, first);
  write(kSatp, atp(8, 1, 0x80001));
  EXPECT_EQ(hart().core.read, first);
  // SUM is part of the data regime.
  write(0x100, status::Sum::kMask);
  EXPECT_NE(hart().core.read, first);
  write(0x100, 0);
  EXPECT_EQ(hart().core.read, first);
  enter(kVs);
  const TlbEntry* const guest = hart().core.read;
  write(kSatp, atp(9, 1, 0x80001));
  EXPECT_NE(hart().core.read, guest);
  write(kSatp, 0);
  EXPECT_EQ(hart().core.read, guest);
  for (const TlbFlush reason : {TlbFlush::kFenceAll, TlbFlush::kFenceAsid, TlbFlush::kEviction})
    EXPECT_EQ(cpu.tlb().flushes(reason), 0u);
}

TEST_F(CsrFieldTest, CountersCountOnFromWhatIsWritten) {
  cpu.now = 5000;
  write(0xb00, 7);
  write(0xb02, 1000);
  EXPECT_EQ(read(0xb00), 7u);
  EXPECT_EQ(read(0xc00), 7u);
  cpu.now += 3;
  EXPECT_EQ(read(0xc00), 307u);
  EXPECT_EQ(read(0xb02), 1300u);
  EXPECT_EQ(read(0xc02), 1300u);
}

TEST_F(CsrFieldTest, McountinhibitStopsEachCounterByItself) {
  write(0xb00, 10);
  write(0xb02, 20);
  write(0x320, 1);
  cpu.now += 1;
  EXPECT_EQ(read(0xb00), 10u);
  EXPECT_EQ(read(0xb02), 120u);
  write(0xb00, 30);
  EXPECT_EQ(read(0xb00), 30u);
  write(0x320, 4);
  cpu.now += 1;
  EXPECT_EQ(read(0xb00), 130u);
  EXPECT_EQ(read(0xb02), 120u);
}

TEST_F(CsrFieldTest, HtimedeltaIsAddedWithV1Alone) {
  hart().mcounteren = hart().hcounteren = hart().scounteren = 2;
  write(0x605, ~0ull - 99);
  for (const Mode& mode : kModes) {
    enter(mode);
    EXPECT_EQ(read(0xc01), mode.v ? 900u : 1000u) << mode.name;
  }
}

TEST_F(CsrFieldTest, SieAndSipShowWhatMidelegDelegates) {
  write(0x304, ~0ull);
  write(0x344, 0x202);
  EXPECT_EQ(read(0x104), 0u);
  EXPECT_EQ(read(0x144), 0u);
  write(0x104, 0);
  write(0x144, 0);
  EXPECT_EQ(read(0x304), 0xeeeu);
  EXPECT_EQ(read(0x344), 0x202u);
  write(0x303, 0x202);
  EXPECT_EQ(read(0x104), 0x202u);
  EXPECT_EQ(read(0x144), 0x202u);
  // SEIP is read-only in sip.
  write(0x144, 0);
  EXPECT_EQ(read(0x344), 0x200u);
  write(0x104, 2);
  EXPECT_EQ(read(0x304), 0xceeu);
}

TEST_F(CsrFieldTest, VsieAndVsipShowWhatHidelegDelegatesOnePlaceLower) {
  write(0x604, 0x444);
  write(0x645, 0x444);
  EXPECT_EQ(read(0x204), 0u);
  EXPECT_EQ(read(0x244), 0u);
  write(0x204, 0);
  EXPECT_EQ(read(0x604), 0x444u);
  for (const std::uint64_t bit : {0x4u, 0x40u, 0x400u}) {
    write(0x603, bit);
    EXPECT_EQ(read(0x204), bit >> 1);
    EXPECT_EQ(read(0x244), bit >> 1);
    write(0x204, 0);
    EXPECT_EQ(read(0x604), 0x444 & ~bit);
    write(0x204, ~0ull);
    EXPECT_EQ(read(0x604), 0x444u);
  }
  // Of vsip only SSIP is writable.
  write(0x603, 0x444);
  write(0x244, 0);
  EXPECT_EQ(read(0x645), 0x440u);
  write(0x645, 0);
  write(0x244, ~0ull);
  EXPECT_EQ(read(0x645), 0x4u);
}

TEST_F(CsrFieldTest, VssipIsOneBitInHvipHipMipAndVsip) {
  write(0x603, 0x4);
  for (const unsigned number : {0x645u, 0x644u, 0x344u, 0x244u}) {
    const std::uint64_t bit = number == 0x244 ? 2 : 4;
    EXPECT_TRUE(access(number, CsrOp::kSet, bit));
    EXPECT_EQ(read(0x645), 4u) << csr_name(number);
    EXPECT_EQ(read(0x644), 4u);
    EXPECT_EQ(read(0x344), 4u);
    EXPECT_EQ(read(0x244), 2u);
    EXPECT_TRUE(access(number, CsrOp::kClear, bit));
    EXPECT_EQ(read(0x645), 0u) << csr_name(number);
  }
}

TEST_F(CsrFieldTest, AWireOfSeipIsReadButNotWrittenBack) {
  cpu.set_irq(kSei, true);
  // csrrs of another bit: the software bit must not take the wire's value.
  EXPECT_EQ(access(0x344, CsrOp::kSet, 2), 0x200u);
  cpu.set_irq(kSei, false);
  EXPECT_EQ(read(0x344), 2u);
  write(0x344, 0x200);
  cpu.set_irq(kSei, true);
  EXPECT_EQ(access(0x344, CsrOp::kClear, 0x200), 0x200u);
  EXPECT_EQ(read(0x344), 0x200u);
  cpu.set_irq(kSei, false);
  EXPECT_EQ(read(0x344), 0u);
}

TEST_F(CsrFieldTest, AnEdgeOnSsipIsClearedBySoftwareThatNamesItAndByNoOther) {
  write(0x303, 2);
  cpu.set_irq(kSsi, true);
  EXPECT_EQ(access(0x144, CsrOp::kClear, 0x20), 2u);
  EXPECT_EQ(read(0x144), 2u);
  EXPECT_EQ(access(0x144, CsrOp::kClear, 2), 2u);
  EXPECT_EQ(read(0x144), 0u);
  // Not delegated, it is out of sip's reach.
  cpu.set_irq(kSsi, true);
  write(0x303, 0);
  write(0x144, 0);
  EXPECT_EQ(read(0x344), 2u);
  write(0x344, 0);
  EXPECT_EQ(read(0x344), 0u);
}

TEST_F(CsrFieldTest, StipIsWritableInMipWithoutStceAndReadOnlyWithIt) {
  write(0x344, 0x20);
  EXPECT_EQ(read(0x344), 0x20u);
  write(kMenvcfg, envcfg::Stce::kMask);
  EXPECT_EQ(read(0x344), 0u);
  write(0x14d, 1000);
  EXPECT_EQ(read(0x344), 0x20u);
  write(0x344, 0);
  EXPECT_EQ(read(0x344), 0x20u);
  write(0x14d, 1001);
  EXPECT_EQ(read(0x344), 0u);
  // What was written meanwhile went nowhere.
  write(kMenvcfg, 0);
  EXPECT_EQ(read(0x344), 0x20u);
}

}  // namespace
}  // namespace gstage::riscv
