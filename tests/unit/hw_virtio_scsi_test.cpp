// SPDX-License-Identifier: Apache-2.0
// The host adapter and its bus, on both transports; what units answer is hw_scsi_unit_test.cpp.
#include <cstring>

#include <gtest/gtest.h>

#include "tests/unit/scsi_host.h"

namespace gstage::hw {
namespace {

using Bytes = ScsiHost::Bytes;
enum Response : unsigned { kOk = 0, kOverrun = 1, kBadTarget = 3, kFailure = 9, kRejected = 11, kNoLun = 12 };

const Bytes kTestUnitReady{0, 0, 0, 0, 0, 0};
const Bytes kInquiry{0x12, 0, 0, 0, 36, 0};
const Bytes kReadOne{0x28, 0, 0, 0, 0, 1, 0, 0, 1, 0};

class VirtioScsiTest : public testing::TestWithParam<bool> {
 protected:
  VirtioScsiTest() : disk_(std::make_shared<FakeDisk>(64 * 512)), host_(GetParam()) {
    for (std::size_t i = 0; i < disk_->bytes.size(); ++i)
      disk_->bytes[i] = static_cast<std::byte>(i / 512 + 1);
    EXPECT_TRUE(host_.add(disk_, {}).ok());
  }
  /// With the unit attention of power-on taken.
  void start() {
    host_.start();
    EXPECT_EQ(host_.run(kTestUnitReady).sense, senses::kPowerOn);
  }

  std::shared_ptr<FakeDisk> disk_;
  ScsiHost host_;
};

INSTANTIATE_TEST_SUITE_P(Transports, VirtioScsiTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "pci" : "mmio"; });

TEST_P(VirtioScsiTest, Configuration) {
  EXPECT_EQ(host_.transport->core().device_id(), 8u);
  const auto word = [&](unsigned at) { return host_.transport->config(at, 4); };
  EXPECT_EQ(word(0), 2u);
  EXPECT_EQ(word(4), 254u);
  EXPECT_EQ(word(8), 0xffffu);
  EXPECT_EQ(word(16), 16u);
  EXPECT_EQ(word(20), 96u);
  EXPECT_EQ(word(24), 32u);
  EXPECT_EQ(word(28), 255u << 16);
  EXPECT_EQ(word(32), 16383u);
  host_.transport->set_config(20, 4, 18);
  host_.transport->set_config(24, 4, 16);
  host_.transport->set_config(0, 4, 77);
  EXPECT_EQ(word(20), 18u);
  EXPECT_EQ(word(24), 16u);
  EXPECT_EQ(word(0), 2u);
  host_.transport->set_status(0);
  EXPECT_EQ(word(20), 96u) << "a reset restores the default";
  EXPECT_EQ(word(24), 32u);
}

TEST_P(VirtioScsiTest, ReadsAndTellsByAnInterrupt) {
  start();
  host_.transport->take_used_interrupt(2);
  const auto result = host_.run(kReadOne, {}, 512);
  EXPECT_TRUE(result.is_good());
  EXPECT_EQ(result.residual, 0u);
  EXPECT_EQ(result.written, 12 + 96 + 512u);
  EXPECT_EQ(result.data, Bytes(512, 2));
  EXPECT_TRUE(host_.transport->take_used_interrupt(2));
}

TEST_P(VirtioScsiTest, EachRequestQueueReachesTheUnits) {
  start();
  EXPECT_EQ(host_.run(kReadOne, {}, 512, 3).data, Bytes(512, 2));
}

TEST_P(VirtioScsiTest, WithThreadsOfTheirOwnQueuesReadAndWrite) {
  ScsiHost host(GetParam(), WorkerPool::kDefaultThreads);
  ASSERT_TRUE(host.add(disk_, {}).ok());
  host.start();
  EXPECT_EQ(host.run(kTestUnitReady).sense, senses::kPowerOn);
  EXPECT_TRUE(host.run({0x2a, 0, 0, 0, 0, 5, 0, 0, 1, 0}, Bytes(512, 0x5a)).is_good());
  EXPECT_EQ(host.run({0x28, 0, 0, 0, 0, 5, 0, 0, 1, 0}, {}, 512, 3).data, Bytes(512, 0x5a));
  EXPECT_EQ(host.manage(5, {0, 0}), kOk);
}

/// Virtio 1.3, 5.6.6.1: a first byte of 1, a target, a single level LUN.
TEST_P(VirtioScsiTest, AddressesOfOtherFormsHaveNoTarget) {
  start();
  EXPECT_EQ(host_.run_raw({1, 0, 0x40, 0, 0, 0, 0, 0}, kInquiry, {}, 36, 2).response, kOk);
  EXPECT_EQ(host_.run_raw({1, 0, 0x00, 0, 0, 0, 0, 0}, kInquiry, {}, 36, 2).response, kOk);
  EXPECT_EQ(host_.run_raw({1, 0, 0x80, 0, 0, 0, 0, 0}, kInquiry, {}, 36, 2).response, kBadTarget);
  EXPECT_EQ(host_.run_raw({0, 0, 0x40, 0, 0, 0, 0, 0}, kInquiry, {}, 36, 2).response, kBadTarget);
  EXPECT_EQ(host_.run_raw({1, 1, 0x40, 0, 0, 0, 0, 0}, kInquiry, {}, 36, 2).response, kBadTarget);
}

TEST_P(VirtioScsiTest, UnitsTakeFreePlacesAndThoseAskedFor) {
  const ScsiDevice::Place at_3_300{.target = 3, .lun = 300};
  EXPECT_TRUE(host_.add(disk_, {}, at_3_300).ok());
  EXPECT_FALSE(host_.add(disk_, {}, at_3_300).ok());
  EXPECT_TRUE(host_.add(disk_, {}, {.target = 3}).ok());
  EXPECT_TRUE(host_.add(disk_, {}, {.target = {}, .lun = 300}).ok());
  EXPECT_TRUE(host_.add(disk_, {}).ok());
  for (const ScsiAddress& address : {ScsiAddress{0, 0}, {3, 300}, {3, 0}, {0, 300}, {1, 0}})
    EXPECT_NE(host_.scsi->units().find(address), nullptr) << +address.target << "." << address.lun;
  EXPECT_FALSE(host_.scsi->units().has_target(2));
}

TEST_P(VirtioScsiTest, TargetsListTheirUnits) {
  ASSERT_TRUE(host_.add(disk_, {}, {.target = 0, .lun = 300}).ok());
  ASSERT_TRUE(host_.add(disk_, {}, {.target = 1, .lun = 7}).ok());
  host_.start();
  const Bytes report{0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0};
  auto result = host_.run(report, {}, 64);
  ASSERT_TRUE(result.is_good()) << "a unit attention does not keep it back";
  result.data.resize(24);
  EXPECT_EQ(result.data,
            (Bytes{0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x41, 0x2c, 0, 0, 0, 0, 0, 0}));
  host_.to = {1, 0};
  result = host_.run(report, {}, 64);
  EXPECT_EQ(result.residual, 64 - 16u);
  EXPECT_EQ(result.data[9], 7u);
  EXPECT_EQ(host_.run({0xa0, 0, 3, 0, 0, 0, 0, 0, 0, 64, 0, 0}, {}, 64).sense, senses::kInvalidField);
}

TEST_P(VirtioScsiTest, ATargetAnswersForUnitsThatItDoesNotHave) {
  start();
  host_.to = {0, 9};
  auto result = host_.run(kInquiry, {}, 36);
  ASSERT_TRUE(result.is_good());
  EXPECT_EQ(result.data[0], 0x7fu);
  EXPECT_EQ(host_.run(kTestUnitReady).sense, senses::kNoSuchUnit);
  result = host_.run({0x03, 0, 0, 0, 18, 0}, {}, 18);
  EXPECT_EQ(result.data[12], senses::kNoSuchUnit.code);
}

TEST_P(VirtioScsiTest, BuffersThatAreTooSmallAreOverruns) {
  start();
  auto result = host_.run({0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0}, {}, 512);
  EXPECT_EQ(result.response, kOverrun);
  EXPECT_EQ(result.residual, 512u);
  result = host_.run({0x2a, 0, 0, 0, 0, 0, 0, 0, 2, 0}, Bytes(512, 9));
  EXPECT_EQ(result.response, kOverrun);
  EXPECT_EQ(disk_->bytes[0], std::byte{1}) << "nothing was written";
  EXPECT_EQ(host_.run(kInquiry, {}, 20).response, kOverrun);
}

/// VIRTIO_SCSI_F_INOUT is not offered.
TEST_P(VirtioScsiTest, DataOfBothKindsFails) {
  start();
  EXPECT_EQ(host_.run(kReadOne, Bytes(512), 512).response, kFailure);
}

TEST_P(VirtioScsiTest, ABufferThatIsNoRequestNeedsAReset) {
  start();
  host_.put(ScsiHost::kHead, Bytes(51));
  host_.rings[2]->offer({{ScsiHost::kHead, 50}, {ScsiHost::kAnswer, 108, true}});
  host_.transport->notify(2);
  EXPECT_EQ(host_.transport->status() & 64, 64u);
  start();
  host_.rings[2]->offer({{ScsiHost::kHead, 51}, {ScsiHost::kAnswer, 107, true}});
  host_.transport->notify(2);
  EXPECT_EQ(host_.transport->status() & 64, 64u);
  start();
  EXPECT_TRUE(host_.run(kReadOne, {}, 512).is_good());
}

TEST_P(VirtioScsiTest, ShorterSensesAndCommandsAreAsTheDriverSays) {
  start();
  host_.transport->set_config(20, 4, 8);
  host_.transport->set_config(24, 4, 10);
  Bytes head(19 + 10);
  head[0] = 1;
  head[19] = 0x28;
  head[22] = 1;  // far beyond the end
  host_.put(ScsiHost::kHead, head);
  host_.put(ScsiHost::kAnswer, Bytes(0x100, 0xee));
  EXPECT_EQ(host_.send(2, {{ScsiHost::kHead, 29}, {ScsiHost::kAnswer, 12 + 8 + 512, true}}), 20u);
  const Bytes answer = host_.get(ScsiHost::kAnswer, 21);
  EXPECT_EQ(answer[0], 8u);
  EXPECT_EQ(answer[10], 2u);
  EXPECT_EQ(answer[12], 0x70u);
  EXPECT_EQ(answer[20], 0xeeu) << "beyond the sense there is data";
}

TEST_P(VirtioScsiTest, TaskManagement) {
  ASSERT_TRUE(host_.add(disk_, {}, {.target = 0, .lun = 1}).ok());
  host_.start();
  for (host_.to.lun = 0; host_.to.lun < 2; ++host_.to.lun) host_.run(kTestUnitReady);
  host_.to = {0, 0};
  for (const std::uint32_t function : {0u, 1u, 3u, 6u, 7u}) {
    EXPECT_EQ(host_.manage(function, {0, 0}), kOk) << function;
    EXPECT_TRUE(host_.run(kTestUnitReady).is_good()) << function;
  }
  EXPECT_EQ(host_.manage(5, {0, 0}), kOk);
  EXPECT_EQ(host_.run(kTestUnitReady).sense, senses::kUnitReset);
  EXPECT_TRUE(host_.run(kTestUnitReady).is_good()) << "it is told once";
  host_.to = {0, 1};
  EXPECT_TRUE(host_.run(kTestUnitReady).is_good()) << "the other unit goes on";
  EXPECT_EQ(host_.manage(4, {0, 0}), kOk);
  for (host_.to.lun = 0; host_.to.lun < 2; ++host_.to.lun)
    EXPECT_EQ(host_.run(kTestUnitReady).sense, senses::kNexusLoss);
  EXPECT_EQ(host_.manage(2, {0, 0}), kRejected);
  EXPECT_EQ(host_.manage(8, {0, 0}), kRejected);
  EXPECT_EQ(host_.manage(5, {1, 0}), kBadTarget);
  EXPECT_EQ(host_.manage(5, {0, 2}), kNoLun);
}

/// Virtio 1.3, 5.6.6.2: what was sent before is complete when the function is.
TEST_P(VirtioScsiTest, TaskManagementCompletesTheCommandsBeforeIt) {
  start();
  // The driver does not tell of the command, so that no worker has it.
  Bytes head(51);
  head[0] = 1;
  std::copy(kReadOne.begin(), kReadOne.end(), head.begin() + 19);
  host_.put(ScsiHost::kOut, head);
  host_.rings[3]->offer({{ScsiHost::kOut, 51}, {ScsiHost::kIn, 108 + 512, true}});
  EXPECT_EQ(host_.manage(0, {0, 0}), kOk);
  UsedBuffer used{};
  EXPECT_TRUE(host_.rings[3]->take_used(used));
}

TEST_P(VirtioScsiTest, ThereAreNoEventsToSubscribe) {
  start();
  Bytes message{2, 0, 0, 0, 1, 0, 0x40, 0, 0, 0, 0, 0, 0x7e, 0, 0, 0};
  host_.put(ScsiHost::kHead, message);
  EXPECT_EQ(host_.send(0, {{ScsiHost::kHead, 16}, {ScsiHost::kAnswer, 5, true}}), 5u);
  EXPECT_EQ(host_.get(ScsiHost::kAnswer, 5), Bytes(5, 0));
  message[5] = 9;
  host_.put(ScsiHost::kHead, message);
  host_.send(0, {{ScsiHost::kHead, 16}, {ScsiHost::kAnswer, 5, true}});
  EXPECT_EQ(host_.get(ScsiHost::kAnswer, 5)[4], kBadTarget);
}

/// Buffers for events stay with the device, and whoever serves their queue does not spin on them.
TEST_P(VirtioScsiTest, BuffersForEventsWait) {
  start();
  host_.rings[1]->offer({{ScsiHost::kIn, 16, true}});
  host_.transport->notify(1);
  UsedBuffer used{};
  EXPECT_FALSE(host_.rings[1]->take_used(used));
  EXPECT_TRUE(host_.run(kReadOne, {}, 512).is_good());
}

}  // namespace
}  // namespace gstage::hw
