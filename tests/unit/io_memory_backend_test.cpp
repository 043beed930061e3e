// SPDX-License-Identifier: Apache-2.0
// What -object memory-backend-... makes of the host's memory and files.
#include <cstring>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "softmmu/mem/address_space.h"
#include "io/memory_backend.h"

namespace gstage {
namespace {

constexpr Paddr kRam{0x8000'0000};
constexpr std::uint64_t kMiB = 1 << 20;

std::string scratch(const std::string& name) {
  return testing::TempDir() + format("gstage-memory-%d-", getpid()) + name;
}

DeviceOptions object(const std::string& kind, std::vector<Property> properties) {
  DeviceOptions all{"memory-backend-" + kind, {{"id", "m"}, {"size", "2M"}}};
  all.properties.insert(all.properties.end(), properties.begin(), properties.end());
  return all;
}

RamPart open(const std::string& kind, std::vector<Property> properties = {}) {
  auto part = open_memory_backend(object(kind, std::move(properties)));
  EXPECT_TRUE(part.ok()) << part.error().message;
  return part.ok() ? *part : RamPart{2 * kMiB};
}

std::string refusal(const std::string& kind, std::vector<Property> properties) {
  const auto part = open_memory_backend(object(kind, std::move(properties)));
  EXPECT_FALSE(part.ok()) << kind;
  const std::string text = part.ok() ? "" : part.error().message;
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  return text;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The first bytes of the part's file from `offset` on, as another process would read them.
std::string in_file(const RamPart& part, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '?');
  EXPECT_EQ(pread(part.file->fd(), bytes.data(), size, static_cast<off_t>(offset)),
            static_cast<ssize_t>(size));
  return bytes;
}

class SharedMemory : public testing::TestWithParam<const char*> {};

TEST_P(SharedMemory, WhatTheMachineWritesIsInTheFile) {
  const RamPart part = open(GetParam(), {{"share", "on"}, {"prealloc", "on"}});
  ASSERT_NE(part.file, nullptr);
  AddressSpace memory;
  ASSERT_TRUE(memory.add_ram("ram", kRam, {part}).ok());
  EXPECT_TRUE(memory.write(kRam + 4096, "hello", 5));
  EXPECT_EQ(in_file(part, 4096, 5), "hello");
  EXPECT_EQ(pwrite(part.file->fd(), "back", 4, 8192), 4);
  EXPECT_EQ(std::memcmp(memory.host(kRam + 8192), "back", 4), 0);
}

INSTANTIATE_TEST_SUITE_P(MemoryBackend, SharedMemory, testing::Values("ram", "memfd", "shm"),
                         [](const auto& row) { return std::string(row.param); });

TEST(MemoryBackend, OfTheKindsMemfdAndShmAreSharedUnlessTheySayOtherwise) {
  EXPECT_EQ(open("ram").file, nullptr);
  EXPECT_FALSE(open("ram").is_shared);
  EXPECT_TRUE(open("memfd").is_shared);
  EXPECT_TRUE(open("shm").is_shared);
  EXPECT_FALSE(open("memfd", {{"share", "off"}}).is_shared);
  EXPECT_TRUE(has(refusal("shm", {{"share", "off"}}), "leave share=off out"));
}

TEST(MemoryBackend, SealedMemoryKeepsItsSize) {
  const RamPart sealed = open("memfd");
  EXPECT_NE(ftruncate(sealed.file->fd(), 4096), 0);
  const RamPart open_one = open("memfd", {{"seal", "off"}});
  EXPECT_EQ(ftruncate(open_one.file->fd(), 3 * kMiB), 0);
}

TEST(MemoryBackend, AFileIsMadeWhereItIsMissingAndKeepsWhatIsShared) {
  const std::string path = scratch("made");
  unlink(path.c_str());
  {
    AddressSpace memory;
    ASSERT_TRUE(memory.add_ram("ram", kRam, {open("file", {{"mem-path", path}, {"share", "on"}})}).ok());
    EXPECT_TRUE(memory.write(kRam + 100, "kept", 4));
  }
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 2 * static_cast<off_t>(kMiB));
  AddressSpace again;
  ASSERT_TRUE(again.add_ram("ram", kRam, {open("file", {{"mem-path", path}})}).ok());
  EXPECT_EQ(std::memcmp(again.host(kRam + 100), "kept", 4), 0);
  unlink(path.c_str());
}

TEST(MemoryBackend, APrivateFileIsReadAndNeverWritten) {
  const std::string path = scratch("private");
  std::ofstream(path) << std::string(2 * kMiB, 'f');
  chmod(path.c_str(), 0444);
  const RamPart part = open("file", {{"mem-path", path}});
  AddressSpace memory;
  ASSERT_TRUE(memory.add_ram("ram", kRam, {part}).ok());
  EXPECT_TRUE(memory.write(kRam, "XX", 2));
  EXPECT_EQ(std::memcmp(memory.host(kRam), "XXf", 3), 0);
  EXPECT_EQ(in_file(part, 0, 3), "fff");
  // What a balloon gives back would be the file's again: it is kept.
  EXPECT_FALSE(memory.discard(kRam, kPageSize));
  EXPECT_EQ(std::memcmp(memory.host(kRam), "XXf", 3), 0);
  unlink(path.c_str());
}

TEST(MemoryBackend, AnOffsetLeavesWhatIsBeforeItAlone) {
  const std::string path = scratch("offset");
  std::ofstream(path) << std::string(3 * kMiB, 'f');
  const RamPart part = open("file", {{"mem-path", path}, {"share", "on"}, {"offset", "1M"}});
  AddressSpace memory;
  ASSERT_TRUE(memory.add_ram("ram", kRam, {part}).ok());
  EXPECT_TRUE(memory.write(kRam, "begin", 5));
  EXPECT_EQ(in_file(part, kMiB - 1, 7), "fbeginf");
  unlink(path.c_str());
}

TEST(MemoryBackend, AFolderGetsAFileWithoutAName) {
  const std::string folder = scratch("folder");
  mkdir(folder.c_str(), 0700);
  const RamPart part = open("file", {{"mem-path", folder}, {"share", "on"}});
  EXPECT_NE(part.file, nullptr);
  EXPECT_EQ(rmdir(folder.c_str()), 0) << "it is empty";
}

TEST(MemoryBackend, DiscardedDataIsGoneAtTheEnd) {
  const std::string path = scratch("discarded");
  unlink(path.c_str());
  for (const char* const discards : {"off", "on"}) {
    {
      AddressSpace memory;
      ASSERT_TRUE(
          memory
              .add_ram("ram", kRam,
                       {open("file", {{"mem-path", path}, {"share", "on"}, {"discard-data", discards}})})
              .ok());
      EXPECT_TRUE(memory.write(kRam, "data", 4));
    }
    const bool is_kept = std::string(discards) == "off";
    const RamPart part = open("file", {{"mem-path", path}});
    EXPECT_EQ(in_file(part, 0, 4), is_kept ? "data" : std::string(4, '\0')) << discards;
  }
  unlink(path.c_str());
}

TEST(MemoryBackend, WhatCannotBeIsOneLineThatNamesIt) {
  const std::string small = scratch("small");
  std::ofstream(small) << std::string(kMiB, 'f');
  EXPECT_TRUE(has(refusal("file", {{"mem-path", small}}), "has 1048576 bytes, fewer than the 2097152"));
  EXPECT_TRUE(
      has(refusal("file", {{"mem-path", scratch("nowhere") + "/file"}}), "No such file or directory"));
  EXPECT_TRUE(has(refusal("file", {{"mem-path", "/dev/null"}}), "neither a file nor a folder"));
  EXPECT_TRUE(has(refusal("file", {}), "has no mem-path"));
  EXPECT_TRUE(has(refusal("ram", {{"size", "0"}}), "size"));
  EXPECT_TRUE(has(refusal("ram", {{"size", "2097153"}}), "multiples of 4 KiB"));
  EXPECT_TRUE(has(refusal("ram", {{"policy", "bind"}}), "policy=bind is not supported yet"));
  EXPECT_TRUE(has(refusal("memfd", {{"hugetlbsize", "2M"}}), "goes with hugetlb=on"));
  struct stat status {};
  EXPECT_EQ(stat(small.c_str(), &status), 0);
  EXPECT_EQ(status.st_size, static_cast<off_t>(kMiB)) << "what is refused is left alone";
  unlink(small.c_str());
}

TEST(MemoryBackend, MoreThanTheHostHasIsRefusedBeforeItIsTaken) {
  RamPart part{std::uint64_t{1} << 41};
  part.is_preallocated = true;
  part.file = open("memfd", {{"size", "2T"}}).file;
  part.is_shared = true;
  AddressSpace memory;
  const Status status = memory.add_ram("ram", kRam, {part});
  ASSERT_FALSE(status.ok());
  EXPECT_TRUE(has(status.error().message, "prealloc=on takes 2097152 MiB for ram")) << status.error().message;
}

/// Parts of all kinds are one range.
TEST(HostRam, PartsFollowOneAnother) {
  AddressSpace memory;
  const RamPart shared = open("memfd");
  ASSERT_TRUE(memory.add_ram("ram", kRam, {RamPart{2 * kMiB}, shared, RamPart{kPageSize}}).ok());
  ASSERT_EQ(memory.ranges().size(), 1u);
  EXPECT_EQ(memory.ranges()[0].size, 4 * kMiB + kPageSize);
  EXPECT_TRUE(memory.write(kRam + (2 * kMiB - 2), "abcd", 4));
  EXPECT_EQ(in_file(shared, 0, 3), std::string("cd\0", 3));
  EXPECT_NE(memory.dma(kRam + kMiB, 3 * kMiB), nullptr) << "devices need not care";
}

TEST(HostRam, WhatIsGivenBackReadsAsZeroInEachPart) {
  AddressSpace memory;
  const RamPart shared = open("memfd");
  ASSERT_TRUE(memory.add_ram("ram", kRam, {RamPart{2 * kMiB}, shared}).ok());
  const std::uint64_t border = 2 * kMiB;
  EXPECT_TRUE(memory.write(kRam + (border - 4096), std::string(8192, 'x').data(), 8192));
  EXPECT_TRUE(memory.write(kRam + (border + 4096), "stays", 5));
  EXPECT_TRUE(memory.discard(kRam + (border - 4096), 8192));
  std::string bytes(8197, '?');
  EXPECT_TRUE(memory.read(kRam + (border - 4096), bytes.data(), bytes.size()));
  EXPECT_EQ(bytes, std::string(8192, '\0') + "stays");
  EXPECT_EQ(in_file(shared, 0, 4), std::string(4, '\0')) << "the file has a hole";
  EXPECT_FALSE(memory.discard(Paddr{0x1000}, 4096)) << "nothing is there";
}

}  // namespace
}  // namespace gstage
