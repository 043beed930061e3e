// SPDX-License-Identifier: Apache-2.0
// Two-stage translation, its faults, and PMP, on page tables built by hand.
#include "target/riscv/mmu/mmu.h"

#include <functional>
#include <memory>

#include <gtest/gtest.h>

#include "target/riscv/mmu/access.h"
#include "target/riscv/mmu/pte.h"
#include "target/riscv/mmu/translate.h"

namespace gstage::riscv {
namespace {

constexpr std::uint64_t kBase = 0x80000000;
constexpr std::uint64_t kSv39 = std::uint64_t{8} << 60;
constexpr std::uint64_t kAll = 0xdf;  // V R W X U A D

/// A hart in VS-mode with VS-stage table at +0x10000, G-stage table at +0x20000, both empty.
class MmuTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(memory_.add_ram("ram", Paddr{kBase}, 1 << 20).ok());
    memory_.seal();
    hart_->config = &config_;
    hart_->memory = &memory_;
    hart_->mmu = mmu_.get();
    hart_->s = &hart_->vs;
    hart_->v = 1;
    hart_->priv = kSupervisor;
    hart_->pmpcfg[0] = 0x1f;
    hart_->pmpaddr[0] = ~std::uint64_t{0} >> 10;
    hart_->vs.satp = kSv39 | (kBase + 0x10000) >> 12;
    hart_->hgatp = kSv39 | (kBase + 0x20000) >> 12;
    reset_mmu(*hart_);
    for (std::uint64_t page = 0; page < 0x40; ++page)
      map_g(kBase + page * kPageSize, kBase + page * kPageSize, kAll);
  }

  std::uint64_t& word(std::uint64_t paddr) {
    return *reinterpret_cast<std::uint64_t*>(memory_.host(Paddr{paddr}));
  }
  void map(std::uint64_t root, std::uint64_t from, std::uint64_t to, std::uint64_t flags) {
    word(root + (from >> 30) * 8) = (root + 0x4000) >> 12 << 10 | 1;
    word(root + 0x4000 + (from >> 21 & 511) * 8) = (root + 0x5000) >> 12 << 10 | 1;
    word(root + 0x5000 + (from >> 12 & 511) * 8) = to >> 12 << 10 | flags;
  }
  void map_vs(std::uint64_t from, std::uint64_t to, std::uint64_t flags) {
    map(kBase + 0x10000, from, to, flags);
  }
  void map_g(std::uint64_t from, std::uint64_t to, std::uint64_t flags) {
    map(kBase + 0x20000, from, to, flags);
  }
  std::uint64_t vs_leaf(std::uint64_t vaddr) { return kBase + 0x15000 + (vaddr >> 12 & 511) * 8; }

  void move_leaf_table(std::uint64_t vaddr, std::uint64_t to);

  Translation go(std::uint64_t vaddr, AccessType access) {
    update_regimes(*hart_);
    hart_->mmu->g_stage.clear();
    return translate(*hart_, hart_->mmu->data, Vaddr{vaddr}, 8, access);
  }
  std::uint64_t load(std::uint64_t vaddr) {
    update_regimes(*hart_);
    hart_->core.trap_pending = 0;
    return load_slow(*hart_, active_data(*hart_), Vaddr{vaddr}, tcg::MemKind::u64);
  }

  CpuConfig config_;
  AddressSpace memory_;
  std::unique_ptr<MmuState> mmu_ = std::make_unique<MmuState>();
  std::unique_ptr<Hart> hart_ = std::make_unique<Hart>();
};

constexpr std::uint64_t kS = kAll & ~pte::U::kMask;

TEST_F(MmuTest, BothStagesTranslate) {
  map_vs(0x1000, kBase + 0x5000, kS);
  map_g(kBase + 0x5000, kBase + 0x7000, kAll);
  const Translation t = go(0x1238, AccessType::kLoad);
  ASSERT_TRUE(t.ok());
  EXPECT_EQ(t.paddr.value, kBase + 0x7238);
  EXPECT_EQ(t.gpa, kBase + 0x5238);
}

TEST_F(MmuTest, GuestPageFaultGivesTheExactGuestPhysicalAddress) {
  map_vs(0x1000, kBase + 0x5000, kS);
  map_g(kBase + 0x5000, 0, 0);
  const Translation t = go(0x1238, AccessType::kStore);
  EXPECT_EQ(t.fault, FaultKind::kGuestPage);
  EXPECT_FALSE(t.is_implicit);
  EXPECT_EQ(t.gpa, kBase + 0x5238);
}

TEST_F(MmuTest, FaultOfTheVsWalkIsImplicitReadAtTheEntry) {
  map_vs(0x1000, kBase + 0x5000, kS);
  map_g(kBase + 0x15000, 0, 0);
  load(0x1238);
  ASSERT_NE(hart_->core.trap_pending, 0u);
  EXPECT_EQ(hart_->trap.cause, Cause::kLoadGuestPageFault);
  EXPECT_TRUE(hart_->trap.is_implicit);
  EXPECT_EQ(hart_->trap.tinst, 0x3000u);
  EXPECT_EQ(hart_->trap.gpa, vs_leaf(0x1000));
  EXPECT_EQ(hart_->trap.tval, 0x1238u);
  EXPECT_TRUE(hart_->trap.tval_is_guest_vaddr);
}

TEST_F(MmuTest, FaultOfSettingAInTheVsTableIsImplicitWriteOfTheOriginalAccessType) {
  map_vs(0x1000, kBase + 0x5000, kS & ~pte::A::kMask);
  map_g(kBase + 0x15000, kBase + 0x15000, kAll & ~pte::W::kMask);
  hart_->menvcfg = hart_->henvcfg = std::uint64_t{1} << 61;
  load(0x1238);
  EXPECT_EQ(hart_->trap.cause, Cause::kLoadGuestPageFault);
  EXPECT_EQ(hart_->trap.tinst, 0x3020u);
  EXPECT_EQ(hart_->trap.gpa, vs_leaf(0x1000));
}

TEST_F(MmuTest, SvadeFaultsAndSvaduSetsAAndD) {
  map_vs(0x1000, kBase + 0x5000, kS & ~(pte::A::kMask | pte::D::kMask));
  EXPECT_EQ(go(0x1000, AccessType::kLoad).fault, FaultKind::kPage);
  hart_->menvcfg = std::uint64_t{1} << 61;
  EXPECT_EQ(go(0x1000, AccessType::kLoad).fault, FaultKind::kPage) << "henvcfg.ADUE governs the VS-stage";
  hart_->henvcfg = std::uint64_t{1} << 61;
  EXPECT_TRUE(go(0x1000, AccessType::kLoad).ok());
  EXPECT_EQ(word(vs_leaf(0x1000)) & (pte::A::kMask | pte::D::kMask), pte::A::kMask);
  EXPECT_TRUE(go(0x1000, AccessType::kStore).ok());
  EXPECT_EQ(word(vs_leaf(0x1000)) & pte::D::kMask, pte::D::kMask);
}

TEST_F(MmuTest, CleanPageIsNotEnteredForWriting) {
  map_vs(0x1000, kBase + 0x5000, kS & ~pte::D::kMask);
  EXPECT_EQ(go(0x1000, AccessType::kLoad).allowed & allows(AccessType::kStore), 0);
}

TEST_F(MmuTest, SstatusMxrAppliesToBothStagesAndVsstatusMxrToTheFirst) {
  constexpr std::uint64_t kMxr = 1 << 19;
  map_vs(0x1000, kBase + 0x5000, kS & ~(pte::R::kMask | pte::W::kMask));
  EXPECT_EQ(go(0x1000, AccessType::kLoad).fault, FaultKind::kPage);
  hart_->vs.status = kMxr;
  EXPECT_TRUE(go(0x1000, AccessType::kLoad).ok());
  map_g(kBase + 0x5000, kBase + 0x5000, kAll & ~(pte::R::kMask | pte::W::kMask));
  EXPECT_EQ(go(0x1000, AccessType::kLoad).fault, FaultKind::kGuestPage);
  hart_->vs.status = 0;
  hart_->hs.status = kMxr;
  EXPECT_TRUE(go(0x1000, AccessType::kLoad).ok());
}

TEST_F(MmuTest, WhatOneMxrAllowedIsNotFoundAfterItIsCleared) {
  constexpr std::uint64_t kMxr = 1 << 19;
  map_vs(0x1000, kBase + 0x5000, kS & ~(pte::R::kMask | pte::W::kMask));
  const auto is_cached = [&] { return hart_->core.read[tlb_index(0x1000)].tag == 0x1000; };
  for (std::uint64_t* const status : {&hart_->vs.status, &hart_->hs.status}) {
    *status = kMxr;
    load(0x1000);
    EXPECT_EQ(hart_->core.trap_pending, 0u);
    EXPECT_TRUE(is_cached());
    *status = 0;
    update_regimes(*hart_);
    EXPECT_FALSE(is_cached()) << "no fence, but nothing that may be used";
    load(0x1000);
    EXPECT_EQ(hart_->trap.cause, Cause::kLoadPageFault);
    EXPECT_NE(hart_->core.trap_pending, 0u);
  }
}

TEST_F(MmuTest, HlvxNeedsExecuteInBothStagesWhateverMxr) {
  hart_->hs.status = hart_->vs.status = 1 << 19;
  hart_->v = 0;
  hart_->s = &hart_->hs;
  hart_->hstatus = 1 << 8;  // SPVP
  const auto hlvx = [&] {
    update_regimes(*hart_);
    hart_->mmu->tlb.clear(TlbFlush::kReset);
    hart_->mmu->g_stage.clear();
    hart_->core.trap_pending = 0;
    hyp_load(*hart_, Vaddr{0x1000}, tcg::MemKind::u32, true);
    return hart_->core.trap_pending == 0;
  };
  map_vs(0x1000, kBase + 0x5000, kS & ~(pte::R::kMask | pte::W::kMask));
  EXPECT_TRUE(hlvx());
  map_g(kBase + 0x5000, kBase + 0x5000, kAll & ~pte::X::kMask);
  EXPECT_FALSE(hlvx());
  EXPECT_EQ(hart_->trap.cause, Cause::kLoadGuestPageFault);
  map_g(kBase + 0x5000, kBase + 0x5000, kAll);
  map_vs(0x1000, kBase + 0x5000, kS & ~pte::X::kMask);
  EXPECT_FALSE(hlvx());
  EXPECT_EQ(hart_->trap.cause, Cause::kLoadPageFault);
}

/// Moves the last level of the VS-stage's tables, which then leads elsewhere.
void MmuTest::move_leaf_table(std::uint64_t vaddr, std::uint64_t to) {
  constexpr std::uint64_t kNewTable = kBase + 0x18000;
  word(kNewTable + (vaddr >> 12 & 511) * 8) = to >> 12 << 10 | kS;
  word(kBase + 0x14000 + (vaddr >> 21 & 511) * 8) = kNewTable >> 12 << 10 | 1;
}

TEST_F(MmuTest, EveryFenceThatCoversAnAddressForgetsWhereItsLeafTableIs) {
  const std::function<void()> kFences[] = {
      [&] { sfence_vma(*hart_, {}); },          [&] { sfence_vma(*hart_, {0x1000, std::nullopt}); },
      [&] { sfence_vma(*hart_, {0x1000, 0}); }, [&] { sfence_vma(*hart_, {std::nullopt, 0}); },
      [&] { hfence_gvma(*hart_, {}); },         [&] { hfence_gvma(*hart_, {kBase + 0x14000, std::nullopt}); },
  };
  for (const auto& fence : kFences) {
    map_vs(0x1000, kBase + 0x5000, kS);
    sfence_vma(*hart_, {});
    ASSERT_EQ(go(0x1000, AccessType::kLoad).paddr.value, kBase + 0x5000);
    move_leaf_table(0x1000, kBase + 0x6000);
    fence();
    EXPECT_EQ(go(0x1000, AccessType::kLoad).paddr.value, kBase + 0x6000) << &fence - kFences;
  }
}

TEST_F(MmuTest, LeafTablesAreOfTheirAddressSpaceAlone) {
  map_vs(0x1000, kBase + 0x5000, kS);
  ASSERT_EQ(go(0x1000, AccessType::kLoad).paddr.value, kBase + 0x5000);
  const std::uint64_t first = hart_->vs.satp;
  map(kBase + 0x30000, 0x1000, kBase + 0x7000, kS);
  hart_->vs.satp = kSv39 | (kBase + 0x30000) >> 12;
  EXPECT_EQ(go(0x1000, AccessType::kLoad).paddr.value, kBase + 0x7000);
  hart_->vs.satp = first;
  EXPECT_EQ(go(0x1000, AccessType::kLoad).paddr.value, kBase + 0x5000);
  EXPECT_EQ(go(0x1000 + (std::uint64_t{1} << 30), AccessType::kLoad).fault, FaultKind::kPage);
}

TEST_F(MmuTest, ALeafThatBecomesValidIsSeenWithoutAFence) {
  map_vs(0x1000, kBase + 0x5000, kS);
  ASSERT_TRUE(go(0x1000, AccessType::kLoad).ok());
  EXPECT_EQ(go(0x2000, AccessType::kLoad).fault, FaultKind::kPage);
  word(vs_leaf(0x2000)) = (kBase + 0x6000) >> 12 << 10 | kS;
  EXPECT_EQ(go(0x2000, AccessType::kLoad).paddr.value, kBase + 0x6000);
}

TEST_F(MmuTest, GStageCountsAllAccessesAsUser) {
  map_vs(0x1000, kBase + 0x5000, kS);
  map_g(kBase + 0x5000, kBase + 0x5000, kS);
  EXPECT_EQ(go(0x1000, AccessType::kLoad).fault, FaultKind::kGuestPage);
}

TEST_F(MmuTest, ReservedBitsOfEntriesFault) {
  map_vs(0x1000, kBase + 0x5000, kS | std::uint64_t{1} << 54);
  EXPECT_EQ(go(0x1000, AccessType::kLoad).fault, FaultKind::kPage);
  map_vs(0x1000, kBase + 0x5000, 0xcd);  // W without R
  EXPECT_EQ(go(0x1000, AccessType::kLoad).fault, FaultKind::kPage);
  map_vs(0x1000, kBase + 0x5000, kS);
  word(kBase + 0x10000) |= pte::A::kMask;  // A in an entry that points on
  sfence_vma(*hart_, {});
  EXPECT_EQ(go(0x1000, AccessType::kLoad).fault, FaultKind::kPage);
}

TEST_F(MmuTest, AddressesBeyondTheModeFault) {
  EXPECT_EQ(go(std::uint64_t{1} << 39, AccessType::kLoad).fault, FaultKind::kPage);
  hart_->vs.satp = 0;
  const Translation t = go(std::uint64_t{1} << 41, AccessType::kLoad);
  EXPECT_EQ(t.fault, FaultKind::kGuestPage);
  EXPECT_FALSE(t.is_implicit);
}

TEST_F(MmuTest, FenceByAddressDropsThatPageOnly) {
  map_vs(0x1000, kBase + 0x5000, kS);
  map_vs(0x2000, kBase + 0x6000, kS);
  word(kBase + 0x5000) = 1;
  word(kBase + 0x6000) = 2;
  EXPECT_EQ(load(0x1000), 1u);
  EXPECT_EQ(load(0x2000), 2u);
  const auto is_cached = [&](std::uint64_t vaddr) { return hart_->core.read[tlb_index(vaddr)].tag == vaddr; };
  ASSERT_TRUE(is_cached(0x1000) && is_cached(0x2000));
  sfence_vma(*hart_, {0x1000, std::nullopt});
  EXPECT_FALSE(is_cached(0x1000));
  EXPECT_TRUE(is_cached(0x2000));
}

TEST_F(MmuTest, HfenceGvmaByAddressDropsWhatCameThroughThatGuestPage) {
  map_vs(0x1000, kBase + 0x5000, kS);
  map_vs(0x2000, kBase + 0x6000, kS);
  load(0x1000);
  load(0x2000);
  hfence_gvma(*hart_, {kBase + 0x5000, std::nullopt});
  EXPECT_NE(hart_->core.read[tlb_index(0x1000)].tag, 0x1000u);
  EXPECT_EQ(hart_->core.read[tlb_index(0x2000)].tag, 0x2000u);
}

TEST_F(MmuTest, FencesTellVmidsByAllTheirBits) {
  map_vs(0x1000, kBase + 0x5000, kS);
  const std::uint64_t root = hart_->hgatp;
  const auto is_cached = [&] { return hart_->core.read[tlb_index(0x1000)].tag == 0x1000; };
  for (unsigned bit = 0; bit < 14; ++bit) {
    const std::uint64_t vmid = 0x1555 ^ 1u << bit;
    hart_->hgatp = root | vmid << 44;
    load(0x1000);
    ASSERT_TRUE(is_cached());
    hfence_gvma(*hart_, {std::nullopt, 0x1555});
    EXPECT_TRUE(is_cached()) << bit;
    hart_->hgatp = root | std::uint64_t{0x1555} << 44;
    hfence_vvma(*hart_, {});
    hart_->hgatp = root | vmid << 44;
    update_regimes(*hart_);
    EXPECT_TRUE(is_cached()) << bit;
    hfence_gvma(*hart_, {std::nullopt, vmid});
    EXPECT_FALSE(is_cached()) << bit;
    load(0x1000);
    ASSERT_TRUE(is_cached());
    hfence_vvma(*hart_, {});
    EXPECT_FALSE(is_cached()) << bit;
  }
}

TEST(GStageCacheTest, FenceOfAnAddressDropsAllPartsOfTheLeafThatHoldsIt) {
  constexpr std::uint64_t kHgatp = std::uint64_t{8} << 60 | std::uint64_t{5} << 44;
  GStageCache cache;
  const auto enter = [&](std::uint64_t gpa, std::uint8_t shift) {
    cache.enter({gpa, kHgatp, 0, 0xff, shift});
  };
  const auto has = [&](std::uint64_t gpa) { return cache.find(gpa, kHgatp) != nullptr; };
  enter(0x8000'3000, 21);
  enter(0x801f'e000, 21);
  enter(0x8020'1000, 21);
  enter(0x9000'5000, 12);
  enter(0x9000'6000, 12);
  EXPECT_TRUE(has(0x8000'3fff));
  EXPECT_EQ(cache.find(0x8000'3000, kHgatp + 1), nullptr);
  const std::uint64_t inside = 0x8010'0000;
  cache.drop(&inside, nullptr);
  EXPECT_FALSE(has(0x8000'3000));
  EXPECT_FALSE(has(0x801f'e000));
  EXPECT_TRUE(has(0x8020'1000));
  const std::uint64_t page = 0x9000'5008;
  cache.drop(&page, nullptr);
  EXPECT_FALSE(has(0x9000'5000));
  EXPECT_TRUE(has(0x9000'6000));
  enter(0x8000'3000, 21);
  EXPECT_TRUE(has(0x8000'3000)) << "what is entered after the fence counts";
  const std::uint64_t other = 6;
  cache.drop(nullptr, &other);
  EXPECT_TRUE(has(0x9000'6000));
  const std::uint64_t vmid = 5;
  cache.drop(nullptr, &vmid);
  EXPECT_FALSE(has(0x9000'6000));
}

TEST_F(MmuTest, AnotherAddressSpaceBeginsWithTheGlobalTranslationsOfTheLast) {
  map_vs(0x1000, kBase + 0x5000, kS | pte::G::kMask);
  map_vs(0x2000, kBase + 0x6000, kS);
  load(0x1000);
  load(0x2000);
  const auto is_cached = [&](std::uint64_t vaddr) {
    return recall_page(*hart_, *hart_->mmu->data_context, TlbAccess::kRead, Vaddr{vaddr}) != nullptr;
  };
  ASSERT_TRUE(is_cached(0x1000) && is_cached(0x2000));
  hart_->vs.satp ^= std::uint64_t{0x77} << 44;  // ASID
  update_regimes(*hart_);
  EXPECT_TRUE(is_cached(0x1000));
  EXPECT_FALSE(is_cached(0x2000));
  // Another VMID is another world.
  hart_->hgatp ^= std::uint64_t{0x77} << 44;
  update_regimes(*hart_);
  EXPECT_FALSE(is_cached(0x1000));
  hart_->hgatp ^= std::uint64_t{0x77} << 44;
  update_regimes(*hart_);
  // A fence of the address alone reaches it in every address space.
  sfence_vma(*hart_, {0x1000, std::nullopt});
  EXPECT_FALSE(is_cached(0x1000));
  hart_->vs.satp ^= std::uint64_t{0x77} << 44;
  update_regimes(*hart_);
  EXPECT_FALSE(is_cached(0x1000));
}

TEST_F(MmuTest, GlobalTranslationsOfAnotherWorldOrModeAreNotTakenOver) {
  map_vs(0x1000, kBase + 0x5000, kS | pte::G::kMask);
  load(0x1000);
  hart_->vs.satp ^= std::uint64_t{0x77} << 44;  // ASID
  update_regimes(*hart_);
  TlbContext& context = *hart_->mmu->data_context;
  const auto is_cached = [&] {
    return recall_page(*hart_, context, TlbAccess::kRead, Vaddr{0x1000}) != nullptr;
  };
  ASSERT_NE(context.relative, nullptr);
  // The relative is recycled for another world: what it holds then is not for this one.
  auto& relative = const_cast<TlbContext&>(*context.relative);
  const TlbKey key = relative.key;
  for (unsigned word = 1; word < 3; ++word) {
    relative.key.words[word] ^= 1 << 7;
    EXPECT_FALSE(is_cached());
    relative.key = key;
  }
  EXPECT_TRUE(is_cached());
}

TEST_F(MmuTest, PagesInTheWayOfEachOtherAreWalkedForOnce) {
  const std::uint64_t rival = 0x1000 + (std::uint64_t{kTlbSize} << kPageShift);
  map_vs(0x1000, kBase + 0x5000, kS);
  const std::uint64_t leaf_table = kBase + 0x16000;  // another one, or else they were one page
  word(kBase + 0x14000 + (rival >> 21) * 8) = leaf_table >> 12 << 10 | pte::V::kMask;
  word(leaf_table + (rival >> 12 & 511) * 8) = (kBase + 0x6000) >> 12 << 10 | kS;
  word(kBase + 0x5000) = 1;
  word(kBase + 0x6000) = 2;
  for (unsigned round = 0; round < 3; ++round) {
    EXPECT_EQ(load(0x1000), 1u);
    EXPECT_EQ(load(rival), 2u);
  }
  // Without a fence the tables may change, and nobody sees it.
  map_vs(0x1000, kBase + 0x6000, kS);
  EXPECT_EQ(load(0x1000), 1u);
  sfence_vma(*hart_, {0x1000, std::nullopt});
  EXPECT_EQ(load(0x1000), 2u);
  hfence_gvma(*hart_, {kBase + 0x6000, std::nullopt});
  EXPECT_NE(hart_->core.read[tlb_index(rival)].tag, rival);
  EXPECT_EQ(hart_->mmu->data_context->recall(TlbAccess::kRead, Vaddr{rival}), nullptr);
}

TEST_F(MmuTest, FenceOfAnAsidSparesGlobalEntriesAndOtherAsids) {
  map_vs(0x1000, kBase + 0x5000, kS | pte::G::kMask);
  map_vs(0x2000, kBase + 0x6000, kS);
  load(0x1000);
  load(0x2000);
  sfence_vma(*hart_, {std::nullopt, 5});
  EXPECT_EQ(hart_->core.read[tlb_index(0x2000)].tag, 0x2000u) << "another ASID was named";
  sfence_vma(*hart_, {std::nullopt, 0});
  EXPECT_EQ(hart_->core.read[tlb_index(0x1000)].tag, 0x1000u) << "global";
  EXPECT_NE(hart_->core.read[tlb_index(0x2000)].tag, 0x2000u);
}

TEST_F(MmuTest, ChangeOfVOrRootsFlushesNothing) {
  map_vs(0x1000, kBase + 0x5000, kS);
  load(0x1000);
  const TlbEntry* const guest_table = hart_->core.read;
  hart_->v = 0;
  hart_->s = &hart_->hs;
  update_regimes(*hart_);
  EXPECT_NE(hart_->core.read, guest_table);
  hart_->v = 1;
  hart_->s = &hart_->vs;
  update_regimes(*hart_);
  EXPECT_EQ(hart_->core.read, guest_table);
  EXPECT_EQ(guest_table[tlb_index(0x1000)].tag, 0x1000u);
}

TEST_F(MmuTest, StoreAcrossPagesThatFaultsInTheSecondWritesNothing) {
  map_vs(0x1000, kBase + 0x5000, kS);
  word(kBase + 0x5ff8) = 0;
  update_regimes(*hart_);
  store_slow(*hart_, active_data(*hart_), Vaddr{0x1ffc}, tcg::MemKind::u64, ~std::uint64_t{0});
  EXPECT_EQ(hart_->trap.cause, Cause::kStorePageFault);
  EXPECT_EQ(hart_->trap.tval, 0x2000u);
  EXPECT_EQ(hart_->trap.vaddr_offset, 4);
  EXPECT_EQ(word(kBase + 0x5ff8), 0u);
}

struct PmpCase {
  std::uint8_t cfg;
  std::uint64_t mseccfg;
  std::uint8_t machine;  ///< expected Allowed of M-mode: 1 load, 2 store, 4 fetch
  std::uint8_t user;
};

class SmepmpTable : public MmuTest, public testing::WithParamInterface<PmpCase> {};

TEST_P(SmepmpTable, GivesThePermissionsOfTheSpecification) {
  const PmpCase& c = GetParam();
  hart_->pmpcfg[0] = c.cfg;
  hart_->mseccfg = c.mseccfg;
  pmp_changed(*hart_);
  EXPECT_EQ(pmp_check(*hart_, Paddr{kBase}, 8, kMachine).allowed, c.machine);
  EXPECT_EQ(pmp_check(*hart_, Paddr{kBase}, 8, kUser).allowed, c.user);
}

// NAPOT is 0x18, L 0x80. First without MML, then the truth table of "Smepmp" row by row.
INSTANTIATE_TEST_SUITE_P(
    Rows, SmepmpTable,
    testing::Values(PmpCase{0x18, 0, 7, 0}, PmpCase{0x19, 0, 7, 1}, PmpCase{0x1d, 0, 7, 5},
                    PmpCase{0x99, 0, 1, 1}, PmpCase{0x18, 1, 0, 0}, PmpCase{0x1c, 1, 0, 4},
                    PmpCase{0x1a, 1, 3, 1}, PmpCase{0x1e, 1, 3, 3}, PmpCase{0x19, 1, 0, 1},
                    PmpCase{0x1d, 1, 0, 5}, PmpCase{0x1b, 1, 0, 3}, PmpCase{0x1f, 1, 0, 7},
                    PmpCase{0x98, 1, 0, 0}, PmpCase{0x9c, 1, 4, 0}, PmpCase{0x9a, 1, 4, 4},
                    PmpCase{0x9e, 1, 5, 4}, PmpCase{0x99, 1, 1, 0}, PmpCase{0x9d, 1, 5, 0},
                    PmpCase{0x9b, 1, 3, 0}, PmpCase{0x9f, 1, 1, 1}, PmpCase{0x00, 0, 7, 0},
                    PmpCase{0x00, 1, 3, 0}, PmpCase{0x00, 2, 0, 0}));

TEST_F(MmuTest, PmpRuleThatMatchesAPartOfTheAccessDenies) {
  hart_->pmpcfg[0] = 0x17;  // NA4 RWX
  hart_->pmpaddr[0] = (kBase + 0x100) >> 2;
  pmp_changed(*hart_);
  EXPECT_EQ(pmp_check(*hart_, Paddr{kBase + 0x100}, 4, kUser).allowed, kAllowAll);
  EXPECT_EQ(pmp_check(*hart_, Paddr{kBase + 0x100}, 8, kMachine).allowed, 0);
  EXPECT_FALSE(pmp_check(*hart_, Paddr{kBase + 0x200}, 8, kMachine).is_uniform);
}

TEST_F(MmuTest, PmpTorTakesTheAddressBelow) {
  hart_->pmpcfg[0] = 0;
  hart_->pmpaddr[0] = kBase >> 2;
  hart_->pmpcfg[1] = 0x09;  // TOR R
  hart_->pmpaddr[1] = (kBase + 0x2000) >> 2;
  pmp_changed(*hart_);
  EXPECT_EQ(pmp_check(*hart_, Paddr{kBase}, 8, kUser).allowed, allows(AccessType::kLoad));
  EXPECT_EQ(pmp_check(*hart_, Paddr{kBase + 0x2000}, 8, kUser).allowed, 0);
  EXPECT_EQ(pmp_check(*hart_, Paddr{kBase - 8}, 8, kUser).allowed, 0);
  EXPECT_TRUE(pmp_check(*hart_, Paddr{kBase}, 8, kUser).is_uniform);
}

/// "Pointer Masking Extensions": whose field, by effective mode.
TEST_F(MmuTest, PointerMaskingByEffectiveMode) {
  constexpr std::uint64_t kPmm16 = 3ull << 32;
  constexpr std::uint64_t kPmm7 = 2ull << 32;
  config_.smmpm = config_.smnpm = config_.ssnpm = true;
  hart_->mseccfg = kPmm7;
  hart_->menvcfg = kPmm16;
  const auto pmlen = [this](Privilege priv, bool v) {
    hart_->priv = priv;
    hart_->v = v ? 1 : 0;
    Regime regime;
    make_data_regime(*hart_, regime);
    return regime.pmlen();
  };
  EXPECT_EQ(pmlen(kMachine, false), 7u);
  EXPECT_EQ(pmlen(kSupervisor, false), 16u);
  EXPECT_EQ(pmlen(kUser, false), 0u);
  EXPECT_EQ(pmlen(kSupervisor, true), 0u);
  hart_->henvcfg = kPmm7;
  EXPECT_EQ(pmlen(kSupervisor, true), 7u);
  EXPECT_EQ(pmlen(kUser, true), 0u);
  hart_->senvcfg = kPmm16;
  EXPECT_EQ(pmlen(kUser, true), 16u);
  EXPECT_EQ(pmlen(kUser, false), 16u);
  // MXR of the guest alone concerns the guest alone.
  hart_->vs.status = 1 << 19;
  EXPECT_EQ(pmlen(kUser, true), 0u);
  EXPECT_EQ(pmlen(kUser, false), 16u);
  hart_->hs.status = 1 << 19;
  EXPECT_EQ(pmlen(kUser, false), 0u);
  EXPECT_EQ(pmlen(kMachine, false), 7u);
  // Fetches never are.
  hart_->priv = kSupervisor;
  Regime fetch;
  make_fetch_regime(*hart_, fetch);
  EXPECT_EQ(fetch.pmlen(), 0u);
}

TEST_F(MmuTest, MaskedAddressesAreExtendedByTheirKind) {
  Regime regime{};
  EXPECT_EQ(regime.unmasked(Vaddr{0xffff'8000'0000'0001}).value, 0xffff'8000'0000'0001u);
  regime.flags = std::uint64_t{16} << Regime::kPmlenShift;
  EXPECT_EQ(regime.unmasked(Vaddr{0xabcd'8000'0000'0001}).value, 0x8000'0000'0001u);
  regime.satp = kSv39;
  EXPECT_EQ(regime.unmasked(Vaddr{0xabcd'8000'0000'0001}).value, 0xffff'8000'0000'0001u);
  regime.flags = std::uint64_t{7} << Regime::kPmlenShift;
  EXPECT_EQ(regime.unmasked(Vaddr{0xabff'ffff'1234'5678}).value, 0xffff'ffff'1234'5678u);
}

/// The TLB finds masked pages under the address that the program used; a fence for the page means all of
/// them.
TEST_F(MmuTest, FencesByAddressDropMaskedPagesUnderAllTags) {
  config_.ssnpm = true;
  hart_->henvcfg = 3ull << 32;
  update_regimes(*hart_);
  constexpr std::uint64_t kTagged = 0x5a5a'0000'0000'1000;
  map_vs(0x1000, kBase + 0x5000, kAll & ~0x10u);
  load_slow(*hart_, active_data(*hart_), Vaddr{kTagged}, tcg::MemKind::u64);
  const TlbEntry& entry = hart_->core.read[tlb_index(kTagged)];
  EXPECT_EQ(entry.tag, kTagged);
  sfence_vma(*hart_, {0x1000, std::nullopt});
  EXPECT_EQ(entry.tag, kNoTag);
  EXPECT_EQ(hart_->core.trap_pending, 0u);
}

}  // namespace
}  // namespace gstage::riscv
