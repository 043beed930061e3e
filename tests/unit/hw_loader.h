// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <elf.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include "softmmu/base/format.h"
#include "hw/riscv/boot.h"

#include "tests/unit/hw_virt_tree.h"

namespace gstage::hw {

inline constexpr std::uint64_t kRam = 0x8000'0000;
inline constexpr std::uint64_t kMiB = 1 << 20;

/// A flat kernel's header with `image_size`.
inline std::string flat_kernel(std::size_t file_size, std::uint64_t image_size) {
  std::string image(file_size, 'K');
  std::memcpy(image.data() + 16, &image_size, sizeof image_size);
  std::memcpy(image.data() + 48, "RISCV\0\0\0RSC\x05", 12);
  return image;
}

/// One segment of an ELF file: `text`, and `bss` zeroes behind it.
struct ElfPart {
  std::uint64_t paddr;
  std::string text;
  std::uint64_t bss = 0;
  std::uint64_t vaddr = paddr;
  unsigned type = PT_LOAD;
};

/// A RISC-V ELF file of these segments.
inline std::string elf_of(const std::vector<ElfPart>& parts, std::uint64_t entry, unsigned type = ET_EXEC) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = static_cast<Elf64_Half>(type);
  header.e_machine = 243;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = static_cast<Elf64_Half>(parts.size());
  header.e_entry = entry;
  std::string file(reinterpret_cast<const char*>(&header), sizeof header);
  std::uint64_t offset = sizeof header + parts.size() * sizeof(Elf64_Phdr);
  for (const ElfPart& part : parts) {
    Elf64_Phdr segment{};
    segment.p_type = part.type;
    segment.p_offset = offset;
    segment.p_vaddr = part.vaddr;
    segment.p_paddr = part.paddr;
    segment.p_filesz = part.text.size();
    segment.p_memsz = part.text.size() + part.bss;
    file.append(reinterpret_cast<const char*>(&segment), sizeof segment);
    offset += part.text.size();
  }
  for (const ElfPart& part : parts) file += part.text;
  return file;
}

/// One of a single segment at `paddr`, linked for a high virtual address.
inline std::string elf_file(std::uint64_t paddr, const std::string& text, std::uint64_t bss = 0,
                            std::uint64_t entry_offset = 0) {
  constexpr std::uint64_t kVirtual = 0xffff'ffff'0000'0000;
  return elf_of({{paddr, text, bss, kVirtual}}, kVirtual + entry_offset);
}

/// Flash, as far as a loader is concerned.
class FakeFlash final : public Loadable {
 public:
  void load(std::uint64_t offset, std::span<const std::byte> bytes) override {
    std::memcpy(contents.data() + offset, bytes.data(), bytes.size());
  }
  std::string contents = std::string(0x2000, '\xff');
};

/// A machine with the virt board's ROM and RAM, and 8 KiB of flash.
class LoaderTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kFlash = 0x2000'0000;

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
  /// The board's, made once for each size.
  const std::vector<std::byte>& tree() const {
    static std::map<std::pair<unsigned, std::uint64_t>, std::vector<std::byte>> all;
    std::vector<std::byte>& one = all[{options_.harts, options_.ram_bytes}];
    if (one.empty()) one = make_virt_tree(options_.harts, options_.ram_bytes);
    return one;
  }
  Status plan() {
    memory_ = std::make_unique<AddressSpace>();
    EXPECT_TRUE(memory_->add_rom("mrom", Paddr{0x1000}, 0xf000).ok());
    EXPECT_TRUE(memory_->add_ram("ram", Paddr{kRam}, options_.ram_bytes).ok());
    memory_->seal();
    boot_ = std::make_unique<Boot>(*memory_, BootPlaces{0x1000,
                                                        kRam,
                                                        options_.ram_bytes,
                                                        {{"flash", kFlash, flash_.contents.size(), &flash_}},
                                                        flash_firmware_});
    return boot_->plan(options_, tree());
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

  /// Plans and loads, and returns what it warned of.
  std::string warning() {
    testing::internal::CaptureStderr();
    load();
    return testing::internal::GetCapturedStderr();
  }

  MachineOptions options_;
  FakeFlash flash_;
  std::optional<std::uint64_t> flash_firmware_;
  std::unique_ptr<AddressSpace> memory_;
  std::unique_ptr<Boot> boot_;
};

}  // namespace gstage::hw
