// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <fstream>
#include <memory>

#include <elf.h>
#include <glib.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "io/clock.h"
#include "hw/misc/htif.h"
#include "hw/riscv/elf_symbols.h"
#include "hw/riscv/signature.h"

#include "tests/unit/hw_fakes.h"

namespace gstage::hw {
namespace {

constexpr Paddr kRam{0x8000'0000};
constexpr HtifWords kWords{kRam + 0x1000, kRam + 0x1040};
constexpr std::uint64_t kPut = 0x0101ull << 48;
constexpr std::uint64_t kGet = 0x0100ull << 48;

class HtifTest : public testing::Test {
 protected:
  HtifTest() {
    EXPECT_TRUE(memory_.add_ram("ram", kRam, 16 * kPageSize).ok());
    htif_ = std::make_unique<Htif>(setup(), kWords);
    memory_.seal();
    clock_.start();
  }
  ~HtifTest() override { clock_.stop(); }
  HtifSetup setup() { return {memory_, clock_, timers_, chardev_, control_}; }
  void command(std::uint64_t value) { EXPECT_TRUE(memory_.store(kWords.tohost, 8, value)); }
  std::uint64_t word(Paddr paddr) {
    std::uint64_t value = 0;
    EXPECT_TRUE(memory_.load(paddr, 8, value));
    return value;
  }
  std::uint64_t call(std::uint64_t number, std::uint64_t a0, std::uint64_t a1, std::uint64_t a2) {
    const std::uint64_t words[8] = {number, a0, a1, a2};
    EXPECT_TRUE(memory_.write(kRam, words, sizeof words));
    command(kRam.value);
    return word(kRam);
  }
  std::string printed() {
    htif_->reset();
    return chardev_->output();
  }

  AddressSpace memory_;
  Clock clock_;
  TimerThread timers_{clock_};
  std::shared_ptr<FakeChardev> chardev_ = std::make_shared<FakeChardev>();
  FakeControl control_;
  std::unique_ptr<Htif> htif_;
};

TEST_F(HtifTest, AnOddPayloadOfTheSystemEndsTheMachineWithItsCode) {
  command(42 << 1 | 1);
  EXPECT_EQ(control_.requested, MachineRequest::kPoweroff);
  EXPECT_EQ(control_.code, 42);
  EXPECT_EQ(word(kWords.tohost), 0u) << "the command was taken";
}

TEST_F(HtifTest, OtherBytesOfThePageAreMemory) {
  EXPECT_TRUE(memory_.store(kWords.tohost + 8, 8, 1));
  EXPECT_TRUE(memory_.store(kWords.tohost + 0x800, 8, 3));
  EXPECT_EQ(control_.requested, MachineRequest::kNone);
  EXPECT_EQ(word(kWords.tohost + 8), 1u);
  EXPECT_TRUE(memory_.is_watched(kWords.tohost + 0x800)) << "but stores to the page must be seen";
  EXPECT_FALSE(memory_.is_watched(kRam));
  EXPECT_FALSE(memory_.is_watched(kRam + 0x2000));
}

TEST_F(HtifTest, AStoreByHalvesIsOneCommand) {
  EXPECT_TRUE(memory_.store(kWords.tohost, 4, 'A'));  // by itself it would be an end with code 32
  EXPECT_EQ(control_.requested, MachineRequest::kNone);
  EXPECT_TRUE(memory_.store(kWords.tohost + 4, 4, kPut >> 32));
  EXPECT_EQ(printed(), "A");
  EXPECT_EQ(control_.requested, MachineRequest::kNone);
}

TEST_F(HtifTest, AHalfThatStaysAloneIsACommand) {
  EXPECT_TRUE(memory_.store(kWords.tohost, 4, 7 << 1 | 1));
  EXPECT_TRUE(eventually([&] {
    // As architecture tests do, in a loop.
    EXPECT_TRUE(memory_.store(kWords.tohost, 4, 7 << 1 | 1));
    return control_.code == 7;
  }));
}

TEST_F(HtifTest, AtomicInstructionsAreSeenWhenTheyAreDone) {
  *reinterpret_cast<std::uint64_t*>(memory_.host(kWords.tohost)) = 3 << 1 | 1;
  EXPECT_EQ(control_.code, -1);
  memory_.look_at_watched();
  EXPECT_EQ(control_.code, 3);
}

TEST_F(HtifTest, CharactersThatAreTypedWaitForFromhostToBeZero) {
  command(kGet);
  command(kGet);
  while (g_main_context_iteration(nullptr, FALSE)) {
  }
  chardev_->type("xyz");
  EXPECT_EQ(word(kWords.fromhost), kGet | 0x100 | 'x');
  EXPECT_EQ(chardev_->waiting(), 1u) << "nobody asked for the third";
  EXPECT_TRUE(memory_.store(kWords.fromhost, 8, 0));
  EXPECT_EQ(word(kWords.fromhost), kGet | 0x100 | 'y');
}

TEST_F(HtifTest, SystemCallsWriteToTheConsoleAndExit) {
  EXPECT_TRUE(memory_.write(kRam + 0x3000, "hello", 5));
  EXPECT_EQ(call(64, 1, (kRam + 0x3000).value, 5), 5u);
  EXPECT_EQ(word(kWords.fromhost), 1u) << "the call was answered";
  EXPECT_TRUE(memory_.store(kWords.fromhost, 8, 0));
  EXPECT_EQ(call(64, 2, (kRam + 0x3000).value, 1), 1u);
  EXPECT_EQ(printed(), "helloh");
  call(93, 5, 0, 0);
  EXPECT_EQ(control_.code, 5);
}

TEST_F(HtifTest, BadSystemCallsAnswerWithErrors) {
  EXPECT_EQ(call(64, 3, kRam.value, 1), static_cast<std::uint64_t>(-9)) << "no such file";
  EXPECT_EQ(call(64, 1, 0x1234, 1), static_cast<std::uint64_t>(-14)) << "no memory";
  EXPECT_EQ(call(64, 1, kRam.value, ~0ull), static_cast<std::uint64_t>(-14)) << "too long";
  EXPECT_EQ(call(56, 0, 0, 0), static_cast<std::uint64_t>(-38)) << "no such call";
  command(0x10000);              // no memory for a call
  command(kWords.tohost.value);  // the word itself as the call
  command(0xff01ull << 48);      // no such device
  EXPECT_EQ(control_.requested, MachineRequest::kNone);
}

TEST_F(HtifTest, AProgramThatOnlyAsksIsAnsweredSoMuchAndNoMore) {
  for (unsigned i = 0; i < 10'000; ++i) call(0, 0, 0, 0);
  unsigned answers = 0;
  for (; word(kWords.fromhost) != 0; ++answers) EXPECT_TRUE(memory_.store(kWords.fromhost, 8, 0));
  EXPECT_LE(answers, 5000u);
  call(0, 0, 0, 0);
  EXPECT_EQ(word(kWords.fromhost), 1u) << "and then it is answered again";
  EXPECT_TRUE(memory_.store(kWords.fromhost, 8, 0));
  for (unsigned i = 0; i < 10'000; ++i) command(kGet);
  while (g_main_context_iteration(nullptr, FALSE)) {
  }
  chardev_->type(std::string(10'000, 'x'));
  EXPECT_GE(chardev_->waiting(), 5000u);
}

TEST_F(HtifTest, TheWordsCanBeRegisters) {
  Htif device(setup());
  set(device, 0, kPut | 'R', 8);
  EXPECT_EQ(get(device, 0, 8), 0u);
  device.reset();
  EXPECT_EQ(chardev_->output(), "R");
  set(device, 0, 9 << 1 | 1, 8);
  EXPECT_EQ(control_.code, 9);
  set(device, 0, 8 << 1 | 1, 4);
  EXPECT_TRUE(eventually([&] { return control_.code == 8; }));
}

TEST_F(HtifTest, WordsMustBeTwoAlignedOnesInRam) {
  EXPECT_TRUE(Htif::can_hold(memory_, kWords));
  EXPECT_FALSE(Htif::can_hold(memory_, {kRam, kRam}));
  EXPECT_FALSE(Htif::can_hold(memory_, {kRam + 4, kRam + 16}));
  EXPECT_FALSE(Htif::can_hold(memory_, {kRam, Paddr{0x1000}}));
}

/// An ELF file with a segment of 32 bytes at `kRam` (virtual 0) and symbols by their virtual addresses.
std::string elf_with_symbols(const std::vector<std::pair<std::string, std::uint64_t>>& symbols) {
  std::string names(1, '\0');
  std::vector<Elf64_Sym> table(1);
  for (const auto& [name, value] : symbols) {
    Elf64_Sym symbol{};
    symbol.st_name = static_cast<Elf64_Word>(names.size());
    symbol.st_value = value;
    symbol.st_shndx = SHN_ABS;
    table.push_back(symbol);
    names += name + '\0';
  }
  struct {
    Elf64_Ehdr header{};
    Elf64_Phdr segment{};
    Elf64_Shdr sections[3]{};
    char bytes[32] = {};
  } file;
  std::memcpy(file.header.e_ident, ELFMAG, SELFMAG);
  file.header.e_ident[EI_CLASS] = ELFCLASS64;
  file.header.e_phoff = offsetof(decltype(file), segment);
  file.header.e_phnum = 1;
  file.header.e_shoff = offsetof(decltype(file), sections);
  file.header.e_shentsize = sizeof(Elf64_Shdr);
  file.header.e_shnum = 3;
  file.segment = {PT_LOAD, 7, offsetof(decltype(file), bytes), 0, kRam.value, 32, 32, 8};
  file.sections[1].sh_type = SHT_SYMTAB;
  file.sections[1].sh_link = 2;
  file.sections[1].sh_offset = sizeof file;
  file.sections[1].sh_size = table.size() * sizeof(Elf64_Sym);
  file.sections[2].sh_type = SHT_STRTAB;
  file.sections[2].sh_offset = sizeof file + file.sections[1].sh_size;
  file.sections[2].sh_size = names.size();
  std::string text(reinterpret_cast<const char*>(&file), sizeof file);
  text.append(reinterpret_cast<const char*>(table.data()), table.size() * sizeof(Elf64_Sym));
  return text + names;
}

std::shared_ptr<ImageFile> image(const std::string& content) {
  const std::string path = testing::TempDir() + format("gstage-symbols-%d", getpid());
  std::ofstream(path, std::ios::binary) << content;
  auto file = ImageFile::open("-kernel", path, ImageFile::Packed::kKeep, 0);
  EXPECT_TRUE(file.ok());
  unlink(path.c_str());
  return *file;
}

TEST(ElfSymbolsTest, AddressesArePhysical) {
  constexpr std::string_view kNames[] = {"tohost", "fromhost", "absent"};
  const auto file = image(elf_with_symbols({{"tohost", 8}, {"other", 16}, {"fromhost", 24}}));
  const auto symbols = find_symbols(*file, kNames);
  ASSERT_EQ(symbols.size(), 2u);
  EXPECT_EQ(symbols.at("tohost"), kRam.value + 8);
  EXPECT_EQ(symbols.at("fromhost"), kRam.value + 24);
}

TEST(ElfSymbolsTest, AllSymbolsAreThoseThatNameAPlace) {
  const auto file = image(elf_with_symbols({{"main", 8}, {"$x", 8}, {".L0", 12}, {"end", 16}}));
  const std::vector<ElfSymbol> symbols = read_symbols(*file);
  ASSERT_EQ(symbols.size(), 2u);
  EXPECT_EQ(symbols[0].name, "main");
  EXPECT_EQ(symbols[0].address, 8u);
  EXPECT_EQ(symbols[1].name, "end");
  EXPECT_EQ(lowest_address(*file), 0u);
}

TEST(ElfSymbolsTest, DamagedTablesHaveNone) {
  constexpr std::string_view kNames[] = {"tohost"};
  const std::string good = elf_with_symbols({{"tohost", 8}});
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_TRUE(size == 0 || find_symbols(*image(good.substr(0, size)), kNames).empty()) << size;
  // Any byte may be anything: what is found may differ, and nothing else happens.
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(0xff);
    find_symbols(*image(bad), kNames);
  }
}

class SignatureTest : public testing::Test {
 protected:
  SignatureTest() { EXPECT_TRUE(memory_.add_ram("ram", kRam, kPageSize).ok()); }
  ~SignatureTest() override { unlink(options_.file.c_str()); }
  Result<std::unique_ptr<Signature>> plan(std::uint64_t begin, std::uint64_t end) {
    files_ = {image(elf_with_symbols({{"begin_signature", begin}, {"end_signature", end}}))};
    return Signature::plan(options_, files_, memory_);
  }
  std::string content() const {
    std::ifstream stream(options_.file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  AddressSpace memory_;
  SignatureOptions options_{testing::TempDir() + format("gstage-signature-%d", getpid()), 4};
  std::vector<std::shared_ptr<ImageFile>> files_;
};

TEST_F(SignatureTest, IsLinesOfNumbersAndZerosAtTheEnd) {
  const std::uint32_t words[] = {0x12345678, 0x9abcdef0, 0x00000011};
  ASSERT_TRUE(memory_.write(kRam + 8, words, sizeof words));
  auto signature = plan(8, 18);
  ASSERT_TRUE(signature.ok());
  ASSERT_TRUE((*signature)->write().ok());
  EXPECT_EQ(content(), "12345678\n9abcdef0\n00000011\n");
  options_.granularity = 8;
  signature = plan(8, 20);
  ASSERT_TRUE((*signature)->write().ok());
  EXPECT_EQ(content(), "9abcdef012345678\n0000000000000011\n");
}

TEST_F(SignatureTest, NeedsARangeInMemory) {
  EXPECT_FALSE(plan(16, 8).ok());
  EXPECT_FALSE(plan(0, 2 * kPageSize).ok()) << "symbols outside segments are physical";
  files_ = {image(elf_with_symbols({{"begin_signature", 0}}))};
  EXPECT_FALSE(Signature::plan(options_, files_, memory_).ok());
}

}  // namespace
}  // namespace gstage::hw
