// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <fstream>

#include <elf.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include "softmmu/base/format.h"
#include "hw/riscv/boot.h"
#include "hw/riscv/virt_fdt.h"
#include "hw/riscv/virt_map.h"

namespace gstage::hw {
namespace {

constexpr std::uint64_t kRam = 0x8000'0000;
constexpr std::uint64_t kMiB = 1 << 20;

/// A flat kernel's header with `image_size`.
std::string flat_kernel(std::size_t file_size, std::uint64_t image_size) {
  std::string image(file_size, 'K');
  std::memcpy(image.data() + 16, &image_size, sizeof image_size);
  std::memcpy(image.data() + 48, "RISCV\0\0\0RSC\x05", 12);
  return image;
}

/// A RISC-V ELF file of one segment at `paddr` with `text` in it and `bss` zeroes behind.
std::string elf_file(std::uint64_t paddr, const std::string& text, std::uint64_t bss = 0,
                     std::uint64_t entry_offset = 0) {
  constexpr std::uint64_t kVirtual = 0xffff'ffff'0000'0000;
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_EXEC;
  header.e_machine = 243;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  header.e_entry = kVirtual + entry_offset;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_vaddr = kVirtual;
  segment.p_paddr = paddr;
  segment.p_filesz = text.size();
  segment.p_memsz = text.size() + bss;
  std::string file(reinterpret_cast<const char*>(&header), sizeof header);
  file.append(reinterpret_cast<const char*>(&segment), sizeof segment);
  return file + text;
}

class LoaderTest : public testing::Test {
 protected:
  LoaderTest() {
    options_.ram_bytes = 128 * kMiB;
    options_.bios = "none";
  }
  std::string file(const std::string& name, const std::string& content) {
    const std::string path = testing::TempDir() + format("gstage-loader-%d-", getpid()) + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  std::string gzip_file(const std::string& name, const std::string& content) {
    const std::string path = testing::TempDir() + format("gstage-loader-%d-", getpid()) + name;
    gzFile out = gzopen(path.c_str(), "wb");
    gzwrite(out, content.data(), static_cast<unsigned>(content.size()));
    gzclose(out);
    return path;
  }
  Status plan() {
    memory_ = std::make_unique<AddressSpace>();
    EXPECT_TRUE(memory_->add_rom("mrom", Paddr{0x1000}, 0xf000).ok());
    EXPECT_TRUE(memory_->add_ram("ram", Paddr{kRam}, options_.ram_bytes).ok());
    memory_->seal();
    boot_ = std::make_unique<Boot>(*memory_, BootPlaces{0x1000, kRam, options_.ram_bytes});
    return boot_->plan(options_, make_virt_fdt(options_.harts, options_.ram_bytes, {}));
  }
  void load() {
    const Status status = plan();
    ASSERT_TRUE(status.ok()) << status.error().message;
    ASSERT_TRUE(boot_->load().ok());
  }
  /// Plans, which must fail, and returns the sentence.
  std::string refusal() {
    const Status status = plan();
    return status.ok() ? "(accepted)" : status.error().message;
  }
  void expect_refusal(const std::string& part) {
    const std::string sentence = refusal();
    EXPECT_NE(sentence.find(part), std::string::npos) << sentence;
  }
  std::string bytes(std::uint64_t at, std::size_t size) {
    std::string result(size, '?');
    EXPECT_TRUE(memory_->read(Paddr{at}, result.data(), size));
    return result;
  }
  void loader(std::vector<Property> properties) {
    options_.devices.push_back({"loader", std::move(properties)});
  }

  MachineOptions options_;
  std::unique_ptr<AddressSpace> memory_;
  std::unique_ptr<Boot> boot_;
};

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

TEST_F(LoaderTest, InitrdMovesDownInLittleMemory) {
  options_.ram_bytes = 16 * kMiB;
  options_.kernel = file("flat", "kernel");
  options_.initrd = file("initrd", "begin" + std::string(9 * kMiB, 'r'));
  load();
  const std::uint64_t at = (kRam + 14 * kMiB - 9 * kMiB - 5) / 4096 * 4096;
  EXPECT_EQ(bytes(at, 5), "begin");
}

TEST_F(LoaderTest, InitrdThatDoesNotFitIsRefused) {
  options_.ram_bytes = 16 * kMiB;
  options_.kernel = file("flat", "kernel");
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
  expect_refusal("inflates to more");
}

TEST_F(LoaderTest, MissingAndUnusableFiles) {
  options_.kernel = "/nonexistent/kernel";
  expect_refusal("-kernel /nonexistent/kernel: No such file");
  options_.kernel = testing::TempDir();
  expect_refusal("not a regular file");
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
  expect_refusal("damaged or truncated gzip");
  content[content.size() / 2] ^= 0x55;
  content[content.size() - 6] ^= 0x55;
  options_.kernel = file("bent.gz", content);
  expect_refusal("damaged or truncated gzip");
}

TEST_F(LoaderTest, BadElfFiles) {
  const std::string good = elf_file(kRam, "some text");
  int number = 0;
  const auto with = [&](std::size_t offset, char value) {
    std::string bad = good;
    bad[offset] = value;
    return file("bad" + std::to_string(number++), bad);
  };
  const auto cut = [&](std::size_t size) { return file("cut" + std::to_string(size), good.substr(0, size)); };
  const struct {
    std::string path;
    const char* part;
  } cases[] = {
      {with(EI_CLASS, 1), "not a 64-bit ELF"},
      {with(EI_DATA, 2), "big-endian"},
      {with(offsetof(Elf64_Ehdr, e_machine), 62), "not an ELF file for RISC-V"},
      {with(offsetof(Elf64_Ehdr, e_type), 1), "not an executable"},
      {with(offsetof(Elf64_Ehdr, e_phnum), 0), "without segments"},
      {with(offsetof(Elf64_Ehdr, e_phnum), 9), "program headers are cut off"},
      {with(offsetof(Elf64_Ehdr, e_phoff) + 7, 1), "program headers are cut off"},
      {with(offsetof(Elf64_Ehdr, e_phentsize), 55), "damaged"},
      {with(sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_memsz), 1), "larger than its memory"},
      {with(sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_offset) + 7, 1), "truncated"},
      {with(sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_type), 2), "nothing to load"},
      {with(sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_paddr) + 3, 0x10), "there is no RAM"},
      {cut(good.size() - 1), "truncated ELF"},
      {cut(63), "header is cut off"},
      {cut(100), "program headers are cut off"},
  };
  for (const auto& one : cases) {
    options_.kernel = one.path;
    const std::string sentence = refusal();
    EXPECT_NE(sentence.find(one.part), std::string::npos) << one.part << ": " << sentence;
  }
  options_.kernel = file("big.elf", elf_file(kRam, "text", 129 * kMiB));
  expect_refusal("choose a larger -m");
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
