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
