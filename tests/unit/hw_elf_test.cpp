// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/unit/hw_loader.h"

namespace gstage::hw {
namespace {

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
      {with(EI_CLASS, 1), "32-bit ELF"},
      {with(EI_CLASS, 3), "not a 64-bit ELF"},
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

TEST_F(LoaderTest, SegmentWhereThereIsNoMemoryIsLeftOutWithAWarning) {
  // What ld -Ttext=0x80000000 makes: a note and the ELF headers at its default address.
  options_.kernel =
      file("notes", elf_of({{0x10000, "note"}, {kRam, "code", 4}, {kRam + 0x1008, "data"}}, kRam));
  const std::string text = warning();
  EXPECT_NE(text.find("-kernel " + options_.kernel), std::string::npos) << text;
  EXPECT_NE(text.find("0x10000–0x10003"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(bytes(kRam, 8), std::string("code\0\0\0\0", 8));
  EXPECT_EQ(bytes(kRam + 0x1008, 4), "data");
  EXPECT_EQ(boot_->start(), kRam);
  EXPECT_EQ(boot_->next(), kRam);
}

TEST_F(LoaderTest, SegmentThatBeginsBelowRamIsCut) {
  // Without a note the headers are the first page of the code's segment.
  const std::string headers(0x1000, 'h');
  options_.bios = "default";
  options_.kernel = file("cut", elf_of({{kRam - 0x1000, headers + "code", 4}}, kRam + 2));
  const std::string text = warning();
  EXPECT_NE(text.find("0x7ffff000–0x7fffffff"), std::string::npos) << text;
  EXPECT_NE(text.find("takes its place"), std::string::npos) << text;
  EXPECT_EQ(bytes(kRam, 8), std::string("code\0\0\0\0", 8));
  EXPECT_EQ(boot_->start(), kRam + 2);
  memory_->write(Paddr{kRam}, "XXXXXXXX", 8);
  ASSERT_TRUE(boot_->load().ok());
  EXPECT_EQ(bytes(kRam, 8), std::string("code\0\0\0\0", 8));
}

TEST_F(LoaderTest, ManySegmentsWithoutMemoryAreOneWarning) {
  std::vector<ElfPart> parts{{kRam, "code"}};
  for (std::uint64_t i = 0; i < 100; ++i) parts.push_back({0x4000'0000 + i * 4096, "x"});
  options_.kernel = file("many", elf_of(parts, kRam));
  const std::string text = warning();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_NE(text.find("0x40000000–0x40000000 (and 99 more)"), std::string::npos) << text;
}

TEST_F(LoaderTest, FlashAndRomAreLoadedToo) {
  options_.kernel = file("flash", elf_of({{0x2000, "rom"}, {kFlash + 4, "flash", 2}, {kRam, "code"}}, kRam));
  load();
  EXPECT_EQ(bytes(0x2000, 3), "rom");
  EXPECT_EQ(flash_.contents.substr(3, 9), std::string("\xff"
                                                      "flash\0\0\xff",
                                                      9));
  EXPECT_EQ(boot_->next(), kRam) << "the lowest address in RAM";
  flash_.contents.assign(0x2000, 'X');
  ASSERT_TRUE(boot_->load().ok());
  EXPECT_EQ(flash_.contents.substr(3, 9), std::string("Xflash\0\0X", 9));
}

TEST_F(LoaderTest, WhatFlashHasNoRoomForIsLeftOut) {
  options_.kernel =
      file("flash", elf_of({{kFlash + 0x1ffe, "flash"}, {kRam, "code"}, {kRam + (1ull << 40), "far"}}, kRam));
  const std::string text = warning();
  EXPECT_NE(text.find("0x20002000–0x20002002 (and 1 more)"), std::string::npos) << text;
  EXPECT_EQ(flash_.contents.substr(0x1ffe), "fl");
  loader({{"file", file("raw", std::string(0x2001, 'r'))}, {"addr", "0x20000000"}});
  expect_refusal("too large");
}

TEST_F(LoaderTest, RawFileGoesIntoFlash) {
  loader({{"file", file("raw", "raw")}, {"addr", "0x20001000"}});
  load();
  EXPECT_EQ(flash_.contents.substr(0x1000, 4), "raw\xff");
}

TEST_F(LoaderTest, ImageThatRamEndsWithinIsRefused) {
  const std::uint64_t end = kRam + options_.ram_bytes;
  options_.kernel = file("over", elf_of({{kRam, "code"}, {end - 2, "data"}}, kRam));
  expect_refusal("choose a larger -m");
  options_.kernel = file("behind", elf_of({{kRam, "code"}, {end - 4096, "data"}, {end, "more"}}, kRam));
  expect_refusal("needs RAM at 0x88000000–0x88000003");
  options_.kernel = file("far", elf_of({{kRam, "code"}, {end + (1ull << 32), "more"}}, kRam));
  EXPECT_NE(warning().find("0x188000000–0x188000003"), std::string::npos);
}

TEST_F(LoaderTest, NothingInMemoryIsRefused) {
  options_.kernel = file("outside", elf_of({{0x10000, "a"}, {0x4000'0000, "b"}}, 0x10000));
  expect_refusal("lies at 0x10000–0x10000, where there is no RAM");
}

TEST_F(LoaderTest, PositionIndependentImageLinkedAtZeroGoesWhereAFlatOneWould) {
  options_.bios = file("fw", elf_of({{0, "firmware"}, {0x40000, "data", 0x1c0000}}, 2, ET_DYN));
  options_.kernel = file("pie", elf_of({{0, "kernel"}}, 4, ET_DYN));
  load();
  EXPECT_EQ(bytes(kRam, 8), "firmware");
  EXPECT_EQ(bytes(kRam + 0x40000, 4), "data");
  EXPECT_EQ(boot_->start(), kRam + 2);
  EXPECT_EQ(bytes(kRam + 4 * kMiB, 6), "kernel");
  EXPECT_EQ(boot_->next(), kRam + 4 * kMiB);
  options_.bios = "none";
  load();
  EXPECT_EQ(boot_->start(), kRam + 4);
  options_.kernel = file("linked", elf_of({{kRam + 0x1000, "kernel"}}, kRam + 0x1004, ET_DYN));
  load();
  EXPECT_EQ(boot_->start(), kRam + 0x1004);
  options_.kernel.clear();
  loader(
      {{"file", file("pie", elf_of({{0, "kernel"}}, 4, ET_DYN))}, {"addr", "0x80300000"}, {"cpu-num", "0"}});
  load();
  EXPECT_EQ(bytes(kRam + 3 * kMiB, 6), "kernel");
  EXPECT_EQ(boot_->entries().at(0), kRam + 3 * kMiB + 4);
  options_.devices[0].properties[1].value = "0xffffffffffffffff";
  expect_refusal("does not fit");
}

TEST_F(LoaderTest, ProgramOfAnOperatingSystemIsRefused) {
  options_.kernel = file("hello", elf_of({{0, "/lib/ld.so", 0, 0, PT_INTERP}, {0, "code"}}, 0, ET_DYN));
  expect_refusal("an operating system runs");
}

TEST_F(LoaderTest, SegmentsThatOverlapAreRefused) {
  options_.kernel = file("overlap", elf_of({{kRam + 4, "data"}, {kRam, "codec"}}, kRam));
  expect_refusal("two segments overlap at 0x80000004");
}

TEST_F(LoaderTest, EntryPointOutsideIsRefusedWhereItCounts) {
  options_.kernel = file("entry", elf_of({{kRam + 2 * kMiB, "code"}}, 0x1234));
  expect_refusal("has its entry point at 0x1234");
  options_.bios = file("fw", "firmware");
  load();
  EXPECT_EQ(boot_->next(), kRam + 2 * kMiB);
  options_.bios = file("fw", elf_of({{kRam, "firmware"}}, 0x1234));
  expect_refusal("has its entry point at 0x1234");
}

TEST_F(LoaderTest, FileWithoutEntryPointIsStartedAtItsLowestAddress) {
  options_.kernel = file("none", elf_of({{kRam + 16, "code"}}, 0));
  load();
  EXPECT_EQ(boot_->start(), kRam + 16);
  options_.kernel = file("physical", elf_of({{kRam + 16, "code", 0, 0xffff'ffff'8000'0000}}, kRam + 18));
  load();
  EXPECT_EQ(boot_->start(), kRam + 18);
}

TEST_F(LoaderTest, AFileWithAllTheSegmentsThatThereCanBeIsPlannedAtOnce) {
  std::vector<ElfPart> parts;
  for (std::uint64_t i = 0; i < 0xffff; ++i) parts.push_back({kRam + (0xffff - i) * 2, "x"});
  options_.kernel = file("crowd", elf_of(parts, kRam + 2));
  load();
  EXPECT_EQ(bytes(kRam, 6), std::string("\0\0x\0x\0", 6));
}

}  // namespace
}  // namespace gstage::hw
