// SPDX-License-Identifier: Apache-2.0
// virtio-9p: requests by the queue.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "hw/virtio/ninep.h"

#include "tests/unit/hw_virtio_driver.h"

namespace gstage::hw {
namespace {

using Driver = VirtioDriver;
constexpr std::uint64_t kRequest = Driver::kData;
constexpr std::uint64_t kReply = Driver::kData + 0x1'0000;

std::unique_ptr<VirtioDevice> make(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  ninep::ShareOptions options;
  options.id = "share";
  options.path = folder;
  auto share = ninep::Share::open(options);
  EXPECT_TRUE(share.ok());
  return std::make_unique<VirtioNinep>(*share, "rootfs");
}

class NinepDeviceTest : public testing::Test {
 protected:
  ~NinepDeviceTest() override { std::filesystem::remove_all(folder_); }
  /// A request of these bytes, and a buffer for the answer in two parts.
  void send(const std::string& request, std::uint32_t first = 5, std::uint32_t second = 100) {
    driver_.memory.write(Paddr{kRequest}, request.data(), request.size());
    const auto half = static_cast<std::uint32_t>(request.size() / 2);
    driver_.put(0, 0, {kRequest, half, Driver::kNext, 1});
    driver_.put(0, 1, {kRequest + half, static_cast<std::uint32_t>(request.size()) - half, Driver::kNext, 2});
    driver_.put(0, 2, {kReply, first, Driver::kNext | Driver::kWrite, 3});
    driver_.put(0, 3, {kReply + 0x100, second, Driver::kWrite, 0});
    driver_.offer_and_kick(0, 0);
  }
  /// What the device wrote into the first buffer and the second.
  std::string reply(std::uint32_t first = 5) {
    const std::uint32_t size = driver_.used(0, driver_.used_index(0) - 1u).length;
    return driver_.text(kReply, std::min(first, size)) +
           (size > first ? driver_.text(kReply + 0x100, size - first) : "");
  }
  static std::string version() {
    return {
        "\x15\0\0\0\x64\xff\xff\0\0\1\0\x8\0"
        "9P2000.L",
        21};
  }

  const std::filesystem::path folder_ = testing::TempDir() + format("gstage-ninep-device-%d", getpid());
  Driver driver_{make(folder_)};
};

TEST_F(NinepDeviceTest, TheTagIsInTheConfiguration) {
  EXPECT_EQ(driver_.features() & 1, 1u);
  EXPECT_EQ(get(*driver_.slot, Driver::kDeviceId), 9u);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig), 6u | std::uint64_t{'r'} << 16 | std::uint64_t{'o'} << 24);
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig + 4), 0x73'66'74'6fu) << "the rest, \"otfs\"";
  EXPECT_EQ(get(*driver_.slot, Driver::kConfig + 8), 0u);
}

TEST_F(NinepDeviceTest, AnswersWhateverPartsTheBuffersAreIn) {
  driver_.start(Driver::kVersion1);
  send(version());
  EXPECT_EQ(driver_.used_index(0), 1u);
  EXPECT_EQ(reply(), std::string("\x15\0\0\0\x65\xff\xff\0\0\1\0\x8\0"
                                 "9P2000.L",
                                 21));
  EXPECT_TRUE(driver_.irq);
}

TEST_F(NinepDeviceTest, AnAnswerThatDoesNotFitIsAnError) {
  driver_.start(Driver::kVersion1);
  send(version(), 5, 10);
  EXPECT_EQ(reply(), std::string("\xb\0\0\0\x7\xff\xff\x5a\0\0\0", 11)) << "EMSGSIZE";
  EXPECT_EQ(driver_.status() & Driver::kNeedsReset, 0u);
}

TEST_F(NinepDeviceTest, WhatIsNoRequestNeedsAReset) {
  driver_.start(Driver::kVersion1);
  send("junk");
  EXPECT_EQ(driver_.used_index(0), 0u);
  EXPECT_EQ(driver_.status() & Driver::kNeedsReset, Driver::kNeedsReset);
  driver_.start(Driver::kVersion1);
  send(version());
  EXPECT_EQ(driver_.used_index(0), 1u);
}

TEST_F(NinepDeviceTest, AResetEndsTheSession) {
  driver_.start(Driver::kVersion1);
  send(version());
  driver_.start(Driver::kVersion1);
  send({"\xb\0\0\0\x78\1\0\0\0\0\0", 11});
  EXPECT_EQ(reply(), std::string("\xb\0\0\0\x7\1\0\x47\0\0\0", 11)) << "EPROTO: no version is agreed on";
}

}  // namespace
}  // namespace gstage::hw
