// SPDX-License-Identifier: Apache-2.0
#include <random>

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "softmmu/base/shared_library.h"

#include "tests/unit/qcow2_image.h"

namespace gstage::qcow2 {
namespace {

using Bytes = std::vector<std::byte>;
using ImagePtr = std::shared_ptr<MemoryFile>;

Bytes filled(std::size_t size, unsigned value) { return Bytes(size, static_cast<std::byte>(value)); }

Bytes read_all(BlockBackend& disk) {
  Bytes all(disk.size());
  EXPECT_EQ(disk.read(0, all), 0);
  return all;
}

ImagePtr image_of(const ImageShape& shape) { return std::make_shared<MemoryFile>(make_image(shape)); }

/// A disk whose every 512 bytes are their number, one byte of it.
std::shared_ptr<BlockBackend> numbered_disk(std::uint64_t size) {
  const auto disk = open_image(image_of({.size = size}));
  for (std::uint64_t at = 0; at < size; at += 512) {
    const std::uint64_t n = std::min<std::uint64_t>(512, size - at);
    EXPECT_EQ(disk->write(at, filled(n, static_cast<unsigned>(at / 512 % 250 + 1))), 0);
  }
  return disk;
}

struct Variant {
  std::uint32_t version;
  unsigned cluster_bits;
  unsigned refcount_order;
  bool is_backed;
};

void PrintTo(const Variant& v, std::ostream* out) {
  *out << "version " << v.version << ", cluster 2^" << v.cluster_bits << ", refcounts 2^" << v.refcount_order
       << (v.is_backed ? ", backed" : "");
}

class Qcow2Variants : public ::testing::TestWithParam<Variant> {
 protected:
  static ImageShape shape(std::uint64_t size) {
    return {.version = GetParam().version,
            .cluster_bits = GetParam().cluster_bits,
            .refcount_order = GetParam().refcount_order,
            .size = size};
  }
};

TEST_P(Qcow2Variants, IsTheSameDiskAsAnArray) {
  constexpr std::uint64_t kSize = 300 << 10;
  const ImagePtr image = image_of(shape(kSize));
  const auto backing = GetParam().is_backed ? numbered_disk(200 << 10) : nullptr;
  auto disk = open_image(image, backing);
  Bytes model(kSize);
  if (backing != nullptr) {
    ASSERT_EQ(backing->read(0, std::span(model).first(200 << 10)), 0);
  }
  std::mt19937_64 random(GetParam().cluster_bits * 100 + GetParam().version);
  for (int i = 0; i < 400; ++i) {
    const std::uint64_t offset = random() % kSize;
    const std::uint64_t most = i % 7 == 0 ? 100'000 : 5'000;
    const std::uint64_t size = std::min(random() % most, kSize - offset);
    const unsigned value = static_cast<unsigned>(random() % 255 + 1);
    const std::uint64_t kind = random() % 8;
    if (kind < 5) {
      ASSERT_EQ(disk->write(offset, filled(size, value)), 0);
      std::fill_n(model.begin() + static_cast<long>(offset), size, static_cast<std::byte>(value));
    } else if (kind == 5) {
      ASSERT_EQ(disk->write_zeroes(offset, size), 0);
      std::fill_n(model.begin() + static_cast<long>(offset), size, std::byte{0});
    } else if (kind == 6) {
      ASSERT_EQ(disk->discard(offset, size), 0);
      // What is discarded need not read as anything; a test wants to know.
      ASSERT_EQ(disk->read(offset, std::span(model).subspan(offset, size)), 0);
    } else {
      ASSERT_EQ(disk->flush(), 0);
    }
    if (random() % 40 == 0) {
      disk.reset();
      ASSERT_EQ(check_image(image->bytes).damage, "");
      disk = open_image(image, backing);
    }
    ASSERT_EQ(read_all(*disk), model) << "after step " << i;
  }
  disk.reset();
  const ImageCheck check = check_image(image->bytes);
  EXPECT_EQ(check.damage, "");
  EXPECT_EQ(check.leaks, 0u);
  ASSERT_EQ(read_all(*open_image(image, backing, true)), model);
}

INSTANTIATE_TEST_SUITE_P(All, Qcow2Variants,
                         ::testing::Values(Variant{2, 16, 4, false}, Variant{2, 9, 4, true},
                                           Variant{3, 16, 4, true}, Variant{3, 16, 4, false},
                                           Variant{3, 9, 0, false}, Variant{3, 9, 1, true},
                                           Variant{3, 9, 2, false}, Variant{3, 10, 3, true},
                                           Variant{3, 12, 5, false}, Variant{3, 9, 6, true},
                                           Variant{3, 21, 4, false}));

TEST(Qcow2, SizesAreRoundedUpToSectors) {
  const auto disk = open_image(image_of({.size = 1000}));
  EXPECT_EQ(disk->size(), 1024u);
  EXPECT_EQ(disk->write(512, filled(512, 7)), 0);
  Bytes got(512);
  EXPECT_EQ(disk->read(512, got), 0);
  EXPECT_EQ(got, filled(512, 7));
  EXPECT_EQ(disk->write(1024, filled(1, 7)), EINVAL);
  EXPECT_EQ(disk->read(~0ull - 5, got), EINVAL);
}

TEST(Qcow2, WhatIsBehindTheBackingFileReadsAsZeros) {
  const auto disk = open_image(image_of({.size = 1 << 20}), numbered_disk(1536));
  Bytes got(1024);
  ASSERT_EQ(disk->read(1024, got), 0);
  EXPECT_EQ(got[0], std::byte{3});
  EXPECT_EQ(got[511], std::byte{3});
  EXPECT_EQ(got[512], std::byte{0});
  // A write beside it brings over all of the cluster that was there.
  ASSERT_EQ(disk->write(4096, filled(512, 9)), 0);
  ASSERT_EQ(disk->read(0, got), 0);
  EXPECT_EQ(got[512], std::byte{2});
}

TEST(Qcow2, TheRefcountTableGrows) {
  // Blocks of 64 counts and a table of 64 blocks reach 2 MiB far.
  const ImagePtr image = image_of({.cluster_bits = 9, .refcount_order = 6, .size = 6 << 20});
  auto disk = open_image(image);
  for (std::uint64_t at = 0; at < disk->size(); at += 64 << 10)
    ASSERT_EQ(disk->write(at, filled(64 << 10, at >> 16)), 0);
  const Bytes all = read_all(*disk);
  disk.reset();
  EXPECT_GT(number_at(image->bytes, 56, 4), 1u);
  EXPECT_EQ(check_image(image->bytes).damage, "");
  EXPECT_EQ(check_image(image->bytes).leaks, 0u);
  EXPECT_EQ(read_all(*open_image(image)), all);
}

TEST(Qcow2, DiscardedClustersAreUsedAgain) {
  const ImagePtr image = image_of({.size = 8 << 20});
  const auto disk = open_image(image);
  for (int round = 0; round < 10; ++round) {
    ASSERT_EQ(disk->write(0, filled(4 << 20, 1)), 0);
    ASSERT_EQ(disk->discard(0, 4 << 20), 0);
    ASSERT_EQ(disk->flush(), 0);
  }
  EXPECT_LT(image->bytes.size(), 6u << 20);
  EXPECT_EQ(read_all(*disk), Bytes(8 << 20)) << "what was discarded reads as zeros, not as what it was";
}

TEST(Qcow2, ZeroesTakeNoSpaceAndHideTheBackingFile) {
  const ImagePtr image = image_of({.size = 1 << 20});
  const auto disk = open_image(image, numbered_disk(1 << 20));
  ASSERT_EQ(disk->write_zeroes(0, 1 << 20), 0);
  ASSERT_EQ(disk->flush(), 0);
  EXPECT_EQ(read_all(*disk), Bytes(1 << 20));
  EXPECT_LE(image->bytes.size(), 6u << 16);
}

// ---- Compressed clusters

Bytes deflated(const Bytes& from) {
  Bytes to(from.size() * 2 + 100);
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -12, 9, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(from.data()));
  stream.avail_in = static_cast<uInt>(from.size());
  stream.next_out = reinterpret_cast<Bytef*>(to.data());
  stream.avail_out = static_cast<uInt>(to.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  to.resize(stream.total_out);
  deflateEnd(&stream);
  return to;
}

Bytes zstd_packed(const Bytes& from) {
  const SharedLibrary library("libzstd.so.1");
  decltype(ZSTD_compress)* compress = nullptr;
  if (!library.find(compress, "ZSTD_compress")) return {};
  Bytes to(from.size() * 2 + 100);
  to.resize(compress(to.data(), to.size(), from.data(), from.size(), 1));
  return to;
}

Bytes text_like(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i / 3 % 200 + i % 3);
  return bytes;
}

/// An image of two clusters that are compressed one behind the other, in host clusters that they share.
ImagePtr compressed_image(std::uint8_t method, const Bytes& contents) {
  const ImagePtr image = image_of({.size = 1 << 20, .compression = method});
  open_image(image)->write(0, filled(512, 1));  // makes the L2 table, and cluster 5
  Bytes& bytes = image->bytes;
  const std::uint64_t place = l2_entry_place(bytes, 0);
  std::uint64_t at = number_at(bytes, place, 8) & 0xffff'ffff'ffff'ff;
  at += 100;
  const std::uint64_t cluster = at >> 16;
  for (int i = 0; i < 2; ++i) {
    const Bytes half(contents.begin() + i * 65536, contents.begin() + (i + 1) * 65536);
    const Bytes packed = method == 0 ? deflated(half) : zstd_packed(half);
    if (packed.empty()) return nullptr;
    const std::uint64_t sectors = (at + packed.size() - 1) / 512 - at / 512;
    put_number(bytes, place + static_cast<std::uint64_t>(i) * 8, 8, 1ull << 62 | sectors << 54 | at);
    if (bytes.size() < at + packed.size()) bytes.resize(at + packed.size());
    std::copy(packed.begin(), packed.end(), bytes.begin() + static_cast<long>(at));
    at += packed.size();
  }
  EXPECT_EQ(at >> 16, cluster) << "both lie in one host cluster";
  add_count(bytes, cluster, 1);
  return image;
}

TEST(Qcow2, CompressedClustersAreReadAndWrittenAnew) {
  const Bytes contents = text_like(2 * 65536);
  for (const std::uint8_t method : {std::uint8_t{0}, std::uint8_t{1}}) {
    const ImagePtr image = compressed_image(method, contents);
    if (image == nullptr) continue;  // a host without the library
    ASSERT_EQ(check_image(image->bytes).damage, "");
    auto disk = open_image(image);
    Bytes model = contents;
    model.resize(1 << 20);
    ASSERT_EQ(read_all(*disk), model) << unsigned{method};
    Bytes some(1000);
    ASSERT_EQ(disk->read(65536 - 500, some), 0);
    EXPECT_TRUE(std::equal(some.begin(), some.end(), contents.begin() + 65536 - 500));
    ASSERT_EQ(disk->write(70'000, filled(100, 0xee)), 0);
    std::fill_n(model.begin() + 70'000, 100, std::byte{0xee});
    ASSERT_EQ(read_all(*disk), model);
    disk.reset();
    const ImageCheck check = check_image(image->bytes);
    EXPECT_EQ(check.damage, "");
    EXPECT_EQ(check.leaks, 0u) << "the host cluster is referred to once less";
    EXPECT_EQ(read_all(*open_image(image)), model);
  }
}

TEST(Qcow2, CompressedNonsenseIsAnError) {
  const Bytes contents = text_like(2 * 65536);
  const ImagePtr image = compressed_image(0, contents);
  const std::uint64_t place = l2_entry_place(image->bytes, 0);
  const std::uint64_t at = number_at(image->bytes, place, 8) & ((1ull << 54) - 1);
  for (int i = 0; i < 50; ++i) image->bytes[at + static_cast<std::uint64_t>(i)] = std::byte{0xff};
  const auto disk = open_image(image);
  Bytes some(512);
  EXPECT_EQ(disk->read(0, some), EIO);
  EXPECT_EQ(disk->write(0, some), EIO);
  EXPECT_EQ(disk->read(65536, some), 0) << "the next one is whole";
}

// ---- Snapshots inside the image

/// What `qemu-img snapshot -c` does, by the specification: the L1 table copied, everything referred to twice.
void take_snapshot(Bytes& bytes) {
  const std::uint64_t l1 = number_at(bytes, 40, 8);
  const std::uint64_t table = number_at(bytes, l1, 8) & 0xffff'ffff'ffff'ff;
  const std::uint64_t end = (bytes.size() + 65535) / 65536;
  for (std::uint64_t i = 0; i < 8192; ++i) {
    const std::uint64_t entry = number_at(bytes, table + i * 8, 8);
    if (entry == 0) continue;
    add_count(bytes, (entry & 0xffff'ffff'ffff'ff) >> 16, 1);
    put_number(bytes, table + i * 8, 8, entry & ~(1ull << 63));
  }
  add_count(bytes, table >> 16, 1);
  put_number(bytes, l1, 8, table);
  bytes.resize((end + 2) * 65536);
  put_number(bytes, end * 65536, 8, table);
  put_number(bytes, (end + 1) * 65536, 8, end * 65536);
  put_number(bytes, (end + 1) * 65536 + 8, 4, 1);
  put_number(bytes, (end + 1) * 65536 + 36, 4, 16);
  add_count(bytes, end, 1);
  add_count(bytes, end + 1, 1);
  put_number(bytes, 60, 4, 1);
  put_number(bytes, 64, 8, (end + 1) * 65536);
}

TEST(Qcow2, WhatASnapshotHasIsNotOverwritten) {
  const ImagePtr image = image_of({.size = 1 << 20});
  {
    const auto disk = open_image(image);
    ASSERT_EQ(disk->write(0, filled(200 << 10, 1)), 0);
  }
  take_snapshot(image->bytes);
  auto disk = open_image(image);
  ASSERT_EQ(disk->write(1000, filled(70'000, 2)), 0);
  ASSERT_EQ(disk->discard(128 << 10, 64 << 10), 0);
  Bytes got(2000);
  ASSERT_EQ(disk->read(0, got), 0);
  EXPECT_EQ(got[999], std::byte{1});
  EXPECT_EQ(got[1000], std::byte{2});
  disk.reset();
  // Back to the snapshot: its L1 table is the active one.
  Bytes& bytes = image->bytes;
  const std::uint64_t snapshot_l1 = number_at(bytes, number_at(bytes, 64, 8), 8);
  put_number(bytes, 40, 8, snapshot_l1);
  const auto old = open_image(image, nullptr, true);
  Bytes before(200 << 10);
  ASSERT_EQ(old->read(0, before), 0);
  EXPECT_EQ(before, filled(200 << 10, 1));
}

// ---- Images that were not closed

TEST(Qcow2, RefcountsOfAnImageThatWasNotClosedAreMended) {
  const ImagePtr image = image_of({.size = 4 << 20});
  {
    const auto disk = open_image(image);
    ASSERT_EQ(disk->write(0, filled(1 << 20, 1)), 0);
  }
  Bytes& bytes = image->bytes;
  // What lazy refcounts leave behind: data is there, its counts are not.
  const std::uint64_t block = number_at(bytes, number_at(bytes, 48, 8), 8);
  for (std::uint64_t c = 4; c < 20; ++c) put_number(bytes, block + c * 2, 2, 0);
  put_number(bytes, 72, 8, 1);
  ASSERT_NE(check_image(bytes).damage, "");
  Bytes model(4 << 20);
  std::fill_n(model.begin(), 1 << 20, std::byte{1});
  EXPECT_EQ(read_all(*open_image(image, nullptr, true)), model);
  EXPECT_EQ(number_at(bytes, 72, 8), 1u) << "who only reads changes nothing";
  auto disk = open_image(image);
  EXPECT_EQ(number_at(bytes, 72, 8), 0u);
  ASSERT_EQ(check_image(bytes).damage, "");
  EXPECT_EQ(check_image(bytes).leaks, 0u);
  ASSERT_EQ(disk->write(2 << 20, filled(1 << 20, 2)), 0);
  std::fill_n(model.begin() + (2 << 20), 1 << 20, std::byte{2});
  EXPECT_EQ(read_all(*disk), model);
  disk.reset();
  EXPECT_EQ(check_image(bytes).damage, "");
}

TEST(Qcow2, BitsThatVouchForWhatIsNotKeptAreCleared) {
  const ImagePtr image = image_of({});
  put_number(image->bytes, 88, 8, 1);
  open_image(image, nullptr, true);
  EXPECT_EQ(number_at(image->bytes, 88, 8), 1u);
  open_image(image);
  EXPECT_EQ(number_at(image->bytes, 88, 8), 0u);
}

// ---- Images that lie

TEST(Qcow2, HeadersThatCannotBeRightAreRefused) {
  struct Lie {
    std::uint64_t offset;
    unsigned size;
    std::uint64_t value;
    const char* says;
  };
  const Lie lies[] = {
      {0, 4, 0x12345678, "no qcow2 image"},
      {4, 4, 4, "version 4"},
      {20, 4, 8, "clusters"},
      {20, 4, 22, "clusters"},
      {24, 8, 1ull << 50, "too small for the size"},
      {24, 8, ~0ull, "too small for the size"},
      {32, 4, 1, "encrypted"},
      {36, 4, 0x0400'0001, "32 MiB"},
      {40, 8, 3 << 16 | 512, "L1 table is not in the file"},
      {40, 8, 1ull << 60, "L1 table is not in the file"},
      {48, 8, 1ull << 40, "refcount table is not in the file"},
      {56, 4, 0, "refcount table is empty"},
      {56, 4, 1000, "8 MiB"},
      {60, 4, 70000, "snapshots"},
      {72, 8, 4, "another file"},
      {72, 8, 16, "subclusters"},
      {72, 8, 1ull << 40, "number 40"},
      {96, 4, 7, "64 bits"},
      {100, 4, 96, "header's length"},
      {100, 4, 1 << 20, "header's length"},
      {104, 1, 2, "method 2"},
      {104, 1, 1, "compression"},
      {112, 4, 0x12345, "longer than the header"},
  };
  for (const Lie& lie : lies) {
    Bytes bytes = make_image({});
    if (lie.offset == 112) put_number(bytes, 116, 4, 0xffff'fff0);
    put_number(bytes, lie.offset, lie.size, lie.value);
    const bool needs_backing = lie.offset == 112;
    if (needs_backing) put_number(bytes, 8, 8, 200);
    EXPECT_NE(refusal_of(bytes).find(lie.says), std::string::npos) << lie.says << ": " << refusal_of(bytes);
  }
  Bytes backing = make_image({});
  put_number(backing, 8, 8, 65000);
  put_number(backing, 16, 4, 1000);
  EXPECT_NE(refusal_of(backing).find("backing file"), std::string::npos);
}

TEST(Qcow2, AFeatureIsRefusedByTheNameThatTheImageHasForIt) {
  Bytes bytes = make_image({});
  put_number(bytes, 72, 8, 1 << 9);
  put_number(bytes, 112, 4, 0x6803f857);
  put_number(bytes, 116, 4, 48);
  put_number(bytes, 120, 2, 9);
  const std::string name = "time travel";
  for (std::size_t i = 0; i < name.size(); ++i) bytes[122 + i] = static_cast<std::byte>(name[i]);
  EXPECT_NE(refusal_of(bytes).find("'time travel'"), std::string::npos) << refusal_of(bytes);
}

TEST(Qcow2, ACorruptImageIsReadAlone) {
  Bytes bytes = make_image({});
  put_number(bytes, 72, 8, 2);
  EXPECT_NE(refusal_of(bytes).find("corrupt"), std::string::npos);
  EXPECT_EQ(refusal_of(bytes, true), "");
}

TEST(Qcow2, TablesThatOverlapAreRefused) {
  const ImagePtr image = image_of({.size = 1ull << 30});
  {
    const auto disk = open_image(image);
    ASSERT_EQ(disk->write(0, filled(512, 1)), 0);
  }
  const std::uint64_t l1 = number_at(image->bytes, 40, 8);
  for (const std::uint64_t other : {0ull << 16 | 1ull << 40, 1ull << 16, 2ull << 16, 3ull << 16}) {
    Bytes bytes = image->bytes;
    if (other < 1ull << 40)
      put_number(bytes, l1, 8, other | 1ull << 63);
    else
      put_number(bytes, l1 + 8, 8, number_at(bytes, l1, 8));
    EXPECT_NE(refusal_of(bytes).find("overlap"), std::string::npos) << other;
  }
}

TEST(Qcow2, DataIsNeverWrittenOverTables) {
  const ImagePtr image = image_of({.size = 1 << 20});
  open_image(image)->write(0, filled(512, 1));
  const std::uint64_t place = l2_entry_place(image->bytes, 0);
  for (const std::uint64_t cluster : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, place >> 16}) {
    put_number(image->bytes, place, 8, cluster << 16 | 1ull << 63);
    const Bytes before = image->bytes;
    auto disk = open_image(image);
    EXPECT_EQ(disk->write(0, filled(512, 0xaa)), EIO);
    // Nor is it free once nothing refers to it.
    EXPECT_EQ(disk->discard(0, 65536), 0);
    EXPECT_EQ(disk->flush(), 0);
    EXPECT_EQ(disk->write(65536, filled(512, 0xaa)), 0);
    disk.reset();
    EXPECT_EQ(number_at(image->bytes, 0, 8), number_at(before, 0, 8));
    EXPECT_EQ(number_at(image->bytes, 48, 8), number_at(before, 48, 8));
    EXPECT_NE(number_at(image->bytes, place + 8, 8) & 0xffff'ffff, cluster << 16);
    image->bytes = before;
  }
}

TEST(Qcow2, TablesThatAreNotInTheFileAreErrors) {
  const ImagePtr image = image_of({.size = 1 << 20});
  put_number(image->bytes, number_at(image->bytes, 40, 8), 8, 1ull << 40 | 1ull << 63);
  const auto disk = open_image(image);
  Bytes some(512);
  EXPECT_EQ(disk->read(0, some), EIO);
  EXPECT_EQ(disk->write(0, some), EIO);
  EXPECT_EQ(disk->write_zeroes(0, 65536), EIO);
}

TEST(Qcow2, ClustersCountedAsFreeThoughTheyHoldTablesAreNotTaken) {
  const ImagePtr image = image_of({.size = 1 << 20});
  for (std::uint64_t c = 0; c < 4; ++c) add_count(image->bytes, c, -1);
  const Bytes before = image->bytes;
  const auto disk = open_image(image);
  EXPECT_EQ(disk->write(0, filled(512, 1)), EIO);
  EXPECT_EQ(image->bytes, before);
}

TEST(Qcow2, AnImageThatSaysItIsHugeTakesNoMemory) {
  // 2 PiB in an L1 table of 4 Mi entries, which is a hole.
  Bytes bytes = make_image({.size = 1 << 20});
  put_number(bytes, 24, 8, 1ull << 51);
  put_number(bytes, 36, 4, 4 << 20);
  bytes.resize((3 << 16) + (32 << 20));
  const auto disk = open_image(std::make_shared<MemoryFile>(bytes));
  ASSERT_NE(disk, nullptr);
  Bytes some(512);
  EXPECT_EQ(disk->read((1ull << 51) - 512, some), 0);
  EXPECT_EQ(some, Bytes(512));
}

// ---- Errors of the host

TEST(Qcow2, AFullHostIsAnErrorAndNothingIsLost) {
  const ImagePtr image = image_of({.size = 8 << 20});
  image->most = 2 << 20;
  auto disk = open_image(image);
  std::uint64_t at = 0;
  while (at < disk->size() && disk->write(at, filled(65536, 3)) == 0) at += 65536;
  ASSERT_GT(at, 0u);
  ASSERT_LT(at, disk->size());
  EXPECT_EQ(disk->write(at, filled(65536, 3)), ENOSPC);
  EXPECT_EQ(disk->flush(), 0);
  EXPECT_EQ(disk->write(0, filled(65536, 4)), 0) << "what is there can be written as before";
  image->most = 64 << 20;
  EXPECT_EQ(disk->write(at, filled(65536, 5)), 0) << "once there is room again it goes on";
  disk.reset();
  EXPECT_EQ(check_image(image->bytes).damage, "");
  EXPECT_EQ(check_image(image->bytes).leaks, 0u);
  const auto again = open_image(image);
  Bytes got(65536);
  ASSERT_EQ(again->read(at - 65536, got), 0);
  EXPECT_EQ(got, filled(65536, 3));
  ASSERT_EQ(again->read(at, got), 0);
  EXPECT_EQ(got, filled(65536, 5));
}

TEST(Qcow2, AFlushThatFailedIsDoneLater) {
  const ImagePtr image = image_of({.size = 8 << 20});
  for (int fails_at = 0; fails_at < 5; ++fails_at) {
    auto disk = open_image(image);
    const std::uint64_t at = static_cast<std::uint64_t>(fails_at) << 20;
    ASSERT_EQ(disk->write(at, filled(65536, 6)), 0);
    image->writes_left = fails_at;
    const int failure = disk->flush();
    image->writes_left = -1;
    EXPECT_EQ(failure, fails_at < 2 ? EIO : failure);
    EXPECT_EQ(disk->flush(), 0);
    const auto crashed = std::make_shared<MemoryFile>(image->bytes);
    Bytes got(65536);
    ASSERT_EQ(open_image(crashed, nullptr, true)->read(at, got), 0);
    EXPECT_EQ(got, filled(65536, 6));
    disk.reset();
    EXPECT_EQ(check_image(image->bytes).damage, "");
  }
}

}  // namespace
}  // namespace gstage::qcow2
