// SPDX-License-Identifier: Apache-2.0
// walk() against translate(), over page tables that are random pages of mostly useful entries: each table
// leads to each other, in both stages, and leaves to tables. And what a walk says of single cases.
#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "target/riscv/inspect/walk.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/mmu/pte.h"
#include "target/riscv/mmu/translate.h"

namespace gstage::riscv {
namespace {

constexpr std::uint64_t kBase = 0x8000'0000;
constexpr std::uint64_t kPages = 64;
constexpr std::uint64_t kRomBase = 0x1000'0000;
/// What leads nowhere: no memory.
constexpr std::uint64_t kNowhere = 0x4000'0000;

using Rng = std::mt19937_64;
bool one_in(Rng& rng, unsigned n) { return rng() % n == 0; }

class InspectWalkTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(memory_.add_ram("ram", Paddr{kBase}, kPages * kPageSize).ok());
    ASSERT_TRUE(memory_.add_rom("rom", Paddr{kRomBase}, kPageSize).ok());
    memory_.seal();
    hart_->config = &config_;
    hart_->memory = &memory_;
    hart_->mmu = mmu_.get();
    hart_->s = &hart_->vs;
    hart_->v = 1;
    hart_->priv = kSupervisor;
    allow_all();
    reset_mmu(*hart_);
  }

  void allow_all() {
    std::memset(hart_->pmpcfg, 0, sizeof hart_->pmpcfg);
    hart_->pmpcfg[0] = 0x1f;
    hart_->pmpaddr[0] = ~std::uint64_t{0} >> 10;
    pmp_changed(*hart_);
  }
  std::uint64_t& word(std::uint64_t paddr) {
    return *reinterpret_cast<std::uint64_t*>(memory_.host(Paddr{paddr}));
  }

  std::uint64_t random_frame(Rng& rng) {
    if (one_in(rng, 60)) return one_in(rng, 2) ? kNowhere : kRomBase;
    return kBase + rng() % kPages * kPageSize;
  }
  std::uint64_t random_entry(Rng& rng) {
    if (one_in(rng, 40)) return rng();
    std::uint64_t entry = random_frame(rng) >> kPageShift << 10 | pte::V::kMask;
    if (one_in(rng, 2)) {
      entry |= 0xde ^ (one_in(rng, 3) ? pte::U::kMask : 0);
      if (one_in(rng, 4)) entry ^= std::uint64_t{1} << rng() % 8;
      if (one_in(rng, 4)) entry ^= pte::A::kMask;
      if (one_in(rng, 4)) entry ^= pte::D::kMask;
      if (one_in(rng, 10)) entry |= pte::N::kMask | (one_in(rng, 2) ? std::uint64_t{8} << 10 : 0);
      // Superpages are aligned where they begin with the memory.
      if (one_in(rng, 3)) entry = (entry & ~pte::Ppn::kMask) | kBase >> kPageShift << 10;
    }
    if (one_in(rng, 20)) entry |= rng() % 4 << 61;
    if (one_in(rng, 40)) entry |= std::uint64_t{1} << (54 + rng() % 7);
    return entry;
  }
  /// Half of the guests have a G-stage that leads each page to itself, but for what its leaves' flags forbid:
  /// else few walks of a VS-stage would get far.
  static constexpr std::uint64_t kOwnRoot = kBase;
  static constexpr std::uint64_t kOwnPages = 6;
  std::uint64_t own_leaf(Rng& rng, std::uint64_t page) {
    std::uint64_t entry = (kBase + page * kPageSize) >> kPageShift << 10 | 0xdf;
    if (one_in(rng, 3)) entry &= ~(std::uint64_t{1} << (1 + rng() % 7));
    return entry;
  }
  void build_own(Rng& rng) {
    std::memset(memory_.host(Paddr{kOwnRoot}), 0, kOwnPages * kPageSize);
    const std::uint64_t middle = kOwnRoot + 4 * kPageSize;
    const std::uint64_t leaves = middle + kPageSize;
    word(kOwnRoot + (kBase >> 30) * 8) = middle >> kPageShift << 10 | pte::V::kMask;
    word(middle) = leaves >> kPageShift << 10 | pte::V::kMask;
    for (std::uint64_t page = 0; page < kPages; ++page) word(leaves + page * 8) = own_leaf(rng, page);
  }
  void fill(Rng& rng) {
    for (std::uint64_t at = 0; at < kPages * kPageSize; at += pte::kBytes)
      word(kBase + at) = random_entry(rng);
    build_own(rng);
  }

  std::uint64_t random_atp(Rng& rng, std::uint64_t align) {
    constexpr std::uint64_t kModes[] = {0, 8, 9, 10};
    const std::uint64_t mode = kModes[one_in(rng, 8) ? 0 : 1 + rng() % 3];
    const std::uint64_t root = (kBase + rng() % kPages * kPageSize) & ~(align - 1);
    return mode == 0 ? 0 : mode << 60 | rng() % 4 << 44 | root >> kPageShift;
  }
  Regime random_regime(Rng& rng) {
    Regime regime;
    regime.satp = random_atp(rng, kPageSize);
    regime.flags = one_in(rng, 2) ? kUser : kSupervisor;
    if (!one_in(rng, 4)) {
      regime.flags |= Regime::kVirtual;
      regime.hgatp =
          one_in(rng, 2) ? std::uint64_t{8} << 60 | kOwnRoot >> kPageShift : random_atp(rng, 4 * kPageSize);
    }
    for (unsigned bit = 3; bit <= 10; ++bit)
      if (one_in(rng, bit == 6 ? 8 : 2)) regime.flags |= std::uint64_t{1} << bit;
    return regime;
  }
  void random_pmp(Rng& rng) {
    allow_all();
    if (one_in(rng, 2)) return;
    for (unsigned i = 0; i < 4; ++i) {
      hart_->pmpaddr[i] = (kBase + rng() % (kPages * kPageSize)) >> 2;
      if (one_in(rng, 2)) hart_->pmpaddr[i] |= 0x1ff;
      hart_->pmpcfg[i] = static_cast<std::uint8_t>(rng() & 0x1f);
    }
    hart_->pmpcfg[4] = one_in(rng, 8) ? 0 : 0x1f;
    hart_->pmpaddr[4] = ~std::uint64_t{0} >> 10;
    pmp_changed(*hart_);
  }
  std::uint64_t random_address(Rng& rng, const Regime& regime) {
    const unsigned levels = levels_of(regime.satp);
    if (one_in(rng, 20)) return rng();
    if (levels != 0) return sign_extend(rng(), kPageShift + 9 * levels) & ~std::uint64_t{7};
    if (!regime.v()) return kBase + rng() % (kPages * kPageSize - 8);
    const unsigned width = kPageShift + 2 + 9 * std::max(levels_of(regime.hgatp), 3u);
    return rng() & ((std::uint64_t{1} << width) - 1) & ~std::uint64_t{7};
  }

  void expect_updates(const StageWalk& way, std::vector<std::uint64_t>& updated);

  CpuConfig config_;
  AddressSpace memory_;
  std::unique_ptr<MmuState> mmu_ = std::make_unique<MmuState>();
  std::unique_ptr<Hart> hart_ = std::make_unique<Hart>();
};

/// Memory has what the walk said an access would leave there.
void InspectWalkTest::expect_updates(const StageWalk& way, std::vector<std::uint64_t>& updated) {
  for (const WalkStep& step : way.steps) {
    for (const StageWalk& guest : step.guest_walks) expect_updates(guest, updated);
    if (step.updated == step.entry) continue;
    EXPECT_EQ(word(step.entry_paddr) & step.updated, step.updated);
    updated.push_back(step.entry_paddr);
  }
}

TEST_F(InspectWalkTest, AgreesWithTranslateAndChangesNothing) {
  Rng rng(20261129);
  std::array<unsigned, 8> seen{};
  fill(rng);
  std::vector<std::uint64_t> before(kPages * kPageSize / 8);
  for (unsigned round = 0; round < 150'000; ++round) {
    if (round % 50 == 0) random_pmp(rng);
    const Regime regime = random_regime(rng);
    const auto access = static_cast<AccessType>(rng() % 3);
    const std::uint64_t address = random_address(rng, regime);
    const bool looks_closely = round % 64 == 0;
    if (looks_closely) std::memcpy(before.data(), memory_.host(Paddr{kBase}), kPages * kPageSize);
    const Walk way = walk(*hart_, regime, Vaddr{address}, 8, access);
    if (looks_closely) {
      ASSERT_EQ(std::memcmp(before.data(), memory_.host(Paddr{kBase}), kPages * kPageSize), 0);
    }
    mmu_->g_stage.clear();
    mmu_->leaf_tables.clear();
    const Translation t = translate(*hart_, regime, Vaddr{address}, 8, access);
    ASSERT_EQ(way.fault, t.fault) << "round " << round << "\n" << describe_walk(way);
    ASSERT_TRUE(!t.ok() || way.paddr == t.paddr.value) << describe_walk(way);
    if (t.fault == FaultKind::kGuestPage) {
      ASSERT_EQ(way.gpa, t.gpa) << describe_walk(way);
      ASSERT_EQ(way.is_implicit, t.is_implicit) << describe_walk(way);
      ASSERT_TRUE(!t.is_implicit || way.is_implicit_write == t.is_implicit_write) << describe_walk(way);
    }
    ASSERT_EQ(way.ok(), way.why.empty());
    std::vector<std::uint64_t> updated;
    for (const StageWalk& stage : way.stages) expect_updates(stage, updated);
    for (const std::uint64_t at : updated)
      if (at >= kOwnRoot + kOwnPages * kPageSize) word(at) = random_entry(rng);
    if (round % 16 == 0) build_own(rng);
    const bool is_deep = !way.stages.empty() && way.stages[0].steps.size() > 1;
    ++seen[static_cast<unsigned>(t.fault)];
    seen[4] += t.fault == FaultKind::kGuestPage && t.is_implicit ? 1 : 0;
    seen[5] += t.fault == FaultKind::kGuestPage && t.is_implicit && t.is_implicit_write ? 1 : 0;
    seen[6] += updated.empty() ? 0 : 1;
    seen[7] += t.ok() && regime.v() && is_deep ? 1 : 0;
  }
  // Each outcome was there often enough to mean something.
  for (unsigned i = 0; i < seen.size(); ++i) EXPECT_GT(seen[i], 20u) << i;
}

/// One walk in VS-mode through tables that are sound but for one entry.
struct Case {
  const char* name;
  std::uint64_t set_vs, clear_vs;  ///< bits of the VS-stage's leaf
  std::uint64_t set_g, clear_g;    ///< of the G-stage's leaf of the data page
  AccessType access;
  FaultKind fault;
  const char* why;
};

constexpr Case kCases[] = {
    {"sound", 0, 0, 0, 0, AccessType::kLoad, FaultKind::kNone, ""},
    {"no leaf", 0, pte::V::kMask, 0, 0, AccessType::kLoad, FaultKind::kPage, "V is 0"},
    {"read-only", 0, pte::W::kMask, 0, 0, AccessType::kStore, FaultKind::kPage, "W is 0"},
    {"user page", pte::U::kMask, 0, 0, 0, AccessType::kLoad, FaultKind::kPage,
     "U is 1, and SUM is 0: S-mode may not use it"},
    {"user code", pte::U::kMask, 0, 0, 0, AccessType::kFetch, FaultKind::kPage,
     "U is 1: S-mode never executes user pages"},
    {"not accessed", 0, pte::A::kMask, 0, 0, AccessType::kLoad, FaultKind::kPage,
     "A is 0, and ADUE is 0: software sets A (Svade)"},
    {"clean", 0, pte::D::kMask, 0, 0, AccessType::kStore, FaultKind::kPage,
     "D is 0 at a store, and ADUE is 0: software sets D (Svade)"},
    {"memory type", std::uint64_t{1} << 61, 0, 0, 0, AccessType::kLoad, FaultKind::kPage,
     "PBMT is not zero, but reserved while PBMTE is 0"},
    {"reserved", std::uint64_t{1} << 54, 0, 0, 0, AccessType::kLoad, FaultKind::kPage,
     "bits 60-54 are reserved and not zero"},
    {"write only", 0, pte::R::kMask, 0, 0, AccessType::kLoad, FaultKind::kPage,
     "W is 1 and R is 0, which is reserved"},
    {"guest page", 0, 0, 0, pte::V::kMask, AccessType::kLoad, FaultKind::kGuestPage, "V is 0"},
    {"guest page of S", 0, 0, 0, pte::U::kMask, AccessType::kLoad, FaultKind::kGuestPage,
     "U is 0: all accesses count as U-mode's in the G-stage"},
    {"guest page no code", 0, 0, 0, pte::X::kMask, AccessType::kFetch, FaultKind::kGuestPage, "X is 0"},
};

constexpr std::uint64_t kVsRoot = kBase;
constexpr std::uint64_t kGRoot = kBase + 0x8000;
constexpr std::uint64_t kData = kBase + 0x3'0000;
constexpr std::uint64_t kVaddr = 0x1234'5000;

/// Three levels each, G-stage 1:1 for all memory.
void build(const std::function<std::uint64_t&(std::uint64_t)>& word) {
  const auto pointer = [](std::uint64_t table) { return table >> 12 << 10 | 1; };
  word(kVsRoot + (kVaddr >> 30) * 8) = pointer(kVsRoot + 0x1000);
  word(kVsRoot + 0x1000 + (kVaddr >> 21 & 511) * 8) = pointer(kVsRoot + 0x2000);
  word(kVsRoot + 0x2000 + (kVaddr >> 12 & 511) * 8) = kData >> 12 << 10 | 0xcf;
  word(kGRoot + (kBase >> 30) * 8) = pointer(kGRoot + 0x4000);
  word(kGRoot + 0x4000) = pointer(kGRoot + 0x5000);
  for (std::uint64_t page = 0; page < kPages; ++page)
    word(kGRoot + 0x5000 + page * 8) = (kBase + page * kPageSize) >> 12 << 10 | 0xdf;
}

TEST_F(InspectWalkTest, NamesTheRuleThatFails) {
  const auto at = [&](std::uint64_t paddr) -> std::uint64_t& { return word(paddr); };
  Regime regime;
  regime.satp = std::uint64_t{8} << 60 | kVsRoot >> 12;
  regime.hgatp = std::uint64_t{8} << 60 | std::uint64_t{3} << 44 | kGRoot >> 12;
  regime.flags = kSupervisor | Regime::kVirtual;
  for (const Case& row : kCases) {
    build(at);
    std::uint64_t& vs = word(kVsRoot + 0x2000 + (kVaddr >> 12 & 511) * 8);
    vs = (vs | row.set_vs) & ~row.clear_vs;
    std::uint64_t& g = word(kGRoot + 0x5000 + (kData - kBase) / kPageSize * 8);
    g = (g | row.set_g) & ~row.clear_g;
    const Walk way = walk(*hart_, regime, Vaddr{kVaddr + 0x18}, 8, row.access);
    EXPECT_EQ(way.fault, row.fault) << row.name;
    EXPECT_EQ(way.why, row.why) << row.name;
  }
}

TEST_F(InspectWalkTest, TellsEachStepOfBothStagesAndPmp) {
  build([&](std::uint64_t paddr) -> std::uint64_t& { return word(paddr); });
  Regime regime;
  regime.satp = std::uint64_t{8} << 60 | std::uint64_t{7} << 44 | kVsRoot >> 12;
  regime.hgatp = std::uint64_t{8} << 60 | std::uint64_t{3} << 44 | kGRoot >> 12;
  regime.flags = kSupervisor | Regime::kVirtual;
  const Walk way = walk(*hart_, regime, Vaddr{kVaddr + 0x18}, 8, AccessType::kLoad);
  ASSERT_TRUE(way.ok());
  EXPECT_EQ(way.gpa, kData + 0x18);
  ASSERT_EQ(way.stages.size(), 2u);
  ASSERT_EQ(way.stages[0].steps.size(), 3u);
  for (const WalkStep& step : way.stages[0].steps) {
    ASSERT_EQ(step.guest_walks.size(), 1u);
    EXPECT_EQ(step.guest_walks[0].steps.size(), 3u);
    EXPECT_EQ(step.pmp.entry, 0);
  }
  const std::string text = describe_walk(way);
  for (const char* const part :
       {"load of 8 bytes at 0x12345018 as VS, vmid 3, asid 7\n",
        "vsatp Sv39, root 0x80000000: load of 0x12345018\n",
        "    hgatp Sv39x4, root 0x80008000: load of 0x80000000, where an entry of the VS-stage is\n",
        "  level 0: entry at 0x80002a28 is 0x2000c0cf: V R W X A D PPN=0x80030 (PMP entry 0: rwx)\n",
        "hgatp Sv39x4, root 0x80008000: load of 0x80030018\n", "-> 0x80030018 (page of 4 KiB)\n",
        "physical 0x80030018: PMP entry 0: rwx\n", "result: physical 0x80030018\n"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST_F(InspectWalkTest, PmpOfTheTableAndOfTheAccessAreNamed) {
  build([&](std::uint64_t paddr) -> std::uint64_t& { return word(paddr); });
  Regime regime;
  regime.satp = std::uint64_t{8} << 60 | kVsRoot >> 12;
  regime.flags = kSupervisor;
  hart_->pmpaddr[0] = (kVsRoot + 0x2000) >> 2 | 0x1ff;  // the leaf table
  hart_->pmpcfg[0] = 0x18;
  hart_->pmpaddr[1] = ~std::uint64_t{0} >> 10;
  hart_->pmpcfg[1] = 0x1d;  // no stores
  pmp_changed(*hart_);
  Walk way = walk(*hart_, regime, Vaddr{kVaddr}, 8, AccessType::kStore);
  EXPECT_EQ(way.fault, FaultKind::kAccess);
  EXPECT_EQ(way.why, "PMP entry 0 does not let S-mode read");
  hart_->pmpcfg[0] = 0;
  pmp_changed(*hart_);
  way = walk(*hart_, regime, Vaddr{kVaddr}, 8, AccessType::kStore);
  EXPECT_EQ(way.why, "PMP entry 1 does not let S-mode write");
  hart_->pmpcfg[1] = 0;
  pmp_changed(*hart_);
  way = walk(*hart_, regime, Vaddr{kVaddr}, 8, AccessType::kStore);
  EXPECT_EQ(way.why, "no PMP entry matches: S-mode may not read");
}

TEST_F(InspectWalkTest, RangesOfBothStagesAreJoined) {
  build([&](std::uint64_t paddr) -> std::uint64_t& { return word(paddr); });
  const std::uint64_t leaf = kVsRoot + 0x2000 + (kVaddr >> 12 & 511) * 8;
  word(leaf + 8) = word(leaf) + (1 << 10);
  word(leaf + 16) = (word(leaf) + (2 << 10)) & ~pte::W::kMask;
  Regime regime;
  regime.satp = std::uint64_t{8} << 60 | kVsRoot >> 12;
  regime.hgatp = std::uint64_t{8} << 60 | kGRoot >> 12;
  regime.flags = kSupervisor | Regime::kVirtual;
  const auto vs = mapped_ranges(*hart_, regime, false, 100);
  ASSERT_EQ(vs.size(), 2u);
  EXPECT_EQ(vs[0].first, kVaddr);
  EXPECT_EQ(vs[0].last, kVaddr + 0x1fff);
  EXPECT_EQ(vs[0].output, kData);
  EXPECT_EQ(vs[1].flags & pte::W::kMask, 0u);
  const auto g = mapped_ranges(*hart_, regime, true, 100);
  ASSERT_EQ(g.size(), 1u);
  EXPECT_EQ(g[0].first, kBase);
  EXPECT_EQ(g[0].last, kBase + kPages * kPageSize - 1);
  EXPECT_EQ(describe_ranges(g),
            "address            size             leads to           permissions\n"
            "0x0000000080000000 0x40000          0x0000000080000000 rwxu-ad\n");
}

}  // namespace
}  // namespace gstage::riscv
