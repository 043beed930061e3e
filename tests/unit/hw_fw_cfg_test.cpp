// SPDX-License-Identifier: Apache-2.0
// fw_cfg: items, files and DMA; what the virt board puts into it.
#include <filesystem>
#include <fstream>
#include <numeric>
#include <optional>

#include <gtest/gtest.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "hw/misc/fw_cfg.h"
#include "hw/riscv/boards.h"

#include "tests/unit/hw_fakes.h"
#include "tests/unit/hw_loader.h"

namespace gstage::hw {
namespace {

class FwCfgTest : public testing::Test {
 protected:
  FwCfgTest() {
    EXPECT_TRUE(memory_.add_ram("ram", Paddr{kRam}, 0x80000).ok());
    memory_.seal();
    fw_cfg_.add_number(FwCfg::kRamSize, 0x1234567890, 8);
    fw_cfg_.add_file("opt/two", {'x'});
    fw_cfg_.add_file("etc/one", {'1', '2', '3'});
  }
  void select(std::uint16_t key) { set(fw_cfg_, 8, __builtin_bswap16(key), 2); }
  /// Has the device do DMA from or to 0x80001000; answers what it says of it.
  std::uint32_t dma(std::uint32_t control, std::uint32_t length) {
    const Request request{__builtin_bswap32(control), __builtin_bswap32(length), __builtin_bswap64(kBuffer)};
    memory_.write(Paddr{kRam}, &request, sizeof request);
    set(fw_cfg_, 0x10, __builtin_bswap64(kRam), 8);
    std::uint32_t result = 0;
    memory_.read(Paddr{kRam}, &result, sizeof result);
    return __builtin_bswap32(result);
  }
  std::string buffer(std::size_t size) {
    std::string text(size, '?');
    memory_.read(Paddr{kBuffer}, text.data(), size);
    return text;
  }

  struct Request {
    std::uint32_t control, length;
    std::uint64_t address;
  };
  static constexpr std::uint64_t kBuffer = 0x8000'1000;
  static constexpr std::uint32_t kSelect = 8, kRead = 2, kSkip = 4, kError = 1;
  AddressSpace memory_;
  FwCfg fw_cfg_{memory_};
};

TEST_F(FwCfgTest, SignatureAndNumbersByAnyAccessSize) {
  select(FwCfg::kSignature);
  EXPECT_EQ(get(fw_cfg_, 0, 1), 'Q');
  EXPECT_EQ(get(fw_cfg_, 0, 1), 'E');
  EXPECT_EQ(get(fw_cfg_, 0, 2), 'M' | 'U' << 8);
  EXPECT_EQ(get(fw_cfg_, 0, 4), 0u) << "past the end";
  select(FwCfg::kRamSize);
  EXPECT_EQ(get(fw_cfg_, 0, 8), 0x1234567890u);
  select(0x7777);
  EXPECT_EQ(get(fw_cfg_, 0, 1), 0u);
}

TEST_F(FwCfgTest, DirectoryIsBigEndianAndSortedByName) {
  select(FwCfg::kFileDirectory);
  EXPECT_EQ(get(fw_cfg_, 0, 4), __builtin_bswap32(2));
  EXPECT_EQ(get(fw_cfg_, 0, 4), __builtin_bswap32(3));
  EXPECT_EQ(get(fw_cfg_, 0, 2), __builtin_bswap16(0x20));
  EXPECT_EQ(get(fw_cfg_, 0, 2), 0u);
  std::string name;
  for (int i = 0; i < 56; ++i) name.push_back(static_cast<char>(get(fw_cfg_, 0, 1)));
  EXPECT_STREQ(name.c_str(), "etc/one");
}

TEST_F(FwCfgTest, DmaReadsSelectedFile) {
  EXPECT_EQ(get(fw_cfg_, 0x10, 8), __builtin_bswap64(0x51454d5520434647));
  struct {
    std::uint32_t control, length;
    std::uint64_t address;
  } request{__builtin_bswap32(0x20 << 16 | 8 | 2), __builtin_bswap32(4), __builtin_bswap64(0x8000'1000)};
  memory_.write(Paddr{0x8000'0000}, &request, sizeof request);
  memory_.write(Paddr{0x8000'1000}, "....", 5);
  set(fw_cfg_, 0x10, 0, 4);
  set(fw_cfg_, 0x14, __builtin_bswap32(0x8000'0000), 4);
  char got[5] = {};
  memory_.read(Paddr{0x8000'1000}, got, 5);
  EXPECT_STREQ(got, "123");
  memory_.read(Paddr{0x8000'0000}, &request, sizeof request);
  EXPECT_EQ(request.control, 0u);
}

TEST_F(FwCfgTest, BadDmaSaysSoAndHarmsNothing) {
  struct {
    std::uint32_t control, length;
    std::uint64_t address;
  } request{__builtin_bswap32(2), __builtin_bswap32(0xffffffff), __builtin_bswap64(0x8000'1000)};
  memory_.write(Paddr{0x8000'0000}, &request, sizeof request);
  set(fw_cfg_, 0x10, __builtin_bswap64(0x8000'0000), 8);
  memory_.read(Paddr{0x8000'0000}, &request, sizeof request);
  EXPECT_EQ(request.control, __builtin_bswap32(1));
  set(fw_cfg_, 0x10, __builtin_bswap64(0x1000), 8);  // no memory there
  select(FwCfg::kSignature);
  EXPECT_EQ(get(fw_cfg_, 0, 1), 'Q');
}

/// Bytes that count up, from a reader that notes what it is asked for.
class FwCfgSourceTest : public FwCfgTest {
 protected:
  static constexpr std::uint32_t kSize = 200'000;
  FwCfgSourceTest() {
    fw_cfg_.add_source(FwCfg::kKernelData, kSize, [this](std::uint64_t offset, std::span<std::byte> to) {
      if (is_broken_) return false;
      EXPECT_LE(offset + to.size(), kSize);
      for (std::size_t i = 0; i < to.size(); ++i) to[i] = at(offset + i);
      ++reads_;
      return true;
    });
  }
  static std::byte at(std::uint64_t offset) { return static_cast<std::byte>(offset * 7 + (offset >> 8)); }
  static std::string expected(std::uint64_t from, std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size && from + i < kSize; ++i) text[i] = static_cast<char>(at(from + i));
    return text;
  }
  bool is_broken_ = false;
  unsigned reads_ = 0;
};

TEST_F(FwCfgSourceTest, IsReadWhenTheGuestReads) {
  select(FwCfg::kKernelData);
  EXPECT_EQ(reads_, 0u);
  for (unsigned i = 0; i < 5; ++i) EXPECT_EQ(get(fw_cfg_, 0, 1), static_cast<unsigned>(at(i)));
  EXPECT_EQ(dma(kRead, 3), 0u) << "goes on where the register was";
  EXPECT_EQ(buffer(3), expected(5, 3));
}

TEST_F(FwCfgSourceTest, IsReadByDmaWholeAndEndsWithZeroes) {
  EXPECT_EQ(dma(std::uint32_t{FwCfg::kKernelData} << 16 | kSelect | kRead, kSize + 100), 0u);
  EXPECT_EQ(buffer(kSize + 100), expected(0, kSize + 100));
  EXPECT_EQ(get(fw_cfg_, 0, 8), 0u) << "nothing is left";
}

TEST_F(FwCfgSourceTest, PartsCanBeSkipped) {
  EXPECT_EQ(dma(std::uint32_t{FwCfg::kKernelData} << 16 | kSelect | kSkip, 70'000), 0u);
  EXPECT_EQ(dma(kRead, 70'000), 0u);
  EXPECT_EQ(buffer(70'000), expected(70'000, 70'000));
  EXPECT_EQ(dma(kSkip, 0xffff'ffff), 0u);
  EXPECT_EQ(get(fw_cfg_, 0, 1), 0u) << "behind the end";
}

TEST_F(FwCfgSourceTest, ThatFailsIsZeroesAndOneWarning) {
  is_broken_ = true;
  select(FwCfg::kKernelData);
  testing::internal::CaptureStderr();
  for (unsigned twice = 0; twice < 2; ++twice) EXPECT_EQ(get(fw_cfg_, 0, 8), 0u);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
}

TEST_F(FwCfgTest, AFileMayBeReplaced) {
  fw_cfg_.add_file("etc/one", {'l', 'o', 'n', 'g', 'e', 'r'});
  select(FwCfg::kFileDirectory);
  EXPECT_EQ(get(fw_cfg_, 0, 4), __builtin_bswap32(2));
  EXPECT_EQ(get(fw_cfg_, 0, 4), __builtin_bswap32(6));
  select(FwCfg::kFirstFile);
  EXPECT_EQ(get(fw_cfg_, 0, 1), 'l');
  select(FwCfg::kFirstFile + 1);
  EXPECT_EQ(get(fw_cfg_, 0, 1), 'x');
  select(FwCfg::kFirstFile + 2);
  EXPECT_EQ(get(fw_cfg_, 0, 1), 0u);
}

TEST_F(FwCfgTest, DmaThatWritesIsRefused) { EXPECT_EQ(dma(0x10, 1), kError); }

/// The virt board's.
class VirtFwCfgTest : public testing::Test {
 protected:
  VirtFwCfgTest() {
    options_.engine.accel = Accel::kInterp;
    options_.bios = "none";
    options_.worker_threads = 0;
  }
  ~VirtFwCfgTest() override {
    machine_.reset();
    for (const std::string& path : paths_) std::filesystem::remove(path);
  }
  std::string file(const std::string& content, std::uint64_t size = 0) {
    const std::string path = testing::TempDir() + format("gstage-fw-cfg-%d-%zu", getpid(), paths_.size());
    std::ofstream(path, std::ios::binary) << content;
    if (size != 0) std::filesystem::resize_file(path, size);
    paths_.push_back(path);
    return path;
  }
  std::string disk(const char* id) {
    DriveOptions drive;
    drive.id = id;
    drive.file = file("disk", 4096);
    drive.format = "raw";
    drive.interface = "none";
    options_.drives.push_back(drive);
    return id;
  }
  /// Firmware in flash, and other firmware in RAM that starts it.
  void flash() {
    disk("code");
    std::filesystem::resize_file(options_.drives.back().file, 32 << 20);
    options_.machine.properties.push_back({"pflash0", "code"});
    options_.bios = file("in RAM", 64);
  }
  void device(const std::string& driver, std::vector<Property> properties) {
    options_.devices.push_back({driver, std::move(properties)});
  }
  /// Builds the machine; what is wrong, or nothing.
  std::string build() {
    machine_.reset();
    auto machine = kVirtBoard.create(options_, control_);
    if (!machine.ok()) return machine.error().message;
    machine_ = std::move(*machine);
    fw_cfg_ = nullptr;
    for_each_device(machine_->devices(), [this](Device& one) {
      if (std::string_view(one.driver()) == "fw_cfg_mem") fw_cfg_ = static_cast<FwCfg*>(&one);
    });
    machine_->reset();
    return "";
  }
  std::string item(std::uint16_t key, std::size_t size) {
    set(*fw_cfg_, 8, __builtin_bswap16(key), 2);
    std::string text;
    while (text.size() < size) text.push_back(static_cast<char>(get(*fw_cfg_, 0, 1)));
    return text;
  }
  std::uint32_t number(std::uint16_t key) {
    set(*fw_cfg_, 8, __builtin_bswap16(key), 2);
    return static_cast<std::uint32_t>(get(*fw_cfg_, 0, 4));
  }
  /// A file's contents, as its size in the directory has it; nothing: it is not there.
  std::optional<std::string> contents(const std::string& name) {
    const std::string directory = item(FwCfg::kFileDirectory, 4 + 64 * 20);
    for (std::size_t at = 4; at + 64 <= directory.size(); at += 64) {
      if (directory.compare(at + 8, name.size() + 1, name.c_str(), name.size() + 1) != 0) continue;
      const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(directory[at + i]); };
      const unsigned size = unsigned{byte(0)} << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
      return item(static_cast<std::uint16_t>(byte(4) << 8 | byte(5)), size);
    }
    return std::nullopt;
  }
  std::string boot_order() {
    EXPECT_EQ(build(), "");
    return fw_cfg_ == nullptr ? "" : contents("bootorder").value_or("(missing)");
  }

  FakeControl control_;
  MachineOptions options_;
  std::vector<std::string> paths_;
  std::unique_ptr<Machine> machine_;
  FwCfg* fw_cfg_ = nullptr;
};

TEST_F(VirtFwCfgTest, DevicesAreInTheBootOrderByTheirPaths) {
  device("virtio-blk-pci", {{"drive", disk("a")}, {"bootindex", "3"}, {"addr", "4"}});
  device("virtio-blk-device", {{"drive", disk("b")}, {"bootindex", "1"}});
  device("virtio-blk-device", {{"drive", disk("c")}, {"bootindex", "-1"}});
  device("virtio-net-device", {{"bootindex", "20"}});
  device("pcie-root-port", {{"id", "port"}, {"addr", "2.1"}});
  device("virtio-net-pci", {{"bus", "port"}, {"bootindex", "0"}});
  device("e1000e", {{"addr", "7"}, {"bootindex", "4"}});
  device("virtio-rng-pci", {});
  const std::string expected =
      "/pci@ffffffffffffffff/pci-bridge@2,1/ethernet@0/ethernet-phy@0\n"
      "/virtio-mmio@0000000010008000/disk@0,0\n"
      "/pci@ffffffffffffffff/scsi@4/disk@0,0\n"
      "/pci@ffffffffffffffff/ethernet@7/ethernet-phy@0\n"
      "/virtio-mmio@0000000010006000/ethernet-phy@0";
  EXPECT_EQ(boot_order(), expected + '\0');
  options_.firmware.is_strict = true;
  EXPECT_EQ(boot_order(), expected + "\nHALT" + '\0');
}

TEST_F(VirtFwCfgTest, NothingInTheBootOrderIsAnEmptyFile) {
  options_.firmware.is_strict = true;
  EXPECT_EQ(boot_order(), "");
}

TEST_F(VirtFwCfgTest, TwoDevicesCannotHaveOnePlaceInTheOrder) {
  device("virtio-net-device", {{"bootindex", "1"}});
  device("virtio-net-pci", {{"bootindex", "1"}});
  EXPECT_NE(build().find("another device has bootindex=1"), std::string::npos) << build();
  options_.devices[1].properties = {{"bootindex", "first"}};
  EXPECT_NE(build().find("bootindex"), std::string::npos) << build();
}

TEST_F(VirtFwCfgTest, KernelAndAllThatGoesWithItIsForFirmwareInFlash) {
  flash();
  options_.kernel = file("an EFI program");
  options_.initrd = file("a RAM disk");
  options_.append = "console=ttyS0 quiet";
  ASSERT_EQ(build(), "");
  EXPECT_EQ(number(FwCfg::kKernelSize), 14u);
  EXPECT_EQ(item(FwCfg::kKernelData, 15), std::string("an EFI program") + '\0');
  EXPECT_EQ(number(FwCfg::kInitrdSize), 10u);
  EXPECT_EQ(item(FwCfg::kInitrdData, 10), "a RAM disk");
  EXPECT_EQ(number(FwCfg::kCommandLineSize), 20u);
  EXPECT_EQ(item(FwCfg::kCommandLineData, 20), options_.append + '\0');
}

TEST_F(VirtFwCfgTest, WithoutFirmwareInFlashTheKernelIsInMemoryAlone) {
  options_.kernel = file("a kernel");
  ASSERT_EQ(build(), "");
  EXPECT_EQ(number(FwCfg::kKernelSize), 0u);
  EXPECT_EQ(number(FwCfg::kCommandLineSize), 0u);
  char text[8];
  EXPECT_TRUE(machine_->memory().read(Paddr{kRam}, text, sizeof text));
  EXPECT_EQ(std::string(text, sizeof text), "a kernel");
}

TEST_F(VirtFwCfgTest, PackedKernelsAreUnpackedAndEfiProgramsAreNot) {
  flash();
  // "zimg": an EFI program that unpacks itself.
  std::string zboot(4096, 'z');
  zboot.replace(0, 8, std::string("MZ\0\0zimg", 8));
  options_.kernel = file(zboot);
  ASSERT_EQ(build(), "");
  EXPECT_EQ(number(FwCfg::kKernelSize), 4096u);
  EXPECT_EQ(item(FwCfg::kKernelData, 8), zboot.substr(0, 8));
  const std::string packed = file("");
  gzFile out = gzopen(packed.c_str(), "wb");
  gzwrite(out, zboot.data(), static_cast<unsigned>(zboot.size()));
  gzclose(out);
  options_.kernel = packed;
  ASSERT_EQ(build(), "");
  EXPECT_EQ(number(FwCfg::kKernelSize), 4096u);
  machine_->reset();
  EXPECT_EQ(item(FwCfg::kKernelData, 8), zboot.substr(0, 8)) << "after a reset as well";
}

TEST_F(VirtFwCfgTest, FirmwareIsToldOfTheMenu) {
  ASSERT_EQ(build(), "");
  EXPECT_EQ(number(FwCfg::kBootMenu), 0u);
  EXPECT_EQ(contents("etc/boot-menu-wait"), std::nullopt);
  EXPECT_EQ(contents("etc/boot-fail-wait"), "\xff\xff\xff\xff");
  options_.firmware.has_menu = true;
  options_.firmware.menu_ms = 0x1234;
  options_.firmware.retry_ms = 5;
  ASSERT_EQ(build(), "");
  EXPECT_EQ(number(FwCfg::kBootMenu), 1u);
  EXPECT_EQ(contents("etc/boot-menu-wait"), "\x34\x12");
  EXPECT_EQ(contents("etc/boot-fail-wait"), std::string("\x05\0\0\0", 4));
}

TEST_F(VirtFwCfgTest, FilesOfTheUser) {
  options_.firmware.files = {{"opt/text", "", "a text"}, {"opt/file", file("a file"), ""}};
  ASSERT_EQ(build(), "");
  EXPECT_EQ(contents("opt/text"), "a text") << "without a NUL";
  EXPECT_EQ(contents("opt/file"), "a file");
  options_.firmware.files.push_back({"opt/text", "", "another"});
  EXPECT_NE(build().find("there is a file 'opt/text' already"), std::string::npos) << build();
  options_.firmware.files = {{"opt/file", "/nonexistent/file", ""}};
  EXPECT_NE(build().find("/nonexistent/file"), std::string::npos) << build();
}

}  // namespace
}  // namespace gstage::hw
