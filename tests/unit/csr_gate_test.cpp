// SPDX-License-Identifier: Apache-2.0
// Registers that open and close others, and which exception a closed one raises.
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

constexpr unsigned kFflags = 0x001;
constexpr unsigned kFrm = 0x002;
constexpr unsigned kFcsr = 0x003;
constexpr unsigned kStimecmp = 0x14d;
constexpr unsigned kSatp = 0x180;
constexpr unsigned kVstimecmp = 0x24d;
constexpr unsigned kVsatp = 0x280;
constexpr unsigned kHgatp = 0x680;
constexpr unsigned kCycle = 0xc00;

class CsrGateTest : public RiscvHart {
 protected:
  /// Verdicts in M, HS, U, VS, VU.
  std::string in_all_modes(unsigned number, CsrOp op = CsrOp::kRead) {
    std::string verdicts;
    for (const Mode& mode : kModes) {
      enter(mode);
      verdicts += verdict(number, op);
    }
    return verdicts;
  }
  void set_counteren(std::uint64_t m, std::uint64_t h, std::uint64_t s) {
    hart().mcounteren = m;
    hart().hcounteren = h;
    hart().scounteren = s;
  }
  void set_stce(bool m, bool h) {
    hart().menvcfg = envcfg::Stce::set(0, m ? 1 : 0);
    hart().henvcfg = envcfg::Stce::set(0, h ? 1 : 0);
  }
  void set_fs(std::uint64_t hs, std::uint64_t vs) {
    hart().hs.status = status::Fs::set(hart().hs.status, hs);
    hart().vs.status = status::Fs::set(hart().vs.status, vs);
  }
};

TEST_F(CsrGateTest, CountersFollowTheThreeCounterEnables) {
  for (unsigned n = 0; n < 32; ++n) {
    const std::uint64_t bit = std::uint64_t{1} << n;
    const struct {
      std::uint64_t m, h, s;
      const char* verdicts;  // M HS U VS VU
    } cases[] = {
        {0, 0, 0, "AIIII"},
        {bit, 0, 0, "AAIVV"},
        {bit, bit, 0, "AAIAV"},
        {bit, 0, bit, "AAAVV"},
        {bit, bit, bit, "AAAAA"},
        {0, bit, bit, "AIIII"},
        {~bit, ~0ull, ~0ull, "AIIII"},
        {~0ull, ~bit, ~0ull, "AAAVV"},
        {~0ull, ~0ull, ~bit, "AAIAV"},
    };
    for (const auto& c : cases) {
      set_counteren(c.m, c.h, c.s);
      EXPECT_EQ(in_all_modes(kCycle + n), c.verdicts)
          << csr_name(kCycle + n) << std::hex << " m=" << c.m << " h=" << c.h << " s=" << c.s;
    }
  }
}

TEST_F(CsrGateTest, CounterWritesAreIllegalNeverVirtual) {
  set_counteren(1, 0, 0);
  EXPECT_EQ(in_all_modes(kCycle, CsrOp::kSet), "IIIII");
}

TEST_F(CsrGateTest, StimecmpNeedsStceAndTmOfEachLevel) {
  constexpr std::uint64_t kTm = 2;
  const struct {
    bool m_stce, h_stce;
    std::uint64_t m_tm, h_tm;
    const char* stimecmp;
    const char* vstimecmp;
  } cases[] = {
      {true, true, kTm, kTm, "AAIAV", "AAIVV"},  {false, false, kTm, kTm, "AIIII", "AIIII"},
      {true, false, kTm, kTm, "AAIVV", "AAIVV"}, {true, true, 0, kTm, "AIIII", "AIIII"},
      {true, true, kTm, 0, "AAIVV", "AAIVV"},
  };
  for (const auto& c : cases) {
    set_stce(c.m_stce, c.h_stce);
    set_counteren(c.m_tm, c.h_tm, 0);
    EXPECT_EQ(in_all_modes(kStimecmp), c.stimecmp);
    EXPECT_EQ(in_all_modes(kVstimecmp), c.vstimecmp);
  }
}

TEST_F(CsrGateTest, TvmTakesSatpAndHgatpFromHsModeAlone) {
  hart().mstatus |= status::Tvm::kMask;
  EXPECT_EQ(in_all_modes(kSatp), "AIIAV");
  EXPECT_EQ(in_all_modes(kHgatp), "AIIVV");
  EXPECT_EQ(in_all_modes(kVsatp), "AAIVV");
}

TEST_F(CsrGateTest, VtvmTakesSatpFromVsModeAsAVirtualInstruction) {
  hart().hstatus |= hstatus::Vtvm::kMask;
  EXPECT_EQ(in_all_modes(kSatp), "AAIVV");
  EXPECT_EQ(in_all_modes(kHgatp), "AAIVV");
  EXPECT_EQ(in_all_modes(kVsatp), "AAIVV");
}

TEST_F(CsrGateTest, SeedFollowsSseedAndUseedAndMustBeWritten) {
  constexpr unsigned kSeed = 0x015;
  constexpr unsigned kMseccfg = 0x747;
  EXPECT_EQ(in_all_modes(kSeed, CsrOp::kSwap), "IIIII");
  config.zkr = true;
  const struct {
    std::uint64_t mseccfg;
    const char* verdicts;
  } cases[] = {{0, "AIIII"},
               {mseccfg::Useed::kMask, "AIAII"},
               {mseccfg::Sseed::kMask, "AAIVV"},
               {mseccfg::Useed::kMask | mseccfg::Sseed::kMask, "AAAVV"}};
  for (const auto& c : cases) {
    enter(kM);
    write(kMseccfg, c.mseccfg);
    EXPECT_EQ(read(kMseccfg), c.mseccfg);
    for (const CsrOp op : {CsrOp::kSwap, CsrOp::kWriteOnly, CsrOp::kSet, CsrOp::kClear})
      EXPECT_EQ(in_all_modes(kSeed, op), c.verdicts);
    EXPECT_EQ(in_all_modes(kSeed, CsrOp::kRead), "IIIII");
  }
}

TEST_F(CsrGateTest, MseccfgHasTheFieldsOfTheExtensionsThatAreThere) {
  constexpr unsigned kMseccfg = 0x747;
  config.zkr = true;
  config.smepmp = false;
  write(kMseccfg, ~0ull);
  EXPECT_EQ(read(kMseccfg), mseccfg::Useed::kMask | mseccfg::Sseed::kMask);
  config.zkr = false;
  EXPECT_EQ(verdict(kMseccfg), 'I');
}

TEST_F(CsrGateTest, FsOffIsIllegalInEveryModeNeverVirtual) {
  for (const unsigned number : {kFflags, kFrm, kFcsr}) {
    set_fs(0, 3);
    EXPECT_EQ(in_all_modes(number), "IIIII") << csr_name(number);
    set_fs(1, 0);
    EXPECT_EQ(in_all_modes(number), "AAAII") << csr_name(number);
    set_fs(1, 1);
    EXPECT_EQ(in_all_modes(number), "AAAAA") << csr_name(number);
  }
}

/// Registers that a bit of mstateen0 closes, with the verdicts in M, HS, U, VS, VU while the bit is 0 in both
/// registers, 1 in mstateen0 alone, and 1 in both.
struct StateEnableCase {
  std::uint64_t bit;
  unsigned number;
  const char* closed;
  const char* guests_closed;
  const char* open;
};
constexpr std::uint64_t kEnvcfgBit = 1ull << 62;
constexpr std::uint64_t kSeBit = 1ull << 63;
constexpr std::uint64_t kCsrindBit = 1ull << 60;
constexpr std::uint64_t kAiaBit = 1ull << 59;
constexpr StateEnableCase kStateEnableCases[] = {
    {kEnvcfgBit, 0x10a, "AIIII", "AAIVV", "AAIAV"}, {kEnvcfgBit, 0x60a, "AIIII", "AAIVV", "AAIVV"},
    {kSeBit, 0x10c, "AIIII", "AAIVV", "AAIAV"},     {kSeBit, 0x60c, "AIIII", "AAIVV", "AAIVV"},
    {kCsrindBit, 0x150, "AIIII", "AAIVV", "AAIAV"}, {kCsrindBit, 0x250, "AIIII", "AAIVV", "AAIVV"},
    {kAiaBit, 0xdb0, "AIIII", "AAIVV", "AAIAV"},    {kAiaBit, 0xeb0, "AIIII", "AAIVV", "AAIVV"},
    {kAiaBit, 0x608, "AIIII", "AAIVV", "AAIVV"},    {kAiaBit, 0x609, "AIIII", "AAIVV", "AAIVV"},
    {kAiaBit, 0x646, "AIIII", "AAIVV", "AAIVV"},    {kAiaBit, 0x647, "AIIII", "AAIVV", "AAIVV"},
};

TEST_F(CsrGateTest, StateEnablesCloseWhatTheyNameAndNothingElse) {
  config.smstateen = config.smaia = config.ssaia = true;
  restart();
  for (const StateEnableCase& c : kStateEnableCases) {
    const struct {
      std::uint64_t m, h;
      const char* verdicts;
    } cases[] = {{~c.bit, ~0ull, c.closed}, {~0ull, ~c.bit, c.guests_closed}, {c.bit, c.bit, c.open}};
    for (const auto& enables : cases) {
      hart().mstateen[0] = enables.m;
      hart().hstateen[0] = enables.h;
      EXPECT_EQ(in_all_modes(c.number), enables.verdicts) << csr_name(c.number) << std::hex << enables.m;
    }
  }
}

TEST_F(CsrGateTest, EachStateEnableRegisterHasItsOwnSe) {
  config.smstateen = true;
  restart();
  for (unsigned i = 0; i < kStateEnables; ++i) {
    hart().mstateen[i] = kSeBit;
    hart().hstateen[i] = kSeBit;
    for (unsigned other = 0; other < kStateEnables; ++other)
      EXPECT_EQ(in_all_modes(0x10c + other), other == i ? "AAIAV" : "AIIII") << i << other;
    hart().mstateen[i] = 0;
  }
}

TEST_F(CsrGateTest, WithoutSmstateenNothingIsClosed) {
  config.smaia = config.ssaia = true;
  restart();
  for (const StateEnableCase& c : kStateEnableCases)
    EXPECT_EQ(in_all_modes(c.number), c.bit == kSeBit ? "IIIII" : c.open) << csr_name(c.number);
}

TEST_F(CsrGateTest, StateEnablesThatMstateenLacksAreReadOnlyZeroInHstateen) {
  config.smstateen = true;
  restart();
  write(0x30c, ~0ull);
  EXPECT_EQ(read(0x30c), kSeBit | kEnvcfgBit);
  write(0x60c, ~0ull);
  EXPECT_EQ(read(0x60c), kSeBit | kEnvcfgBit);
  write(0x30c, kSeBit);
  EXPECT_EQ(read(0x60c), kSeBit);
  write(0x60c, ~0ull);
  write(0x30c, 0);
  EXPECT_EQ(read(0x60c), 0u);
}

/// Of the state behind sireg, the interrupt priorities are the AIA bit's.
TEST_F(CsrGateTest, StateEnableOfTheAiaClosesPrioritiesBehindSireg) {
  config.smstateen = config.smaia = config.ssaia = true;
  restart();
  hart().hs.iselect = 0x30;
  hart().mstateen[0] = kCsrindBit | kAiaBit;
  EXPECT_EQ(in_all_modes(0x151).substr(0, 3), "AAI");
  hart().mstateen[0] = kCsrindBit;
  EXPECT_EQ(in_all_modes(0x151).substr(0, 3), "AII");
}

/// Verdicts of sireg, sireg2, sireg3, sireg4, sireg5 and sireg6 in the present mode.
constexpr unsigned kWindows[] = {0x151, 0x152, 0x153, 0x155, 0x156, 0x157};

TEST_F(CsrGateTest, DelegatedCountersAreBehindTheFirstTwoWindows) {
  config.smcsrind = config.sscsrind = config.smcdeleg = config.ssccfg = config.smcntrpmf = true;
  restart();
  const struct {
    unsigned select;
    bool cde;
    std::uint64_t counters;
    const char* in_m_and_hs;
    const char* in_vs;
  } cases[] = {
      {0x40, true, 1, "AAIIII", "VVVVVV"},        {0x40, true, ~1ull, "IIIIII", "VVVVVV"},
      {0x40, false, 1, "IIIIII", "IIIIII"},       {0x41, true, ~0ull, "IIIIII", "VVVVVV"},
      {0x42, true, 4, "AAIIII", "VVVVVV"},        {0x43, true, 8, "AAIIII", "VVVVVV"},
      {0x5f, true, 1u << 31, "AAIIII", "VVVVVV"}, {0x60, true, ~0ull, "IIIIII", "IIIIII"},
      {0x30, true, ~0ull, "IIIIII", "IIIIII"},    {0x70, true, ~0ull, "IIIIII", "IIIIII"},
  };
  for (const auto& c : cases) {
    hart().menvcfg = envcfg::Cde::set(0, c.cde ? 1 : 0);
    hart().mcounteren = c.counters;
    hart().hs.iselect = hart().vs.iselect = c.select;
    std::string verdicts[std::size(kModes)];
    for (unsigned i = 0; i < std::size(kModes); ++i) {
      enter(kModes[i]);
      for (const unsigned number : kWindows) verdicts[i] += verdict(number);
    }
    EXPECT_EQ(verdicts[0], c.in_m_and_hs) << std::hex << c.select;
    EXPECT_EQ(verdicts[1], c.in_m_and_hs) << std::hex << c.select;
    EXPECT_EQ(verdicts[2], "IIIIII") << std::hex << c.select;
    EXPECT_EQ(verdicts[3], c.in_vs) << std::hex << c.select;
    EXPECT_EQ(verdicts[4], "VVVVVV") << std::hex << c.select;
    enter(kM);
    for (const unsigned number : {0x251u, 0x252u, 0x255u, 0x351u, 0x352u, 0x355u})
      EXPECT_EQ(verdict(number), 'I') << csr_name(number);
  }
}

TEST_F(CsrGateTest, ConfigurationsOfFixedCountersNeedSmcntrpmf) {
  config.smcsrind = config.sscsrind = config.smcdeleg = config.ssccfg = true;
  restart();
  hart().menvcfg = envcfg::Cde::kMask;
  hart().mcounteren = ~0ull;
  for (const unsigned select : {0x40u, 0x42u, 0x43u}) {
    hart().hs.iselect = select;
    EXPECT_EQ(verdict(0x151), 'A') << select;
    EXPECT_EQ(verdict(0x152), select == 0x43 ? 'A' : 'I') << select;
  }
}

TEST_F(CsrGateTest, CdeTakesCounterOverflowsFromGuests) {
  config.smcsrind = config.sscsrind = config.smcdeleg = config.ssccfg = config.sscofpmf = true;
  restart();
  EXPECT_EQ(in_all_modes(0x120), "IIIII");
  EXPECT_EQ(in_all_modes(0xda0), "AAIAV");
  hart().menvcfg = envcfg::Cde::kMask;
  EXPECT_EQ(in_all_modes(0x120), "AAIVV");
  EXPECT_EQ(in_all_modes(0xda0), "AAIVV");
}

TEST_F(CsrGateTest, ScountinhibitIsTheDelegatedPartOfMcountinhibit) {
  config.smcsrind = config.sscsrind = config.smcdeleg = config.ssccfg = true;
  restart();
  hart().menvcfg = envcfg::Cde::kMask;
  hart().mcounteren = 0xf7;
  write(0x320, 0x1f0d);
  EXPECT_EQ(read(0x120), 0x5u);
  write(0x120, ~0ull);
  EXPECT_EQ(read(0x320), 0x1ffdu);
  write(0x120, 0);
  EXPECT_EQ(read(0x320), 0x1f08u);
}

TEST_F(CsrGateTest, ClearedMisaHMakesHypervisorRegistersIllegal) {
  write(0x301, 0);
  for (const unsigned number : {0x200u, 0x280u, 0x600u, 0x603u, 0x680u, 0x34au, 0x34bu, 0xe12u})
    EXPECT_EQ(verdict(number), 'I') << csr_name(number);
  write(0x301, misa_bit('H'));
  EXPECT_EQ(verdict(0x600), 'A');
}

TEST_F(CsrGateTest, ClearedMisaHHidesItsBitsElsewhere) {
  write(0x300, status::Mpv::kMask | status::Gva::kMask);
  write(0x302, ~0ull);
  write(0x304, ~0ull);
  hart().hvip = 0x444;
  write(0x301, 0);
  EXPECT_EQ(read(0x300) & (status::Mpv::kMask | status::Gva::kMask), 0u);
  write(0x300, status::Mpv::kMask | status::Gva::kMask);
  EXPECT_EQ(read(0x300) & (status::Mpv::kMask | status::Gva::kMask), 0u);
  EXPECT_EQ(read(0x302), 0xb3ffu);
  EXPECT_EQ(read(0x303), 0u);
  EXPECT_EQ(read(0x304), 0xaaau);
  EXPECT_EQ(read(0x344), 0u);
}

TEST_F(CsrGateTest, ReadsWithoutWritesAreAllowedOnReadOnlyNumbers) {
  EXPECT_EQ(access(0xf14, CsrOp::kRead), kHartid);
  EXPECT_EQ(verdict(0xf14, CsrOp::kSwap), 'I');
  EXPECT_EQ(verdict(0xf14, CsrOp::kWriteOnly), 'I');
  EXPECT_EQ(verdict(0xf14, CsrOp::kClear), 'I');
}

TEST_F(CsrGateTest, ARaisedAccessHasNoEffect) {
  write(0x340, 1);
  enter(kHs);
  EXPECT_EQ(verdict(0x340, CsrOp::kWriteOnly), 'I');
  enter(kM);
  EXPECT_EQ(read(0x340), 1u);
}

}  // namespace
}  // namespace gstage::riscv
