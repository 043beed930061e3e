// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "softmmu/mem/address_space.h"

namespace gstage {
namespace {

/// Remembers the last access.
struct Device final : MmioHandler {
  std::uint64_t offset = 0;
  unsigned size = 0;
  std::uint64_t value = 0x1122334455667788;
  unsigned accesses = 0;
  bool answers = true;

  bool mmio_read(std::uint64_t at, unsigned bytes, std::uint64_t& v) override {
    offset = at;
    size = bytes;
    v = value;
    ++accesses;
    return answers;
  }
  bool mmio_write(std::uint64_t at, unsigned bytes, std::uint64_t v) override {
    offset = at;
    size = bytes;
    value = v;
    ++accesses;
    return answers;
  }
};

constexpr Paddr kRom{0x1000};
constexpr Paddr kUart{0x1000'0000};
constexpr Paddr kRam{0x8000'0000};
constexpr std::uint64_t kRamSize = 16 * kPageSize;

class Bus : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(space.add_ram("ram", kRam, kRamSize).ok());
    ASSERT_TRUE(space.add_mmio("uart", kUart, kPageSize, device).ok());
    ASSERT_TRUE(space.add_rom("rom", kRom, kPageSize).ok());
    ASSERT_TRUE(space.add_ram("high", kRam + kRamSize, kPageSize).ok());
    space.seal();
    space.code_pages().set_invalidate(
        [this](Paddr first, std::uint64_t size) { invalidated.emplace_back(first.value, size); });
  }
  AddressSpace space;
  Device device;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> invalidated;
};

TEST_F(Bus, FindKnowsEdgesAndHoles) {
  EXPECT_EQ(space.find(kRom)->name, "rom");
  EXPECT_EQ(space.find(kRom + 0xfff)->name, "rom");
  EXPECT_EQ(space.find(kRom + 0x1000), nullptr);
  EXPECT_EQ(space.find(Paddr{0}), nullptr);
  EXPECT_EQ(space.find(kRam + (kRamSize - 1))->name, "ram");
  EXPECT_EQ(space.find(kRam + kRamSize)->name, "high");
  EXPECT_EQ(space.find(Paddr{~0ull}), nullptr);
  EXPECT_EQ(space.host(kUart), nullptr);
  EXPECT_EQ(space.host(kRam + 5), space.host(kRam) + 5);
}

/// A device whose bytes count up.
struct Flash final : MmioHandler {
  bool mmio_read(std::uint64_t at, unsigned bytes, std::uint64_t& v) override {
    v = 0;
    for (unsigned i = 0; i < bytes; ++i) v |= ((at + i) & 0xff) << (8 * i);
    return true;
  }
  bool mmio_write(std::uint64_t, unsigned, std::uint64_t) override { return true; }
};

TEST(BusOfFlash, UnalignedLoadsFromWhatCanBeExecutedAreMade) {
  std::vector<std::byte> code(kPageSize);
  Flash flash;
  AddressSpace space;
  ASSERT_TRUE(space.add_mmio("flash", kUart, kPageSize, flash, code.data()).ok());
  ASSERT_TRUE(space.add_mmio("other", kUart + kPageSize, kPageSize, flash).ok());
  space.seal();
  std::uint64_t value = 0;
  EXPECT_TRUE(space.load(kUart + 3, 8, value));
  EXPECT_EQ(value, 0x0a09080706050403u);
  EXPECT_TRUE(space.load(kUart + 0x81, 2, value));
  EXPECT_EQ(value, 0x8281u);
  EXPECT_FALSE(space.load(kUart + (kPageSize - 3), 4, value)) << "beyond its end";
  EXPECT_FALSE(space.load(kUart + (kPageSize + 3), 8, value)) << "a device that is none";
  EXPECT_FALSE(space.store(kUart + 3, 8, 0));
}

TEST(BusOfFlash, WhatCanBeExecutedCanBeCopiedAndIsNoMemory) {
  std::vector<std::byte> code(kPageSize, std::byte{7});
  Flash flash;
  AddressSpace space;
  ASSERT_TRUE(space.add_mmio("flash", kUart, kPageSize, flash, code.data()).ok());
  space.seal();
  std::uint8_t byte = 0;
  EXPECT_TRUE(space.read(kUart + 9, &byte, 1));
  EXPECT_EQ(byte, 7);
  EXPECT_FALSE(space.write(kUart, &byte, 1));
  EXPECT_EQ(space.host(kUart), nullptr);
  EXPECT_EQ(space.dma(kUart, 1), nullptr);
}

TEST_F(Bus, RangesAreSortedAndMayNotOverlap) {
  AddressSpace other;
  ASSERT_TRUE(other.add_ram("ram", kRam, kRamSize).ok());
  for (const auto& [base, size] : {std::pair{kRam, kPageSize},
                                   {kRam + kPageSize, kPageSize},
                                   {Paddr{kRam.value - kPageSize}, 2 * kPageSize},
                                   {Paddr{kRam.value - kPageSize}, kRamSize * 4}}) {
    const Status status = other.add_mmio("new", base, size, device);
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.error().message.find("overlaps ram"), std::string::npos) << status.error().message;
  }
  EXPECT_TRUE(other.add_mmio("below", Paddr{kRam.value - kPageSize}, kPageSize, device).ok());
  EXPECT_TRUE(other.add_mmio("above", kRam + kRamSize, kPageSize, device).ok());
  EXPECT_FALSE(other.add_ram("odd", Paddr{0x100}, kPageSize).ok());
  EXPECT_FALSE(other.add_ram("wraps", Paddr{~0xfffull}, 2 * kPageSize).ok());
  EXPECT_EQ(other.ranges().front().name, "below");
  EXPECT_EQ(other.ranges().back().name, "above");
}

TEST_F(Bus, AbsurdSizeIsRefusedWithAdvice) {
  AddressSpace other;
  const Status status = other.add_ram("ram", kRam, std::uint64_t{1} << 50);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("-m"), std::string::npos);
}

TEST_F(Bus, LoadsAndStoresAreLittleEndianOfAllSizes) {
  ASSERT_TRUE(space.store(kRam, 8, 0x8877665544332211));
  std::uint64_t v = 0;
  const std::pair<unsigned, std::uint64_t> expected[] = {
      {1, 0x11}, {2, 0x2211}, {4, 0x44332211}, {8, 0x8877665544332211}};
  for (const auto& [size, value] : expected) {
    v = ~0ull;
    ASSERT_TRUE(space.load(kRam, size, v));
    EXPECT_EQ(v, value);
  }
  ASSERT_TRUE(space.store(kRam + 1, 2, 0xffffabcd)) << "unaligned, and only the low bytes";
  ASSERT_TRUE(space.load(kRam, 8, v));
  EXPECT_EQ(v, 0x8877665544abcd11u);
  EXPECT_FALSE(space.load(kRam, 3, v));
}

TEST_F(Bus, AccessAcrossRanges) {
  std::uint64_t v = 0;
  ASSERT_TRUE(space.store(kRam + (kRamSize - 4), 8, 0x1122334455667788));
  ASSERT_TRUE(space.load(kRam + (kRamSize - 4), 8, v));
  EXPECT_EQ(v, 0x1122334455667788u);
  ASSERT_TRUE(space.load(kRam + kRamSize, 4, v));
  EXPECT_EQ(v, 0x11223344u);
  EXPECT_FALSE(space.load(kRam + (kRamSize + kPageSize - 4), 8, v)) << "half of it is a hole";
}

TEST_F(Bus, RomIsReadOnlyForTheGuestAndDma) {
  const std::uint32_t word = 0x12345678;
  EXPECT_FALSE(space.store(kRom, 4, word));
  EXPECT_FALSE(space.write(kRom, &word, sizeof word));
  EXPECT_EQ(space.dma(kRom, 4), nullptr);
  ASSERT_TRUE(space.write_image(kRom, &word, sizeof word));
  std::uint64_t v = 0;
  ASSERT_TRUE(space.load(kRom, 4, v));
  EXPECT_EQ(v, word);
}

TEST_F(Bus, DevicesGetAlignedAccessesAndMaskedValues) {
  std::uint64_t v = 0;
  ASSERT_TRUE(space.load(kUart + 4, 4, v));
  EXPECT_EQ(device.offset, 4u);
  EXPECT_EQ(device.size, 4u);
  EXPECT_EQ(v, 0x55667788u) << "what a device leaves in the upper bytes is cut";
  ASSERT_TRUE(space.store(kUart + 8, 2, 0x12345));
  EXPECT_EQ(device.value, 0x2345u);
  const unsigned before = device.accesses;
  EXPECT_FALSE(space.load(kUart + 2, 4, v));
  EXPECT_FALSE(space.store(kUart + 0xfff, 2, 0));
  EXPECT_EQ(device.accesses, before) << "the device never sees an unaligned access";
  device.answers = false;
  EXPECT_FALSE(space.load(kUart, 1, v));
  EXPECT_FALSE(space.store(kUart, 1, 0));
}

TEST_F(Bus, CopiesAreAllOrNothing) {
  std::vector<std::uint8_t> data(3 * kPageSize, 0xaa);
  const Paddr end = kRam + (kRamSize + kPageSize);
  EXPECT_FALSE(space.write(Paddr{end.value - 16}, data.data(), 17));
  std::uint64_t v = 1;
  ASSERT_TRUE(space.load(Paddr{end.value - 16}, 8, v));
  EXPECT_EQ(v, 0u) << "nothing of a copy that fails is written";
  EXPECT_TRUE(space.write(Paddr{end.value - data.size()}, data.data(), data.size())) << "across two ranges";
  std::vector<std::uint8_t> back(data.size());
  EXPECT_TRUE(space.read(Paddr{end.value - data.size()}, back.data(), back.size()));
  EXPECT_EQ(back, data);
  EXPECT_FALSE(space.read(Paddr{~0ull - 3}, back.data(), 16)) << "beyond the end of the address space";
  EXPECT_FALSE(space.read(kUart, back.data(), 4)) << "devices are no memory";
  EXPECT_TRUE(space.read(Paddr{0}, back.data(), 0));
}

TEST_F(Bus, DmaIsContiguousRamOfOneRange) {
  EXPECT_EQ(space.dma(kRam + 16, 32), space.host(kRam + 16));
  EXPECT_EQ(space.dma(kRam + (kRamSize - 8), 8), space.host(kRam + (kRamSize - 8)));
  EXPECT_EQ(space.dma(kRam + (kRamSize - 8), 16), nullptr);
  EXPECT_EQ(space.dma(kRam, ~0ull), nullptr);
  EXPECT_EQ(space.dma(kUart, 4), nullptr);
}

TEST_F(Bus, EveryKindOfWriteReportsCodePages) {
  space.code_pages().protect(kRam);
  const std::uint32_t word = 0;
  ASSERT_TRUE(space.store(kRam + 8, 4, 0));
  ASSERT_TRUE(space.write(kRam + 16, &word, 4));
  ASSERT_TRUE(space.write_image(kRam + 32, &word, 4));
  space.dirty(kRam + 64, 4);
  ASSERT_TRUE(space.store(kRam + kPageSize, 8, 0));
  ASSERT_EQ(invalidated.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(invalidated[i], std::pair(kRam.value + (8u << i), std::uint64_t{4}));
}

}  // namespace
}  // namespace gstage
