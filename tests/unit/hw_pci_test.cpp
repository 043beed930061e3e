// SPDX-License-Identifier: Apache-2.0
#include "hw/core/visitor.h"

#include "tests/unit/pci_fixture.h"

namespace gstage::hw {
namespace {

using namespace pci;
constexpr unsigned kSlot1 = 1 << 3, kSlot2 = 2 << 3;

TEST_F(PciTest, HostBridgeIsTheFirstFunction) {
  EXPECT_EQ(get(0, 0, 0), 0x0008'1b36u);
  EXPECT_EQ(get(0, 0, kRevision) >> 8, 0x060000u);
  EXPECT_EQ(get(0, 0, kSubsystemVendor), 0x1100'1af4u);
}

TEST_F(PciTest, NobodyAnswersWithAllBitsSet) {
  EXPECT_EQ(get(0, kSlot1, 0), ~0u);
  EXPECT_EQ(get(7, 0, 0), ~0u);
  set(7, 0, kCommand, ~0u);
  EXPECT_EQ(load(kMemory32 + 0x1000, 8), kNobody);
  EXPECT_EQ(load_io(0x100), kNobody);
}

TEST_F(PciTest, SizingShowsTheSizeAndKeepsTheType) {
  plug_sample(kSlot1);
  for (unsigned bar = 0; bar < 6; ++bar) set(0, kSlot1, kBar0 + 4 * bar, ~0u);
  EXPECT_EQ(get(0, kSlot1, kBar0), 0xffff'fff0u);
  EXPECT_EQ(get(0, kSlot1, kBar0 + 4), 0xffff'ffe1u);
  EXPECT_EQ(get(0, kSlot1, kBar0 + 8), 0xffff'000cu);
  EXPECT_EQ(get(0, kSlot1, kBar0 + 12), 0xffff'ffffu);
  EXPECT_EQ(get(0, kSlot1, kBar0 + 16), 0xffff'f000u);
  EXPECT_EQ(get(0, kSlot1, kBar0 + 20), 0u) << "there is none";
}

TEST_F(PciTest, HeaderIsReadOnlyWhereItSaysWhatTheFunctionIs) {
  plug_sample(kSlot1);
  const std::uint32_t before = get(0, kSlot1, kVendorId);
  set(0, kSlot1, kVendorId, 0);
  set(0, kSlot1, kRevision, 0);
  set(0, kSlot1, kCapabilityPointer, 0);
  EXPECT_EQ(get(0, kSlot1, kVendorId), before);
  EXPECT_EQ(get(0, kSlot1, kRevision), 0xff00'0000u);
  EXPECT_EQ(get(0, kSlot1, kCapabilityPointer), 0x40u);
  set(0, kSlot1, 0x3c, 0xab, 1);
  EXPECT_EQ(get(0, kSlot1, 0x3c, 2), 0x1abu) << "the line is software's, the pin is not";
}

TEST_F(PciTest, EnableBitsAreObeyed) {
  PciSample& sample = plug_sample(kSlot1, 5);
  set(0, kSlot1, kBar0, kMemory32 + 0x120);
  set(0, kSlot1, kBar0 + 4, 0x1000);
  EXPECT_EQ(load(kMemory32 + 0x120), kNobody);
  EXPECT_EQ(load_io(0x1004), kNobody);
  set(0, kSlot1, kCommand, kCommandMemory, 2);
  EXPECT_EQ(load(kMemory32 + 0x12c), (5u << 24 | 0xcu));
  EXPECT_EQ(load(kMemory32 + 0x130), kNobody) << "behind the sixteen bytes";
  EXPECT_EQ(load(kMemory32 + 0x11c), kNobody);
  EXPECT_EQ(load_io(0x1004), kNobody);
  set(0, kSlot1, kCommand, kCommandIo, 2);
  EXPECT_EQ(load_io(0x1004), (6u << 24 | 4u));
  EXPECT_EQ(load(kMemory32 + 0x120), kNobody);
  set(0, kSlot1, kCommand, kCommandMemory, 2);
  store(kMemory32 + 0x124, 0x99);
  EXPECT_EQ(sample.memory.stored, (std::pair<std::uint64_t, std::uint64_t>{4, 0x99}));
}

TEST_F(PciTest, BarsMoveWhileTheyAreEnabled) {
  plug_sample(kSlot1, 5);
  set(0, kSlot1, kCommand, kCommandAll, 2);
  set(0, kSlot1, kBar0 + 8, 0x1'0000);
  set(0, kSlot1, kBar0 + 12, 4);
  EXPECT_EQ(load(kMemory64 + 0x1'0000 + 0x234), (7u << 24 | 0x234u));
  set(0, kSlot1, kBar0 + 8, ~0u);  // sizing
  EXPECT_EQ(load(kMemory64 + 0x1'0000 + 0x234), kNobody);
  set(0, kSlot1, kBar0 + 8, 0x2'0000);
  EXPECT_EQ(load(kMemory64 + 0x2'0000 + 0x234), (7u << 24 | 0x234u));
  EXPECT_EQ(load(kMemory64 + 0x1'0000 + 0x234), kNobody);
}

TEST_F(PciTest, OfOverlappingBarsTheFirstFunctionAnswers) {
  plug_sample(kSlot1, 0x10);
  plug_sample(kSlot2, 0x20);
  for (const unsigned slot : {kSlot1, kSlot2}) {
    set(0, slot, kCommand, kCommandAll, 2);
    set(0, slot, kBar0 + 12, 4);
  }
  // The second one's small bar lies in the first one's wide one, and the wide ones on each other.
  set(0, kSlot1, kBar0, kMemory32);
  set(0, kSlot2, kBar0, kMemory32);
  EXPECT_EQ(load(kMemory32 + 8), (0x10u << 24 | 8u));
  EXPECT_EQ(load(kMemory64 + 8), (0x12u << 24 | 8u));
  set(0, kSlot1, kCommand, 0, 2);
  EXPECT_EQ(load(kMemory32 + 8), (0x20u << 24 | 8u));
  EXPECT_EQ(load(kMemory64 + 8), (0x22u << 24 | 8u));
}

TEST_F(PciTest, ASmallBarCutsAWideOneInTwo) {
  plug_sample(kSlot1, 0x10);
  plug_sample(kSlot2, 0x20);
  for (const unsigned slot : {kSlot1, kSlot2}) set(0, slot, kCommand, kCommandAll, 2);
  set(0, kSlot1, kBar0, kMemory32 + 0x100);
  set(0, kSlot2, kBar0 + 8, kMemory32);
  set(0, kSlot1, kBar0 + 8, kMemory32 + 0x10'0000);  // out of the way
  EXPECT_EQ(load(kMemory32 + 0xfc), (0x22u << 24 | 0xfcu));
  EXPECT_EQ(load(kMemory32 + 0x100), (0x10u << 24));
  EXPECT_EQ(load(kMemory32 + 0x10c), (0x10u << 24 | 0xcu));
  EXPECT_EQ(load(kMemory32 + 0x110), (0x22u << 24 | 0x110u));
}

TEST_F(PciTest, BarsOutsideTheWindowsReachNothing) {
  plug_sample(kSlot1);
  set(0, kSlot1, kCommand, kCommandAll, 2);
  for (const std::uint64_t base : {kRam, std::uint64_t{0x3000'0000}, ~std::uint64_t{0xffff}}) {
    set(0, kSlot1, kBar0, base);
    set(0, kSlot1, kBar0 + 8, base);
    set(0, kSlot1, kBar0 + 12, base >> 32);
    std::uint64_t value = 1;
    EXPECT_TRUE(memory_.load(Paddr{kRam}, 4, value));
    EXPECT_EQ(value, 0u) << "RAM stays RAM";
    EXPECT_EQ(load(kMemory32), kNobody);
  }
}

TEST_F(PciTest, DmaNeedsABusMaster) {
  PciSample& sample = plug_sample(kSlot1);
  std::uint32_t word = 0x1234;
  EXPECT_FALSE(sample.master().write(Paddr{kRam}, &word, 4));
  EXPECT_EQ(sample.master().dma(Paddr{kRam}, 4), nullptr);
  set(0, kSlot1, kCommand, kCommandMaster, 2);
  EXPECT_TRUE(sample.bus_master());
  EXPECT_TRUE(sample.master().write(Paddr{kRam}, &word, 4));
  set(0, kSlot1, kCommand, 0, 2);
  word = 0;
  EXPECT_FALSE(sample.master().read(Paddr{kRam}, &word, 4));
  EXPECT_EQ(word, 0u);
}

TEST_F(PciTest, PinsAreSwizzledOntoTheWires) {
  PciSample& first = plug_sample(kSlot1);
  PciSample& fifth = plug_sample(5 << 3);
  first.intx().set(true);
  EXPECT_EQ(wires_, (std::array<bool, 4>{false, true, false, false}));
  fifth.intx().set(true);
  first.intx().set(false);
  EXPECT_TRUE(wires_[1]) << "the other function still drives it";
  fifth.intx().set(false);
  EXPECT_FALSE(wires_[1]);
}

TEST_F(PciTest, InterruptDisableHidesThePinButNotTheStatus) {
  PciSample& sample = plug_sample(kSlot1);
  sample.intx().set(true);
  EXPECT_TRUE(wires_[1]);
  EXPECT_NE(get(0, kSlot1, kStatus, 2) & kStatusInterrupt, 0u);
  set(0, kSlot1, kCommand, kCommandIntxDisable, 2);
  EXPECT_FALSE(wires_[1]);
  EXPECT_NE(get(0, kSlot1, kStatus, 2) & kStatusInterrupt, 0u);
  set(0, kSlot1, kCommand, 0, 2);
  EXPECT_TRUE(wires_[1]);
}

TEST_F(PciTest, AFunctionInALowPowerStateDoesNothing) {
  PciSample& sample = plug_sample(kSlot1, 5);
  set(0, kSlot1, kBar0, kMemory32);
  set(0, kSlot1, kCommand, kCommandAll, 2);
  const unsigned power = sample.config().find_capability(kCapPower);
  ASSERT_NE(power, 0u);
  set(0, kSlot1, power + 4, 3, 2);
  EXPECT_EQ(load(kMemory32), kNobody);
  EXPECT_FALSE(sample.bus_master());
  sample.intx().set(true);
  EXPECT_FALSE(wires_[1]);
  set(0, kSlot1, power + 4, 0, 2);
  EXPECT_EQ(load(kMemory32), (5u << 24));
  EXPECT_TRUE(sample.bus_master());
  EXPECT_TRUE(wires_[1]);
}

TEST_F(PciTest, FunctionLevelResetIsAWholeReset) {
  PciSample& sample = plug_sample(kSlot1);
  set(0, kSlot1, kBar0, kMemory32);
  set(0, kSlot1, kCommand, kCommandAll, 2);
  sample.intx().set(true);
  set(0, kSlot1, sample.express_at + 8, 1 << 15, 2);
  EXPECT_EQ(sample.resets, 1u);
  EXPECT_EQ(get(0, kSlot1, kCommand, 2), 0u);
  EXPECT_EQ(get(0, kSlot1, kBar0), 0u);
  EXPECT_EQ(get(0, kSlot1, sample.express_at + 8, 2), 0x2810u) << "the bit reads as zero";
  EXPECT_FALSE(sample.bus_master());
  EXPECT_FALSE(wires_[1]);
  EXPECT_EQ(load(kMemory32), kNobody);
}

TEST_F(PciTest, StatusErrorsAreClearedByOnes) {
  PciConfig config;
  const PciConfigRow rows[] = {{6, 2, "status", 0xf910, 0, 0xf900}};
  config.add_rows(rows);
  config.write(6, 2, 0x8000);
  EXPECT_EQ(config.read(6, 2), 0x7910u);
  config.write(6, 2, 0x00ff);
  EXPECT_EQ(config.read(6, 2), 0x7910u);
  config.reset();
  EXPECT_EQ(config.read(6, 2), 0xf910u);
}

TEST_F(PciTest, CapabilitiesAreAList) {
  PciSample& sample = plug_sample(kSlot1);
  unsigned at = get(0, kSlot1, kCapabilityPointer, 1);
  std::vector<unsigned> ids;
  while (at != 0) {
    ids.push_back(get(0, kSlot1, at, 1));
    at = get(0, kSlot1, at + 1, 1);
  }
  EXPECT_EQ(ids, (std::vector<unsigned>{kCapMsix, kCapMsi, kCapExpress, kCapPower}));
  EXPECT_NE(get(0, kSlot1, kStatus, 2) & kStatusCapabilities, 0u);
  EXPECT_EQ(get(0, kSlot1, sample.express_at + 2, 2) >> 4 & 0xf, 9u) << "integrated into the root complex";
  EXPECT_EQ(get(0, kSlot1, 0x100), 0u) << "no extended capability";
  EXPECT_EQ(get(0, 0, 0x100), ~0u) << "no extended space";
}

TEST_F(PciTest, PlacesAreRefusedByName) {
  PciBus& root = host_->root();
  const auto refusal = [&](unsigned devfn, bool is_multifunction = false) {
    auto function = std::make_unique<PciSample>(1);
    function->set_address({{devfn}, is_multifunction});
    const Status status = root.plug(std::move(function));
    return status.ok() ? std::string() : status.error().message;
  };
  EXPECT_NE(refusal(0).find("0.0 on the bus pcie.0 is taken"), std::string::npos);
  EXPECT_EQ(refusal(PciSlot::kAny), "");
  EXPECT_NE(get(0, kSlot1, 0), ~0u) << "the first free slot";
  EXPECT_NE(refusal(kSlot1 + 1).find("multifunction=on"), std::string::npos);
  EXPECT_EQ(refusal(kSlot2 + 1), "");
  EXPECT_NE(refusal(kSlot2).find("2.0 on the bus pcie.0 needs multifunction=on, for 2.1 is there"),
            std::string::npos);
  EXPECT_EQ(refusal(kSlot2, true), "");
  EXPECT_EQ(get(0, kSlot2, kHeaderType, 1), 0x80u);
}

TEST_F(PciTest, WhatWasSavedGoesOnAfterLoading) {
  PciSample& sample = plug_sample(kSlot1, 5);
  set(0, kSlot1, kBar0, kMemory32);
  set(0, kSlot1, kBar0 + 16, kMemory32 + 0x1000);
  set(0, kSlot1, kCommand, kCommandAll, 2);
  set(0, kSlot1, 0x42, 1 << 15, 2);
  store(kMemory32 + 0x1008, 77);
  sample.msix()->notify(0);  // masked
  sample.intx().set(true);
  SavedState saved;
  auto saver = Visitor::saver(saved);
  visit_devices(*host_, saver);
  host_->reset();
  EXPECT_EQ(load(kMemory32), kNobody);
  EXPECT_FALSE(wires_[1]);
  auto loader = Visitor::loader(saved);
  visit_devices(*host_, loader);
  EXPECT_EQ(load(kMemory32), (5u << 24));
  EXPECT_TRUE(wires_[1]);
  EXPECT_TRUE(sample.bus_master());
  store(kMemory32 + 0x100c, 0);
  EXPECT_EQ(msis_.take(), (MsiRecorder::Messages{{0, 77}}));
}

TEST(PciSlotTest, IsHexadecimal) {
  const auto devfn = [](const char* text) {
    PciSlot slot;
    return PciSlot::parse(text, slot) ? slot.devfn : PciSlot::kAny;
  };
  EXPECT_EQ(devfn("1f.7"), 0xffu);
  EXPECT_EQ(devfn("0x3"), 0x18u);
  EXPECT_EQ(devfn("10"), 0x80u);
  for (const char* bad : {"", "20", "1.8", "1.", ".1", "x", "1.2.3"})
    EXPECT_EQ(devfn(bad), PciSlot::kAny) << bad;
}

}  // namespace
}  // namespace gstage::hw
