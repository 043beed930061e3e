// SPDX-License-Identifier: Apache-2.0
// -sanitize icache: instructions that are executed though they were stored since the hart's last fence.i.
#include <memory>

#include <gtest/gtest.h>

#include "target/riscv/mmu/access.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/mmu/translate.h"
#include "target/riscv/sanitize/icache.h"

namespace gstage::riscv {
namespace {

constexpr std::uint64_t kBase = 0x8000'0000;
constexpr std::uint64_t kNop = 0x00000013;
constexpr std::uint64_t kRet = 0x00008067;
constexpr std::uint64_t kOtherRet = 0x00008097;

/// Two harts in M-mode, without translation. Both have executed fence.i.
class IcacheSanitizerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(memory_.add_ram("ram", Paddr{kBase}, 1 << 20).ok());
    memory_.seal();
    for (unsigned id = 0; id < 2; ++id) add_hart(id);
    for (unsigned id = 0; id < 2; ++id) sanitizer_.fence(*harts_[id]);
  }
  void TearDown() override { set_current_hart(nullptr); }

  void add_hart(unsigned id) {
    Hart& hart = *harts_[id];
    hart.config = &config_;
    hart.memory = &memory_;
    hart.mmu = mmus_[id].get();
    hart.hartid = id;
    hart.s = &hart.hs;
    hart.priv = kMachine;
    memory_.code_pages().add_tlb(hart.mmu->tlb);
    sanitizer_.add_hart(hart);
    hart.icache_sanitizer = &sanitizer_;
    reset_mmu(hart);
  }
  void store(unsigned id, std::uint64_t address, std::uint64_t value) {
    set_current_hart(harts_[id].get());
    store_slow(*harts_[id], active_data(*harts_[id]), Vaddr{address}, tcg::MemKind::u32, value);
  }
  /// The limit of what the hart may fetch without asking again, 0: none.
  unsigned fetch(unsigned id, std::uint64_t address) {
    set_current_hart(harts_[id].get());
    const auto page = fetch_slow(*harts_[id], Vaddr{address});
    return page ? page->limit : ~0u;
  }

  CpuConfig config_;
  AddressSpace memory_;
  IcacheSanitizer sanitizer_{memory_};
  std::unique_ptr<MmuState> mmus_[2] = {std::make_unique<MmuState>(), std::make_unique<MmuState>()};
  std::unique_ptr<Hart> harts_[2] = {std::make_unique<Hart>(), std::make_unique<Hart>()};
};

TEST_F(IcacheSanitizerTest, StoredCodeNeedsFence) {
  store(0, kBase, kRet);
  fetch(0, kBase);
  EXPECT_EQ(sanitizer_.findings(), 1u);
}

TEST_F(IcacheSanitizerTest, FencedCodeIsClean) {
  store(0, kBase, kRet);
  sanitizer_.fence(*harts_[0]);
  EXPECT_EQ(fetch(0, kBase), 0u);
  EXPECT_EQ(sanitizer_.findings(), 0u);
}

TEST_F(IcacheSanitizerTest, EachHartNeedsItsOwnFence) {
  store(0, kBase, kRet);
  sanitizer_.fence(*harts_[0]);
  fetch(1, kBase);
  EXPECT_EQ(sanitizer_.findings(), 1u);
  sanitizer_.fence(*harts_[1]);
  fetch(1, kBase);
  EXPECT_EQ(sanitizer_.findings(), 1u);
}

TEST_F(IcacheSanitizerTest, PageThatWasFetchedBeforeIsSeenAgain) {
  store(0, kBase, kRet);
  sanitizer_.fence(*harts_[0]);
  EXPECT_EQ(fetch(0, kBase), 0u);
  store(0, kBase, kOtherRet);
  EXPECT_NE(fetch(0, kBase), 0u);
  EXPECT_EQ(sanitizer_.findings(), 1u);
}

TEST_F(IcacheSanitizerTest, DataBesideCodeIsNoFinding) {
  store(0, kBase, kRet);
  sanitizer_.fence(*harts_[0]);
  store(0, kBase + 0x100, 5);
  store(0, kBase + 4, kNop);
  fetch(0, kBase);
  EXPECT_EQ(sanitizer_.findings(), 0u) << "what is executed ends with ret";
}

TEST_F(IcacheSanitizerTest, EachMissingFenceIsToldOnce) {
  store(0, kBase, kRet);
  store(0, kBase + kPageSize, kRet);
  fetch(0, kBase);
  fetch(0, kBase + kPageSize);
  EXPECT_EQ(sanitizer_.findings(), 1u);
  sanitizer_.fence(*harts_[0]);
  store(0, kBase, kOtherRet);
  fetch(0, kBase);
  EXPECT_EQ(sanitizer_.findings(), 2u);
}

TEST_F(IcacheSanitizerTest, AnotherHartMayBeBetweenTheStoreAndItsFence) {
  constexpr unsigned kLong = 60'000;
  IcacheSanitizer patient{memory_, kLong};
  for (auto& hart : harts_) {
    patient.add_hart(*hart);
    hart->icache_sanitizer = &patient;
  }
  store(0, kBase, kRet);
  fetch(1, kBase);
  EXPECT_EQ(patient.findings(), 0u);
  fetch(0, kBase);
  EXPECT_EQ(patient.findings(), 1u) << "its own stores need its own fence at once";
}

TEST_F(IcacheSanitizerTest, SameBytesAreNoFinding) {
  store(0, kBase, kRet);
  sanitizer_.fence(*harts_[0]);
  store(0, kBase, kRet);
  fetch(0, kBase);
  EXPECT_EQ(sanitizer_.findings(), 0u);
}

}  // namespace
}  // namespace gstage::riscv
