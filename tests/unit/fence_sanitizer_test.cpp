// SPDX-License-Identifier: Apache-2.0
// -sanitize fences: which uses of translations are findings, and which the specification permits.
#include <memory>

#include <gtest/gtest.h>

#include "target/riscv/mmu/access.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/mmu/translate.h"
#include "target/riscv/sanitize/fences.h"

namespace gstage::riscv {
namespace {

constexpr std::uint64_t kBase = 0x8000'0000;
constexpr std::uint64_t kSv39 = std::uint64_t{8} << 60;
constexpr std::uint64_t kRoot = kBase + 0x10000;
constexpr std::uint64_t kVaddr = 0x4000'0000;
constexpr std::uint64_t kOldPage = kBase + 0x20000;
constexpr std::uint64_t kNewPage = kBase + 0x21000;
constexpr std::uint64_t kRw = 0xc7;  // V R W A D

/// Two harts in HS-mode that share one address space with one page, under the sanitizer. Stores are those of
/// the hart that is current.
class FenceSanitizerTest : public testing::Test {
 protected:
  struct OneHart {
    std::unique_ptr<MmuState> mmu = std::make_unique<MmuState>();
    std::unique_ptr<Hart> hart = std::make_unique<Hart>();
  };

  void SetUp() override { start(FenceCheck::kExact); }
  void TearDown() override { set_current_hart(nullptr); }

  void start(FenceCheck check, unsigned grace_ms = 0) {
    sanitizer_.reset();  // it watches the memory
    memory_ = std::make_unique<AddressSpace>();
    ASSERT_TRUE(memory_->add_ram("ram", Paddr{kBase}, 1 << 20).ok());
    memory_->seal();
    SanitizeOptions options;
    options.fences = check;
    options.grace_ms = grace_ms;
    sanitizer_ = std::make_unique<FenceSanitizer>(options, *memory_);
    for (unsigned id = 0; id < 2; ++id) add_hart(id);
    write(kRoot + (kVaddr >> 30) * 8, pointer(kRoot + 0x1000));
    write(kRoot + 0x1000, pointer(kRoot + 0x2000));
    set_page(kOldPage, kRw);
    write(kOldPage, 1);
    write(kNewPage, 2);
    run_on(0);
  }

  void add_hart(unsigned id) {
    harts_[id] = {};
    Hart& hart = *harts_[id].hart;
    hart.config = &config_;
    hart.memory = memory_.get();
    hart.mmu = harts_[id].mmu.get();
    hart.hartid = id;
    hart.s = &hart.hs;
    hart.priv = kSupervisor;
    hart.pmpcfg[0] = 0x1f;
    hart.pmpaddr[0] = ~std::uint64_t{0} >> 10;
    hart.hs.satp = kSv39 | std::uint64_t{1} << 44 | kRoot >> 12;
    memory_->code_pages().add_tlb(hart.mmu->tlb);
    sanitizer_->add_hart(hart);
    hart.fence_sanitizer = sanitizer_.get();
    reset_mmu(hart);
  }

  static std::uint64_t pointer(std::uint64_t table) { return table >> 12 << 10 | 1; }
  void write(std::uint64_t paddr, std::uint64_t value) { memory_->store(Paddr{paddr}, 8, value); }
  void set_page(std::uint64_t page, std::uint64_t flags) { write(kRoot + 0x2000, page >> 12 << 10 | flags); }
  void run_on(unsigned id) {
    id_ = id;
    set_current_hart(harts_[id].hart.get());
  }
  Hart& hart() { return *harts_[id_].hart; }
  /// The value at the page, or -1 for a trap.
  std::uint64_t load() {
    hart().core.trap_pending = 0;
    const std::uint64_t value = load_slow(hart(), active_data(hart()), Vaddr{kVaddr}, tcg::MemKind::u64);
    return hart().core.trap_pending != 0 ? ~std::uint64_t{0} : value;
  }
  bool store(std::uint64_t value) {
    hart().core.trap_pending = 0;
    store_slow(hart(), active_data(hart()), Vaddr{kVaddr}, tcg::MemKind::u64, value);
    return hart().core.trap_pending == 0;
  }
  std::uint64_t findings() const { return sanitizer_->totals().findings; }

  CpuConfig config_;
  std::unique_ptr<AddressSpace> memory_;
  std::unique_ptr<FenceSanitizer> sanitizer_;
  OneHart harts_[2];
  unsigned id_ = 0;
};

constexpr std::uint64_t kTrapped = ~std::uint64_t{0};

TEST_F(FenceSanitizerTest, RemappedPageNeedsFence) {
  EXPECT_EQ(load(), 1u);
  set_page(kNewPage, kRw);
  EXPECT_EQ(load(), 2u) << "exact: the hart goes on with what the page tables say";
  EXPECT_EQ(findings(), 1u);
  EXPECT_EQ(load(), 2u);
  EXPECT_EQ(findings(), 1u) << "each change is told once";
}

TEST_F(FenceSanitizerTest, FencedPageIsClean) {
  load();
  set_page(kNewPage, kRw);
  sfence_vma(hart(), {kVaddr, 1});
  EXPECT_EQ(load(), 2u);
  set_page(kOldPage, kRw);
  sfence_vma(hart(), {{}, 1});
  load();
  set_page(kNewPage, kRw);
  sfence_vma(hart(), {});
  load();
  EXPECT_EQ(findings(), 0u);
}

TEST_F(FenceSanitizerTest, FenceOfAnotherAddressSpaceIsNotEnough) {
  load();
  set_page(kNewPage, kRw);
  sfence_vma(hart(), {kVaddr, 2});
  load();
  EXPECT_EQ(findings(), 1u);
}

TEST_F(FenceSanitizerTest, UnmappedPageNeedsFence) {
  load();
  set_page(0, 0);
  EXPECT_EQ(load(), kTrapped);
  EXPECT_EQ(findings(), 1u);
}

TEST_F(FenceSanitizerTest, MappingNeedsNoFence) {
  set_page(0, 0);
  EXPECT_EQ(load(), kTrapped);
  set_page(kOldPage, kRw);
  EXPECT_EQ(load(), 1u);
  EXPECT_EQ(findings(), 0u);
  EXPECT_EQ(sanitizer_->totals().lazy, 1u);
}

TEST_F(FenceSanitizerTest, WiderPermissionNeedsNoFence) {
  set_page(kOldPage, kRw & ~pte::W::kMask);
  load();
  set_page(kOldPage, kRw);
  EXPECT_TRUE(store(3));
  EXPECT_EQ(findings(), 0u);
}

TEST_F(FenceSanitizerTest, NarrowerPermissionMattersForWhatItForbids) {
  EXPECT_TRUE(store(1));
  set_page(kOldPage, kRw & ~pte::W::kMask);
  EXPECT_EQ(load(), 1u);
  EXPECT_EQ(findings(), 0u) << "a load goes either way";
  EXPECT_FALSE(store(3));
  EXPECT_EQ(findings(), 1u);
}

TEST_F(FenceSanitizerTest, AccessedAndDirtyAreNoChange) {
  load();
  set_page(kOldPage, kRw & ~(pte::A::kMask | pte::D::kMask));
  set_page(kOldPage, kRw);
  EXPECT_TRUE(store(1));
  EXPECT_EQ(findings(), 0u);
}

TEST_F(FenceSanitizerTest, SameMappingWrittenAgainIsNoChange) {
  load();
  set_page(0, 0);
  set_page(kOldPage, kRw);
  EXPECT_EQ(load(), 1u);
  EXPECT_EQ(findings(), 0u);
}

TEST_F(FenceSanitizerTest, FenceByAddressLeavesPointersToTables) {
  load();
  write(kRoot + 0x3000, kNewPage >> 12 << 10 | kRw);
  write(kRoot + 0x1000, pointer(kRoot + 0x3000));
  sfence_vma(hart(), {kVaddr, 1});
  EXPECT_EQ(load(), 2u);
  EXPECT_EQ(findings(), 1u);
}

TEST_F(FenceSanitizerTest, SplitSuperpageMattersWhereItLeadsElsewhere) {
  constexpr std::uint64_t kSuperpage = 0x8000'0000;
  write(kRoot + 0x1000, kSuperpage >> 12 << 10 | kRw);
  write(kSuperpage, 7);
  EXPECT_EQ(load(), 7u);
  set_page(kSuperpage, kRw);
  write(kRoot + 0x1000, pointer(kRoot + 0x2000));
  EXPECT_EQ(load(), 7u);
  EXPECT_EQ(findings(), 0u) << "the same place";
  set_page(kNewPage, kRw);
  load();
  EXPECT_EQ(findings(), 1u);
}

TEST_F(FenceSanitizerTest, AsidUsedAgainNeedsFence) {
  load();
  constexpr std::uint64_t kOtherRoot = kBase + 0x18000;
  write(kOtherRoot + (kVaddr >> 30) * 8, kBase >> 12 << 10 | kRw);
  hart().hs.satp = kSv39 | std::uint64_t{1} << 44 | kOtherRoot >> 12;
  update_regimes(hart());
  load();
  EXPECT_EQ(findings(), 1u);
  sfence_vma(hart(), {{}, 1});
  load();
  EXPECT_EQ(findings(), 1u);
}

TEST_F(FenceSanitizerTest, EachHartNeedsItsOwnFence) {
  load();
  run_on(1);
  load();
  run_on(0);
  set_page(kNewPage, kRw);
  sfence_vma(hart(), {kVaddr, 1});
  EXPECT_EQ(load(), 2u);
  EXPECT_EQ(findings(), 0u);
  run_on(1);
  EXPECT_EQ(load(), 2u);
  EXPECT_EQ(findings(), 1u);
}

TEST_F(FenceSanitizerTest, AnotherHartMayBeBetweenTheStoreAndItsFence) {
  constexpr unsigned kLong = 60'000;
  start(FenceCheck::kExact, kLong);
  run_on(1);
  load();
  run_on(0);
  set_page(kNewPage, kRw);
  run_on(1);
  EXPECT_EQ(load(), 2u);
  EXPECT_EQ(findings(), 0u);
}

TEST_F(FenceSanitizerTest, AdversaryGoesOnWithWhatItHeldUntilTheFence) {
  start(FenceCheck::kAdversarial);
  load();
  set_page(kNewPage, kRw);
  EXPECT_EQ(load(), 1u);
  EXPECT_EQ(load(), 1u);
  EXPECT_EQ(findings(), 1u);
  sfence_vma(hart(), {kVaddr, 1});
  EXPECT_EQ(load(), 2u);
  set_page(0, 0);
  EXPECT_TRUE(store(5));
  EXPECT_EQ(findings(), 2u);
}

TEST_F(FenceSanitizerTest, AdversaryFaultsOnceOnWhatWasNotValid) {
  start(FenceCheck::kAdversarial);
  set_page(0, 0);
  EXPECT_EQ(load(), kTrapped);
  set_page(kOldPage, kRw);
  EXPECT_EQ(load(), kTrapped) << "entries that are not valid may be cached";
  EXPECT_EQ(load(), 1u);
  EXPECT_EQ(findings(), 0u);
}

TEST_F(FenceSanitizerTest, SinvalIsDoneWithTheFencesAroundIt) {
  FenceOperands operands{kVaddr, 1};
  operands.is_sinval = true;
  load();
  set_page(kNewPage, kRw);
  sanitizer_->before_sinval(hart());
  sfence_vma(hart(), operands);
  sanitizer_->after_sinval(hart());
  load();
  EXPECT_EQ(findings(), 0u);
  set_page(kOldPage, kRw);
  sfence_vma(hart(), operands);
  sanitizer_->after_sinval(hart());
  load();
  EXPECT_EQ(findings(), 1u) << "no sfence.w.inval since the store";
  set_page(kNewPage, kRw);
  sanitizer_->before_sinval(hart());
  sfence_vma(hart(), operands);
  load();
  EXPECT_EQ(findings(), 2u) << "no sfence.inval.ir";
}

TEST_F(FenceSanitizerTest, FencesThatDropNothingChangedAreCounted) {
  load();
  sfence_vma(hart(), {kVaddr, 1});
  load();
  set_page(kNewPage, kRw);
  sfence_vma(hart(), {kVaddr, 1});
  EXPECT_EQ(sanitizer_->totals().fences, 2u);
  EXPECT_EQ(sanitizer_->totals().idle_fences, 1u);
}

TEST_F(FenceSanitizerTest, ReportNamesTheFenceWithItsOperands) {
  FenceFinding finding{};
  finding.hart = &hart();
  finding.step.key = shadow_key(TableKind::kHs, 0, 1, 0, kVaddr);
  finding.step.address = kVaddr + 8;
  finding.use.asid = 1;
  finding.use.vmid = 2;
  finding.held = kRw;
  EXPECT_EQ(missing_fence(finding), "sfence.vma 0x40000000, 1");
  finding.step.key.kind = TableKind::kGuest;
  EXPECT_EQ(missing_fence(finding), "hfence.gvma 0x10000000, 2 (rs1: guest physical address >> 2)");
  finding.held = pte::V::kMask;
  EXPECT_EQ(missing_fence(finding), "hfence.gvma x0, 2");
  finding.step.key.kind = TableKind::kVs;
  EXPECT_EQ(missing_fence(finding), "sfence.vma x0, 1 in VS-mode, or hfence.vvma x0, 1 with hgatp.VMID=2");
  finding.held |= pte::G::kMask;
  finding.step.key.kind = TableKind::kHs;
  EXPECT_EQ(missing_fence(finding), "sfence.vma x0, x0");
}

}  // namespace
}  // namespace gstage::riscv
