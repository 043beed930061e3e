// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "hw/char/uart16550.h"

#include "tests/unit/hw_fakes.h"

namespace gstage::hw {
namespace {

enum Offset { kData, kIer, kIir, kLcr, kMcr, kLsr, kMsr, kScr };

class UartTest : public testing::Test {
 protected:
  UartTest() : uart_(chardev_, IrqLine([this](bool level) { irq_ = level; })) {}
  std::uint64_t in(Offset offset) { return get(uart_, offset, 1); }
  void out(Offset offset, std::uint64_t value) { set(uart_, offset, value, 1); }
  std::string printed() {
    uart_.reset();  // writes what is queued
    return chardev_->output();
  }

  bool irq_ = false;
  std::shared_ptr<FakeChardev> chardev_ = std::make_shared<FakeChardev>();
  Uart16550 uart_;
};

TEST_F(UartTest, PrintsInOrder) {
  for (const char c : std::string("hello\n")) out(kData, static_cast<std::uint8_t>(c));
  EXPECT_EQ(printed(), "hello\n");
}

TEST_F(UartTest, PrintsWithoutBeingAskedAgain) {
  out(kData, 'x');
  EXPECT_TRUE(eventually([&] { return chardev_->output() == "x"; }));
}

TEST_F(UartTest, WideStoresWriteOneCharacter) {
  set(uart_, 0, 0x12345641, 4);
  set(uart_, 0, 0x42, 8);
  EXPECT_EQ(printed(), "AB");
}

TEST_F(UartTest, MuchOutputArrivesWhole) {
  std::string sent;
  for (int i = 0; i < 200000; ++i) {
    const char c = static_cast<char>('a' + i % 26);
    sent.push_back(c);
    out(kData, static_cast<std::uint8_t>(c));
  }
  EXPECT_EQ(printed(), sent);
}

TEST_F(UartTest, TransmitterIsAlwaysEmpty) { EXPECT_EQ(in(kLsr), 0x60u); }

TEST_F(UartTest, DivisorLatchShadowsDataAndIer) {
  out(kIer, 0x05);
  out(kLcr, 0x83);
  out(kData, 0x34);
  out(kIer, 0x12);
  EXPECT_EQ(in(kData), 0x34u);
  EXPECT_EQ(in(kIer), 0x12u);
  out(kLcr, 0x03);
  EXPECT_EQ(in(kIer), 0x05u);
  EXPECT_EQ(printed(), "");
}

TEST_F(UartTest, EnablingThreInterruptRaisesItAndIirClearsIt) {
  out(kIer, 2);
  EXPECT_TRUE(irq_);
  EXPECT_EQ(in(kIir), 0x02u);
  EXPECT_FALSE(irq_);
  EXPECT_EQ(in(kIir), 0x01u);
  // Writing THR empties it at once, which is a new event.
  out(kData, 'x');
  EXPECT_TRUE(irq_);
  // Disabling and enabling again raises it again (drivers test that).
  in(kIir);
  out(kIer, 0);
  EXPECT_FALSE(irq_);
  out(kIer, 2);
  EXPECT_TRUE(irq_);
}

TEST_F(UartTest, WithoutFifoTakesOneByteAndHoldsTheRestBack) {
  out(kIer, 1);
  chardev_->type("abc");
  EXPECT_TRUE(irq_);
  EXPECT_EQ(chardev_->waiting(), 2u);
  EXPECT_EQ(in(kIir), 0x04u);
  EXPECT_EQ(in(kData), 'a');
  EXPECT_EQ(chardev_->resumes, 1);
  EXPECT_EQ(in(kData), 'b');
  EXPECT_EQ(in(kData), 'c');
  EXPECT_FALSE(irq_);
  EXPECT_EQ(in(kLsr)&1, 0u);
}

TEST_F(UartTest, WhatIsTypedBeforeSoftwareUsesItIsLeftToOthers) {
  chardev_->type("a");
  EXPECT_EQ(chardev_->waiting(), 1u);
  in(kLsr);
  EXPECT_EQ(chardev_->waiting(), 0u);
  EXPECT_EQ(in(kData), 'a');
  uart_.reset();
  chardev_->type("b");
  EXPECT_EQ(chardev_->waiting(), 1u) << "after a reset the next program may be one that uses another device";
}

TEST_F(UartTest, FifoTriggerLevelAndTimeout) {
  out(kIer, 1);
  out(kIir, 0x81);  // FIFO on, trigger level 8
  chardev_->type("1234567");
  EXPECT_EQ(in(kIir), 0xccu);
  EXPECT_TRUE(irq_);
  chardev_->type("8");
  EXPECT_EQ(in(kIir), 0xc4u);
  for (const char c : std::string("12345678")) EXPECT_EQ(in(kData), static_cast<std::uint64_t>(c));
  EXPECT_EQ(in(kIir), 0xc1u);
  EXPECT_FALSE(irq_);
}

TEST_F(UartTest, FifoHoldsSixteenAndLosesNothing) {
  out(kIir, 1);
  const std::string text = "0123456789abcdefghijklmnopqrstuvwxyz";
  chardev_->type(text);
  EXPECT_EQ(chardev_->waiting(), text.size() - 16);
  std::string got;
  while ((in(kLsr)&1) != 0) got.push_back(static_cast<char>(in(kData)));
  EXPECT_EQ(got, text);
}

TEST_F(UartTest, ClearingTheReceiverDropsItsBytes) {
  out(kIir, 1);
  chardev_->type("abc");
  out(kIir, 3);
  EXPECT_EQ(in(kLsr)&1, 0u);
}

TEST_F(UartTest, LoopbackConnectsTransmitterToReceiverAndModemLines) {
  out(kMcr, 0x10 | 0x0a);  // loop, RTS, OUT2
  EXPECT_EQ(in(kMsr)&0xf0, 0x90u);
  out(kData, 'L');
  EXPECT_EQ(in(kData), 'L');
  chardev_->type("z");
  EXPECT_EQ(chardev_->waiting(), 1u);
  out(kMcr, 0);
  EXPECT_EQ(chardev_->waiting(), 0u);
  EXPECT_EQ(in(kData), 'z');
  EXPECT_EQ(printed(), "");
}

TEST_F(UartTest, OverrunInLoopbackRaisesLineStatus) {
  out(kMcr, 0x10);
  out(kIer, 4);
  out(kData, 'a');
  EXPECT_FALSE(irq_);
  out(kData, 'b');
  EXPECT_TRUE(irq_);
  EXPECT_EQ(in(kIir), 0x06u);
  EXPECT_EQ(in(kLsr), 0x63u);
  EXPECT_FALSE(irq_);
  EXPECT_EQ(in(kLsr), 0x61u);
}

TEST_F(UartTest, AnOverrunKeepsTheLastCharacterWithoutFifoAndTheFirstOnesWithIt) {
  out(kMcr, 0x10);
  out(kData, 'a');
  out(kData, 'b');
  EXPECT_EQ(in(kData), std::uint8_t{'b'});
  out(kIir, 1);
  for (char c = 'a'; c <= 'q'; ++c) out(kData, static_cast<std::uint8_t>(c));
  for (char c = 'a'; c <= 'p'; ++c) EXPECT_EQ(in(kData), static_cast<std::uint8_t>(c));
  EXPECT_EQ(in(kLsr)&1u, 0u);
}

TEST_F(UartTest, ModemStatusDeltasRaiseAndClear) {
  in(kMsr);
  out(kIer, 8);
  out(kMcr, 0x10);  // DCD, DSR, CTS fall
  EXPECT_TRUE(irq_);
  EXPECT_EQ(in(kIir), 0x00u);
  EXPECT_EQ(in(kMsr), 0x0bu);
  EXPECT_FALSE(irq_);
  EXPECT_EQ(in(kMsr), 0x00u);
}

TEST_F(UartTest, ResetClearsStateAndLetsInputFlow) {
  out(kScr, 0x5a);
  EXPECT_EQ(in(kScr), 0x5au);
  out(kIer, 3);
  chardev_->type("ab");
  EXPECT_EQ(chardev_->waiting(), 1u);
  uart_.reset();
  EXPECT_FALSE(irq_);
  EXPECT_EQ(in(kScr), 0u);
  EXPECT_EQ(in(kIer), 0u);
  EXPECT_EQ(in(kData), 'b');
}

TEST(UartDetachTest, DestructionDetachesTheBackEnd) {
  auto chardev = std::make_shared<FakeChardev>();
  {
    Uart16550 uart(chardev, IrqLine());
    EXPECT_TRUE(chardev->is_attached());
    set(uart, 0, 'e', 1);
  }
  EXPECT_FALSE(chardev->is_attached());
  EXPECT_EQ(chardev->output(), "e");
}

TEST(UartDetachTest, WorksWithoutBackEnd) {
  Uart16550 uart(nullptr, IrqLine());
  set(uart, 0, 'e', 1);
  EXPECT_EQ(get(uart, kLsr, 1), 0x60u);
}

}  // namespace
}  // namespace gstage::hw
