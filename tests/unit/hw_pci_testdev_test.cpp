// SPDX-License-Identifier: Apache-2.0
#include "hw/misc/pci_testdev.h"

#include "tests/unit/pci_fixture.h"

namespace gstage::hw {
namespace {

class PciTestDeviceTest : public PciTest {
 protected:
  static constexpr std::uint64_t kMemoryBar = kMemory32 + 0x1'0000, kIoBar = 0x1000;
  static constexpr std::uint64_t kMembar = kMemory32 + 0x10'0000;

  PciTestDeviceTest() {
    device_ = &plug(host_->root(), 8, std::make_unique<PciTestDevice>(1 << 20));
    set(0, 8, pci::kBar0, kMemoryBar);
    set(0, 8, pci::kBar0 + 4, kIoBar);
    set(0, 8, pci::kBar0 + 8, kMembar);
    set(0, 8, pci::kCommand, 3, 2);
  }
  void store_io(std::uint64_t address, std::uint64_t value, unsigned size = 1) {
    EXPECT_TRUE(host_->io().mmio_write(address, size, value));
  }
  std::uint32_t word(unsigned index) { return static_cast<std::uint32_t>(load(kMemoryBar + index * 4)); }
  std::string name() {
    std::string text;
    for (std::uint64_t at = kMemoryBar + 16;; ++at) {
      const auto letter = static_cast<char>(load(at, 1));
      if (letter == 0) return text;
      text += letter;
    }
  }
  PciTestDevice* device_ = nullptr;
};

TEST_F(PciTestDeviceTest, IdsAndBars) {
  EXPECT_EQ(get(0, 8, 0), 0x0005'1b36u);
  EXPECT_EQ(get(0, 8, 8), 0x00ff'0000u);
  for (unsigned bar = 0; bar < 4; ++bar) set(0, 8, pci::kBar0 + bar * 4, ~0u);
  EXPECT_EQ(get(0, 8, pci::kBar0), 0xffff'f000u);
  EXPECT_EQ(get(0, 8, pci::kBar0 + 4), 0xffff'ff01u);
  EXPECT_EQ(get(0, 8, pci::kBar0 + 8), 0xfff0'000cu);
}

TEST_F(PciTestDeviceTest, TheHeaderIsThatOfTheTestThatWasChosen) {
  EXPECT_EQ(word(0), 0u) << "no test";
  store(kMemoryBar, 0, 1);
  EXPECT_EQ(word(0), 0x100u);
  EXPECT_EQ(word(1), 0x800u);
  EXPECT_EQ(word(2), 0xfau);
  EXPECT_EQ(name(), "mmio-no-eventfd");
  store(kMemoryBar, 1, 1);
  EXPECT_EQ(word(1), 0x801u);
  EXPECT_EQ(word(2), 0xceu);
  EXPECT_EQ(name(), "mmio-wildcard-eventfd");
  // Those of the I/O bar have numbers behind the others', and both bars show them.
  store_io(kIoBar, 2);
  EXPECT_EQ(word(0), 0x105u);
  EXPECT_EQ(word(1), 0x85u);
  EXPECT_EQ(name(), "portio-datamatch-eventfd");
  EXPECT_EQ(load_io(kIoBar) & 0xffff'ffff, 0x105u);
  store(kMemoryBar, 3, 1);
  for (unsigned i = 0; i < 16; ++i) EXPECT_EQ(word(i), 0u) << "there is no such test";
}

TEST_F(PciTestDeviceTest, StoresThatTheTestAsksForCount) {
  store(kMemoryBar, 0, 1);
  store(kMemoryBar + 0x800, 0xfa, 1);
  store(kMemoryBar + 0x800, 0xfb, 1);
  store(kMemoryBar + 0x800, 0xfa, 4);
  store(kMemoryBar + 0x801, 0xfa, 1);
  store_io(kIoBar + 0x83, 0xfa);
  EXPECT_EQ(word(3), 2u);
  store(kMemoryBar, 2, 1);
  EXPECT_EQ(word(3), 0u) << "each test begins with none";
  store(kMemoryBar + 0x802, 0xfb, 1);
  store(kMemoryBar + 0x802, 0xfa, 1);
  EXPECT_EQ(word(3), 1u) << "this one is of its data alone";
  device_->reset();
  set(0, 8, pci::kBar0, kMemoryBar);
  set(0, 8, pci::kCommand, 3, 2);
  EXPECT_EQ(word(0), 0u);
}

TEST_F(PciTestDeviceTest, NothingIsBehindTheThirdBar) {
  store(kMembar, 1, 4);
  EXPECT_EQ(load(kMembar), kNobody);
}

}  // namespace
}  // namespace gstage::hw
