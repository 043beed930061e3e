// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <fstream>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "io/block/block.h"

namespace gstage {
namespace {

using Bytes = std::vector<std::byte>;

Bytes filled(std::size_t size, unsigned value) { return Bytes(size, static_cast<std::byte>(value)); }

/// What byte `i` of the test's image is.
std::byte pattern(std::size_t i) { return static_cast<std::byte>((i * 7 + i / 4096) & 0xff); }

class DiskImage : public ::testing::Test {
 protected:
  void TearDown() override { unlink(own_path_.c_str()); }

  void make(std::size_t size) {
    std::ofstream file(path_, std::ios::binary | std::ios::trunc);
    for (std::size_t i = 0; i < size; ++i) file.put(static_cast<char>(pattern(i)));
  }
  std::string file_bytes() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Result<std::shared_ptr<BlockBackend>> open_with(bool is_read_only, bool is_snapshot,
                                                  const char* format = "raw") {
    DriveOptions options;
    options.file = path_;
    options.format = format;
    options.is_read_only = is_read_only;
    options.is_snapshot = is_snapshot;
    return open_drive(options);
  }
  std::shared_ptr<BlockBackend> must_open(bool is_read_only, bool is_snapshot) {
    auto disk = open_with(is_read_only, is_snapshot);
    EXPECT_TRUE(disk.ok()) << disk.error().message;
    return disk.ok() ? *disk : nullptr;
  }
  std::string refusal(bool is_read_only, bool is_snapshot, const char* format = "raw") {
    const auto disk = open_with(is_read_only, is_snapshot, format);
    EXPECT_FALSE(disk.ok());
    return disk.ok() ? "" : disk.error().message;
  }
  const std::string own_path_ = ::testing::TempDir() + format("gstage-disk-%d", getpid());
  std::string path_ = own_path_;  ///< what is opened; TearDown removes only the test's own file
};

TEST_F(DiskImage, ReadsAndWritesGoToTheFile) {
  make(16384);
  const auto disk = must_open(false, false);
  EXPECT_EQ(disk->size(), 16384u);
  Bytes got(1000);
  ASSERT_EQ(disk->read(5000, got), 0);
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], pattern(5000 + i));
  ASSERT_EQ(disk->write(4096, filled(512, 0xee)), 0);
  ASSERT_EQ(disk->flush(), 0);
  const std::string bytes = file_bytes();
  EXPECT_EQ(static_cast<std::byte>(bytes[4095]), pattern(4095));
  EXPECT_EQ(bytes.substr(4096, 512), std::string(512, '\xee'));
  EXPECT_EQ(static_cast<std::byte>(bytes[4608]), pattern(4608));
}

TEST_F(DiskImage, BeyondTheEndFails) {
  make(4096);
  const auto disk = must_open(false, false);
  Bytes got(512);
  EXPECT_EQ(disk->read(4096 - 256, got), EINVAL);
  EXPECT_EQ(disk->read(~0ull - 100, got), EINVAL);
  EXPECT_EQ(disk->write(4096, got), EINVAL);
  EXPECT_EQ(disk->discard(4000, 200), EINVAL);
  EXPECT_EQ(disk->write_zeroes(~0ull, 2), EINVAL);
  EXPECT_EQ(file_bytes().size(), 4096u);
}

TEST_F(DiskImage, PartialLastSectorReadsAsZeros) {
  make(1000);
  for (const bool is_snapshot : {false, true}) {
    const auto disk = must_open(false, is_snapshot);
    EXPECT_EQ(disk->size(), 1024u);
    Bytes got = filled(512, 0xff);
    ASSERT_EQ(disk->read(512, got), 0);
    EXPECT_EQ(got[487], pattern(999));
    EXPECT_EQ(got[488], std::byte{0});
    EXPECT_EQ(got[511], std::byte{0});
    EXPECT_EQ(disk->write(512, filled(512, 1)), 0);
    ASSERT_EQ(disk->read(512, got), 0);
    EXPECT_EQ(got, filled(512, 1));
    if (!is_snapshot) {
      EXPECT_EQ(file_bytes().size(), 1024u);
      make(1000);
    } else {
      EXPECT_EQ(file_bytes().size(), 1000u);
    }
  }
}

TEST_F(DiskImage, ZeroesAndDiscards) {
  make(65536);
  const auto disk = must_open(false, false);
  ASSERT_EQ(disk->write_zeroes(100, 5000), 0);
  Bytes got(5200);
  ASSERT_EQ(disk->read(0, got), 0);
  EXPECT_EQ(got[99], pattern(99));
  for (std::size_t i = 100; i < 5100; ++i) ASSERT_EQ(got[i], std::byte{0});
  EXPECT_EQ(got[5100], pattern(5100));
  EXPECT_EQ(disk->discard(8192, 8192), 0);
  ASSERT_EQ(disk->read(0, got), 0);
  EXPECT_EQ(got[5150], pattern(5150));
  EXPECT_EQ(file_bytes().size(), 65536u);
}

TEST_F(DiskImage, ReadOnlyRefusesEveryChange) {
  make(4096);
  const auto disk = must_open(true, false);
  EXPECT_TRUE(disk->is_read_only());
  EXPECT_EQ(disk->write(0, filled(512, 1)), EROFS);
  EXPECT_EQ(disk->write_zeroes(0, 512), EROFS);
  EXPECT_EQ(disk->discard(0, 512), EROFS);
  EXPECT_EQ(disk->flush(), 0);
}

TEST_F(DiskImage, SnapshotNeverTouchesTheImage) {
  make(40000);
  const std::string before = file_bytes();
  const auto disk = must_open(false, true);
  EXPECT_FALSE(disk->is_read_only());
  // Compared with a plain array after writes of all alignments.
  Bytes model(disk->size());
  ASSERT_EQ(disk->read(0, model), 0);
  std::uint64_t seed = 1;
  for (int i = 0; i < 200; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    const std::uint64_t offset = (seed >> 33) % (disk->size() - 1);
    const std::uint64_t size = std::min<std::uint64_t>((seed >> 20) % 9000, disk->size() - offset);
    const unsigned value = i % 3 == 0 ? 0 : static_cast<unsigned>(i);
    if (i % 3 == 0)
      ASSERT_EQ(disk->write_zeroes(offset, size), 0);
    else
      ASSERT_EQ(disk->write(offset, filled(size, value)), 0);
    std::fill_n(model.begin() + static_cast<long>(offset), size, static_cast<std::byte>(value));
    Bytes all(disk->size());
    ASSERT_EQ(disk->read(0, all), 0);
    ASSERT_EQ(all, model) << i;
  }
  EXPECT_EQ(disk->flush(), 0);
  EXPECT_EQ(file_bytes(), before);
}

TEST_F(DiskImage, TwoWritersAreRefused) {
  make(4096);
  auto writer = must_open(false, false);
  EXPECT_NE(refusal(false, false).find("in use"), std::string::npos);
  EXPECT_NE(refusal(true, false).find("in use"), std::string::npos);
  writer.reset();
  const auto reader = must_open(true, false);
  const auto snapshot = must_open(false, true);
  EXPECT_NE(refusal(false, false).find("in use"), std::string::npos) << "a writer beside readers";
}

TEST_F(DiskImage, RefusalsSayWhatToChange) {
  EXPECT_NE(refusal(false, false).find("No such file"), std::string::npos);
  make(4096);
  chmod(path_.c_str(), 0444);
  EXPECT_NE(refusal(false, false).find("readonly=on"), std::string::npos) << "for root too";
  EXPECT_NE(must_open(true, false), nullptr);
  EXPECT_NE(must_open(false, true), nullptr);
  chmod(path_.c_str(), 0644);
  EXPECT_NE(refusal(false, false, "qcow2").find("qcow2"), std::string::npos);
  path_ = ::testing::TempDir();
  EXPECT_NE(refusal(false, false).find("directory"), std::string::npos);
  EXPECT_NE(refusal(true, false).find("no disk image"), std::string::npos);
  path_ = "/dev/zero";
  EXPECT_NE(refusal(false, false).find("no disk image"), std::string::npos);
}

TEST_F(DiskImage, ImagesOfOtherFormatsAreNotTakenForRaw) {
  std::ofstream(path_, std::ios::binary) << "QFI\xfb" << std::string(4096, '\0');
  EXPECT_NE(refusal(true, false, "").find("qcow2"), std::string::npos);
  EXPECT_NE(must_open(true, false), nullptr) << "format=raw is believed";
  make(4096);
  EXPECT_TRUE(open_with(true, false, "").ok());
}

}  // namespace
}  // namespace gstage
