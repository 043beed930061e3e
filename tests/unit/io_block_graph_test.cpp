// SPDX-License-Identifier: Apache-2.0
// Nodes over nodes: what lies on what, who may have it, and which files an image may name.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "io/block/graph.h"

#include "tests/unit/qcow2_image.h"

namespace gstage {
namespace {

using Bytes = std::vector<std::byte>;

Bytes filled(std::size_t size, unsigned value) { return Bytes(size, static_cast<std::byte>(value)); }

class BlockGraphTest : public ::testing::Test {
 protected:
  BlockGraphTest() : folder_(::testing::TempDir() + format("gstage-graph-%d/", getpid())) {
    std::filesystem::create_directories(folder_ + "elsewhere");
  }
  ~BlockGraphTest() override { std::filesystem::remove_all(folder_); }

  void put(const std::string& name, const Bytes& bytes) const {
    std::ofstream file(folder_ + name, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  void put_qcow2(const std::string& name, const std::string& backing = "",
                 const std::string& format = "") const {
    put(name, qcow2::make_image({.size = 64 << 10, .backing_name = backing, .backing_format = format}));
  }
  DriveOptions drive(const std::string& name, const std::string& format = "qcow2") const {
    DriveOptions options;
    options.file = folder_ + name;
    options.format = format;
    return options;
  }
  std::string refusal(const DriveOptions& options) const {
    auto disk = open_drive(options);
    return disk.ok() ? "" : disk.error().message;
  }
  BlockOptions node(const std::vector<Property>& properties) const {
    auto options = read_block_options("-blockdev", properties);
    EXPECT_TRUE(options.ok()) << options.error().message;
    return options.ok() ? *options : BlockOptions{};
  }
  static std::string misread(const std::vector<Property>& properties) {
    auto options = read_block_options("-blockdev", properties);
    return options.ok() ? "" : options.error().message;
  }
  static unsigned first_byte(BlockBackend& disk) {
    Bytes got(512);
    EXPECT_EQ(disk.read(0, got), 0);
    return static_cast<unsigned>(got[0]);
  }

  const std::string folder_;
};

TEST_F(BlockGraphTest, AFormatIsFoundByTheFirstBytes) {
  put_qcow2("a.qcow2");
  auto disk = open_drive(drive("a.qcow2", ""));
  ASSERT_TRUE(disk.ok()) << disk.error().message;
  EXPECT_EQ((*disk)->size(), 64u << 10);
  disk = open_drive(drive("a.qcow2", "raw"));
  EXPECT_FALSE(disk.ok()) << "the first one has it still";
}

TEST_F(BlockGraphTest, ABackingFileIsReadAndNeverWritten) {
  put("base.raw", filled(64 << 10, 7));
  put_qcow2("top.qcow2", "base.raw", "raw");
  auto disk = open_drive(drive("top.qcow2"));
  ASSERT_TRUE(disk.ok()) << disk.error().message;
  EXPECT_EQ(first_byte(**disk), 7u);
  EXPECT_EQ((*disk)->write(0, filled(512, 8)), 0);
  EXPECT_EQ(first_byte(**disk), 8u);
  EXPECT_NE(refusal(drive("base.raw", "raw")).find("in use"), std::string::npos);
  DriveOptions reader = drive("base.raw", "raw");
  reader.is_read_only = true;
  EXPECT_EQ(refusal(reader), "");
  *disk = nullptr;
  EXPECT_EQ(first_byte(**open_drive(drive("base.raw", "raw"))), 7u);
}

TEST_F(BlockGraphTest, WhatAnImageMayNameDependsOnWhoVouchesForIt) {
  put("base.raw", filled(64 << 10, 7));
  put("elsewhere/base.raw", filled(64 << 10, 9));
  put_qcow2("beside.qcow2", "base.raw", "raw");
  put_qcow2("below.qcow2", "elsewhere/base.raw", "raw");
  put_qcow2("absolute.qcow2", folder_ + "base.raw", "raw");
  put_qcow2("elsewhere/above.qcow2", "../base.raw", "raw");
  std::filesystem::create_symlink(folder_ + "base.raw", folder_ + "elsewhere/link.raw");
  put_qcow2("elsewhere/link.qcow2", "link.raw", "raw");
  // By the first bytes alone: an image may name what lies beside it.
  for (const char* const name : {"beside.qcow2", "below.qcow2", "absolute.qcow2"})
    EXPECT_EQ(refusal(drive(name, "")), "") << name;
  for (const char* const name : {"elsewhere/above.qcow2", "elsewhere/link.qcow2"}) {
    EXPECT_NE(refusal(drive(name, "")).find("not in its folder"), std::string::npos) << name;
    EXPECT_EQ(refusal(drive(name)), "") << "the user said its format: " << name;
  }
  put_qcow2("secret.qcow2", "/etc/hostname", "raw");
  EXPECT_NE(refusal(drive("secret.qcow2", "")).find("not in its folder"), std::string::npos);
}

TEST_F(BlockGraphTest, ABackingFileWithoutAFormatIsNotGuessed) {
  put("base.raw", filled(64 << 10, 7));
  put_qcow2("top.qcow2", "base.raw", "");
  EXPECT_NE(refusal(drive("top.qcow2")).find("does not say which format"), std::string::npos);
  DriveOptions options = drive("top.qcow2");
  options.node.backing.push_back(
      node({{"driver", "raw"}, {"file.driver", "file"}, {"file.filename", folder_ + "base.raw"}}));
  auto disk = open_drive(options);
  ASSERT_TRUE(disk.ok()) << disk.error().message;
  EXPECT_EQ(first_byte(**disk), 7u);
  *disk = nullptr;
  options.node.backing.clear();
  options.node.has_no_backing = true;
  EXPECT_EQ(first_byte(**open_drive(options)), 0u);
}

TEST_F(BlockGraphTest, NamesThatAreNoFilesAreRefused) {
  for (const char* const name : {"nbd://localhost/disk", "json:{\"driver\":\"file\"}", "https://x/y"}) {
    put_qcow2("top.qcow2", name, "raw");
    EXPECT_NE(refusal(drive("top.qcow2")).find("only files are"), std::string::npos) << name;
  }
  put_qcow2("top.qcow2", "base.vmdk", "vmdk");
  EXPECT_NE(refusal(drive("top.qcow2")).find("vmdk"), std::string::npos);
}

TEST_F(BlockGraphTest, LoopsOfBackingFilesAreRefused) {
  put_qcow2("self.qcow2", "self.qcow2", "qcow2");
  EXPECT_NE(refusal(drive("self.qcow2")).find("loop"), std::string::npos);
  put_qcow2("a.qcow2", "b.qcow2", "qcow2");
  put_qcow2("b.qcow2", "c.qcow2", "qcow2");
  put_qcow2("c.qcow2", "a.qcow2", "raw");
  EXPECT_NE(refusal(drive("a.qcow2")).find("loop"), std::string::npos);
}

TEST_F(BlockGraphTest, ChainsHaveAnEnd) {
  for (int i = 0; i < 250; ++i) put_qcow2(format("%d.qcow2", i), format("%d.qcow2", i + 1), "qcow2");
  put_qcow2("250.qcow2");
  EXPECT_NE(refusal(drive("0.qcow2")).find("backing files"), std::string::npos);
  EXPECT_EQ(refusal(drive("100.qcow2")), "");
}

TEST_F(BlockGraphTest, NodesLieOnNodes) {
  put("base.raw", filled(64 << 10, 7));
  put_qcow2("top.qcow2", "nowhere", "raw");
  BlockGraph graph;
  ASSERT_TRUE(graph
                  .add(node({{"driver", "file"},
                             {"node-name", "b"},
                             {"filename", folder_ + "base.raw"},
                             {"read-only", "on"}}))
                  .ok());
  ASSERT_TRUE(
      graph.add(node({{"driver", "file"}, {"node-name", "f"}, {"filename", folder_ + "top.qcow2"}})).ok());
  const Status added =
      graph.add(node({{"driver", "qcow2"}, {"node-name", "q"}, {"file", "f"}, {"backing", "b"}}));
  ASSERT_TRUE(added.ok()) << added.error().message;
  auto disk = graph.use("-device x", "q", false);
  ASSERT_TRUE(disk.ok()) << disk.error().message;
  EXPECT_EQ(first_byte(*disk->disk), 7u);
  EXPECT_FALSE(graph.use("-device x", "q", false).ok()) << "it has a writer";
  EXPECT_FALSE(graph.use("-device x", "f", false).ok()) << "the image above writes there";
  EXPECT_TRUE(graph.use("-device x", "b", false).ok()) << "who can only read shares";
  EXPECT_FALSE(graph.use("-device x", "z", false).ok());
  EXPECT_FALSE(
      graph.add(node({{"driver", "file"}, {"node-name", "q"}, {"filename", folder_ + "base.raw"}})).ok());
}

/// When a group lets the next read of that size begin, in ms from now: what it has seen is known by that.
long wait_of(ThrottleGroup& group, std::uint64_t bytes) {
  const auto now = ThrottleGroup::Clock::now();
  return static_cast<long>(
      std::chrono::duration_cast<std::chrono::milliseconds>(group.reserve(now, false, bytes) - now).count());
}

TEST_F(BlockGraphTest, ThrottleNodesShareTheLimitsOfTheirGroup) {
  put("a.raw", filled(64 << 10, 7));
  put_qcow2("b.qcow2");
  BlockGraph graph;
  ThrottleLimits limits;
  limits.buckets[kBpsTotal].rate = 1000;
  ASSERT_TRUE(graph.add_throttle_group("g", {}).ok());
  EXPECT_FALSE(graph.add_throttle_group("g", {}).ok());
  const auto throttled = [&](const char* name, const char* file) {
    return node({{"driver", "throttle"},
                 {"node-name", name},
                 {"throttle-group", "g"},
                 {"file.driver", "file"},
                 {"file.filename", folder_ + file}});
  };
  ASSERT_TRUE(graph.add(throttled("a", "a.raw")).ok());
  // Under a format as well.
  ASSERT_TRUE(graph.add(throttled("t", "b.qcow2")).ok());
  ASSERT_TRUE(graph.add(node({{"driver", "qcow2"}, {"node-name", "b"}, {"file", "t"}})).ok());
  put("c.raw", filled(64 << 10, 7));
  BlockOptions missing = throttled("z", "c.raw");
  missing.throttle_group = "h";
  EXPECT_NE(graph.add(missing).error().message.find("no throttle-group 'h'"), std::string::npos);
  graph.throttle_group("g")->set_limits(limits);
  EXPECT_EQ(first_byte(*graph.use("x", "a", false)->disk), 7u);
  EXPECT_GT(wait_of(*graph.throttle_group("g"), 0), 300) << "512 bytes are on their way";
}

TEST_F(BlockGraphTest, DrivesHaveLimitsOfTheirOwnOrAGroups) {
  put("a.raw", filled(64 << 10, 7));
  put("b.raw", filled(64 << 10, 8));
  put("c.raw", filled(64 << 10, 9));
  BlockGraph graph;
  DriveOptions a = drive("a.raw", "raw");
  a.id = "a";
  a.limits.buckets[kBpsRead].rate = 1000;
  DriveOptions b = drive("b.raw", "raw");
  b.id = "b";
  b.throttle_group = "a";
  DriveOptions c = drive("c.raw", "raw");
  c.id = "c";
  auto first = graph.open_drive(a);
  auto second = graph.open_drive(b);
  auto third = graph.open_drive(c);
  ASSERT_TRUE(first.ok() && second.ok() && third.ok());
  EXPECT_EQ(first_byte(**second), 8u);
  EXPECT_EQ(first_byte(**third), 9u);
  EXPECT_GT(wait_of(*graph.throttle_group("a"), 0), 300);
  EXPECT_EQ(wait_of(*graph.throttle_group("c"), 0), 0);
}

TEST_F(BlockGraphTest, ARawNodeIsAPartOfAFile) {
  Bytes bytes = filled(4096, 1);
  bytes.resize(8192, std::byte{2});
  put("parts.raw", bytes);
  BlockGraph graph;
  ASSERT_TRUE(graph
                  .add(node({{"driver", "raw"},
                             {"node-name", "p"},
                             {"offset", "4096"},
                             {"size", "1000"},
                             {"file.driver", "file"},
                             {"file.filename", folder_ + "parts.raw"}}))
                  .ok());
  auto part = graph.use("x", "p", false);
  ASSERT_TRUE(part.ok());
  EXPECT_EQ(part->disk->size(), 1000u);
  EXPECT_EQ(first_byte(*part->disk), 2u);
  EXPECT_EQ(part->disk->write(600, filled(512, 3)), EINVAL);
  BlockGraph other;
  EXPECT_FALSE(other
                   .add(node({{"driver", "raw"},
                              {"node-name", "p"},
                              {"offset", "8000"},
                              {"size", "1000"},
                              {"file.driver", "file"},
                              {"file.filename", folder_ + "parts.raw"},
                              {"file.locking", "off"}}))
                   .ok());
}

TEST_F(BlockGraphTest, WhatCannotBeWrittenIsReadWhereThatIsAllowed) {
  put("a.raw", filled(4096, 1));
  chmod((folder_ + "a.raw").c_str(), 0444);
  BlockGraph graph;
  const std::vector<Property> properties{
      {"driver", "file"}, {"node-name", "a"}, {"filename", folder_ + "a.raw"}};
  const Status refused = graph.add(node(properties));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("not writable"), std::string::npos);
  auto softer = properties;
  softer.push_back({"auto-read-only", "on"});
  ASSERT_TRUE(graph.add(node(softer)).ok());
  EXPECT_TRUE(graph.use("x", "a", false)->disk->is_read_only());
}

TEST_F(BlockGraphTest, FoundZeroesTakeNoSpace) {
  put_qcow2("a.qcow2");
  DriveOptions options = drive("a.qcow2");
  options.node.detect_zeroes = DetectZeroes::kOn;
  {
    auto disk = open_drive(options);
    ASSERT_TRUE(disk.ok());
    EXPECT_EQ((*disk)->write(0, Bytes(64 << 10)), 0);
    EXPECT_EQ((*disk)->flush(), 0);
    EXPECT_LT(std::filesystem::file_size(folder_ + "a.qcow2"), 6u << 16);
    Bytes almost(64 << 10);
    almost.back() = std::byte{1};
    EXPECT_EQ((*disk)->write(0, almost), 0);
    Bytes got(1);
    EXPECT_EQ((*disk)->read((64 << 10) - 1, got), 0);
    EXPECT_EQ(got[0], std::byte{1});
  }
  options.node.detect_zeroes = DetectZeroes::kUnmap;
  EXPECT_NE(refusal(options).find("discard=unmap"), std::string::npos);
}

TEST_F(BlockGraphTest, ADiskThatWritesThroughLeavesNothingBehind) {
  put_qcow2("a.qcow2");
  DriveOptions options = drive("a.qcow2");
  options.node.is_writethrough = true;
  auto disk = open_drive(options);
  ASSERT_TRUE(disk.ok());
  EXPECT_EQ((*disk)->write(0, filled(512, 5)), 0);
  // Another look at the file, as if this process were dead by now.
  std::ifstream in(folder_ + "a.qcow2", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  const auto copy = qcow2::open_image(std::make_shared<MemoryFile>(bytes), nullptr, true);
  EXPECT_EQ(first_byte(*copy), 5u);
}

TEST_F(BlockGraphTest, DirectReadsAndWritesOfAnyAlignment) {
  Bytes model(20000);
  for (std::size_t i = 0; i < model.size(); ++i) model[i] = static_cast<std::byte>(i / 100);
  put("a.raw", model);
  DriveOptions options = drive("a.raw", "raw");
  options.node.is_direct = true;
  auto disk = open_drive(options);
  if (!disk.ok()) GTEST_SKIP() << "a file system without O_DIRECT: " << disk.error().message;
  alignas(4096) static std::byte buffer[8192];
  const std::uint64_t places[][3] = {
      {0, 4096, 0}, {4096, 8192, 0}, {100, 512, 0}, {16384, 3616, 0}, {4096, 4096, 8}};
  unsigned value = 1;
  for (const auto& [offset, size, skew] : places) {
    const std::span<std::byte> piece(buffer + skew, std::min<std::uint64_t>(size, sizeof buffer - skew));
    ASSERT_EQ((*disk)->read(offset, piece), 0);
    ASSERT_TRUE(std::equal(piece.begin(), piece.end(), model.begin() + static_cast<long>(offset)));
    std::fill(piece.begin(), piece.end(), static_cast<std::byte>(++value));
    ASSERT_EQ((*disk)->write(offset, piece), 0);
    std::copy(piece.begin(), piece.end(), model.begin() + static_cast<long>(offset));
  }
  Bytes all(20000);
  ASSERT_EQ((*disk)->read(0, all), 0);
  EXPECT_EQ(all, model);
  EXPECT_EQ(std::filesystem::file_size(folder_ + "a.raw"), 20000u);
}

/// Whether a lock of that byte would disturb somebody.
bool is_locked(const std::string& path, off_t byte) {
  const int fd = open(path.c_str(), O_RDWR);
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  EXPECT_EQ(fcntl(fd, F_OFD_GETLK, &lock), 0);
  close(fd);
  return lock.l_type != F_UNLCK;
}

TEST_F(BlockGraphTest, LocksAreTheBytesThatOtherProgramsLookAt) {
  put("a.raw", filled(4096, 1));
  const std::string path = folder_ + "a.raw";
  const auto locked = [&] {
    std::string bytes;
    for (const off_t byte : {100, 101, 103, 200, 201, 203})
      bytes += is_locked(path, byte) ? format("%d ", int(byte)) : "";
    return bytes;
  };
  {
    const auto writer = open_drive(drive("a.raw", "raw"));
    EXPECT_EQ(locked(), "100 101 103 201 203 ");
  }
  DriveOptions options = drive("a.raw", "raw");
  options.is_read_only = true;
  {
    const auto reader = open_drive(options);
    const auto another = open_drive(options);
    EXPECT_TRUE(another.ok());
    EXPECT_EQ(locked(), "100 201 203 ");
  }
  options.node.file.emplace_back();
  options.node.file.front().locking = OnOffAuto::kOff;
  {
    const auto reader = open_drive(options);
    EXPECT_EQ(locked(), "");
  }
  EXPECT_EQ(locked(), "");
}

TEST_F(BlockGraphTest, PropertiesAreReadOrRefusedByName) {
  const auto nested = node({{"driver", "qcow2"},
                            {"node-name", "q"},
                            {"discard", "unmap"},
                            {"file.driver", "file"},
                            {"file.filename", "x"},
                            {"backing.driver", "raw"},
                            {"backing.file.driver", "file"},
                            {"backing.file.filename", "y"},
                            {"detect-zeroes", "unmap"},
                            {"cache.direct", "on"}});
  EXPECT_EQ(nested.file.at(0).filename, "x");
  EXPECT_EQ(nested.backing.at(0).file.at(0).filename, "y");
  EXPECT_EQ(nested.detect_zeroes, DetectZeroes::kUnmap);
  EXPECT_TRUE(nested.is_direct);
  struct Wrong {
    std::vector<Property> properties;
    const char* says;
  };
  const Wrong wrong[] = {
      {{}, "no driver is named"},
      {{{"driver", "iscsi"}}, "not supported yet"},
      {{{"driver", "throttle"}, {"file", "y"}}, "throttle-group=ID"},
      {{{"driver", "frob"}}, "there is no driver=frob"},
      {{{"driver", "file"}}, "filename="},
      {{{"driver", "file"}, {"filename", "x"}, {"colour", "red"}}, "no property 'colour'"},
      {{{"driver", "file"}, {"filename", "x"}, {"file", "y"}}, "has no file="},
      {{{"driver", "raw"}}, "needs its file"},
      {{{"driver", "raw"}, {"file", "y"}, {"backing", "z"}}, "has no backing="},
      {{{"driver", "raw"}, {"file", "y"}, {"file.driver", "file"}}, "leave out one"},
      {{{"driver", "raw"}, {"file.driver", "file"}}, "file: driver=file needs filename="},
      {{{"driver", "file"}, {"filename", "x"}, {"discard", "maybe"}}, "discard"},
      {{{"driver", "file"}, {"filename", "x"}, {"force-share", "on"}}, "read-only=on"},
  };
  for (const Wrong& one : wrong)
    EXPECT_NE(misread(one.properties).find(one.says), std::string::npos)
        << one.says << ": " << misread(one.properties);
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "file.";
  EXPECT_NE(misread({{"driver", "raw"}, {deep + "driver", "file"}}).find("too deep"), std::string::npos);
}

}  // namespace
}  // namespace gstage
