// SPDX-License-Identifier: Apache-2.0
// Flash with images: what becomes of them, and that harts execute from it.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "hw/misc/cfi_flash.h"
#include "hw/riscv/boards.h"
#include "system/machine_requests.h"
#include "system/run_state.h"

#include "tests/unit/debug_machine.h"
#include "tests/unit/hw_fakes.h"

namespace gstage::hw {
namespace {

using namespace riscv;

constexpr std::uint64_t kBank = 32 << 20;
constexpr std::uint64_t kFlash = 0x2000'0000;

/// Of the register of status, on both chips.
constexpr std::uint64_t kReady = 0x0080'0080, kProgramError = 0x0010'0010, kEraseError = 0x0020'0020,
                        kLocked = 0x0002'0002;

class FlashImageTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kSize = 2 * CfiFlash::kBlockBytes;

  void use(std::shared_ptr<FakeDisk> disk) {
    disk_ = std::move(disk);
    const Status status = flash_.use_image("-drive if=pflash", disk_);
    ASSERT_TRUE(status.ok()) << status.error().message;
  }
  void command(std::uint64_t offset, std::uint32_t code) { set(flash_, offset, code << 16 | code); }
  std::uint32_t in_image(std::uint64_t offset) const {
    std::uint32_t word = 0;
    std::memcpy(&word, disk_->bytes.data() + offset, sizeof word);
    return word;
  }
  static std::shared_ptr<FakeDisk> disk(bool is_read_only = false) {
    auto disk = std::make_shared<FakeDisk>(kSize, is_read_only);
    std::memset(disk->bytes.data(), 0xff, kSize);
    return disk;
  }

  CfiFlash flash_{kSize};
  std::shared_ptr<FakeDisk> disk_;
};

TEST_F(FlashImageTest, IsReadAtFirst) {
  auto image = disk();
  std::memcpy(image->bytes.data() + CfiFlash::kBlockBytes, "firmware", 8);
  use(image);
  EXPECT_EQ(get(flash_, 0, 8), ~std::uint64_t{0});
  EXPECT_EQ(std::memcmp(flash_.contents() + CfiFlash::kBlockBytes, "firmware", 8), 0);
}

TEST_F(FlashImageTest, HasWhatIsProgrammedAndErased) {
  use(disk());
  command(0x100, 0x40);
  set(flash_, 0x100, 0x12345678);
  EXPECT_EQ(in_image(0x100), 0x12345678u);
  command(0x200, 0xe8);
  command(0x200, 2);  // three words, two of which follow one another
  set(flash_, 0x200, 1);
  set(flash_, 0x204, 2);
  set(flash_, 0x300, 3);
  EXPECT_EQ(in_image(0x200), 0xffffffffu) << "not before it is confirmed";
  command(0x200, 0xd0);
  EXPECT_EQ(in_image(0x200), 1u);
  EXPECT_EQ(in_image(0x204), 2u);
  EXPECT_EQ(in_image(0x208), 0xffffffffu);
  EXPECT_EQ(in_image(0x300), 3u);
  command(0, 0x20);
  command(0, 0xd0);
  EXPECT_EQ(in_image(0x100), 0xffffffffu);
}

TEST_F(FlashImageTest, ThatIsReadOnlyLocksTheBank) {
  use(disk(true));
  command(0x100, 0x40);
  set(flash_, 0x100, 0);
  EXPECT_EQ(get(flash_, 0), kReady | kProgramError | kLocked);
  command(0, 0x50);
  command(0x100, 0xe8);
  command(0x100, 0);
  set(flash_, 0x100, 0);
  command(0x100, 0xd0);
  EXPECT_EQ(get(flash_, 0), kReady | kProgramError | kLocked);
  command(0, 0x50);
  command(0x100, 0x20);
  command(0x100, 0xd0);
  EXPECT_EQ(get(flash_, 0), kReady | kEraseError | kLocked);
  command(0, 0x90);
  EXPECT_EQ(get(flash_, 8), 0x0001'0001u) << "the block's lock";
  command(0, 0xff);
  EXPECT_EQ(get(flash_, 0x100), 0xffffffffu);
}

TEST_F(FlashImageTest, ThatCannotBeWrittenIsAnErrorOfTheChips) {
  use(disk());
  disk_->failure = ENOSPC;
  testing::internal::CaptureStderr();
  for (int twice = 0; twice < 2; ++twice) {
    command(0x100, 0x40);
    set(flash_, 0x100, 0);
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(get(flash_, 0), kReady | kProgramError);
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << "the user is told once: " << said;
}

TEST_F(FlashImageTest, OfAnotherSizeIsRefused) {
  const Status status = flash_.use_image("-drive if=pflash", std::make_shared<FakeDisk>(kSize - 512));
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("has 523776 bytes and the flash bank 524288"), std::string::npos)
      << status.error().message;
}

TEST_F(FlashImageTest, ChangesAreToldOnceTheyAreThere) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> changes;
  flash_.set_changed([&](std::uint64_t offset, std::uint64_t size) {
    changes.emplace_back(offset, size);
    // Nobody holds the bank's lock.
    EXPECT_EQ(get(flash_, 0) & kReady, kReady);
  });
  command(0x100, 0x40);
  set(flash_, 0x100, 0x12345678);
  command(CfiFlash::kBlockBytes, 0x20);
  command(CfiFlash::kBlockBytes, 0xd0);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0], (std::pair<std::uint64_t, std::uint64_t>{0x100, 4}));
  EXPECT_EQ(changes[1],
            (std::pair<std::uint64_t, std::uint64_t>{CfiFlash::kBlockBytes, CfiFlash::kBlockBytes}));
}

constexpr std::uint32_t lui(unsigned rd, std::uint32_t imm20) { return imm20 << 12 | rd << 7 | 0x37; }
constexpr std::uint32_t lw(unsigned rd, unsigned rs1, std::int32_t imm) {
  return rv::i(imm, rs1, 2, rd, 0x03);
}
constexpr std::uint32_t slli(unsigned rd, unsigned rs1, unsigned by) {
  return rv::i(static_cast<std::int32_t>(by), rs1, 1, rd, 0x13);
}
constexpr std::uint32_t add(unsigned rd, unsigned rs1, unsigned rs2) {
  return rs2 << 20 | rs1 << 15 | rd << 7 | 0x33;
}
enum : unsigned { kZero, kRa, kA0 = 10, kA1, kA2, kA3, kT3 = 28, kT4, kT5 };

/// The virt board with flash images, run until its program ends the machine.
class FlashBoardTest : public testing::TestWithParam<DebugEngine> {
 protected:
  FlashBoardTest() {
    options_.engine.accel = GetParam().accel;
    options_.engine.regions = GetParam().regions;
    options_.engine.buffer_bytes = 32 << 20;
    options_.bios = "none";
    options_.worker_threads = 0;
  }
  ~FlashBoardTest() override {
    for (const std::string& path : paths_) std::filesystem::remove(path);
  }
  /// A file of a bank that begins with these words, and has erased flash, or nothing, behind them.
  std::string image(const std::vector<std::uint32_t>& words) {
    const std::string path = testing::TempDir() + format("gstage-flash-%d-%zu", getpid(), paths_.size());
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(words.data()), static_cast<std::streamsize>(words.size() * 4));
    std::filesystem::resize_file(path, kBank);
    paths_.push_back(path);
    return path;
  }
  void plug(const std::string& path) {
    DriveOptions drive;
    drive.file = path;
    drive.format = "raw";
    drive.interface = "pflash";
    options_.drives.push_back(drive);
  }
  /// The exit code that the program gives the test device.
  int run() {
    auto machine = kVirtBoard.create(options_, requests_);
    EXPECT_TRUE(machine.ok()) << machine.error().message;
    if (!machine.ok()) return -1;
    RunState state(**machine, RunOptions{}, requests_);
    return state.run();
  }
  /// Ends the machine with the code in a0.
  static std::vector<std::uint32_t> end() {
    return {slli(kA0, kA0, 16), lui(kT3, 0x3),   rv::addi(kT3, kT3, 0x333),
            add(kA0, kA0, kT3), lui(kT3, 0x100), rv::sw(kA0, kT3, 0),
            rv::kSelf};
  }
  static std::vector<std::uint32_t> program(std::vector<std::uint32_t> words) {
    const auto rest = end();
    words.insert(words.end(), rest.begin(), rest.end());
    return words;
  }

  MachineRequests requests_;
  MachineOptions options_;
  std::vector<std::string> paths_;
};

TEST_P(FlashBoardTest, HartsBeginThereWithoutFirmware) {
  // The program also reads its own first word as data: 7 + 1.
  plug(image(program({rv::addi(kA0, kZero, 7), lui(kT3, 0x20000), lw(kT4, kT3, 0), lui(kT5, 0x700),
                      rv::addi(kT5, kT5, 0x513), rv::bne(kT4, kT5, 8), rv::addi(kA0, kA0, 1)})));
  EXPECT_EQ(run(), 8);
}

TEST_P(FlashBoardTest, FirmwareStartsWhatIsThere) {
  // In place of OpenSBI: it goes where the information of fw_dynamic, which a2 points to, says.
  const std::string firmware = testing::TempDir() + format("gstage-firmware-%d", getpid());
  const std::uint32_t code[] = {rv::ld(kT3, kA2, 16), rv::jalr(kRa, kT3)};
  std::ofstream(firmware, std::ios::binary).write(reinterpret_cast<const char*>(code), sizeof code);
  paths_.push_back(firmware);
  options_.bios = firmware;
  plug(image(program({rv::addi(kA0, kZero, 9)})));
  EXPECT_EQ(run(), 9);
}

/// A function in the second bank is programmed anew: what was translated of it must be gone, and the file has
/// it.
TEST_P(FlashBoardTest, CodeThatIsProgrammedIsExecutedAnewAndKept) {
  const std::uint32_t seven = rv::addi(kA0, kZero, 7);
  const std::uint32_t three = rv::addi(kA0, kZero, 3);  // has no bit that seven has not
  std::vector<std::uint32_t> words{lui(kT3, 0x22000)};
  for (int i = 0; i < 3; ++i) words.push_back(rv::jalr(kRa, kT3));
  words.insert(words.end(), {rv::addi(kA1, kA0, 0), lui(kT4, 0x400), rv::addi(kT4, kT4, 0x40),
                             rv::sw(kT4, kT3, 0)});  // program …
  words.insert(words.end(), {lui(kT5, three >> 12), rv::addi(kT5, kT5, three & 0x7ff), rv::sw(kT5, kT3, 0)});
  words.insert(words.end(), {lui(kT4, 0xff0), rv::addi(kT4, kT4, 0xff), rv::sw(kT4, kT3, 0)});  // … and read
  words.insert(words.end(), {rv::kFenceI, rv::jalr(kRa, kT3), slli(kA1, kA1, 4), add(kA0, kA0, kA1)});
  plug(image(program(words)));
  plug(image({seven, rv::jalr(kZero, kRa)}));
  EXPECT_EQ(run(), 0x73);
  std::uint32_t kept = 0;
  std::ifstream(paths_[1], std::ios::binary).read(reinterpret_cast<char*>(&kept), sizeof kept);
  EXPECT_EQ(kept, three);
}

INSTANTIATE_TEST_SUITE_P(Engines, FlashBoardTest, testing::ValuesIn(kDebugEngines),
                         [](const auto& row) { return std::string(row.param.name); });

/// The board alone.
class FlashOptionsTest : public FlashBoardTest {
 protected:
  std::string refusal() {
    auto machine = kVirtBoard.create(options_, requests_);
    EXPECT_FALSE(machine.ok());
    return machine.ok() ? "" : machine.error().message;
  }
  void expect_refusal(const std::string& part) {
    const std::string text = refusal();
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
};

TEST_P(FlashOptionsTest, WhatMakesNoSenseIsRefused) {
  plug(image({rv::kSelf}));
  options_.drives[0].unit = 2;
  expect_refusal("there are two flash banks");
  options_.drives[0].unit = 1;
  plug(image({rv::kSelf}));
  options_.drives[1].unit = 1;
  expect_refusal("two drives are flash bank 1");
  options_.drives[1].unit.reset();
  std::filesystem::resize_file(paths_[1], kBank / 2);
  expect_refusal("has 16777216 bytes and the flash bank 33554432");
  options_.drives.clear();
  options_.machine.properties = {{"pflash0", "nobody"}};
  expect_refusal("-machine pflash0=nobody: there is no drive 'nobody'");
}

TEST_P(FlashOptionsTest, TheMachineNamesADriveForABank) {
  plug(image(program({rv::addi(kA0, kZero, 5)})));
  options_.drives[0].interface = "none";
  options_.drives[0].id = "code";
  options_.machine.properties = {{"pflash0", "code"}};
  EXPECT_EQ(run(), 5);
  plug(paths_[0]);
  options_.drives[0].is_read_only = options_.drives[1].is_read_only = true;
  expect_refusal("has the image of a -drive if=pflash already");
}

/// As libvirt and EDK2's README write it: the code's node, which is not written, and one for the variables.
TEST_P(FlashOptionsTest, TheMachineNamesNodesForBothBanks) {
  const auto node = [this](const char* name, const std::string& path, bool is_read_only) {
    BlockOptions options;
    options.driver = "file";
    options.node_name = name;
    options.filename = path;
    options.is_read_only = is_read_only;
    options_.blockdevs.push_back(options);
  };
  std::vector<std::uint32_t> words;
  for (const std::uint32_t bank :
       {0x20000, 0x22000})  // program the second word from the end of the first page
    words.insert(words.end(), {lui(kT3, bank), lui(kT4, 0x400), rv::addi(kT4, kT4, 0x40),
                               rv::sw(kT4, kT3, 0x7f8), rv::sw(kZero, kT3, 0x7f8)});
  words.push_back(rv::addi(kA0, kZero, 4));
  node("code", image(program(words)), true);
  node("vars", image({}), false);
  for (const std::string& path : paths_) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(0x7f8);
    file.write("\xff\xff\xff\xff", 4);
  }
  options_.machine.properties = {{"pflash0", "code"}, {"pflash1", "vars"}};
  EXPECT_EQ(run(), 4);
  const auto kept = [](const std::string& path) {
    std::uint32_t word = 0;
    std::ifstream file(path, std::ios::binary);
    file.seekg(0x7f8);
    file.read(reinterpret_cast<char*>(&word), sizeof word);
    return word;
  };
  EXPECT_EQ(kept(paths_[0]), 0xffffffffu) << "what is locked stays as it is";
  EXPECT_EQ(kept(paths_[1]), 0u);
  options_.machine.properties = {{"pflash0", "vars"}, {"pflash1", "vars"}};
  expect_refusal("vars");
}

INSTANTIATE_TEST_SUITE_P(Engines, FlashOptionsTest, testing::Values(kDebugEngines[0]),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace gstage::hw
