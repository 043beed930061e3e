// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "softmmu/typed_property.h"
#include "hw/core/properties.h"
#include "hw/misc/cfi_flash.h"
#include "hw/misc/goldfish_rtc.h"
#include "hw/misc/sifive_test.h"

#include "tests/unit/hw_fakes.h"

namespace gstage::hw {
namespace {

/// A device with one register of each kind.
class Sample final : public RegisterDevice<Sample> {
 public:
  static constexpr const char* kName = "sample";
  static std::span<const Register<Sample>> registers() {
    static constexpr Register<Sample> kTable[] = {
        {0x00, 4, "plain", &Sample::read_plain, &Sample::write_plain},
        {0x08, 8, "wide", &Sample::read_wide, &Sample::write_wide, 2, 0, 4 | 8},
        {0x20, 4, "read-only", &Sample::read_plain, nullptr, 3, 16},
        {0x24, 4, "write-only", nullptr, &Sample::write_plain, 3, 16},
    };
    static_assert(is_well_formed(kTable));
    return kTable;
  }
  std::uint64_t plain = 0;
  std::uint64_t wide[2] = {};
  unsigned last_index = 99;

 private:
  std::uint64_t read_plain(Access access) {
    last_index = access.index;
    return plain;
  }
  void write_plain(Access access, std::uint64_t value) {
    last_index = access.index;
    plain = value;
  }
  std::uint64_t read_wide(Access access) { return wide[access.index]; }
  void write_wide(Access access, std::uint64_t value) { wide[access.index] = value; }
};

TEST(RegisterTableTest, DispatchesByOffsetAndIndex) {
  Sample device;
  set(device, 0, 0x1234);
  EXPECT_EQ(get(device, 0x30), 0x1234u);
  EXPECT_EQ(device.last_index, 1u);
  set(device, 0x44, 7);
  EXPECT_EQ(device.last_index, 2u);
  EXPECT_EQ(device.plain, 7u);
}

TEST(RegisterTableTest, MergesHalvesOfWideRegisters) {
  Sample device;
  set(device, 0x10, 0x1122334455667788, 8);
  set(device, 0x14, 0xaabbccdd);
  EXPECT_EQ(device.wide[1], 0xaabbccdd55667788u);
  EXPECT_EQ(get(device, 0x14), 0xaabbccddu);
  EXPECT_EQ(device.wide[0], 0u);
}

TEST(RegisterTableTest, HolesReadZeroAndWrongSizesFault) {
  Sample device;
  device.plain = 5;
  EXPECT_EQ(get(device, 0x04), 0u);
  EXPECT_EQ(get(device, 0x28), 0u);
  EXPECT_EQ(get(device, 0x24), 0u);
  set(device, 0x20, 9);
  set(device, 0x1000, 9);
  EXPECT_EQ(device.plain, 5u);
  std::uint64_t value = 0;
  EXPECT_FALSE(device.mmio_read(0, 2, value));
  EXPECT_FALSE(device.mmio_write(0, 8, 1));
  EXPECT_FALSE(device.mmio_read(0xc, 8, value));
  EXPECT_EQ(device.plain, 5u);
}

TEST(RegisterTableTest, CollidingRowsAreNotWellFormed) {
  using Row = Register<Sample>;
  constexpr Row kOverlap[] = {{0, 8, "a", nullptr, nullptr}, {4, 4, "b", nullptr, nullptr}};
  constexpr Row kMisaligned[] = {{2, 4, "a", nullptr, nullptr}};
  constexpr Row kStride[] = {{0, 4, "a", nullptr, nullptr, 4, 16}, {4, 4, "b", nullptr, nullptr, 4, 8}};
  constexpr Row kGood[] = {{0, 4, "a", nullptr, nullptr, 4, 16}, {4, 4, "b", nullptr, nullptr, 4, 16}};
  EXPECT_FALSE(is_well_formed(kOverlap));
  EXPECT_FALSE(is_well_formed(kMisaligned));
  EXPECT_FALSE(is_well_formed(kStride));
  EXPECT_TRUE(is_well_formed(kGood));
}

TEST(SifiveTestTest, CommandsAndExitCodes) {
  struct Case {
    std::uint64_t written;
    MachineRequest request;
    int code;
  };
  const Case cases[] = {{0x5555, MachineRequest::kPoweroff, 0},
                        {0x7777, MachineRequest::kReset, 0},
                        {0x3333, MachineRequest::kPoweroff, 0},
                        {0x002a3333, MachineRequest::kPoweroff, 42}};
  for (const Case& one : cases) {
    FakeControl control;
    SifiveTest device(control);
    set(device, 0, one.written);
    EXPECT_EQ(control.requested, one.request);
    EXPECT_EQ(control.code, one.code);
    control.requested = MachineRequest::kNone;
    set(device, 0, 0x1111);
    EXPECT_EQ(control.requested, MachineRequest::kNone);
  }
}

class RtcTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kStart = 1'700'000'000'123'456'789;
  enum Offset {
    kLow,
    kHigh = 4,
    kAlarmLow = 8,
    kAlarmHigh = 12,
    kIrqOn = 16,
    kClearAlarm = 20,
    kStatus = 24,
    kClear = 28
  };
  RtcTest() { clock_.start(); }
  ~RtcTest() override { clock_.stop(); }
  std::uint64_t time() {
    const std::uint64_t low = get(rtc_, kLow);
    return get(rtc_, kHigh) << 32 | low;
  }
  void set_alarm(std::uint64_t at) {
    set(rtc_, kAlarmHigh, at >> 32);
    set(rtc_, kAlarmLow, at & 0xffffffff);
  }

  std::atomic<std::uint64_t> wall_{kStart};
  std::atomic<bool> irq_{false};
  Clock clock_;
  TimerThread timers_{clock_};
  GoldfishRtc rtc_{clock_, timers_, IrqLine([this](bool level) { irq_ = level; }),
                   [this] { return wall_.load(); }};
};

TEST_F(RtcTest, LowHalfLatchesTheHighHalf) {
  wall_ = 0x1'ffff'ffff;
  EXPECT_EQ(get(rtc_, kLow), 0xffffffffu);
  wall_ = 0x2'0000'0000;
  EXPECT_EQ(get(rtc_, kHigh), 1u);
  EXPECT_EQ(time(), 0x2'0000'0000u);
}

TEST_F(RtcTest, TimeCanBeSetAndSurvivesReset) {
  set(rtc_, kHigh, 5);
  set(rtc_, kLow, 6);
  EXPECT_EQ(time(), 5ull << 32 | 6);
  wall_ += 1000;
  rtc_.reset();
  EXPECT_EQ(time(), (5ull << 32 | 6) + 1000);
}

TEST_F(RtcTest, AlarmInThePastFiresAtOnce) {
  set(rtc_, kIrqOn, 1);
  set_alarm(kStart - 1);
  EXPECT_TRUE(irq_);
  EXPECT_EQ(get(rtc_, kStatus), 0u);
  set(rtc_, kClear, 1);
  EXPECT_FALSE(irq_);
}

TEST_F(RtcTest, AlarmFiresWhenItsTimeComes) {
  set(rtc_, kIrqOn, 1);
  set_alarm(kStart + 3'000'000);
  EXPECT_FALSE(irq_);
  EXPECT_EQ(get(rtc_, kStatus), 1u);
  wall_ = kStart + 3'000'000;
  EXPECT_TRUE(eventually([&] { return irq_.load(); }));
}

TEST_F(RtcTest, AlarmCanBeClearedAndMasked) {
  set_alarm(kStart - 1);
  EXPECT_FALSE(irq_) << "the interrupt is not enabled";
  set(rtc_, kIrqOn, 1);
  EXPECT_TRUE(irq_);
  set(rtc_, kClear, 1);
  set_alarm(kStart + 1'000'000);
  set(rtc_, kClearAlarm, 1);
  wall_ = kStart + 2'000'000;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_FALSE(irq_);
}

class FlashTest : public testing::Test {
 protected:
  void command(std::uint64_t offset, std::uint32_t code) { set(flash_, offset, code << 16 | code); }
  CfiFlash flash_{32 << 20};
};

TEST_F(FlashTest, IsErasedAtFirst) {
  EXPECT_EQ(get(flash_, 0), 0xffffffffu);
  EXPECT_EQ(get(flash_, (32 << 20) - 8, 8), ~std::uint64_t{0});
}

TEST_F(FlashTest, QueryDescribesTheChips) {
  command(0x55 * 4, 0x98);
  EXPECT_EQ(get(flash_, 0x10 * 4), 'Q' * 0x10001u);
  EXPECT_EQ(get(flash_, 0x11 * 4), 'R' * 0x10001u);
  EXPECT_EQ(get(flash_, 0x12 * 4, 1), 'Y');
  EXPECT_EQ(get(flash_, 0x13 * 4, 2), 1u);
  EXPECT_EQ(get(flash_, 0x27 * 4, 2), 24u);   // 16 MiB a chip
  EXPECT_EQ(get(flash_, 0x2d * 4, 2), 127u);  // blocks less one
  EXPECT_EQ(get(flash_, 0x30 * 4, 2), 2u);    // 0x200 * 256 bytes
  EXPECT_EQ(get(flash_, 0x31 * 4, 2), 'P');
  command(0, 0xff);
  EXPECT_EQ(get(flash_, 0x40), 0xffffffffu);
}

TEST_F(FlashTest, Identifies) {
  command(0, 0x90);
  EXPECT_EQ(get(flash_, 0), 0x00890089u);
  EXPECT_EQ(get(flash_, 4), 0x00180018u);
}

TEST_F(FlashTest, ProgrammingOnlyClearsBitsAndErasingSetsThem) {
  command(0x100, 0x40);
  set(flash_, 0x100, 0xff00ff00);
  EXPECT_EQ(get(flash_, 0x100), 0x00800080u) << "status: ready";
  command(0, 0xff);
  EXPECT_EQ(get(flash_, 0x100), 0xff00ff00u);
  command(0x100, 0x10);
  set(flash_, 0x100, 0x0ff00ff0);
  command(0, 0xff);
  EXPECT_EQ(get(flash_, 0x100), 0x0f000f00u);
  const std::uint64_t other = CfiFlash::kBlockBytes;
  command(other, 0x40);
  set(flash_, other, 0);
  command(0x100, 0x20);
  command(0x100, 0xd0);
  command(0, 0xff);
  EXPECT_EQ(get(flash_, 0x100), 0xffffffffu);
  EXPECT_EQ(get(flash_, other), 0u) << "another block";
}

TEST_F(FlashTest, EraseWithoutConfirmationIsAnErrorUntilCleared) {
  command(0x100, 0x40);
  set(flash_, 0x100, 0);
  command(0x100, 0x20);
  command(0x100, 0x70);
  EXPECT_EQ(get(flash_, 0, 1), 0xb0u);
  command(0, 0x50);
  command(0, 0x70);
  EXPECT_EQ(get(flash_, 0, 1), 0x80u);
  command(0, 0xff);
  EXPECT_EQ(get(flash_, 0x100), 0u);
}

TEST_F(FlashTest, BufferedWrites) {
  command(0x200, 0xe8);
  EXPECT_EQ(get(flash_, 0x200), 0x00800080u);
  command(0x200, 1);  // two words
  set(flash_, 0x200, 0x11111111);
  set(flash_, 0x204, 0x22222222);
  command(0x200, 0xd0);
  command(0, 0xff);
  EXPECT_EQ(get(flash_, 0x200, 8), 0x2222222211111111u);
  EXPECT_EQ(get(flash_, 0x208), 0xffffffffu);
}

TEST_F(FlashTest, TooLongABufferIsAnError) {
  command(0x200, 0xe8);
  command(0x200, 0xffff);
  EXPECT_EQ(get(flash_, 0, 1), 0xb0u);
}

TEST_F(FlashTest, ResetReturnsToReadingAndKeepsTheContents) {
  command(0x100, 0x40);
  set(flash_, 0x100, 0x12345678);
  command(0, 0x90);
  flash_.reset();
  EXPECT_EQ(get(flash_, 0x100), 0x12345678u);
}

TEST(PropertiesTest, Numbers) {
  EXPECT_EQ(*parse_property_number("10"), 10u);
  EXPECT_EQ(*parse_property_number("0x10"), 16u);
  EXPECT_EQ(*parse_property_number("010"), 10u);
  EXPECT_EQ(*parse_property_number("2k"), 2048u);
  EXPECT_EQ(*parse_property_number("3G"), 3ull << 30);
  for (const char* bad : {"", "x", "-1", "1x", "0x", "1kk", "99999999999999999999", "99999999999G"})
    EXPECT_FALSE(parse_property_number(bad).ok()) << bad;
}

TEST(PropertiesTest, WhatHasNoRowOrIsMissingIsRefusedByName) {
  static constexpr PropertyRow kRows[] = {
      {"known", "on|off", "text"}, ignored_property("id"), missing_property("late")};
  const auto answer = [](const Property& property) {
    const DeviceOptions options{"thing", {{"known", "on"}, property}};
    PropertyReader reader("-device", options, kRows);
    EXPECT_TRUE(reader.flag("known", false));
    const Status status = reader.finish();
    return status.ok() ? "" : status.error().message;
  };
  EXPECT_EQ(answer({"unknwon", "1"}), "-device thing has no property 'unknwon'; it has: known");
  EXPECT_EQ(answer({"late", "1"}), "-device thing: late= is not supported yet: leave it out");
  EXPECT_EQ(answer({"id", "1"}), "");
}

TEST(PropertiesTest, TheFirstErrorCounts) {
  static constexpr PropertyRow kRows[] = {{"a"}, {"b"}};
  const DeviceOptions options{"thing", {{"a", "maybe"}, {"b", "300"}}};
  PropertyReader reader("-device", options, kRows);
  EXPECT_TRUE(reader.flag("a", true));
  EXPECT_EQ(reader.number("b", 7, 255), 7u);
  const Status status = reader.finish();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("a=maybe"), std::string::npos);
}

}  // namespace
}  // namespace gstage::hw
