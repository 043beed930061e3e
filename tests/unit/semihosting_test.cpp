// SPDX-License-Identifier: Apache-2.0
// What semihosting calls do beside what programs see of them (tests/system/semihosting.c).
#include "target/riscv/semihosting/semihosting.h"

#include <cstring>
#include <initializer_list>

#include "tests/unit/hw_fakes.h"
#include "tests/unit/riscv_hart.h"

namespace gstage::riscv {
namespace {

/// A program in HS-mode, all of whose addresses lead to one page, with its code at 0x100 and its parameters
/// at 0x200.
class SemihostingTest : public RiscvHart {
 protected:
  static constexpr Vaddr kCode{0x100};
  static constexpr std::uint64_t kParameters = 0x200;
  static constexpr std::uint64_t kName = 0x300;
  static constexpr std::uint64_t kRamBytes = 16 * kPageSize;
  enum : std::uint64_t { kOpen = 1, kWrite = 5, kRead = 6 };
  enum : std::uint64_t { kReadMode = 0, kWriteMode = 4 };

  SemihostingTest() {
    SemihostingOptions options;
    options.console = console_;
    auto made = Semihosting::make(options, control_);
    EXPECT_TRUE(made.ok());
    semihosting_ = std::move(*made);
    constexpr std::uint64_t kTables = kRam + 0x1000;
    constexpr std::uint64_t kPage = kRam + 0x4000;
    constexpr std::uint64_t kPointer = 1;
    constexpr std::uint64_t kLeaf = 0xcf;  // V R W X A D
    for (unsigned level = 0; level < 3; ++level) {
      const std::uint64_t table = kTables + level * kPageSize;
      const std::uint64_t entry =
          level < 2 ? (table + kPageSize) >> 12 << 10 | kPointer : kPage >> 12 << 10 | kLeaf;
      for (unsigned i = 0; i < 512; ++i) EXPECT_TRUE(memory.store(Paddr{table + 8 * i}, 8, entry));
    }
    constexpr std::uint32_t kCall[] = {0x01f0'1013, 0x0010'0073, 0x4070'5013};
    EXPECT_TRUE(memory.write(Paddr{kPage + kCode.value - 4}, kCall, sizeof kCall));
    write(0x180, std::uint64_t{8} << 60 | kTables >> 12);
    enter(kHs);
  }
  std::int64_t call(std::uint64_t number, std::initializer_list<std::uint64_t> words) {
    constexpr std::uint64_t kPage = kRam + 0x4000;
    EXPECT_TRUE(memory.write(Paddr{kPage + kParameters}, words.begin(), 8 * words.size()));
    hart().x[10] = number;
    hart().x[11] = kParameters;
    const auto next = semihosting_->call(hart(), kCode);
    EXPECT_TRUE(next.has_value() && *next == kCode + 4);
    return static_cast<std::int64_t>(hart().x[10]);
  }
  std::uint64_t open(const char* name, std::uint64_t mode) {
    EXPECT_TRUE(memory.write(Paddr{kRam + 0x4000 + kName}, name, std::strlen(name)));
    const std::int64_t handle = call(kOpen, {kName, mode, std::strlen(name)});
    EXPECT_GT(handle, 0);
    return static_cast<std::uint64_t>(handle);
  }

  std::shared_ptr<hw::FakeChardev> console_ = std::make_shared<hw::FakeChardev>();
  hw::FakeControl control_;
  std::unique_ptr<Semihosting> semihosting_;
};

TEST_F(SemihostingTest, NoBufferIsLongerThanAllMemory) {
  constexpr std::uint64_t kLong = 64 << 20;
  EXPECT_EQ(call(kWrite, {open(":tt", kWriteMode), 0, kLong}), static_cast<std::int64_t>(kLong - kRamBytes));
  EXPECT_EQ(console_->output().size(), kRamBytes);
  EXPECT_EQ(call(kRead, {open(":semihosting-features", kReadMode), 0x800, kLong}),
            static_cast<std::int64_t>(kLong - 5));
}

}  // namespace
}  // namespace gstage::riscv
