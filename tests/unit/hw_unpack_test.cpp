// SPDX-License-Identifier: Apache-2.0
// Packed files. The literals are the text "gstage unpacks this 0123456789" repeated 40 times, as each
// format's tool packs it.
#include <array>
#include <cstring>

#include <gtest/gtest.h>

#include "hw/loader/efi_zboot.h"
#include "hw/loader/unpack.h"

namespace gstage::hw {
namespace {

constexpr char kGzipBytes[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\x2f\x2e\x49\x4c\x4f\x55\x28\xcd\x2b\x48\x4c\xce\x2e\x56"
    "\x28\xc9\xc8\x2c\x56\x30\x30\x34\x32\x36\x31\x35\x33\xb7\xb0\xe4\x4a\x1f\x95\x1e\x95\x1e\x95\x1e\x95"
    "\x1e\x6a\xd2\x00\x24\xd1\xf1\x69\xd8\x04\x00\x00";
constexpr std::string_view kGzip(kGzipBytes, sizeof kGzipBytes - 1);
constexpr char kZstdBytes[] =
    "\x28\xb5\x2f\xfd\x04\x58\x3d\x01\x00\xf8\x67\x73\x74\x61\x67\x65\x20\x75\x6e\x70\x61\x63\x6b\x73\x20"
    "\x74\x68\x69\x73\x20\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x0a\x01\x00\xdb\x22\x7e\xe5\x04\xfd\x13"
    "\x70\x68";
constexpr std::string_view kZstd(kZstdBytes, sizeof kZstdBytes - 1);
constexpr char kXzBytes[] =
    "\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x1c\x00\x00\x00\x10\xcf\x58\xcc\xe0"
    "\x04\xd7\x00\x2d\x5d\x00\x33\x9c\xca\xdd\xdf\x47\x88\xfc\xcb\xc1\xe5\x9e\x82\x96\xa7\xe7\x09\x3e\x69"
    "\x84\x31\xde\xa8\x5e\x94\xed\xec\xdd\xbc\xfe\x79\x56\xba\x0a\x3a\xe1\x38\xba\xe0\xf0\xe5\xa6\x5f\x6c"
    "\x00\x00\x00\x00\x00\xb9\x45\x19\x4a\x52\x90\x24\xe6\x00\x01\x49\xd8\x09\x00\x00\x00\x6b\xf4\x8f\x2f"
    "\xb1\xc4\x67\xfb\x02\x00\x00\x00\x00\x04\x59\x5a";
constexpr std::string_view kXz(kXzBytes, sizeof kXzBytes - 1);
constexpr char kLzmaBytes[] =
    "\x5d\x00\x00\x00\x04\xff\xff\xff\xff\xff\xff\xff\xff\x00\x33\x9c\xca\xdd\xdf\x47\x88\xfc\xcb\xc1\xe5"
    "\x9e\x82\x96\xa7\xe7\x09\x3e\x69\x84\x31\xde\xa8\x5e\x94\xed\xec\xdd\xbc\xfe\x79\x56\xba\x0a\x3a\xe1"
    "\x38\xba\xe0\xf0\xe5\xaf\x80\x29\xff\xff\xfc\x18\x50\x00";
constexpr std::string_view kLzma(kLzmaBytes, sizeof kLzmaBytes - 1);
constexpr char kLzipBytes[] =
    "\x4c\x5a\x49\x50\x01\x0c\x00\x33\x9c\xca\xdd\xdf\x47\x88\xfc\xcb\xc1\xe5\x9e\x82\x96\xa7\xe7\x09\x3e"
    "\x69\x84\x31\xde\xa8\x5e\x94\xed\xec\xdd\xbc\xfe\x79\x56\xba\x0a\x3a\xe1\x38\xba\xe0\xf0\xe5\xaf\x80"
    "\x29\xff\xff\xfc\x18\x50\x00\x24\xd1\xf1\x69\xd8\x04\x00\x00\x00\x00\x00\x00\x4d\x00\x00\x00\x00\x00"
    "\x00\x00";
constexpr std::string_view kLzip(kLzipBytes, sizeof kLzipBytes - 1);
constexpr char kBzip2Bytes[] =
    "\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x24\x7f\x04\xda\x00\x01\x8f\xd9\x80\x00\x10\x40\x00\x7f\xe0"
    "\x2a\xe9\x4e\x00\x20\x00\x90\x28\x34\x68\xd0\x64\x06\x81\x4a\xa8\x03\x4d\x00\xd3\x35\x33\x13\x50\x9e"
    "\x84\xe2\x27\x21\x39\x89\xd0\x4e\xa2\x64\x27\x61\x33\x13\xb8\x9e\x04\xd4\x4d\x84\xf6\x27\xd1\x37\x09"
    "\xf0\x4e\x02\x68\x26\x82\x60\x4c\x09\xb0\x98\x13\x21\x36\x13\x50\x9f\xc5\xdc\x91\x4e\x14\x24\x09\x1f"
    "\xc1\x36\x80";
constexpr std::string_view kBzip2(kBzip2Bytes, sizeof kBzip2Bytes - 1);
constexpr char kLz4Bytes[] =
    "\x04\x22\x4d\x18\x64\x40\xa7\x2e\x00\x00\x00\xff\x10\x67\x73\x74\x61\x67\x65\x20\x75\x6e\x70\x61\x63"
    "\x6b\x73\x20\x74\x68\x69\x73\x20\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x0a\x1f\x00\xff\xff\xff\xff"
    "\xa5\x50\x36\x37\x38\x39\x0a\x00\x00\x00\x00\x63\x6b\x98\x2a";
constexpr std::string_view kLz4(kLz4Bytes, sizeof kLz4Bytes - 1);
constexpr char kLz4OldBytes[] =
    "\x02\x21\x4c\x18\x2e\x00\x00\x00\xff\x10\x67\x73\x74\x61\x67\x65\x20\x75\x6e\x70\x61\x63\x6b\x73\x20"
    "\x74\x68\x69\x73\x20\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x0a\x1f\x00\xff\xff\xff\xff\xa5\x50\x36"
    "\x37\x38\x39\x0a";
constexpr std::string_view kLz4Old(kLz4OldBytes, sizeof kLz4OldBytes - 1);

const struct Row {
  const char* kind;
  std::string_view packed;
  bool has_checksum;  ///< a bent bit is always found
} kRows[] = {
    {"a gzip file", kGzip, true},   {"a zstd file", kZstd, true},    {"an xz file", kXz, true},
    {"an lzma file", kLzma, false}, {"an lzip file", kLzip, true},   {"a bzip2 file", kBzip2, true},
    {"an lz4 file", kLz4, true},    {"an lz4 file", kLz4Old, false},
};

std::string plain() {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "gstage unpacks this 0123456789\n";
  return text;
}

const FileKind* kind_of(std::string_view file) { return find_file_kind(std::as_bytes(std::span(file))); }

Result<ByteBuffer> unpack_text(std::string_view packed, const FileKind& kind,
                               std::uint64_t ram_bytes = 1 << 20) {
  const PackedPart part{"-kernel file", packed.size(), [packed](std::uint64_t at, std::span<std::byte> to) {
                          std::memcpy(to.data(), packed.data() + at, to.size());
                          return Status(Ok{});
                        }};
  return unpack(part, kind, ram_bytes);
}

std::string text_of(const ByteBuffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.bytes().data()), buffer.size()};
}

TEST(UnpackTest, EveryFormatIsToldAndUnpacked) {
  for (const Row& row : kRows) {
    const FileKind* kind = kind_of(row.packed);
    ASSERT_NE(kind, nullptr) << row.kind;
    EXPECT_STREQ(kind->name, row.kind);
    auto bytes = unpack_text(row.packed, *kind);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    EXPECT_EQ(text_of(*bytes), plain()) << row.kind;
  }
}

TEST(UnpackTest, StreamsThatFollowOneAnotherAreOneFile) {
  for (const Row& row : kRows) {
    const std::string twice = std::string(row.packed) + std::string(row.packed);
    auto bytes = unpack_text(twice, *kind_of(row.packed));
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    EXPECT_EQ(text_of(*bytes), plain() + plain()) << row.kind;
  }
}

TEST(UnpackTest, ASizeBehindTheStreamIsNoDamage) {
  for (const Row& row : kRows) {
    // Linux's makefiles append the size of the kernel: 4 bytes, little-endian.
    auto bytes = unpack_text(std::string(row.packed) + std::string("\0\0\x80\x02", 4), *kind_of(row.packed));
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    EXPECT_EQ(text_of(*bytes), plain()) << row.kind;
  }
}

TEST(UnpackTest, TruncatedFilesAreRefusedInOneLine) {
  for (const Row& row : kRows) {
    for (std::size_t size = 8; size + 8 < row.packed.size(); ++size) {
      const std::string_view cut = row.packed.substr(0, size);
      auto bytes = unpack_text(cut, *kind_of(row.packed));
      if (row.packed == kLz4Old && size == 8) continue;  // the magic number and what may be an appended size
      ASSERT_FALSE(bytes.ok()) << row.kind << " of " << size << " bytes";
      EXPECT_NE(bytes.error().message.find("damaged or truncated"), std::string::npos)
          << bytes.error().message;
    }
  }
}

TEST(UnpackTest, BentFilesAreRefusedOrUnpackToSomething) {
  for (const Row& row : kRows) {
    unsigned accepted = 0;
    for (std::size_t bit = 0; bit < row.packed.size() * 8; ++bit) {
      std::string bent(row.packed);
      bent[bit / 8] = static_cast<char>(bent[bit / 8] ^ 1 << bit % 8);
      auto bytes = unpack_text(bent, *kind_of(row.packed));
      if (!bytes.ok()) continue;
      ++accepted;
      EXPECT_TRUE(!row.has_checksum || text_of(*bytes) == plain()) << row.kind << ", bit " << bit;
    }
    EXPECT_LT(accepted, row.packed.size() * 8 / (row.has_checksum ? 2 : 1)) << row.kind;
  }
}

TEST(UnpackTest, WhatUnpacksToMoreThanRamIsRefused) {
  for (const Row& row : kRows) {
    EXPECT_TRUE(unpack_text(row.packed, *kind_of(row.packed), plain().size()).ok()) << row.kind;
    auto bytes = unpack_text(row.packed, *kind_of(row.packed), plain().size() - 1);
    ASSERT_FALSE(bytes.ok()) << row.kind;
    EXPECT_NE(bytes.error().message.find("choose a larger -m"), std::string::npos) << bytes.error().message;
  }
}

TEST(UnpackTest, AFailingReadIsPassedOn) {
  const PackedPart part{"-kernel file", 100,
                        [](std::uint64_t, std::span<std::byte>) { return Status(error("no disk")); }};
  auto bytes = unpack(part, *kind_of(kGzip), 1 << 20);
  ASSERT_FALSE(bytes.ok());
  EXPECT_EQ(bytes.error().message, "no disk");
}

TEST(FileKindTest, ImagesAreOfNoKind) {
  std::string linux_image(1024, '\0');
  linux_image.replace(0, 4, "MZ\x6f\x10");
  linux_image.replace(0x30, 5, "RISCV");
  linux_image.replace(0x38, 8, std::string("RSC\x05\x40\0\0\0", 8));
  linux_image.replace(0x40, 4, std::string("PE\0\0", 4));
  for (const std::string& text : {linux_image,
                                  std::string("\x7f"
                                              "ELF"),
                                  std::string(1024, '\0'), std::string("M"), std::string("\x6f\0\0\0", 4)})
    EXPECT_EQ(kind_of(text), nullptr);
  linux_image[0x38] = 'X';
  ASSERT_NE(kind_of(linux_image), nullptr);
  EXPECT_STREQ(kind_of(linux_image)->name, "an EFI program");
}

TEST(FileKindTest, WhatCannotBeReadIsRefusedWithAdvice) {
  std::string x86(1024, '\0');
  x86.replace(0x202, 4, "HdrS");
  const std::pair<std::string, const char*> rows[] = {
      {std::string("\x89LZO\0\r\n\x1a\n", 9), "lzop -d"},
      {"\xd0\x0d\xfe\xed", "-dtb"},
      {"070701", "-initrd"},
      {"PK\x03\x04", "unzip"},
      {x86, "riscv64"},
      {"QFI\xfb", "-drive"},
  };
  for (const auto& [file, advice] : rows) {
    const FileKind* kind = kind_of(file);
    ASSERT_NE(kind, nullptr) << advice;
    EXPECT_EQ(kind->unpacker, nullptr);
    EXPECT_NE(refuse_file_kind("-kernel x", *kind).message.find(advice), std::string::npos) << advice;
  }
}

TEST(EfiZbootTest, HeaderNamesThePackedKernel) {
  std::string file(64, '\0');
  file.replace(0, 2, "MZ");
  file.replace(4, 4, "zimg");
  file.replace(8, 8, std::string("\0\x50\0\0\x34\x12\0\0", 8));
  file.replace(24, 6, "zstd22");
  const auto found = find_efi_zboot(std::as_bytes(std::span(file)));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->offset, 0x5000u);
  EXPECT_EQ(found->size, 0x1234u);
  EXPECT_EQ(found->compression, "zstd22");
  file.replace(24, 32, std::string(32, 'x'));
  EXPECT_EQ(find_efi_zboot(std::as_bytes(std::span(file)))->compression, std::string(32, 'x'));
  EXPECT_FALSE(find_efi_zboot(std::as_bytes(std::span(file)).first(55)).has_value());
  file[4] = 'x';
  EXPECT_FALSE(find_efi_zboot(std::as_bytes(std::span(file))).has_value());
}

}  // namespace
}  // namespace gstage::hw
