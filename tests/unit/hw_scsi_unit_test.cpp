// SPDX-License-Identifier: Apache-2.0
// What disks and drives of discs answer to commands.
#include <cerrno>
#include <cstring>

#include <gtest/gtest.h>

#include "hw/core/visitor.h"

#include "tests/unit/scsi_host.h"

namespace gstage::hw {
namespace {

using Bytes = ScsiHost::Bytes;

class ScsiUnitTest : public testing::Test {
 protected:
  ScsiUnitTest() : disk_(std::make_shared<FakeDisk>(64 * 512)) {
    for (std::size_t i = 0; i < disk_->bytes.size(); ++i)
      disk_->bytes[i] = static_cast<std::byte>(i / 512 + 1);
    options_.serial = "serial";
    options_.device_id = "name";
  }
  /// Plugs the unit and takes its first unit attention.
  void start(std::shared_ptr<BlockBackend> medium) {
    ASSERT_TRUE(host_.add(std::move(medium), options_).ok());
    host_.start();
    EXPECT_EQ(host_.run({0, 0, 0, 0, 0, 0}).sense, senses::kPowerOn);
  }
  void start() { start(disk_); }
  void start_cd(std::size_t blocks = 16) {
    options_.kind = ScsiKind::kCd;
    options_.logical_block = options_.physical_block = 2048;
    options_.is_removable = true;
    disk_ = std::make_shared<FakeDisk>(blocks * 2048);
    start(disk_);
  }
  ScsiHost::Result run(const Bytes& cdb, std::uint32_t in = 0) { return host_.run(cdb, {}, in); }
  ScsiHost::Result give(const Bytes& cdb, const Bytes& out) { return host_.run(cdb, out); }
  unsigned byte_of_disk(std::size_t at) { return std::to_integer<unsigned>(disk_->bytes[at]); }

  ScsiUnitOptions options_;
  std::shared_ptr<FakeDisk> disk_;
  ScsiHost host_{false};
};

TEST_F(ScsiUnitTest, InquiryComesBeforeTheUnitAttention) {
  options_.vendor = "A vendor of many letters";
  ASSERT_TRUE(host_.add(disk_, options_).ok());
  host_.start();
  const auto result = run({0x12, 0, 0, 0, 96, 0}, 96);
  ASSERT_TRUE(result.is_good());
  EXPECT_EQ(result.residual, 60u);
  EXPECT_EQ(result.data[0], 0u);
  EXPECT_EQ(result.data[4], 31u);
  EXPECT_EQ(std::string(result.data.begin() + 8, result.data.begin() + 36), "A vendorQEMU HARDDISK   2.5+");
  EXPECT_EQ(run({0, 0, 0, 0, 0, 0}).sense, senses::kPowerOn);
  EXPECT_TRUE(run({0, 0, 0, 0, 0, 0}).is_good());
}

TEST_F(ScsiUnitTest, RequestSenseTakesTheUnitAttention) {
  ASSERT_TRUE(host_.add(disk_, options_).ok());
  host_.start();
  auto result = run({0x03, 0, 0, 0, 18, 0}, 18);
  EXPECT_EQ(result.data[2], 6u);
  EXPECT_EQ(result.data[12], 0x29u);
  result = run({0x03, 1, 0, 0, 18, 0}, 18);
  EXPECT_EQ(result.data[0], 0x72u);
  EXPECT_EQ(result.data[1], 0u);
}

TEST_F(ScsiUnitTest, PagesOfVitalProductData) {
  options_.wwn = 0x5000'0000'1234'5678;
  options_.max_io = 1 << 20;
  options_.rotation_rate = 1;
  start();
  const auto page = [&](std::uint8_t number) {
    auto result = run({0x12, 1, number, 0, 255, 0}, 255);
    EXPECT_TRUE(result.is_good()) << +number;
    EXPECT_EQ(result.data[1], number);
    result.data.resize(4 + result.data[3]);
    return result.data;
  };
  EXPECT_EQ(page(0x00), (Bytes{0, 0, 0, 6, 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2}));
  EXPECT_EQ(page(0x80), (Bytes{0, 0x80, 0, 6, 's', 'e', 'r', 'i', 'a', 'l'}));
  EXPECT_EQ(page(0x83), (Bytes{0, 0x83, 0, 20, 2,    0, 0, 4, 'n',  'a',  'm',  'e',
                               1, 3,    0, 8,  0x50, 0, 0, 0, 0x12, 0x34, 0x56, 0x78}));
  const Bytes limits = page(0xb0);
  EXPECT_EQ(limits.size(), 64u);
  EXPECT_EQ(scsi_number(limits, 8, 4), 2048u);
  EXPECT_EQ(scsi_number(limits, 20, 4), 0x20'0000u);
  EXPECT_EQ(scsi_number(limits, 24, 4), 255u);
  EXPECT_EQ(scsi_number(limits, 36, 8), 0x2'0000u);
  EXPECT_EQ(scsi_number(page(0xb1), 4, 2), 1u);
  EXPECT_EQ(page(0xb2), (Bytes{0, 0xb2, 0, 4, 0, 0xe0, 2, 0}));
  EXPECT_EQ(run({0x12, 1, 0x89, 0, 255, 0}, 255).sense, senses::kInvalidField);
  EXPECT_EQ(run({0x12, 0, 0x80, 0, 255, 0}, 255).sense, senses::kInvalidField);
}

TEST_F(ScsiUnitTest, Capacity) {
  options_.logical_block = 1024;
  options_.physical_block = 4096;
  start();
  EXPECT_EQ(run({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 8).data, (Bytes{0, 0, 0, 31, 0, 0, 4, 0}));
  const auto result = run({0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0}, 32);
  EXPECT_EQ(scsi_number(result.data, 0, 8), 31u);
  EXPECT_EQ(scsi_number(result.data, 8, 4), 1024u);
  EXPECT_EQ(result.data[13], 2u);
  EXPECT_EQ(result.data[14], 0x80u);
  EXPECT_EQ(run({0x9e, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0}, 32).sense, senses::kInvalidField);
}

TEST_F(ScsiUnitTest, ReadsAndWritesOfEachLength) {
  start();
  EXPECT_EQ(run({0x08, 0, 0, 7, 1, 0}, 512).data, Bytes(512, 8));
  EXPECT_EQ(run({0x28, 0, 0, 0, 0, 7, 0, 0, 1, 0}, 512).data, Bytes(512, 8));
  EXPECT_EQ(run({0xa8, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0}, 512).data, Bytes(512, 8));
  EXPECT_EQ(run({0x88, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0}, 512).data, Bytes(512, 8));
  EXPECT_TRUE(give({0x0a, 0, 0, 1, 1, 0}, Bytes(512, 0xa1)).is_good());
  EXPECT_TRUE(give({0x2a, 0, 0, 0, 0, 2, 0, 0, 1, 0}, Bytes(512, 0xa2)).is_good());
  EXPECT_TRUE(give({0xaa, 0, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0}, Bytes(512, 0xa3)).is_good());
  EXPECT_TRUE(give({0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0}, Bytes(512, 0xa4)).is_good());
  for (unsigned i = 1; i <= 4; ++i) EXPECT_EQ(byte_of_disk(i * 512), 0xa0 + i);
  EXPECT_EQ(byte_of_disk(5 * 512), 6u);
  EXPECT_TRUE(disk_->unflushed);
  EXPECT_TRUE(run({0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0}).is_good()) << "no blocks are not an error";
}

/// SBC-4, 5.10: a length of zero means 256 blocks in the six-byte commands.
TEST_F(ScsiUnitTest, SixByteCommandsOfNoLengthMean256Blocks) {
  start();
  EXPECT_EQ(run({0x08, 0, 0, 0, 0, 0}, 512).sense, senses::kOutOfRange);
}

TEST_F(ScsiUnitTest, BlocksBeyondTheEnd) {
  start();
  EXPECT_TRUE(run({0x28, 0, 0, 0, 0, 63, 0, 0, 1, 0}, 512).is_good());
  EXPECT_EQ(run({0x28, 0, 0, 0, 0, 63, 0, 0, 2, 0}, 1024).sense, senses::kOutOfRange);
  EXPECT_EQ(run({0x28, 0, 0, 0, 0, 64, 0, 0, 1, 0}, 512).sense, senses::kOutOfRange);
  EXPECT_EQ(run({0x88, 0, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 1, 0, 0}, 512).sense,
            senses::kOutOfRange);
  EXPECT_EQ(give({0x2a, 0, 0, 0, 0, 64, 0, 0, 1, 0}, Bytes(512)).sense, senses::kOutOfRange);
  EXPECT_EQ(run({0x35, 0, 0, 0, 0, 64, 0, 0, 1, 0}).sense, senses::kOutOfRange);
  EXPECT_EQ(run({0x2f, 0, 0, 0, 0, 63, 0, 0, 2, 0}).sense, senses::kOutOfRange);
  EXPECT_TRUE(run({0x2f, 0, 0, 0, 0, 62, 0, 0, 2, 0}).is_good());
}

TEST_F(ScsiUnitTest, ProtectionInformationIsRefused) {
  start();
  EXPECT_EQ(run({0x28, 0x20, 0, 0, 0, 0, 0, 0, 1, 0}, 512).sense, senses::kInvalidField);
  EXPECT_EQ(give({0x2a, 0x20, 0, 0, 0, 0, 0, 0, 1, 0}, Bytes(512)).sense, senses::kInvalidField);
}

TEST_F(ScsiUnitTest, WritesAreOnTheDiskWhenAsked) {
  start();
  EXPECT_TRUE(give({0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0}, Bytes(512)).is_good());
  EXPECT_TRUE(disk_->unflushed);
  EXPECT_TRUE(run({0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0}).is_good());
  EXPECT_FALSE(disk_->unflushed);
  EXPECT_TRUE(give({0x2a, 0x08, 0, 0, 0, 0, 0, 0, 1, 0}, Bytes(512)).is_good());
  EXPECT_FALSE(disk_->unflushed) << "FUA";
}

TEST_F(ScsiUnitTest, ErrorsOfTheDiskAreSenses) {
  start();
  disk_->failure = EIO;
  EXPECT_EQ(run({0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0}, 512).sense, senses::kReadError);
  EXPECT_EQ(give({0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0}, Bytes(512)).sense, senses::kWriteError);
  EXPECT_EQ(run({0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0}).sense, senses::kWriteError);
  disk_->failure = ENOSPC;
  EXPECT_EQ(give({0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0}, Bytes(512)).sense, senses::kNoSpace);
}

TEST_F(ScsiUnitTest, ReadOnlyDisksAreWriteProtected) {
  disk_ = std::make_shared<FakeDisk>(64 * 512, true);
  start();
  EXPECT_EQ(give({0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0}, Bytes(512)).sense, senses::kWriteProtected);
  EXPECT_EQ(give({0x42, 0, 0, 0, 0, 0, 0, 0, 8, 0}, Bytes(8)).sense, senses::kWriteProtected);
  EXPECT_EQ(give({0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0}, Bytes(512)).sense,
            senses::kWriteProtected);
  EXPECT_EQ(run({0x1a, 0, 0x3f, 0, 192, 0}, 192).data[2], 0x90u) << "WP, DPOFUA";
  EXPECT_TRUE(run({0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0}).is_good());
  EXPECT_EQ(run({0x12, 1, 0xb2, 0, 255, 0}, 255).data[5], 0u);
}

TEST_F(ScsiUnitTest, ModePages) {
  start();
  auto result = run({0x1a, 0, 0x08, 0, 192, 0}, 192);
  ASSERT_TRUE(result.is_good());
  EXPECT_EQ(result.data[0], 31u);
  EXPECT_EQ(result.data[2], 0x10u);
  EXPECT_EQ(result.data[3], 8u);
  EXPECT_EQ(scsi_number(result.data, 4, 4), 64u);
  EXPECT_EQ(scsi_number(result.data, 8, 4), 512u);
  EXPECT_EQ(result.data[12], 8u);
  EXPECT_EQ(result.data[14], 4u) << "WCE";
  result = run({0x5a, 8, 0x3f, 0, 0, 0, 0, 1, 0, 0}, 256);
  EXPECT_EQ(scsi_number(result.data, 0, 2), 6 + 12 + 20 + 12u);
  EXPECT_EQ(result.data[7], 0u) << "DBD: no descriptor";
  result = run({0x1a, 8, 0x48, 0, 192, 0}, 192);
  EXPECT_EQ(result.data[6], 4u) << "WCE is what may be changed";
  EXPECT_EQ(run({0x1a, 8, 0xc8, 0, 192, 0}, 192).sense, senses::kNoSavedPages);
  EXPECT_EQ(run({0x1a, 8, 0x2a, 0, 192, 0}, 192).sense, senses::kInvalidField);
  EXPECT_EQ(run({0x1a, 8, 0x08, 1, 192, 0}, 192).sense, senses::kInvalidField);
}

TEST_F(ScsiUnitTest, TheWriteCacheCanBeSwitched) {
  start();
  Bytes list(4 + 20);
  list[4] = 8;
  list[5] = 18;
  EXPECT_TRUE(give({0x15, 0x10, 0, 0, 24, 0}, list).is_good());
  EXPECT_EQ(run({0x1a, 8, 0x08, 0, 192, 0}, 192).data[6], 0u);
  EXPECT_EQ(run({0x1a, 8, 0x88, 0, 192, 0}, 192).data[6], 4u) << "the default";
  EXPECT_TRUE(give({0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0}, Bytes(512)).is_good());
  EXPECT_FALSE(disk_->unflushed);
  list[6] = 4;
  EXPECT_TRUE(give({0x55, 0x10, 0, 0, 0, 0, 0, 0, 24 + 4, 0},
                   [&] {
                     Bytes longer(4);
                     longer.insert(longer.end(), list.begin(), list.end());
                     return longer;
                   }())
                  .is_good());
  EXPECT_TRUE(give({0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0}, Bytes(512)).is_good());
  EXPECT_TRUE(disk_->unflushed);
}

TEST_F(ScsiUnitTest, ModeSelectRefusesWhatCannotBeChanged) {
  start();
  Bytes list(4 + 20);
  list[4] = 8;
  list[5] = 18;
  list[8] = 1;
  EXPECT_EQ(give({0x15, 0x10, 0, 0, 24, 0}, list).sense, senses::kInvalidParameter);
  list[8] = 0;
  list[5] = 17;
  EXPECT_EQ(give({0x15, 0x10, 0, 0, 24, 0}, list).sense, senses::kInvalidParameter);
  list[5] = 18;
  EXPECT_EQ(give({0x15, 0x11, 0, 0, 24, 0}, list).sense, senses::kInvalidField) << "SP";
  EXPECT_EQ(give({0x15, 0x10, 0, 0, 23, 0}, list).sense, senses::kInvalidParameter);
  EXPECT_EQ(give({0x15, 0x10, 0, 0, 3, 0}, list).sense, senses::kParameterListLength);
  list[3] = 200;
  EXPECT_EQ(give({0x15, 0x10, 0, 0, 24, 0}, list).sense, senses::kParameterListLength);
  EXPECT_EQ(run({0x1a, 8, 0x08, 0, 192, 0}, 192).data[6], 4u) << "nothing has changed";
}

TEST_F(ScsiUnitTest, Unmap) {
  start();
  Bytes list(8 + 16);
  list[1] = 22;
  list[3] = 16;
  list[15] = 3;
  list[19] = 5;
  const Bytes unmap{0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0};
  EXPECT_TRUE(give(unmap, list).is_good());
  EXPECT_EQ(disk_->discarded, (std::array<std::uint64_t, 2>{3 * 512, 5 * 512}));
  list[15] = 60;
  EXPECT_EQ(give(unmap, list).sense, senses::kOutOfRange);
  list[3] = 32;
  EXPECT_EQ(give(unmap, list).sense, senses::kParameterListLength);
  EXPECT_TRUE(run({0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0}).is_good());
  EXPECT_EQ(give({0x42, 1, 0, 0, 0, 0, 0, 0, 24, 0}, list).sense, senses::kInvalidField) << "ANCHOR";
}

TEST_F(ScsiUnitTest, UnmapOfMoreThanTheLimitIsRefused) {
  options_.max_unmap = 4 * 512;
  start();
  Bytes list(8 + 16);
  list[1] = 22;
  list[3] = 16;
  list[19] = 5;
  EXPECT_EQ(give({0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0}, list).sense, senses::kInvalidParameter);
  EXPECT_EQ(disk_->discarded[1], 0u);
}

TEST_F(ScsiUnitTest, WriteSame) {
  start();
  Bytes pattern(512);
  EXPECT_TRUE(give({0x41, 0x08, 0, 0, 0, 2, 0, 0, 2, 0}, pattern).is_good()) << "UNMAP";
  EXPECT_EQ(byte_of_disk(2 * 512), 0u);
  EXPECT_EQ(byte_of_disk(4 * 512), 5u);
  for (std::size_t i = 0; i < 512; ++i) pattern[i] = static_cast<std::uint8_t>(i);
  EXPECT_TRUE(give({0x93, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0}, pattern).is_good());
  for (std::size_t block = 8; block < 11; ++block) EXPECT_EQ(byte_of_disk(block * 512 + 77), 77u) << block;
  EXPECT_EQ(byte_of_disk(11 * 512), 12u);
  EXPECT_TRUE(run({0x93, 0x01, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0}).is_good()) << "NDOB: zeros";
  EXPECT_EQ(byte_of_disk(9 * 512 + 77), 0u);
  EXPECT_EQ(give({0x93, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0}, pattern).sense, senses::kInvalidField);
  EXPECT_EQ(give({0x93, 0, 0, 0, 0, 0, 0, 0, 0, 63, 0, 0, 0, 2, 0, 0}, pattern).sense, senses::kOutOfRange);
}

TEST_F(ScsiUnitTest, CommandsThatAreThereAndOthers) {
  start();
  EXPECT_EQ(run({0x43, 0, 0, 0, 0, 0, 0, 0, 20, 0}, 20).sense, senses::kInvalidOpcode) << "of discs";
  EXPECT_EQ(run({0x7f, 0, 0, 0, 0, 0}).sense, senses::kInvalidOpcode);
  const auto ask = [&](std::uint8_t opcode, std::uint8_t option = 1, std::uint8_t action = 0) {
    return run({0xa3, 0x0c, option, opcode, 0, action, 0, 0, 0, 32, 0, 0}, 32);
  };
  EXPECT_EQ(ask(0x28).data[1], 3u);
  EXPECT_EQ(ask(0x28).data[3], 10u);
  EXPECT_EQ(ask(0x28).data[4], 0x28u);
  EXPECT_EQ(ask(0x29).data[1], 1u);
  EXPECT_EQ(ask(0x9e, 2, 0x10).data[1], 3u);
  EXPECT_EQ(ask(0x9e, 2, 0x11).data[1], 1u);
  EXPECT_EQ(ask(0x9e, 1).sense, senses::kInvalidField);
  EXPECT_EQ(ask(0x28, 2).sense, senses::kInvalidField);
  const auto all = run({0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0}, 512);
  EXPECT_EQ(scsi_number(all.data, 0, 4) % 8, 0u);
  EXPECT_EQ(scsi_number(all.data, 0, 4) + 4 + all.residual, 512u);
}

TEST_F(ScsiUnitTest, DiscsAreReadAlone) {
  start_cd();
  disk_->bytes[3 * 2048] = std::byte{'d'};
  EXPECT_EQ(run({0x12, 0, 0, 0, 36, 0}, 36).data[0], 5u);
  EXPECT_EQ(run({0x12, 0, 0, 0, 36, 0}, 36).data[1], 0x80u);
  EXPECT_EQ(run({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 8).data, (Bytes{0, 0, 0, 15, 0, 0, 8, 0}));
  EXPECT_EQ(run({0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0}, 2048).data[0], 'd');
  EXPECT_EQ(give({0x2a, 0, 0, 0, 0, 3, 0, 0, 1, 0}, Bytes(2048)).sense, senses::kInvalidOpcode);
  EXPECT_EQ(run({0x12, 1, 0xb0, 0, 255, 0}, 255).sense, senses::kInvalidField);
  EXPECT_EQ(run({0x1a, 0, 0x2a, 0, 192, 0}, 192).data[4], 0x2au);
}

TEST_F(ScsiUnitTest, DiscsSayWhatIsOnThem) {
  start_cd();
  EXPECT_EQ(run({0x43, 0, 0, 0, 0, 0, 0, 0, 20, 0}, 20).data,
            (Bytes{0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, 0, 0, 0, 16}));
  EXPECT_EQ(run({0x43, 2, 0, 0, 0, 0, 0xaa, 0, 12, 0}, 12).data,
            (Bytes{0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 2, 16}));
  EXPECT_EQ(run({0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0x40}, 12).data,
            (Bytes{0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(run({0x43, 0, 0, 0, 0, 0, 2, 0, 20, 0}, 20).sense, senses::kInvalidField);
  const auto profile = run({0x46, 0, 0, 0, 0, 0, 0, 0, 8, 0}, 8);
  EXPECT_EQ(profile.data[7], 8u) << "CD-ROM";
  const auto events = run({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0}, 8);
  EXPECT_EQ(events.data, (Bytes{0, 6, 4, 0x10, 0, 2, 0, 0}));
  EXPECT_EQ(run({0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8, 0}, 8).sense, senses::kInvalidField);
  EXPECT_EQ(run({0x51, 0, 0, 0, 0, 0, 0, 0, 34, 0}, 34).data[2], 0x0eu);
}

TEST_F(ScsiUnitTest, AnOpenTrayHasNoMedium) {
  start_cd();
  const Bytes eject{0x1b, 0, 0, 0, 2, 0}, load{0x1b, 0, 0, 0, 3, 0}, ready{0, 0, 0, 0, 0, 0};
  EXPECT_TRUE(run({0x1e, 0, 0, 0, 1, 0}).is_good());
  EXPECT_EQ(run(eject).sense, senses::kRemovalPrevented);
  EXPECT_TRUE(run({0x1e, 0, 0, 0, 0, 0}).is_good());
  EXPECT_TRUE(run(eject).is_good());
  EXPECT_EQ(run(ready).sense, senses::kNoMedium);
  EXPECT_EQ(run({0x28, 0, 0, 0, 0, 3, 0, 0, 1, 0}, 2048).sense, senses::kNoMedium);
  EXPECT_EQ(run({0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8, 0}, 8).data[5], 1u);
  EXPECT_TRUE(run(load).is_good());
  EXPECT_EQ(run(ready).sense, senses::kMediumChanged);
  EXPECT_TRUE(run(ready).is_good());
}

TEST_F(ScsiUnitTest, AnEmptyDriveOfDiscs) {
  options_.kind = ScsiKind::kCd;
  options_.logical_block = options_.physical_block = 2048;
  start(nullptr);
  EXPECT_EQ(run({0, 0, 0, 0, 0, 0}).sense, senses::kNoMedium);
  EXPECT_EQ(run({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 8).sense, senses::kNoMedium);
  EXPECT_EQ(run({0x46, 0, 0, 0, 0, 0, 0, 0, 8, 0}, 8).data[7], 0u);
  EXPECT_TRUE(run({0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 64, 0}, 64).is_good());
}

}  // namespace
}  // namespace gstage::hw
