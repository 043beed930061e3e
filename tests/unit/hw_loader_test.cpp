// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/hw_loader.h"

#include <fstream>

namespace gstage::hw {
namespace {

TEST_F(LoaderTest, FlatKernelWithoutFirmwareStartsRam) {
  options_.kernel = file("flat", "some code");
  load();
  EXPECT_EQ(bytes(kRam, 10), std::string("some code\0", 10));
  EXPECT_EQ(boot_->start(), kRam);
}

TEST_F(LoaderTest, FlatKernelFollowsFirmwareAtTwoMiB) {
  options_.bios = file("fw", "firmware");
  options_.kernel = file("flat", "kernel");
  load();
  EXPECT_EQ(bytes(kRam, 8), "firmware");
  EXPECT_EQ(bytes(kRam + 2 * kMiB, 6), "kernel");
  EXPECT_EQ(boot_->start(), kRam);
  EXPECT_EQ(boot_->next(), kRam + 2 * kMiB);
  options_.bios = file("fw", std::string(3 * kMiB, 'f'));
  load();
  EXPECT_EQ(boot_->next(), kRam + 4 * kMiB);
}

TEST_F(LoaderTest, ElfKernelIsStartedAtItsLowestAddressByFirmwareAndAtItsEntryWithout) {
  options_.kernel = file("elf", elf_file(kRam + 0x100000, "abcdefgh", 0, 4));
  load();
  EXPECT_EQ(bytes(kRam + 0x100000, 8), "abcdefgh");
  EXPECT_EQ(boot_->start(), kRam + 0x100004);
  EXPECT_EQ(boot_->next(), kRam + 0x100000);
  options_.bios = file("fw", elf_file(kRam, "firmware", 0, 2));
  load();
  EXPECT_EQ(boot_->start(), kRam + 2);
  EXPECT_EQ(boot_->next(), kRam + 0x100000);
}

TEST_F(LoaderTest, GzipOfEither) {
  options_.kernel = gzip_file("flat.gz", flat_kernel(100000, 0));
  load();
  EXPECT_EQ(bytes(kRam + 99999, 2), std::string("K\0", 2));
  options_.kernel = gzip_file("elf.gz", elf_file(kRam + 0x1000, "in a zip"));
  load();
  EXPECT_EQ(bytes(kRam + 0x1000, 8), "in a zip");
  // Again, as a reset does, over what the guest left.
  memory_->write(Paddr{kRam + 0x1000}, "XXXXXXXX", 8);
  ASSERT_TRUE(boot_->load().ok());
  EXPECT_EQ(bytes(kRam + 0x1000, 8), "in a zip");
}

/// A file as CONFIG_EFI_ZBOOT makes them, with `payload` in it and a size behind that.
std::string zboot(const std::string& payload, const char* compression) {
  std::string image(64, '\0');
  const std::uint32_t place[] = {4096, static_cast<std::uint32_t>(payload.size() + 4)};
  image.replace(0, 2, "MZ");
  image.replace(4, 4, "zimg");
  std::memcpy(image.data() + 8, place, sizeof place);
  image.replace(24, std::strlen(compression), compression);
  image.resize(4096, '.');
  return image + payload + std::string("\x12\x34\0\0", 4) + std::string(100, '.');
}

TEST_F(LoaderTest, EfiZbootIsUnpacked) {
  std::ifstream in(gzip_file("flat.gz", flat_kernel(100000, 0)), std::ios::binary);
  const std::string payload((std::istreambuf_iterator<char>(in)), {});
  options_.kernel = file("vmlinuz.efi", zboot(payload, "gzip"));
  load();
  EXPECT_EQ(bytes(kRam + 99999, 2), std::string("K\0", 2));
  memory_->write(Paddr{kRam + 99999}, "XX", 2);
  ASSERT_TRUE(boot_->load().ok());
  EXPECT_EQ(bytes(kRam + 99999, 2), "KX");
  options_.kernel = file("bent.efi", zboot(payload.substr(0, payload.size() / 2), "gzip"));
  expect_refusal("damaged or truncated");
  options_.kernel = file("lzo.efi", zboot(std::string("\x89LZO\0\r\n\x1a\n", 9), "lz\to"));
  expect_refusal("packed by lz\\x09o");
  options_.kernel = file("short.efi", zboot(payload, "gzip").substr(0, 4096));
  expect_refusal("an EFI zboot image packed by gzip that is damaged or truncated");
}

/// A file as mkimage makes them.
std::string uimage_of(const std::string& content, std::uint32_t load, std::uint32_t entry, char type = 2,
                      char architecture = 26) {
  const auto word = [](std::uint32_t value) {
    const std::uint32_t swapped = __builtin_bswap32(value);
    return std::string(reinterpret_cast<const char*>(&swapped), sizeof swapped);
  };
  std::string header = word(0x27051956) + word(0) + word(0) +
                       word(static_cast<std::uint32_t>(content.size())) + word(load) + word(entry) + word(0) +
                       '\5' + architecture + type + '\0' + std::string(32, '\0');
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(header.data()), 64);
  return header.replace(4, 4, word(static_cast<std::uint32_t>(crc))) + content;
}

TEST_F(LoaderTest, UImageGoesWhereItSays) {
  options_.kernel = file("uImage", uimage_of("kernel", 0x80400000, 0x80400002) + "behind");
  options_.bios = file("fw", "firmware");
  load();
  EXPECT_EQ(bytes(kRam + 4 * kMiB, 8), std::string("kernel\0\0", 8));
  EXPECT_EQ(boot_->next(), kRam + 4 * kMiB + 2);
  std::ifstream in(gzip_file("flat.gz", "packed kernel"), std::ios::binary);
  options_.kernel = file(
      "uImage.gz", uimage_of(std::string((std::istreambuf_iterator<char>(in)), {}), 0x80500000, 0x80500000));
  options_.bios = "none";
  load();
  EXPECT_EQ(bytes(kRam + 5 * kMiB, 13), "packed kernel");
  EXPECT_EQ(boot_->start(), kRam + 5 * kMiB);
  options_.kernel = file("noload", uimage_of("anywhere", 0, 0, 14));
  load();
  EXPECT_EQ(bytes(kRam, 8), "anywhere");
}

TEST_F(LoaderTest, BadUImages) {
  const std::string good = uimage_of("kernel", 0x80400000, 0x80400000);
  std::string bent = good;
  bent[20] ^= 1;
  const std::pair<std::string, const char*> cases[] = {
      {bent, "checksum"},
      {good.substr(0, good.size() - 1), "truncated"},
      {uimage_of("", 0x80400000, 0x80400000), "truncated"},
      {uimage_of("kernel", 0x80400000, 0x80400000, 2, 2), "another architecture"},
      {uimage_of("kernel", 0x80400000, 0x80400000, 4), "dumpimage"},
      {uimage_of("kernel", 0x70000000, 0x70000000), "there is no RAM"},
      {uimage_of("kernel", 0x80400000, 0x80300000), "entry point"},
      {uimage_of(std::string("\x89LZO\0\r\n\x1a\n", 9), 0x80400000, 0x80400000), "lzop -d"},
  };
  int number = 0;
  for (const auto& [content, part] : cases) {
    options_.kernel = file("bad.uImage" + std::to_string(number++), content);
    expect_refusal(part);
  }
}

TEST_F(LoaderTest, WhatIsPackedTwiceOrHoldsNoImageIsRefused) {
  std::ifstream in(gzip_file("once.gz", flat_kernel(1000, 0)), std::ios::binary);
  options_.kernel = gzip_file("twice.gz", std::string((std::istreambuf_iterator<char>(in)), {}));
  expect_refusal("unpacked, is a gzip file");
  options_.kernel = gzip_file("nothing.gz", "");
  expect_refusal("unpacks to nothing");
}

TEST_F(LoaderTest, InitrdAndLoaderFilesAreNeverUnpacked) {
  options_.kernel = file("flat", "kernel");
  options_.initrd = gzip_file("initrd.gz", "ramdisk");
  loader({{"file", gzip_file("raw.gz", "raw")}, {"addr", "0x80100000"}});
  load();
  EXPECT_EQ(bytes(kRam + 64 * kMiB, 2), "\x1f\x8b");
  EXPECT_EQ(bytes(kRam + kMiB, 2), "\x1f\x8b");
}

TEST_F(LoaderTest, ResetRestoresImagesBssAndRom) {
  options_.kernel = file("elf", elf_file(kRam, "text", 12));
  load();
  const std::string rom = bytes(0x1000, 88);
  memory_->write(Paddr{kRam}, "0123456789abcdefXYZ", 19);
  memory_->write_image(Paddr{0x1000}, "garbage", 7);
  ASSERT_TRUE(boot_->load().ok());
  EXPECT_EQ(bytes(kRam, 19), std::string("text") + std::string(12, '\0') + "XYZ");
  EXPECT_EQ(bytes(0x1000, 88), rom);
}

TEST_F(LoaderTest, ResetVectorAndFwDynamicInformation) {
  options_.bios = file("fw", "firmware");
  options_.kernel = file("flat", "kernel");
  load();
  std::uint64_t words[11];
  memory_->read(Paddr{0x1000}, words, sizeof words);
  // auipc t0,0; addi a2,t0,0x28; csrr a0,mhartid; ld a1,32(t0); ld t0,24(t0); jr t0
  EXPECT_EQ(words[0], 0x0282'8613'0000'0297u);
  EXPECT_EQ(words[1], 0x0202'b583'f140'2573u);
  EXPECT_EQ(words[2], 0x0002'8067'0182'b283u);
  EXPECT_EQ(words[3], kRam);
  EXPECT_EQ(words[4], boot_->fdt_address());
  const std::uint64_t info[] = {0x4942534f, 2, kRam + 2 * kMiB, 1, 0, 0};
  for (unsigned i = 0; i < 6; ++i) EXPECT_EQ(words[5 + i], info[i]) << i;
}

TEST_F(LoaderTest, TreeLiesAtTheLastTwoMiBBoundary) {
  load();
  EXPECT_EQ(boot_->fdt_address(), kRam + 126 * kMiB);
  EXPECT_EQ(bytes(boot_->fdt_address(), 4), "\xd0\x0d\xfe\xed");
  options_.ram_bytes = 4096 * kMiB;
  load();
  EXPECT_EQ(boot_->fdt_address(), kRam + 4094 * kMiB);
}

TEST_F(LoaderTest, InitrdLiesHalfOfRamAboveTheKernel) {
  options_.kernel = file("flat", "kernel");
  options_.initrd = file("initrd", "ramdisk");
  load();
  EXPECT_EQ(bytes(kRam + 64 * kMiB, 7), "ramdisk");
  options_.ram_bytes = 2048 * kMiB;
  options_.bios = file("fw", "firmware");
  load();
  EXPECT_EQ(bytes(kRam + 2 * kMiB + 512 * kMiB, 7), "ramdisk");
}

TEST_F(LoaderTest, InitrdLiesBehindALargeKernel) {
  options_.kernel = file("flat", flat_kernel(1000, 70 * kMiB + 1));
  options_.initrd = file("initrd", "ramdisk");
  load();
  EXPECT_EQ(bytes(kRam + 70 * kMiB + 4096, 7), "ramdisk");
}

TEST_F(LoaderTest, EachResetHasASeedOfItsOwn) {
  load();
  const std::uint64_t at = boot_->fdt_address();
  const std::size_t size = boot_->fdt().size();
  const std::string before = bytes(at, size);
  ASSERT_TRUE(boot_->load().ok());
  const std::string after = bytes(at, size);
  EXPECT_NE(after, before);
  EXPECT_EQ(std::memcmp(after.data(), boot_->fdt().data(), size), 0);
}

TEST_F(LoaderTest, InitrdThatDoesNotFitBetweenItsPlaceAndTheTreeIsRefused) {
  options_.kernel = file("flat", "kernel");
  options_.initrd = file("initrd", std::string(62 * kMiB, 'r'));
  load();
  EXPECT_EQ(bytes(kRam + 64 * kMiB, 2), "rr");
  options_.initrd = file("initrd", std::string(62 * kMiB + 1, 'r'));
  expect_refusal("and the device tree");
  options_.initrd = file("initrd", std::string(90 * kMiB, 'r'));
  expect_refusal("choose a larger -m");
  options_.ram_bytes = 16 * kMiB;
  options_.initrd = file("initrd", std::string(17 * kMiB, 'r'));
  expect_refusal("choose a larger -m");
}

TEST_F(LoaderTest, FootprintOfALinuxImageIsKeptFree) {
  options_.kernel = file("flat", flat_kernel(1000, 8 * kMiB));
  loader({{"file", file("raw", "raw")}, {"addr", "0x80700000"}});
  expect_refusal("overlap");
  options_.devices[0].properties[1].value = "0x80800000";
  load();
  EXPECT_EQ(bytes(kRam + 8 * kMiB, 3), "raw");
}

TEST_F(LoaderTest, OverlapNamesBoth) {
  options_.bios = file("fw", "firmware");
  options_.kernel = file("elf", elf_file(kRam + 4, "kernel"));
  const std::string sentence = refusal();
  EXPECT_NE(sentence.find("-bios " + options_.bios), std::string::npos) << sentence;
  EXPECT_NE(sentence.find("-kernel " + options_.kernel), std::string::npos) << sentence;
}

TEST_F(LoaderTest, TooLittleMemoryIsRefused) {
  options_.ram_bytes = kMiB;
  options_.kernel = file("flat", flat_kernel(2 * kMiB, 0));
  expect_refusal("choose a larger -m");
  options_.kernel = file("flat", flat_kernel(1000, 2 * kMiB));
  expect_refusal("choose a larger -m");
  options_.kernel = gzip_file("big.gz", std::string(2 * kMiB, 'z'));
  expect_refusal("unpacks to more");
}

TEST_F(LoaderTest, MissingAndUnusableFiles) {
  options_.kernel = "/nonexistent/kernel";
  expect_refusal("-kernel /nonexistent/kernel failed to load: No such file");
  options_.kernel = testing::TempDir();
  expect_refusal("is a directory");
  options_.kernel = file("empty", "");
  expect_refusal("is empty");
  options_.kernel = file("flat", "x");
  options_.bios = "/nonexistent/fw";
  expect_refusal("-bios /nonexistent/fw");
  options_.bios = "none";
  options_.dtb = file("bad.dtb", "not a tree");
  expect_refusal("no flattened device tree");
  options_.kernel.clear();
  options_.initrd = file("initrd", "x");
  expect_refusal("-initrd");
}

TEST_F(LoaderTest, DamagedGzip) {
  const std::string path = gzip_file("whole.gz", flat_kernel(100000, 0));
  std::ifstream in(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(in)), {});
  options_.kernel = file("cut.gz", content.substr(0, content.size() / 2));
  expect_refusal("is a gzip file that is damaged or truncated");
  content[content.size() / 2] ^= 0x55;
  content[content.size() - 6] ^= 0x55;
  options_.kernel = file("bent.gz", content);
  expect_refusal("is a gzip file that is damaged or truncated");
}

TEST_F(LoaderTest, KernelElfInTheFirmwaresPlaceReplacesTheDefaultFirmware) {
  options_.bios = "default";
  options_.kernel = file("elf", elf_file(kRam, "old style firmware"));
  load();
  EXPECT_EQ(bytes(kRam, 18), "old style firmware");
  EXPECT_EQ(boot_->start(), kRam);
}

TEST_F(LoaderTest, LoaderDevice) {
  options_.harts = 2;
  loader({{"file", file("elf", elf_file(kRam + 0x3000, "elf!", 0, 2))}, {"cpu-num", "1"}});
  loader({{"file", file("elf2", elf_file(kRam, "as it is"))}, {"addr", "0x80100000"}, {"force-raw", "on"}});
  loader({{"addr", "0x80200000"}, {"data", "0x11223344"}, {"data-len", "4"}});
  loader({{"addr", "0x80200008"}, {"data", "0x11223344"}, {"data-len", "4"}, {"data-be", "on"}});
  loader({{"addr", "0x80300000"}, {"cpu-num", "0"}});
  load();
  EXPECT_EQ(bytes(kRam + 0x3000, 4), "elf!");
  EXPECT_EQ(bytes(kRam + 0x100000, 4),
            "\x7f"
            "ELF");
  EXPECT_EQ(bytes(kRam + 0x200000, 12), std::string("\x44\x33\x22\x11\0\0\0\0\x11\x22\x33\x44", 12));
  const std::map<unsigned, std::uint64_t> expected{{0, kRam + 0x300000}, {1, kRam + 0x3002}};
  EXPECT_EQ(boot_->entries(), expected);
}

TEST_F(LoaderTest, BadLoaderDevices) {
  const struct {
    std::vector<Property> properties;
    const char* part;
  } cases[] = {
      {{{"file", file("raw", "raw")}}, "say with addr="},
      {{{"file", "/nonexistent/x"}, {"addr", "0x80000000"}}, "No such file"},
      {{{"file", file("raw", "raw")}, {"addr", "0x70000000"}}, "there is no RAM"},
      {{{"file", file("raw", "raw")}, {"addr", "here"}}, "not a number"},
      {{{"file", file("raw", "raw")}, {"adr", "0x80000000"}}, "no property 'adr'"},
      {{{"file", file("raw", "raw")}, {"addr", "0x80000000"}, {"cpu-num", "1"}}, "too large"},
      {{{"addr", "0x80000000"}}, "needs file="},
      {{{"addr", "0x80000000"}, {"data", "1"}}, "data-len"},
      {{{"addr", "0x80000000"}, {"data", "1"}, {"data-len", "9"}}, "too large"},
  };
  for (const auto& one : cases) {
    options_.devices.clear();
    loader(one.properties);
    expect_refusal(one.part);
  }
}

}  // namespace
}  // namespace gstage::hw
