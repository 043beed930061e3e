// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>

#include <gtest/gtest.h>

#include "hw/core/visitor.h"

#include "tests/unit/nvme_host.h"

namespace gstage::hw {
namespace {

using S = NvmeStatus;
enum Io : std::uint8_t { kFlush = 0, kWrite = 1, kRead = 2, kZeroes = 8, kDataSets = 9 };
constexpr std::uint32_t kForce = 1u << 30;

class ReadOnlyNvmeTest : public NvmeTest {
 protected:
  ReadOnlyNvmeTest() : NvmeTest(true) {}
};
class ThreadedNvmeTest : public NvmeTest {
 protected:
  ThreadedNvmeTest() : NvmeTest(false, WorkerPool::kDefaultThreads) {}
};

TEST_F(NvmeTest, Registers) {
  EXPECT_EQ(reg(kCap, 8), 0x0040'0020'0f01'07ffu);
  EXPECT_EQ(reg(kCap), 0x0f01'07ffu);
  EXPECT_EQ(reg(kCap + 4), 0x0040'0020u);
  EXPECT_EQ(reg(kVs), 0x0001'0400u);
  EXPECT_EQ(get(0, kDevfn, 8), 0x0108'0202u);
  set_reg(kAsq, 0x1234'5fff);
  set_reg(kAsq + 4, 0x1);
  EXPECT_EQ(reg(kAsq, 8), 0x1'1234'5000u);
  set_reg(kIntms, 5);
  set_reg(kIntmc, 1);
  EXPECT_EQ(reg(kIntms), 4u);
}

TEST_F(NvmeTest, IsReadyWhileItIsEnabled) {
  enable();
  set_reg(kCc, 0);
  EXPECT_EQ(reg(kCsts), 0u);
  EXPECT_EQ(reg(kAsq, 8), submissions(0)) << "a controller reset keeps the admin queues' registers";
}

TEST_F(NvmeTest, AdminQueuesOutsideOfRamAreFatal) {
  set_reg(kAqa, 0x0007'0007);
  set_reg(kAsq, 0x1000, 8);
  set_reg(kAcq, completions(0), 8);
  set_reg(kCc, kEnabled);
  EXPECT_EQ(reg(kCsts), 2u);
  set_reg(kCc, 0);
  EXPECT_EQ(reg(kCsts), 0u);
  set_reg(kAsq, submissions(0), 8);
  set_reg(kAqa, 0);
  set_reg(kCc, kEnabled);
  EXPECT_EQ(reg(kCsts), 2u) << "a queue of one entry";
  set_reg(kCc, 0);
  set_reg(kAqa, 0x0007'0007);
  set_reg(kCc, kEnabled | 5 << 7);
  EXPECT_EQ(reg(kCsts), 2u) << "pages that are too large";
}

TEST_F(NvmeTest, ShutdownFlushes) {
  enable();
  set_reg(kCc, kEnabled | 1 << 14);
  EXPECT_EQ(reg(kCsts), 1u | 2u << 2);
  EXPECT_EQ(disk_->flushes, 1);
}

TEST_F(NvmeTest, IdentifiesItself) {
  enable();
  ASSERT_EQ(admin(6, 0, {1}).status, S::kSuccess);
  const auto controller = peek<std::array<char, 4096>>(kData);
  EXPECT_EQ(std::string(&controller[4], 20), "serial              ");
  EXPECT_EQ(std::string(&controller[24], 15), "QEMU NVMe Ctrl ");
  EXPECT_EQ(controller[77], 7) << "MDTS";
  EXPECT_EQ(controller[512], 0x66);
  EXPECT_EQ(controller[513], 0x44);
  EXPECT_EQ(controller[516], 1) << "namespaces";
  EXPECT_EQ(controller[525] & 1, 1) << "a volatile write cache";
  ASSERT_EQ(admin(6, 1, {0}).status, S::kSuccess);
  EXPECT_EQ(peek<std::uint64_t>(kData), 64u);
  EXPECT_EQ(peek<std::uint8_t>(kData + 130), 9u) << "blocks of 512 bytes";
  ASSERT_EQ(admin(6, 0, {2}).status, S::kSuccess);
  EXPECT_EQ(peek<std::uint32_t>(kData), 1u);
  EXPECT_EQ(peek<std::uint32_t>(kData + 4), 0u);
  ASSERT_EQ(admin(6, 1, {2}).status, S::kSuccess);
  EXPECT_EQ(peek<std::uint32_t>(kData), 0u) << "none behind the first";
  ASSERT_EQ(admin(6, 1, {3}).status, S::kSuccess);
  EXPECT_EQ(peek<std::uint16_t>(kData), 0x1003u) << "a UUID";
  EXPECT_EQ(admin(6, 2, {0}).status, S::kInvalidNamespace);
  EXPECT_EQ(admin(6, 1, {77}).status, S::kInvalidField);
}

TEST_F(NvmeTest, QueuesComeAndGo) {
  enable();
  EXPECT_EQ(create_completion(0, 0).status, S::kInvalidQueueId);
  EXPECT_EQ(create_completion(5, 0).status, S::kInvalidQueueId);
  EXPECT_EQ(create_completion(1, 5).status, S::kInvalidVector);
  EXPECT_EQ(create_completion(1, 1, 2).status, S::kInvalidField) << "not contiguous";
  EXPECT_EQ(admin(5, 0, {1, 3}, completions(1)).status, S::kInvalidQueueSize);
  EXPECT_EQ(admin(5, 0, {1 | 7 << 16, 3}, completions(1) + 8).status, S::kInvalidPrpOffset);
  EXPECT_EQ(admin(5, 0, {1 | 7 << 16, 3}, 0x1000).status, S::kDataTransfer) << "outside of RAM";
  EXPECT_EQ(create_submission(1, 1).status, S::kInvalidCompletionQueue);
  EXPECT_EQ(create_completion(1, 1).status, S::kSuccess);
  EXPECT_EQ(create_completion(1, 1).status, S::kInvalidQueueId);
  EXPECT_EQ(create_submission(1, 0).status, S::kInvalidCompletionQueue) << "the admin queue's";
  EXPECT_EQ(create_submission(1, 1).status, S::kSuccess);
  EXPECT_EQ(create_submission(1, 1).status, S::kInvalidQueueId);
  EXPECT_EQ(admin(4, 0, {1}).status, S::kInvalidQueueDeletion);
  EXPECT_EQ(admin(0, 0, {1}).status, S::kSuccess);
  EXPECT_EQ(admin(0, 0, {1}).status, S::kInvalidQueueId);
  EXPECT_EQ(admin(4, 0, {1}).status, S::kSuccess);
  EXPECT_EQ(admin(4, 0, {0}).status, S::kInvalidQueueId);
}

TEST_F(NvmeTest, ReadsAndWrites) {
  start();
  EXPECT_EQ(io(kRead, 7, 1), S::kSuccess);
  EXPECT_EQ(peek<std::uint8_t>(kData), 8u);
  EXPECT_EQ(peek<std::uint8_t>(kData + 512), 9u);
  poke(kData, std::array<std::uint8_t, 512>{0x5a});
  EXPECT_EQ(io(kWrite, 63, 0), S::kSuccess);
  EXPECT_EQ(byte_of_disk(63 * 512), 0x5au);
  EXPECT_TRUE(disk_->unflushed);
  EXPECT_EQ(run(1, make(kFlush, 0xffff'ffff, {})).status, S::kSuccess);
  EXPECT_FALSE(disk_->unflushed);
  EXPECT_EQ(io(kWrite, 63, kForce), S::kSuccess);
  EXPECT_FALSE(disk_->unflushed) << "FUA";
}

TEST_F(ThreadedNvmeTest, ReadsAndWrites) {
  start();
  ASSERT_EQ(create_completion(2, 2).status, NvmeStatus::kSuccess);
  ASSERT_EQ(create_submission(2, 2).status, NvmeStatus::kSuccess);
  for (unsigned round = 0; round < 40; ++round) {
    poke(kData, std::array<std::uint8_t, 512>{static_cast<std::uint8_t>(round)});
    EXPECT_EQ(io(kWrite, round, 0), S::kSuccess);
    EXPECT_EQ(run(2, make(kRead, 1, {round, 0, 0}, kData + 0x1000)).status, S::kSuccess);
    EXPECT_EQ(peek<std::uint8_t>(kData + 0x1000), round);
  }
}

/// NVM Express 1.4, 4.3: the second entry is a page, or a list where there are more; a list goes on in the
/// page that its last entry names.
TEST_F(NvmeTest, DataLiesInPagesThatListsName) {
  start();
  EXPECT_EQ(io(kRead, 0, 1, kData + 0x1000 - 512, kData + 0x8000), S::kSuccess);
  EXPECT_EQ(peek<std::uint8_t>(kData + 0x1000 - 512), 1u);
  EXPECT_EQ(peek<std::uint8_t>(kData + 0x8000), 2u);
  // 64 blocks are 8 pages: one in the command, 7 in a list that begins two entries before its page's end.
  const std::uint64_t list = kList + 0x1000 - 16;
  poke(list, std::array<std::uint64_t, 2>{kData + 0x2000, kList + 0x2000});
  poke(kList + 0x2000, std::array<std::uint64_t, 6>{kData + 0x4000, kData + 0x6000, kData + 0x7000,
                                                    kData + 0xa000, kData + 0xb000, kData + 0xc000});
  EXPECT_EQ(io(kRead, 0, 63, kData, list), S::kSuccess);
  EXPECT_EQ(peek<std::uint8_t>(kData + 0x2000), 9u);
  EXPECT_EQ(peek<std::uint8_t>(kData + 0x4000), 17u);
  EXPECT_EQ(peek<std::uint8_t>(kData + 0xc000 + 0xe00), 64u);
}

TEST_F(NvmeTest, DataPointersThatMakeNoSense) {
  start();
  EXPECT_EQ(io(kRead, 0, 0, kData + 1), S::kInvalidPrpOffset);
  EXPECT_EQ(io(kRead, 0, 15, kData, kData + 0x1008), S::kInvalidPrpOffset) << "the second page";
  EXPECT_EQ(io(kRead, 0, 63, kData, kList + 4), S::kInvalidPrpOffset) << "the list";
  poke(kList, std::array<std::uint64_t, 7>{kData + 512});
  EXPECT_EQ(io(kRead, 0, 63, kData, kList), S::kInvalidPrpOffset) << "an entry";
  poke(kList + 0xff8, std::uint64_t{kList + 0xff8});
  EXPECT_EQ(io(kRead, 0, 63, kData, kList + 0xff8), S::kInvalidPrpOffset) << "a list that goes on in itself";
  EXPECT_EQ(io(kRead, 0, 0, 0x1000), S::kDataTransfer) << "outside of RAM";
  EXPECT_EQ(io(kRead, 0, 15, kData, 0x1000), S::kDataTransfer);
  EXPECT_EQ(io(kRead, 0, 63, kData, 0x1000), S::kDataTransfer);
  NvmeCommand sgl = make(kRead, 1, {0, 0, 0});
  sgl.flags = 0x40;
  EXPECT_EQ(run(1, sgl).status, S::kInvalidField);
}

TEST_F(NvmeTest, BlocksBeyondTheEndAndOtherNamespaces) {
  start();
  EXPECT_EQ(io(kRead, 63, 0), S::kSuccess);
  EXPECT_EQ(io(kRead, 63, 1), S::kOutOfRange);
  EXPECT_EQ(io(kWrite, ~std::uint64_t{0}, 0), S::kOutOfRange);
  EXPECT_EQ(io(kZeroes, 64, 0), S::kOutOfRange);
  EXPECT_EQ(io(kRead, 0, 0xffff), S::kInvalidField) << "more than MDTS";
  EXPECT_EQ(run(1, make(kRead, 2, {0, 0, 0})).status, S::kInvalidNamespace);
  EXPECT_EQ(io(0x7f, 0, 0), S::kInvalidOpcode);
}

TEST_F(NvmeTest, ErrorsOfTheDiskAreStatuses) {
  start();
  disk_->failure = EIO;
  EXPECT_EQ(io(kRead, 0, 0), S::kReadError);
  EXPECT_EQ(io(kWrite, 0, 0), S::kWriteFault);
  EXPECT_EQ(io(kFlush, 0, 0), S::kWriteFault);
  disk_->failure = ENOSPC;
  EXPECT_EQ(io(kWrite, 0, 0), S::kNoSpace);
}

TEST_F(ReadOnlyNvmeTest, IsWriteProtected) {
  start();
  EXPECT_EQ(io(kWrite, 0, 0), S::kWriteProtected);
  EXPECT_EQ(io(kZeroes, 0, 0), S::kWriteProtected);
  EXPECT_EQ(io(kFlush, 0, 0), S::kSuccess);
  ASSERT_EQ(admin(6, 1, {0}).status, S::kSuccess);
  EXPECT_EQ(peek<std::uint8_t>(kData + 99), 1u);
}

TEST_F(NvmeTest, ZeroesAndDeallocation) {
  start();
  EXPECT_EQ(io(kZeroes, 3, 1), S::kSuccess);
  EXPECT_EQ(byte_of_disk(3 * 512), 0u);
  EXPECT_EQ(byte_of_disk(5 * 512), 6u);
  poke(kData, std::array<std::uint32_t, 8>{0, 2, 9, 0, 0, 3, 20, 0});
  const auto deallocate = [&](std::uint32_t flags) { return run(1, make(kDataSets, 1, {1, flags})).status; };
  EXPECT_EQ(deallocate(1), S::kSuccess);
  EXPECT_EQ(disk_->discarded[1], 0u) << "other attributes change nothing";
  EXPECT_EQ(deallocate(4), S::kSuccess);
  EXPECT_EQ(disk_->discarded, (std::array<std::uint64_t, 2>{20 * 512, 3 * 512}));
  poke(kData + 20, std::uint32_t{60});
  EXPECT_EQ(deallocate(4), S::kOutOfRange);
}

TEST_F(NvmeTest, Features) {
  enable();
  EXPECT_EQ(admin(0x0a, 0, {7}).result, 0x0003'0003u);
  EXPECT_EQ(admin(0x09, 0, {7, 0x0000'0000}).result, 0x0003'0003u);
  EXPECT_EQ(admin(0x09, 0, {7, 0xffff}).status, S::kInvalidField);
  EXPECT_EQ(admin(0x0a, 0, {6}).result, 1u);
  EXPECT_EQ(admin(0x09, 0, {6, 0}).status, S::kSuccess);
  EXPECT_EQ(admin(0x0a, 0, {6}).result, 0u);
  EXPECT_EQ(admin(0x0a, 0, {6 | 1 << 8}).result, 1u) << "the default";
  EXPECT_EQ(admin(0x09, 0, {6 | 1u << 31, 0}).status, S::kNotSaveable);
  EXPECT_EQ(admin(0x09, 0, {4, 0x150}).status, S::kSuccess);
  EXPECT_EQ(admin(0x0a, 0, {4}).result, 0x150u);
  EXPECT_EQ(admin(0x0a, 0, {5}).status, S::kInvalidNamespace);
  EXPECT_EQ(admin(0x0a, 1, {5 | 3 << 8}).result, 6u);
  EXPECT_EQ(admin(0x0a, 0, {9, 5}).status, S::kInvalidField) << "a vector that is not there";
  EXPECT_EQ(admin(0x0a, 0, {0x7f}).status, S::kInvalidField);
  set_reg(kCc, 0);
  enable();
  EXPECT_EQ(admin(0x0a, 0, {6}).result, 1u) << "as at reset";
}

TEST_F(NvmeTest, WithoutTheWriteCacheWritesAreFlushed) {
  start();
  EXPECT_EQ(admin(0x09, 0, {6, 0}).status, S::kSuccess);
  EXPECT_EQ(io(kWrite, 0, 0), S::kSuccess);
  EXPECT_FALSE(disk_->unflushed);
}

TEST_F(NvmeTest, LogPages) {
  start();
  EXPECT_EQ(io(kRead, 0, 0), S::kSuccess);
  EXPECT_EQ(admin(2, 0xffff'ffff, {2 | 127 << 16}).status, S::kSuccess);
  EXPECT_EQ(peek<std::uint8_t>(kData + 3), 100u);
  EXPECT_EQ(peek<std::uint64_t>(kData + 32), 1u);
  EXPECT_EQ(peek<std::uint64_t>(kData + 64), 1u);
  poke(kData, ~std::uint64_t{0});
  EXPECT_EQ(admin(2, 0, {3, 0, 8}).status, S::kSuccess) << "a word at an offset";
  EXPECT_EQ(peek<std::uint64_t>(kData), 0xffff'ffff'2030'2e31u) << "1.0 and a space";
  EXPECT_EQ(admin(2, 0, {1 | 15 << 16}).status, S::kSuccess);
  EXPECT_EQ(admin(2, 0, {0x7f}).status, S::kInvalidLogPage);
  EXPECT_EQ(admin(2, 0, {3, 0, 516}).status, S::kInvalidField);
  EXPECT_EQ(admin(2, 0, {3, 0, 2}).status, S::kInvalidField);
}

TEST_F(NvmeTest, EventRequestsWaitAndAreBounded) {
  enable();
  for (unsigned i = 0; i < 4; ++i) put(0, make(0x0c, 0, {}));
  ring(0);
  NvmeCompletion done{};
  EXPECT_FALSE(take(0, done));
  EXPECT_EQ(admin(0x0c, 0, {}).status, S::kTooManyEventRequests);
  EXPECT_EQ(admin(8, 0, {0}).result, 1u) << "nothing is aborted";
  EXPECT_EQ(admin(0x77, 0, {}).status, S::kInvalidOpcode);
}

/// NVM Express 1.4, 4.1.2: a queue is full with one entry less than it has.
TEST_F(NvmeTest, AFullCompletionQueueKeepsCommandsBack) {
  start();
  ASSERT_EQ(create_submission(2, 1).status, NvmeStatus::kSuccess);
  for (unsigned queue : {1u, 2u})
    for (unsigned i = 0; i < 5; ++i) put(queue, make(kRead, 1, {i, 0, 0}));
  ring(1);
  ring(2);
  NvmeCompletion done{};
  unsigned count = 0;
  while (take(1, done)) ++count;
  EXPECT_EQ(count, kEntries - 1);
  release(1);
  while (take(1, done)) ++count;
  EXPECT_EQ(count, 10u);
}

TEST_F(NvmeTest, DoorbellsThatAreNotThere) {
  start();
  set_reg(kDoorbell + 8, kEntries);
  set_reg(kDoorbell + 12, 1000);
  set_reg(kDoorbell + 3 * 8, 1);
  set_reg(kDoorbell + 0x2ff8, 1);
  EXPECT_EQ(io(kRead, 0, 0), S::kSuccess);
}

TEST_F(NvmeTest, CompletionsAreMessages) {
  enable_messages();
  start();
  msis_.take();
  EXPECT_EQ(io(kRead, 0, 0), S::kSuccess);
  EXPECT_EQ(msis_.take(), (MsiRecorder::Messages{{kMessage, 1}}));
  ASSERT_EQ(create_completion(2, 2, 1).status, NvmeStatus::kSuccess) << "without interrupts";
  ASSERT_EQ(create_submission(2, 2).status, NvmeStatus::kSuccess);
  msis_.take();
  EXPECT_EQ(run(2, make(kRead, 1, {0, 0, 0})).status, S::kSuccess);
  EXPECT_EQ(msis_.take(), MsiRecorder::Messages{});
}

TEST_F(NvmeTest, WithoutMessagesThePinIsHighWhileCompletionsWait) {
  start();
  const auto is_high = [&] { return wires_[0] || wires_[1] || wires_[2] || wires_[3]; };
  EXPECT_FALSE(is_high());
  put(1, make(kRead, 1, {0, 0, 0}));
  ring(1);
  EXPECT_TRUE(is_high());
  set_reg(kIntms, 2);
  EXPECT_FALSE(is_high()) << "masked";
  set_reg(kIntmc, 2);
  EXPECT_TRUE(is_high());
  NvmeCompletion done{};
  EXPECT_TRUE(take(1, done));
  release(1);
  EXPECT_FALSE(is_high());
}

TEST_F(NvmeTest, WithoutTheBusCommandsWait) {
  start();
  set(0, kDevfn, pci::kCommand, pci::kCommandMemory, 2);
  put(1, make(kRead, 1, {0, 0, 0}));
  ring(1);
  NvmeCompletion done{};
  EXPECT_FALSE(take(1, done));
  set(0, kDevfn, pci::kCommand, kCommandAll, 2);
  EXPECT_TRUE(take(1, done));
}

TEST_F(NvmeTest, AResetForgetsTheQueues) {
  start();
  nvme_->reset();
  EXPECT_EQ(reg(kCsts), 0u);
  EXPECT_EQ(reg(kAsq, 8), 0u);
  set_reg(kDoorbell + 8, 1);
  set(0, kDevfn, pci::kCommand, kCommandAll, 2);
  start();
  EXPECT_EQ(io(kRead, 0, 0), S::kSuccess);
}

/// A request may be at the disk while the guest takes the controller away.
TEST_F(ThreadedNvmeTest, AResetWaitsForWhatIsInWork) {
  start();
  std::atomic<bool> is_in_work{false}, may_go_on{false};
  disk_->gate = [&] {
    is_in_work = true;
    while (!may_go_on) std::this_thread::yield();
  };
  put(1, make(kWrite, 1, {0, 0, 0}));
  ring(1);
  ASSERT_TRUE(eventually([&] { return is_in_work.load(); }));
  std::thread guest([&] { set_reg(kCc, 0); });
  may_go_on = true;
  guest.join();
  EXPECT_EQ(reg(kCsts), 0u);
  NvmeCompletion done{};
  const bool has_completion = take(1, done);
  std::this_thread::yield();
  EXPECT_EQ(take(1, done), false) << has_completion << ": nothing comes behind the reset";
}

}  // namespace
}  // namespace gstage::hw
