// SPDX-License-Identifier: Apache-2.0
// Every row of csr_table.inc: who may access it, and which bits can be set. The expectations are written down
// from the specification, not derived from the table.
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "target/riscv/csr/row.h"

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

constexpr std::uint64_t kOnes = ~std::uint64_t{0};
constexpr std::uint64_t kEven = ~std::uint64_t{1};
constexpr std::uint64_t kLow32 = 0xffff'ffff;
constexpr std::uint64_t kTvec = ~std::uint64_t{2};

/// What a CSR must be. `ones` is read after `wrote` was written to it at power-on, `zeros` after zero was;
/// for read-only ones both are what it reads.
struct Expected {
  unsigned number;
  const char* name;
  char level;  ///< least mode: U, S, H or M
  bool is_read_only;
  std::uint64_t ones;
  std::uint64_t zeros;
  std::uint64_t wrote;
};
constexpr Expected rw(unsigned number, const char* name, char level, std::uint64_t ones,
                      std::uint64_t zeros = 0, std::uint64_t wrote = kOnes) {
  return {number, name, level, false, ones, zeros, wrote};
}
constexpr Expected ro(unsigned number, const char* name, char level, std::uint64_t value) {
  return {number, name, level, true, value, value, 0};
}

/// What is seen through it depends on other registers (aia_csr_test.cpp), or on chance.
constexpr char kWindow = '-';
constexpr Expected window(unsigned number, const char* name) { return rw(number, name, kWindow, 0); }
/// Interrupts 13–63.
constexpr std::uint64_t kLocal = kOnes << 13;

constexpr Expected kExpected[] = {
    rw(0x001, "fflags", 'U', 0x1f),
    rw(0x002, "frm", 'U', 7),
    rw(0x003, "fcsr", 'U', 0xff),
    window(0x015, "seed"),  // csr_gate_test.cpp
    rw(0x100, "sstatus", 'S', 0x8000'0002'000c'6122, 0x2'0000'0000),
    rw(0x104, "sie", 'S', 0x222),
    rw(0x105, "stvec", 'S', kTvec),
    rw(0x106, "scounteren", 'S', kLow32),
    rw(0x10a, "senvcfg", 'S', 0xf1),
    rw(0x140, "sscratch", 'S', kOnes),
    rw(0x141, "sepc", 'S', kEven),
    rw(0x142, "scause", 'S', kOnes),
    rw(0x143, "stval", 'S', kOnes),
    rw(0x144, "sip", 'S', 0x2),
    rw(0x14d, "stimecmp", 'S', kOnes),
    rw(0x180, "satp", 'S', 0xafff'ffff'ffff'ffff, 0, 0xafff'ffff'ffff'ffff),
    rw(0x200, "vsstatus", 'H', 0x8000'0002'000c'6122, 0x2'0000'0000),
    rw(0x204, "vsie", 'H', 0x222),
    rw(0x205, "vstvec", 'H', kTvec),
    rw(0x150, "siselect", 'S', 0xfff),
    window(0x151, "sireg"),
    window(0x15c, "stopei"),
    window(0x120, "scountinhibit"),
    window(0x152, "sireg2"),
    window(0x153, "sireg3"),
    ro(0xda0, "scountovf", 'S', 0),
    rw(0x250, "vsiselect", 'H', 0xfff),
    window(0x251, "vsireg"),
    window(0x25c, "vstopei"),
    rw(0x308, "mvien", 'M', kLocal | 0x202),
    rw(0x309, "mvip", 'M', kLocal | 0x202),
    rw(0x350, "miselect", 'M', 0xfff),
    window(0x351, "mireg"),
    window(0x35c, "mtopei"),
    rw(0x608, "hvien", 'H', kLocal),
    rw(0x609, "hvictl", 'H', 0x4fff'03ff),
    rw(0x646, "hviprio1", 'H', 0xffff'ff00'ff00'ff00),
    rw(0x647, "hviprio2", 'H', kOnes),
    ro(0xdb0, "stopi", 'S', 0),
    ro(0xeb0, "vstopi", 'H', 0),
    ro(0xfb0, "mtopi", 'M', 0),
    rw(0x240, "vsscratch", 'H', kOnes),
    rw(0x241, "vsepc", 'H', kEven),
    rw(0x242, "vscause", 'H', kOnes),
    rw(0x243, "vstval", 'H', kOnes),
    rw(0x244, "vsip", 'H', 0x2),
    rw(0x24d, "vstimecmp", 'H', kOnes),
    rw(0x280, "vsatp", 'H', 0xafff'ffff'ffff'ffff, 0, 0xafff'ffff'ffff'ffff),
    rw(0x300, "mstatus", 'M', 0x8000'00ca'007e'79aa, 0xa'0000'0000),
    rw(0x301, "misa", 'M', 0x8000'0000'0014'11ad, 0x8000'0000'0014'112d),
    rw(0x302, "medeleg", 'M', 0xf0'b7ff),
    rw(0x303, "mideleg", 'M', 0x2666, 0x444),
    rw(0x304, "mie", 'M', 0x2eee),
    rw(0x305, "mtvec", 'M', kTvec),
    rw(0x306, "mcounteren", 'M', kLow32),
    rw(0x30c, "mstateen0", 'M', 0xd800'0000'0000'0000),
    rw(0x30a, "menvcfg", 'M', 0xb000'0000'0000'00f1),
    rw(0x321, "mcyclecfg", 'M', 0x7c00'0000'0000'0000),
    rw(0x322, "minstretcfg", 'M', 0x7c00'0000'0000'0000),
    rw(0x320, "mcountinhibit", 'M', 0xffff'fffd),
    rw(0x340, "mscratch", 'M', kOnes),
    rw(0x341, "mepc", 'M', kEven),
    rw(0x342, "mcause", 'M', kOnes),
    rw(0x343, "mtval", 'M', kOnes),
    rw(0x344, "mip", 'M', 0x2206),
    rw(0x34a, "mtinst", 'M', kOnes),
    rw(0x34b, "mtval2", 'M', kOnes),
    rw(0x3a0, "pmpcfg0", 'M', 0x9f9f'9f9f'9f9f'9f9f),
    rw(0x3a2, "pmpcfg2", 'M', 0x9f9f'9f9f'9f9f'9f9f),
    rw(0x600, "hstatus", 'H', 0x2'0070'03c0, 0x2'0000'0000),
    rw(0x602, "hedeleg", 'H', 0xc'b1ff),
    rw(0x603, "hideleg", 'H', 0x2444),
    rw(0x604, "hie", 'H', 0x444),
    rw(0x605, "htimedelta", 'H', kOnes),
    rw(0x606, "hcounteren", 'H', kLow32),
    rw(0x607, "hgeie", 'H', 0),
    rw(0x60a, "henvcfg", 'H', 0xa000'0000'0000'00f1),
    rw(0x60c, "hstateen0", 'H', 0xd800'0000'0000'0000),
    rw(0x643, "htval", 'H', kOnes),
    rw(0x644, "hip", 'H', 0x4),
    rw(0x645, "hvip", 'H', kLocal | 0x444),
    rw(0x64a, "htinst", 'H', kOnes),
    rw(0x680, "hgatp", 'H', 0xa3ff'ffff'ffff'fffc, 0, 0xafff'ffff'ffff'ffff),
    rw(0x747, "mseccfg", 'M', 7),
    rw(0x740, "mnscratch", 'M', kOnes),
    rw(0x741, "mnepc", 'M', kEven),
    rw(0x742, "mncause", 'M', kOnes),
    rw(0x744, "mnstatus", 'M', 0x1888),
    rw(0x7a0, "tselect", 'M', 3, 0, 3),
    rw(0x7a1, "tdata1", 'M', 0xf000'0000'0000'0000, 0xf000'0000'0000'0000),
    rw(0x7a2, "tdata2", 'M', kOnes),
    rw(0x7a3, "tdata3", 'M', 0),
    rw(0x7a4, "tinfo", 'M', 0x100'8068, 0x100'8068),
    rw(0xb00, "mcycle", 'M', kOnes),
    rw(0xb02, "minstret", 'M', kOnes),
    ro(0xc00, "cycle", 'U', 100'000),
    ro(0xc01, "time", 'U', 1000),
    ro(0xc02, "instret", 'U', 100'000),
    ro(0xe12, "hgeip", 'H', 0),
    ro(0xf11, "mvendorid", 'M', 0),
    ro(0xf12, "marchid", 'M', 0),
    ro(0xf13, "mimpid", 'M', 0),
    ro(0xf14, "mhartid", 'M', 5),
    ro(0xf15, "mconfigptr", 'M', 0),
};

/// The same of numbered families: `first` is the number of the first register's name.
struct ExpectedFamily {
  Expected of_each;
  unsigned count;
  unsigned first;
};
constexpr ExpectedFamily kFamilies[] = {
    {rw(0x323, "mhpmevent", 'M', 0xfc00'0000'000f'ffff), 29, 3},
    {rw(0x3b0, "pmpaddr", 'M', 0x3f'ffff'ffff'ffff), 16, 0},
    {rw(0xb03, "mhpmcounter", 'M', kOnes), 29, 3},
    {ro(0xc03, "hpmcounter", 'U', 0), 29, 3},
    {rw(0x10c, "sstateen", 'S', 0), 4, 0},
    {window(0x155, "sireg"), 3, 4},
    {window(0x252, "vsireg"), 2, 2},
    {window(0x255, "vsireg"), 3, 4},
    {window(0x352, "mireg"), 2, 2},
    {window(0x355, "mireg"), 3, 4},
    {rw(0x30d, "mstateen", 'M', 1ull << 63), 3, 1},
    {rw(0x60d, "hstateen", 'H', 1ull << 63), 3, 1},
};

std::map<unsigned, std::pair<std::string, Expected>> all_numbers() {
  std::map<unsigned, std::pair<std::string, Expected>> all;
  for (const Expected& e : kExpected) all[e.number] = {e.name, e};
  for (const ExpectedFamily& family : kFamilies) {
    for (unsigned i = 0; i < family.count; ++i) {
      Expected e = family.of_each;
      e.number += i;
      all[e.number] = {e.name + std::to_string(family.first + i), e};
    }
  }
  return all;
}

/// Without the windows.
std::map<unsigned, std::pair<std::string, Expected>> all_expected() {
  auto all = all_numbers();
  std::erase_if(all, [](const auto& row) { return row.second.second.level == kWindow; });
  return all;
}

class CsrTableTest : public RiscvHart {
 protected:
  CsrTableTest() { add_extensions(); }
  /// Those with registers that a default hart lacks.
  void add_extensions() {
    config.smaia = config.ssaia = config.smstateen = config.ssstateen = config.smrnmi = true;
    config.smcsrind = config.sscsrind = config.smcdeleg = config.ssccfg = true;
    config.sscofpmf = config.shlcofideleg = config.smcntrpmf = config.smepmp = true;
  }
  /// Power-on state in which nothing closes a gate or masks a view.
  void open() {
    restart();
    hart().pmpcfg[0] = 0;
    hart().pmpaddr[0] = 0;
    hart().mideleg = 0x222;
    hart().hideleg = 0x444;
    hart().menvcfg = envcfg::Stce::kMask | envcfg::Adue::kMask;
    hart().henvcfg = envcfg::Stce::kMask | envcfg::Adue::kMask;
    hart().mcounteren = hart().hcounteren = hart().scounteren = kLow32;
    for (const unsigned enables : {0x30cu, 0x60cu})
      for (unsigned i = 0; i < kStateEnables; ++i) csr_poke(hart(), enables + i, kOnes);
    hart().hs.status = status::Fs::set(hart().hs.status, 1);
    hart().vs.status = status::Fs::set(hart().vs.status, 1);
  }
};

TEST_F(CsrTableTest, EveryNumberOfTheTableIsExpectedAndNoOther) {
  const auto expected = all_numbers();
  for (unsigned number = 0; number < 4096; ++number) {
    const CsrRow* const row = find_csr(number);
    ASSERT_EQ(row != nullptr, expected.count(number) != 0) << std::hex << number;
    EXPECT_EQ(csr_name(number), row == nullptr ? "" : expected.at(number).first) << std::hex << number;
  }
}

TEST_F(CsrTableTest, BitsElevenAndTenOfTheNumberSayWhatHasNoWriteHandler) {
  const CsrTable table = csr_table();
  for (unsigned i = 0; i < table.count; ++i) {
    const CsrRow& row = table.rows[i];
    EXPECT_EQ(row.write == nullptr, row.number >> 10 == 3) << row.name;
  }
}

TEST_F(CsrTableTest, MasksOfOnesAndZeros) {
  for (const auto& [number, named] : all_expected()) {
    const Expected& e = named.second;
    open();
    EXPECT_EQ(csr_poke(hart(), number, e.wrote), !e.is_read_only) << named.first;
    EXPECT_EQ(csr_peek(hart(), number), e.ones) << named.first << " after ones";
    open();
    EXPECT_EQ(csr_poke(hart(), number, 0), !e.is_read_only) << named.first;
    EXPECT_EQ(csr_peek(hart(), number), e.zeros) << named.first << " after zeros";
  }
}

TEST_F(CsrTableTest, CsrInstructionsDoWhatPokeAndPeekDo) {
  for (const auto& [number, named] : all_expected()) {
    const Expected& e = named.second;
    if (e.is_read_only) continue;
    open();
    EXPECT_TRUE(access(number, CsrOp::kWriteOnly, e.wrote)) << named.first;
    EXPECT_EQ(access(number, CsrOp::kSwap, 0), e.ones) << named.first;
  }
}

/// Verdicts in M, HS, U, VS, VU when nothing but privilege decides.
const char* verdicts_of(char level) {
  switch (level) {
    case 'U': return "AAAAA";
    case 'S': return "AAIAV";
    case 'H': return "AAIVV";
    default: return "AIIII";
  }
}

TEST_F(CsrTableTest, PrivilegeInEveryMode) {
  for (const auto& [number, named] : all_expected()) {
    const Expected& e = named.second;
    std::string reads;
    std::string writes;
    for (const Mode& mode : kModes) {
      open();
      enter(mode);
      reads += verdict(number, CsrOp::kRead);
      open();
      enter(mode);
      // Sets no bit, but counts as a write.
      writes += verdict(number, CsrOp::kSet);
    }
    EXPECT_EQ(reads, verdicts_of(e.level)) << named.first;
    EXPECT_EQ(writes, e.is_read_only ? "IIIII" : verdicts_of(e.level)) << named.first;
  }
}

TEST_F(CsrTableTest, NumbersThatDoNotExistAreIllegalInEveryMode) {
  for (const unsigned number : {0x000u, 0x004u, 0x101u, 0x180u + 1, 0x310u, 0x3a1u, 0x3a3u, 0x3a4u, 0x3c0u,
                                0x601u, 0x7b0u, 0x7b1u, 0xb01u, 0xb80u, 0xc20u, 0xc80u, 0xfffu}) {
    for (const Mode& mode : kModes) {
      open();
      enter(mode);
      EXPECT_EQ(verdict(number), 'I') << std::hex << number << " in " << mode.name;
    }
    EXPECT_EQ(csr_peek(hart(), number), std::nullopt);
    EXPECT_FALSE(csr_poke(hart(), number, 0));
  }
}

/// No two registers share their bits: each keeps its own value while all others are written.
TEST_F(CsrTableTest, FullWidthRegistersAreDistinct) {
  open();
  csr_poke(hart(), 0x320, kOnes);
  std::set<unsigned> numbers;
  for (const auto& [number, named] : all_expected())
    if (named.second.ones == kOnes || named.second.ones == kEven || named.second.ones == kTvec)
      numbers.insert(number);
  EXPECT_GT(numbers.size(), 20u);
  const auto value_of = [](unsigned number) { return 0x1000'0000'0000'0000u + number * 0x10004; };
  for (const unsigned number : numbers) EXPECT_TRUE(csr_poke(hart(), number, value_of(number)));
  for (const unsigned number : numbers)
    EXPECT_EQ(csr_peek(hart(), number), value_of(number)) << csr_name(number);
}

/// With V=1 the VS register takes the place of the supervisor register, which keeps its value ("Hypervisor
/// and Virtual Supervisor CSRs"). The values are such as both registers hold.
struct Replica {
  unsigned supervisor;
  unsigned guest;
  std::uint64_t hs_value;
  std::uint64_t vs_value;
  std::uint64_t written;
};
constexpr std::uint64_t kUxl64 = 0x2'0000'0000;
constexpr Replica kReplicas[] = {
    {0x100, 0x200, kUxl64 | 0x2000, kUxl64 | 0x2020, kUxl64 | 0x4'2000},
    {0x104, 0x204, 0x2, 0x20, 0x200},
    {0x105, 0x205, 0x1000, 0x2000, 0x3001},
    {0x140, 0x240, 1, 2, 3},
    {0x141, 0x241, 0x1000, 0x2000, 0x3002},
    {0x142, 0x242, 1, 2, 3},
    {0x143, 0x243, 1, 2, 3},
    {0x144, 0x244, 0, 2, 0},
    {0x14d, 0x24d, 0x1000'0000, 0x2000'0000, 0x3000'0000},
    {0x180, 0x280, 0x8000'0000'0008'0000, 0x9000'0000'0009'0000, 0xa000'0000'000a'0000},
};

TEST_F(CsrTableTest, VsRegistersReplaceSupervisorRegistersWithV1) {
  for (const Replica& r : kReplicas) {
    open();
    EXPECT_TRUE(csr_poke(hart(), r.supervisor, r.hs_value));
    EXPECT_TRUE(csr_poke(hart(), r.guest, r.vs_value));
    enter(kVs);
    EXPECT_EQ(access(r.supervisor, CsrOp::kSwap, r.written), r.vs_value) << csr_name(r.supervisor);
    EXPECT_EQ(read(r.supervisor), r.written) << csr_name(r.supervisor);
    enter(kM);
    EXPECT_EQ(read(r.supervisor), r.hs_value) << csr_name(r.supervisor);
    EXPECT_EQ(read(r.guest), r.written) << csr_name(r.guest);
  }
}

TEST_F(CsrTableTest, ScounterenAndSenvcfgHaveNoReplica) {
  for (const unsigned number : {0x106u, 0x10au}) {
    open();
    csr_poke(hart(), number, 0);
    enter(kVs);
    write(number, 1);
    enter(kM);
    EXPECT_EQ(read(number), 1u) << csr_name(number);
  }
}

/// Which registers go when an extension is not there.
struct Absence {
  bool CpuConfig::*extension;
  std::set<unsigned> numbers;
};

TEST_F(CsrTableTest, RegistersOfAbsentExtensionsDoNotExist) {
  std::set<unsigned> of_h = {0x34a, 0x34b};
  std::set<unsigned> of_pmp = {0x3a0, 0x3a2};
  std::set<unsigned> of_zihpm;
  std::set<unsigned> of_smstateen;
  for (const auto& [number, named] : all_expected()) {
    if (named.second.level == 'H') of_h.insert(number);
    if (number >= 0x3b0 && number < 0x3c0) of_pmp.insert(number);
    if (number >= 0xc03 && number < 0xc20) of_zihpm.insert(number);
    if (named.first.find("stateen") == 1) of_smstateen.insert(number);
  }
  const Absence absences[] = {{&CpuConfig::h, of_h},
                              {&CpuConfig::f, {1, 2, 3}},
                              {&CpuConfig::sstc, {0x14d, 0x24d}},
                              {&CpuConfig::zicntr, {0xc00, 0xc01, 0xc02}},
                              {&CpuConfig::zihpm, of_zihpm},
                              {&CpuConfig::pmp, of_pmp},
                              {&CpuConfig::smepmp, {0x747}},
                              {&CpuConfig::smrnmi, {0x740, 0x741, 0x742, 0x744}},
                              {&CpuConfig::sdtrig, {0x7a0, 0x7a1, 0x7a2, 0x7a3, 0x7a4}},
                              {&CpuConfig::smaia, {0x308, 0x309, 0xfb0}},
                              {&CpuConfig::sscofpmf, {0xda0}},
                              {&CpuConfig::smcntrpmf, {0x321, 0x322}},
                              {&CpuConfig::smstateen, of_smstateen},
                              {&CpuConfig::ssaia, {0x608, 0x609, 0x646, 0x647, 0xdb0, 0xeb0}}};
  for (const Absence& absence : absences) {
    config = CpuConfig{};
    add_extensions();
    config.*absence.extension = false;
    open();
    for (const auto& [number, named] : all_expected())
      EXPECT_EQ(verdict(number), absence.numbers.count(number) != 0 ? 'I' : 'A') << named.first;
  }
}

}  // namespace
}  // namespace gstage::riscv
