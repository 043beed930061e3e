// SPDX-License-Identifier: Apache-2.0
// The AIA's registers, what they do to interrupts, and who may access them.
#include <memory>

#include <gtest/gtest.h>

#include "target/riscv/aia/imsic.h"
#include "target/riscv/aia/priority.h"
#include "target/riscv/csr/row.h"
#include "hw/intc/imsic_pages.h"

#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

enum Number : unsigned {
  kSie = 0x104,
  kSip = 0x144,
  kSiselect = 0x150,
  kSireg = 0x151,
  kStopei = 0x15c,
  kStopi = 0xdb0,
  kStimecmp = 0x14d,
  kVsie = 0x204,
  kVsip = 0x244,
  kVsiselect = 0x250,
  kVsireg = 0x251,
  kVstopei = 0x25c,
  kVstopi = 0xeb0,
  kMideleg = 0x303,
  kMie = 0x304,
  kMvien = 0x308,
  kMvip = 0x309,
  kMip = 0x344,
  kMiselect = 0x350,
  kMireg = 0x351,
  kMtopei = 0x35c,
  kMtopi = 0xfb0,
  kHstatus = 0x600,
  kHideleg = 0x603,
  kHgeie = 0x607,
  kHvien = 0x608,
  kHvictl = 0x609,
  kHvip = 0x645,
  kHviprio1 = 0x646,
  kHgeip = 0xe12,
};
constexpr unsigned kEidelivery = 0x70, kEithreshold = 0x72, kEip0 = 0x80, kEie0 = 0xc0;
constexpr std::uint64_t kVti = 1ull << 30;

class AiaCsrTest : public RiscvHart {
 protected:
  static constexpr unsigned kGuests = 3;
  void SetUp() override {
    config.smaia = config.ssaia = true;
    restart();
    imsic_ = std::make_unique<Imsic>(ImsicSetup{255, kGuests}, hart(), cpu);
    hart().imsic = imsic_.get();
    hart().mideleg = 0x222;
    hart().hideleg = 0x444;
    hart().menvcfg = hart().henvcfg = envcfg::Stce::kMask;
    hart().mcounteren = hart().hcounteren = ~0u;
  }
  void write_reg(unsigned select_csr, unsigned select, std::uint64_t value) {
    write(select_csr, select);
    write(select_csr + 1, value);
  }
  std::uint64_t read_reg(unsigned select_csr, unsigned select) {
    write(select_csr, select);
    return read(select_csr + 1);
  }
  /// Delivers and enables everything.
  void open_file(unsigned select_csr) {
    write_reg(select_csr, kEidelivery, 1);
    for (unsigned word = 0; word < 4; ++word) write_reg(select_csr, kEie0 + 2 * word, ~0ull);
  }
  void select_guest(std::uint64_t number) { write(kHstatus, hstatus::Vgein::set(read(kHstatus), number)); }
  std::unique_ptr<Imsic> imsic_;
};

TEST_F(AiaCsrTest, ClaimReturnsTheLowestIdentityAndTakesItAway) {
  open_file(kSiselect);
  imsic_->supervisor().receive(200);
  imsic_->supervisor().receive(7);
  EXPECT_EQ(read(kMip) & 0x200, 0x200u);
  EXPECT_EQ(read(kStopei), 7u << 16 | 7u);
  EXPECT_EQ(access(kStopei, CsrOp::kSwap, 0), 7u << 16 | 7u);
  EXPECT_EQ(access(kStopei, CsrOp::kSwap, 0), 200u << 16 | 200u);
  EXPECT_EQ(access(kStopei, CsrOp::kSwap, 0), 0u);
  EXPECT_EQ(read(kMip) & 0x200, 0u);
}

/// What the instruction has read is what it claims, although a more urgent MSI has arrived since.
TEST_F(AiaCsrTest, AClaimTakesWhatWasReadWhenAMoreUrgentOneArrivesInBetween) {
  open_file(kSiselect);
  imsic_->supervisor().receive(20);
  const CsrRow& stopei = *find_csr(kStopei);
  const std::uint64_t read_before = stopei.read(hart(), 0);
  imsic_->supervisor().receive(7);
  stopei.write(hart(), 0, {.value = 0, .mask = ~0ull, .has_read = true, .read = read_before});
  EXPECT_EQ(read(kStopei), 7u << 16 | 7u);
  EXPECT_EQ(access(kStopei, CsrOp::kSwap, 0), 7u << 16 | 7u);
  EXPECT_EQ(read(kStopei), 0u) << "20 is claimed already";
  // An instruction that reads nothing claims the most urgent.
  imsic_->supervisor().receive(20);
  imsic_->supervisor().receive(7);
  write(kStopei, 0);
  EXPECT_EQ(read(kStopei), 20u << 16 | 20u);
}

TEST_F(AiaCsrTest, DeliveryHidesTheInterruptButNotTopei) {
  open_file(kSiselect);
  imsic_->supervisor().receive(9);
  write_reg(kSiselect, kEidelivery, 0);
  EXPECT_EQ(read(kMip) & 0x200, 0u);
  EXPECT_EQ(read(kStopei), 9u << 16 | 9u);
  write_reg(kSiselect, kEidelivery, 1);
  EXPECT_EQ(read(kMip) & 0x200, 0x200u);
  write_reg(kSiselect, kEidelivery, 0x4000'0000);
  EXPECT_EQ(read_reg(kSiselect, kEidelivery), 1u);
}

TEST_F(AiaCsrTest, ThresholdAdmitsSmallerIdentitiesAlone) {
  open_file(kSiselect);
  write_reg(kSiselect, kEithreshold, 20);
  imsic_->supervisor().receive(20);
  EXPECT_EQ(read(kStopei), 0u);
  EXPECT_EQ(read(kMip) & 0x200, 0u);
  imsic_->supervisor().receive(19);
  EXPECT_EQ(read(kStopei), 19u << 16 | 19u);
  write_reg(kSiselect, kEithreshold, 0);
  EXPECT_EQ(read(kMip) & 0x200, 0x200u);
}

TEST_F(AiaCsrTest, IdentitiesThatDoNotExistAreIgnored) {
  open_file(kSiselect);
  for (const unsigned identity : {0u, 256u, 2047u, 0xffffffffu}) imsic_->supervisor().receive(identity);
  EXPECT_EQ(read(kStopei), 0u);
  write_reg(kSiselect, kEip0, ~0ull);
  EXPECT_EQ(read_reg(kSiselect, kEip0), ~1ull);
  write_reg(kSiselect, kEip0 + 8, ~0ull);
  EXPECT_EQ(read_reg(kSiselect, kEip0 + 8), 0u);
}

TEST_F(AiaCsrTest, PendingBitsThatAWriteDoesNotNameStay) {
  write(kSiselect, kEip0);
  imsic_->supervisor().receive(5);
  access(kSireg, CsrOp::kSet, 1u << 9);
  EXPECT_EQ(read(kSireg), 1u << 5 | 1u << 9);
  access(kSireg, CsrOp::kClear, 1u << 5);
  EXPECT_EQ(read(kSireg), 1u << 9);
}

TEST_F(AiaCsrTest, MachineFileDrivesMeip) {
  open_file(kMiselect);
  imsic_->machine().receive(1);
  EXPECT_EQ(read(kMip) & 0x800, 0x800u);
  write(kMie, 0x800);
  EXPECT_EQ(read(kMtopi), 11u << 16 | 1);
  EXPECT_EQ(access(kMtopei, CsrOp::kSwap, 0), 1u << 16 | 1u);
  EXPECT_EQ(read(kMtopi), 0u);
}

TEST_F(AiaCsrTest, GuestFilesShowInHgeipAndVgeinSelectsVseip) {
  select_guest(2);
  open_file(kVsiselect);
  imsic_->guest(2)->receive(33);
  EXPECT_EQ(read(kHgeip), 1u << 2);
  EXPECT_EQ(read(kMip) & 0x1400, 0x400u);
  write(kHgeie, 1u << 2);
  EXPECT_EQ(read(kMip) & 0x1400, 0x1400u);
  select_guest(1);
  EXPECT_EQ(read(kMip) & 0x1400, 0x1000u);
  select_guest(2);
  enter(kVs);
  EXPECT_EQ(access(kStopei, CsrOp::kSwap, 0), 33u << 16 | 33u);
  enter(kM);
  EXPECT_EQ(read(kHgeip), 0u);
}

TEST_F(AiaCsrTest, VgeinKeepsItsValueWhenThereIsNoSuchFile) {
  select_guest(3);
  select_guest(4);
  EXPECT_EQ(hstatus::Vgein::get(read(kHstatus)), 3u);
  write(kHgeie, ~0ull);
  EXPECT_EQ(read(kHgeie), 0xeu);
}

TEST_F(AiaCsrTest, SiregInTheModes) {
  for (const unsigned select : {0x31u, 0x00u, 0x81u, 0xc1u, 0x100u}) {
    enter(kM);
    select_guest(1);
    hart().hs.iselect = hart().vs.iselect = select;
    EXPECT_EQ(verdict(kSireg), 'I') << select;
    EXPECT_EQ(verdict(kVsireg), 'I') << select;
    enter(kVs);
    EXPECT_EQ(verdict(kSireg), 'V') << select;
    EXPECT_EQ(verdict(kVsireg), 'V') << select;
    enter(kVu);
    EXPECT_EQ(verdict(kSireg), 'V') << select;
  }
  hart().hs.iselect = hart().vs.iselect = 0x30;
  enter(kHs);
  EXPECT_EQ(verdict(kSireg), 'A');
  EXPECT_EQ(verdict(kVsireg), 'I');
  enter(kVs);
  EXPECT_EQ(verdict(kSireg), 'V');
}

TEST_F(AiaCsrTest, WithoutAGuestFileVsModeGetsAVirtualInstruction) {
  for (const std::uint64_t vgein : {0u, 1u}) {
    enter(kM);
    select_guest(vgein);
    hart().vs.iselect = kEidelivery;
    const char* const in_hs = vgein == 0 ? "II" : "AA";
    enter(kHs);
    EXPECT_EQ((std::string{verdict(kVstopei), verdict(kVsireg)}), in_hs);
    enter(kVs);
    EXPECT_EQ((std::string{verdict(kStopei), verdict(kSireg)}), vgein == 0 ? "VV" : "AA");
    EXPECT_EQ((std::string{verdict(kVstopei), verdict(kVsireg)}), "VV");
  }
}

TEST_F(AiaCsrTest, WithoutAnImsicThereAreNoFiles) {
  hart().imsic = nullptr;
  hart().hs.iselect = hart().vs.iselect = hart().miselect = kEidelivery;
  enter(kM);
  EXPECT_EQ((std::string{verdict(kMtopei), verdict(kMireg), verdict(kStopei), verdict(kSireg)}), "IIII");
  enter(kVs);
  EXPECT_EQ((std::string{verdict(kStopei), verdict(kSireg)}), "VV");
}

TEST_F(AiaCsrTest, MvienSeiWithholdsTheSupervisorFileFromS) {
  write(kMvien, 0x200);
  hart().hs.iselect = kEidelivery;
  EXPECT_EQ(verdict(kStopei), 'A');
  enter(kHs);
  EXPECT_EQ((std::string{verdict(kStopei), verdict(kSireg)}), "II");
  hart().hs.iselect = 0x30;
  EXPECT_EQ(verdict(kSireg), 'A');
  enter(kM);
  select_guest(1);
  enter(kVs);
  EXPECT_EQ(verdict(kStopei), 'A');
}

TEST_F(AiaCsrTest, VtiKeepsTheGuestFromWhatClearsVsip) {
  write(kHvictl, kVti | 9u << 16);
  enter(kVs);
  EXPECT_EQ((std::string{verdict(kSip), verdict(kSie), verdict(kStimecmp)}), "VVA");
  EXPECT_EQ(verdict(kStimecmp, CsrOp::kWriteOnly), 'V');
  enter(kHs);
  EXPECT_EQ((std::string{verdict(kSip), verdict(kVsip), verdict(kStimecmp, CsrOp::kSet)}), "AAA");
}

TEST_F(AiaCsrTest, MvienMakesInterruptsVirtualForS) {
  hart().mideleg = 0;
  write(kMvien, ~0ull);
  EXPECT_EQ(read(kMvien), ~0ull << 13 | 0x202);
  write(kMvip, 1ull << 40 | 0x202);
  EXPECT_EQ(read(kSip), 1ull << 40 | 0x202);
  EXPECT_EQ(read(kMip) & 0x202, 0u);
  EXPECT_EQ(read(kStopi), 0u);
  write(kSie, 1ull << 40);
  EXPECT_EQ(read(kMie), 0u);
  EXPECT_EQ(read(kStopi) >> 16, 40u);
  enter(kU);
  EXPECT_TRUE(take_interrupt(hart()));
  EXPECT_EQ(hart().hs.cause, 1ull << 63 | 40);
  enter(kM);
  // SEIP is read-only in sip.
  access(kSip, CsrOp::kClear, 1ull << 40 | 0x202);
  EXPECT_EQ(read(kMvip), 0x200u);
}

TEST_F(AiaCsrTest, HvienMakesInterruptsVirtualForVs) {
  write(kHvien, ~0ull);
  EXPECT_EQ(read(kHvien), ~0ull << 13);
  write(kHvip, 1ull << 13);
  EXPECT_EQ(read(kVsip), 1ull << 13);
  write(kVsie, 1ull << 13);
  EXPECT_EQ(read(kVstopi), 13u << 16 | 1);
  EXPECT_TRUE(has_wakeup(hart()));
  enter(kVu);
  EXPECT_TRUE(take_interrupt(hart()));
  EXPECT_EQ(hart().vs.cause, 1ull << 63 | 13);
  access(kSip, CsrOp::kClear, 1ull << 13);
  enter(kM);
  EXPECT_EQ(read(kHvip), 0u);
  write(kHvien, 0);
  write(kHvip, 1ull << 13);
  EXPECT_EQ(read(kVsip), 0u);
}

TEST_F(AiaCsrTest, HvictlInjectsAnyNumber) {
  write(kHvictl, kVti | 77u << 16);
  EXPECT_EQ(read(kVstopi), 77u << 16 | 1);
  enter(kVu);
  EXPECT_TRUE(take_interrupt(hart()));
  EXPECT_EQ(hart().vs.cause, 1ull << 63 | 77);
  enter(kM);
  write(kHvictl, kVti | 9u << 16);
  EXPECT_EQ(read(kVstopi), 0u);
}

TEST_F(AiaCsrTest, HvictlAgainstAnExternalInterrupt) {
  write(kHvip, 0x400);
  write(0x604, 0x400);
  constexpr std::uint64_t kIpriom = 1u << 8;
  constexpr std::uint64_t kDpr = 1u << 9;
  // VSEIP from hvip has priority number 256.
  EXPECT_EQ(read(kVstopi), 9u << 16 | 1);
  write(kHvictl, kVti | kIpriom | 5u << 16);
  EXPECT_EQ(read(kVstopi), 5u << 16);
  write(kHvictl, kVti | kIpriom | kDpr | 5u << 16);
  EXPECT_EQ(read(kVstopi), 9u << 16 | 255);
  write(kHvictl, kVti | kIpriom | kDpr | 5u << 16 | 30);
  EXPECT_EQ(read(kVstopi), 5u << 16 | 30);
  write(kHvictl, kIpriom | 9u << 16 | 12);
  EXPECT_EQ(read(kVstopi), 9u << 16 | 12);
}

/// AIA, "Virtual supervisor top interrupt CSR (vstopi)": of an external interrupt hvictl.IPRIO is the
/// priority only while VGEIN is 0; a guest's file has its own, and without one that is pending it is 256.
TEST_F(AiaCsrTest, HvictlWithTheExternalNumberDoesNotOutrankTheGuestsFile) {
  constexpr std::uint64_t kIpriom = 1u << 8;
  write(0x604, 0x400);
  write(kHvictl, kIpriom | 9u << 16 | 12);
  select_guest(2);
  open_file(kVsiselect);
  imsic_->guest(2)->receive(33);
  EXPECT_EQ(read(kVstopi), 9u << 16 | 33);
  write(kHvip, 0x400);
  select_guest(1);
  EXPECT_EQ(read(kVstopi), 9u << 16 | 255);
  select_guest(0);
  EXPECT_EQ(read(kVstopi), 9u << 16 | 12);
  write(kHvictl, kIpriom | 9u << 16);
  EXPECT_EQ(read(kVstopi), 9u << 16 | 255);
  write(kHvictl, kIpriom | 5u << 16 | 12);
  EXPECT_EQ(read(kVstopi), 9u << 16 | 255);
}

TEST_F(AiaCsrTest, HvipriosOrderVsInterrupts) {
  write(kHvip, 0x44);
  write(0x604, 0x44);
  write(kHvictl, 1u << 8 | 9u << 16);
  EXPECT_EQ(read(kVstopi), 1u << 16 | 255);
  write(kHviprio1, ~0ull);
  EXPECT_EQ(read(kHviprio1), 0xffff'ff00'ff00'ff00u);
  write(kHviprio1, 7ull << 24);
  EXPECT_EQ(read(kVstopi), 5u << 16 | 7);
}

TEST_F(AiaCsrTest, IprioOrdersAndOnlyWhatCanBe) {
  write_reg(kSiselect, 0x30, ~0ull);
  EXPECT_EQ(read_reg(kSiselect, 0x30), 0x00ff'ff00'00ff'ff00u) << "1, 2, 5, 6";
  write_reg(kSiselect, 0x32, ~0ull);
  EXPECT_EQ(read_reg(kSiselect, 0x32) & 0xff00, 0u) << "external interrupts have their controller's";
  write_reg(kMiselect, 0x30, ~0ull);
  EXPECT_EQ(read_reg(kMiselect, 0x30), 0xff00'ff00'ff00'ff00u);
}

TEST_F(AiaCsrTest, PagesAreFilesAndTakeAlignedWordsAlone) {
  hw::ImsicPages pages({&imsic_->supervisor(), imsic_->guest(1), imsic_->guest(2), nullptr});
  open_file(kSiselect);
  EXPECT_TRUE(pages.mmio_write(0, 4, 5));
  EXPECT_EQ(read(kStopei), 5u << 16 | 5u);
  select_guest(2);
  EXPECT_TRUE(pages.mmio_write(0x2000, 4, 6));
  EXPECT_EQ(read_reg(kVsiselect, kEip0), 1u << 6);
  EXPECT_TRUE(pages.mmio_write(0x2004, 4, 7));
  EXPECT_TRUE(pages.mmio_write(0x3000, 4, 7));
  EXPECT_TRUE(pages.mmio_write(0x7000, 4, 7));
  EXPECT_EQ(read_reg(kVsiselect, kEip0), 1u << 6);
  for (const unsigned size : {1u, 2u, 8u}) EXPECT_FALSE(pages.mmio_write(0, size, 8));
  std::uint64_t value = 1;
  EXPECT_TRUE(pages.mmio_read(0, 4, value));
  EXPECT_EQ(value, 0u);
}

TEST(AiaPriorityTest, DefaultOrder) {
  const unsigned order[] = {43, 11, 3, 7, 9, 1, 5, 12, 10, 2, 6, 13, 35};
  for (unsigned i = 1; i < std::size(order); ++i)
    EXPECT_LT(default_rank(order[i - 1]), default_rank(order[i])) << order[i];
}

TEST(AiaPriorityTest, NumbersMixWithExternalInterrupts) {
  std::uint8_t priorities[64] = {};
  const std::uint64_t set = 1u << 9 | 1u << 5 | 1ull << 43;
  EXPECT_EQ(most_urgent(set, priorities, 9, 4).number, 43u);
  priorities[43] = 5;
  EXPECT_EQ(most_urgent(set, priorities, 9, 4).number, 9u);
  priorities[5] = 4;
  EXPECT_EQ(most_urgent(set, priorities, 9, 4).number, 9u);
  priorities[5] = 3;
  EXPECT_EQ(most_urgent(set, priorities, 9, 4).number, 5u);
}

}  // namespace
}  // namespace gstage::riscv
