// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "hw/virtio/console.h"
#include "hw/virtio/rng.h"

#include "tests/unit/hw_virtio_driver.h"

namespace gstage::hw {
namespace {

using Driver = VirtioDriver;
constexpr std::uint64_t kMultiport = 2;
enum Queues : unsigned { kReceive0 = 0, kTransmit0 = 1, kControlIn = 2, kControlOut = 3, kReceive1 = 4 };

struct Control {
  std::uint32_t id;
  std::uint16_t event;
  std::uint16_t value;
  bool operator==(const Control&) const = default;
};

class ConsoleTest : public testing::Test {
 protected:
  ConsoleTest()
      : driver_([this] {
          auto console = std::make_unique<VirtioConsole>(4);
          console->add_port(0, {first_, "", true});
          console->add_port(1, {second_, "org.example.agent", false});
          return console;
        }()) {}
  void offer_input(unsigned queue, std::uint32_t size) {
    driver_.put(queue, 0, {Driver::kData + queue * 0x1000, size, Driver::kWrite, 0});
    driver_.offer_and_kick(queue, 0);
  }
  std::string input(unsigned queue) {
    const auto used = driver_.used(queue, driver_.used_index(queue) - 1u);
    return driver_.text(Driver::kData + queue * 0x1000, used.length);
  }
  void send_control(const Control& control) {
    driver_.poke(Driver::kData + kControlOut * 0x1000, control);
    driver_.put(kControlOut, 0, {Driver::kData + kControlOut * 0x1000, sizeof control, 0, 0});
    driver_.offer_and_kick(kControlOut, 0);
  }
  /// The next message from the device; the text behind it goes to `text`.
  Control next_control(std::string* text = nullptr) {
    const auto before = driver_.used_index(kControlIn);
    offer_input(kControlIn, 64);
    EXPECT_NE(driver_.used_index(kControlIn), before) << "no message";
    const std::string all = input(kControlIn);
    Control control{};
    std::memcpy(&control, all.data(), sizeof control);
    if (text != nullptr) *text = all.substr(sizeof control);
    return control;
  }

  std::shared_ptr<FakeChardev> first_ = std::make_shared<FakeChardev>();
  std::shared_ptr<FakeChardev> second_ = std::make_shared<FakeChardev>();
  VirtioDriver driver_;
};

TEST_F(ConsoleTest, Configuration) {
  EXPECT_EQ(get(*driver_.slot, Driver::kDeviceId), 3u);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig + 4), 4u);
  set(*driver_.slot, Driver::kQueueSel, 9);
  EXPECT_NE(get(*driver_.slot, Driver::kQueueSizeMax), 0u);
  set(*driver_.slot, Driver::kQueueSel, 10);
  EXPECT_EQ(get(*driver_.slot, Driver::kQueueSizeMax), 0u);
}

TEST_F(ConsoleTest, SinglePortTransmitsAndReceives) {
  driver_.start(Driver::kVersion1, 2);
  driver_.memory.write(Paddr{Driver::kData}, "out", 3);
  driver_.put(kTransmit0, 0, {Driver::kData, 3, 0, 0});
  driver_.offer_and_kick(kTransmit0, 0);
  EXPECT_TRUE(eventually([&] { return first_->output() == "out"; }));
  EXPECT_EQ(driver_.used(kTransmit0, 0).length, 0u);
  offer_input(kReceive0, 16);
  first_->type("in");
  EXPECT_EQ(input(kReceive0), "in");
}

TEST_F(ConsoleTest, InputWaitsForBuffersAndIsCutToThem) {
  driver_.start(Driver::kVersion1, 2);
  first_->type("abcdef");
  EXPECT_EQ(driver_.used_index(kReceive0), 0u);
  offer_input(kReceive0, 4);
  EXPECT_EQ(input(kReceive0), "abcd");
  offer_input(kReceive0, 4);
  EXPECT_EQ(input(kReceive0), "ef");
}

TEST_F(ConsoleTest, MuchInputIsHeldBackNotLost) {
  driver_.start(Driver::kVersion1, 2);
  std::string sent;
  for (int i = 0; i < 10000; ++i) sent.push_back(static_cast<char>('a' + i % 23));
  first_->type(sent);
  EXPECT_GT(first_->waiting(), 0u);
  std::string got;
  while (got.size() < sent.size()) {
    const auto before = driver_.used_index(kReceive0);
    offer_input(kReceive0, 1000);
    ASSERT_NE(driver_.used_index(kReceive0), before) << "stuck after " << got.size();
    got += input(kReceive0);
  }
  EXPECT_EQ(got, sent);
}

TEST_F(ConsoleTest, InputBeforeTheDriverIsUpIsHeldBack) {
  first_->type("early");
  EXPECT_EQ(first_->waiting(), 5u);
  driver_.start(Driver::kVersion1, 2);
  offer_input(kReceive0, 16);
  first_->type("");
  offer_input(kReceive0, 16);
  EXPECT_EQ(input(kReceive0), "early");
}

TEST_F(ConsoleTest, MultiportHandshake) {
  driver_.start(Driver::kVersion1 | kMultiport, 6);
  send_control({0, 0, 1});
  EXPECT_EQ(next_control(), (Control{0, 1, 1}));
  EXPECT_EQ(next_control(), (Control{1, 1, 1}));
  send_control({0, 3, 1});
  EXPECT_EQ(next_control(), (Control{0, 4, 1}));
  EXPECT_EQ(next_control(), (Control{0, 6, 1}));
  send_control({1, 3, 1});
  std::string name;
  EXPECT_EQ(next_control(&name), (Control{1, 7, 1}));
  EXPECT_EQ(name, "org.example.agent");
  EXPECT_EQ(next_control(), (Control{1, 6, 1}));
  // Input waits until the guest has opened the port.
  offer_input(kReceive1, 16);
  second_->type("hi");
  EXPECT_EQ(second_->waiting(), 2u);
  send_control({1, 6, 1});
  EXPECT_EQ(input(kReceive1), "hi");
}

TEST_F(ConsoleTest, ControlMessagesForPortsThatDoNotExistAreIgnored) {
  driver_.start(Driver::kVersion1 | kMultiport, 6);
  send_control({3, 3, 1});
  send_control({4000000000, 6, 1});
  EXPECT_EQ(driver_.used_index(kControlOut), 2u);
  EXPECT_EQ(driver_.status() & Driver::kNeedsReset, 0u);
}

TEST_F(ConsoleTest, ResetDropsInputThatWasTaken) {
  driver_.start(Driver::kVersion1, 2);
  first_->type("old");
  EXPECT_EQ(first_->waiting(), 0u);
  driver_.start(Driver::kVersion1, 2);
  first_->type("new");
  offer_input(kReceive0, 16);
  EXPECT_EQ(input(kReceive0), "new");
}

TEST_F(ConsoleTest, WrongDirectionNeedsAReset) {
  driver_.start(Driver::kVersion1, 2);
  driver_.put(kTransmit0, 0, {Driver::kData, 3, Driver::kWrite, 0});
  driver_.offer_and_kick(kTransmit0, 0);
  EXPECT_NE(driver_.status() & Driver::kNeedsReset, 0u);
  driver_.start(Driver::kVersion1, 2);
  driver_.put(kReceive0, 0, {Driver::kData, 3, 0, 0});
  driver_.offer_and_kick(kReceive0, 0);
  first_->type("x");
  EXPECT_NE(driver_.status() & Driver::kNeedsReset, 0u);
}

TEST_F(ConsoleTest, EmergencyWriteNeedsNoDriver) {
  set(*driver_.slot, Driver::kConfig + 8, '!');
  EXPECT_TRUE(eventually([&] { return first_->output() == "!"; }));
}

TEST(RngTest, FillsBuffersWithRandomBytes) {
  VirtioDriver driver(std::make_unique<VirtioRng>(EntropySource()));
  EXPECT_EQ(get(*driver.slot, Driver::kDeviceId), 4u);
  driver.start(Driver::kVersion1);
  driver.put(0, 0, {Driver::kData, 300, Driver::kWrite | Driver::kNext, 1});
  driver.put(0, 1, {Driver::kData + 0x1000, 700, Driver::kWrite, 0});
  driver.offer_and_kick(0, 0);
  EXPECT_EQ(driver.used(0, 0).length, 1000u);
  EXPECT_NE(driver.text(Driver::kData, 300), std::string(300, '\0'));
  EXPECT_NE(driver.text(Driver::kData + 0x1000 + 600, 100), std::string(100, '\0'));
  EXPECT_EQ(driver.text(Driver::kData + 0x1000 + 700, 8), std::string(8, '\0'));
}

TEST(RngTest, ReadableBufferNeedsAReset) {
  VirtioDriver driver(std::make_unique<VirtioRng>(EntropySource()));
  driver.start(Driver::kVersion1);
  driver.put(0, 0, {Driver::kData, 300, 0, 0});
  driver.offer_and_kick(0, 0);
  EXPECT_NE(driver.status() & Driver::kNeedsReset, 0u);
}

TEST(RngTest, FileAsSource) {
  const std::string path = testing::TempDir() + format("gstage-entropy-%d", getpid());
  std::ofstream(path) << "not random";
  auto source = EntropySource::open(path);
  ASSERT_TRUE(source.ok());
  VirtioDriver driver(std::make_unique<VirtioRng>(std::move(*source)));
  driver.start(Driver::kVersion1);
  driver.put(0, 0, {Driver::kData, 100, Driver::kWrite, 0});
  driver.offer_and_kick(0, 0);
  EXPECT_EQ(driver.used(0, 0).length, 10u);
  EXPECT_EQ(driver.text(Driver::kData, 10), "not random");
  EXPECT_FALSE(EntropySource::open(path + "-missing").ok());
}

}  // namespace
}  // namespace gstage::hw
