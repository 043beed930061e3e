// SPDX-License-Identifier: Apache-2.0
// What the address-translation caches of a hart may hold, and which fence drops it ("Supervisor
// Memory-Management Fence Instruction").
#include <gtest/gtest.h>

#include "target/riscv/mmu/pte.h"
#include "target/riscv/sanitize/shadow.h"

namespace gstage::riscv {
namespace {

constexpr std::uint64_t kLeaf = pte::V::kMask | pte::R::kMask;
constexpr std::uint64_t kPointer = pte::V::kMask;
constexpr std::uint64_t kAddress = 0x4000'1000;
constexpr std::uint64_t kSlot = 0x8000'0008;

class FenceShadowTest : public testing::Test {
 protected:
  /// Holds a leaf for kAddress in the address space.
  ShadowKey hold(TableKind kind, std::uint16_t vmid, std::uint32_t asid, unsigned level = 0,
                 std::uint64_t value = kLeaf) {
    const ShadowKey key = shadow_key(kind, vmid, asid, level, kAddress);
    shadow_.enter(key, value, kSlot);
    return key;
  }
  bool holds(const ShadowKey& key) { return shadow_.find(key) != nullptr; }

  HartShadow shadow_;
};

TEST_F(FenceShadowTest, FenceWithoutOperandsDropsAllOfItsKindAlone) {
  const ShadowKey hs = hold(TableKind::kHs, 0, 1);
  const ShadowKey global = hold(TableKind::kHs, 0, ShadowKey::kGlobal);
  const ShadowKey vs = hold(TableKind::kVs, 1, 1);
  const ShadowKey guest = hold(TableKind::kGuest, 1, 0);
  shadow_.fence({TableKind::kHs});
  EXPECT_FALSE(holds(hs));
  EXPECT_FALSE(holds(global));
  EXPECT_TRUE(holds(vs));
  EXPECT_TRUE(holds(guest));
}

TEST_F(FenceShadowTest, FenceWithAsidSparesGlobalMappingsAndOtherAsids) {
  const ShadowKey own = hold(TableKind::kHs, 0, 1);
  const ShadowKey other = hold(TableKind::kHs, 0, 2);
  const ShadowKey global = hold(TableKind::kHs, 0, ShadowKey::kGlobal);
  shadow_.fence({TableKind::kHs, {}, 1});
  EXPECT_FALSE(holds(own));
  EXPECT_TRUE(holds(other));
  EXPECT_TRUE(holds(global));
}

TEST_F(FenceShadowTest, FenceWithAddressDropsLeavesOfAllLevelsAndNoPointer) {
  const ShadowKey page = hold(TableKind::kHs, 0, 1, 0);
  const ShadowKey superpage = hold(TableKind::kHs, 0, 2, 1);
  const ShadowKey pointer = hold(TableKind::kHs, 0, 1, 1, kPointer);
  const ShadowKey invalid = hold(TableKind::kHs, 0, 3, 1, 0);
  const ShadowKey global = hold(TableKind::kHs, 0, ShadowKey::kGlobal);
  shadow_.fence({TableKind::kHs, {}, {}, kAddress + 8});
  EXPECT_FALSE(holds(page));
  EXPECT_FALSE(holds(superpage));
  EXPECT_TRUE(holds(pointer));
  EXPECT_FALSE(holds(invalid)) << "it may become a leaf";
  EXPECT_FALSE(holds(global));
}

TEST_F(FenceShadowTest, FenceWithBothDropsOneLeafThatIsNotGlobal) {
  const ShadowKey own = hold(TableKind::kHs, 0, 1);
  const ShadowKey other = hold(TableKind::kHs, 0, 2);
  const ShadowKey global = hold(TableKind::kHs, 0, ShadowKey::kGlobal);
  shadow_.fence({TableKind::kHs, {}, 1, kAddress + 0x1000});
  EXPECT_TRUE(holds(own)) << "another page";
  shadow_.fence({TableKind::kHs, {}, 1, kAddress});
  EXPECT_FALSE(holds(own));
  EXPECT_TRUE(holds(other));
  EXPECT_TRUE(holds(global));
}

TEST_F(FenceShadowTest, AnyAddressOfNapotRegionDropsAllOfIt) {
  constexpr std::uint64_t kNapot = kLeaf | pte::N::kMask;
  const ShadowKey first = hold(TableKind::kHs, 0, 1, 0, kNapot);
  shadow_.fence({TableKind::kHs, {}, 1, kAddress + 0xe000});
  EXPECT_FALSE(holds(first));
}

TEST_F(FenceShadowTest, FencesOfGuestsAreByVmid) {
  const ShadowKey vs = hold(TableKind::kVs, 1, 7);
  const ShadowKey other_vs = hold(TableKind::kVs, 2, 7);
  const ShadowKey guest = hold(TableKind::kGuest, 1, 0);
  const ShadowKey other_guest = hold(TableKind::kGuest, 2, 0);
  shadow_.fence({TableKind::kVs, 1});
  EXPECT_FALSE(holds(vs));
  EXPECT_TRUE(holds(other_vs));
  EXPECT_TRUE(holds(guest)) << "hfence.vvma does not concern the G-stage";
  shadow_.fence({TableKind::kGuest, 1, {}, kAddress});
  EXPECT_FALSE(holds(guest));
  EXPECT_TRUE(holds(other_guest));
  shadow_.fence({TableKind::kGuest});
  EXPECT_FALSE(holds(other_guest));
  EXPECT_TRUE(holds(other_vs)) << "hfence.gvma need not flush the VS-stage";
}

TEST_F(FenceShadowTest, WhatIsReadAfterTheFenceIsHeld) {
  const ShadowKey key = hold(TableKind::kHs, 0, 1);
  shadow_.fence({TableKind::kHs});
  hold(TableKind::kHs, 0, 1);
  EXPECT_TRUE(holds(key));
}

TEST_F(FenceShadowTest, FenceTellsHowMuchOfWhatItDropsHadChanged) {
  const ShadowKey key = hold(TableKind::kHs, 0, 1);
  EXPECT_EQ(shadow_.fence({TableKind::kHs, {}, 2}), 0u);
  shadow_.mark_changed(key, *shadow_.find(key), 1);
  EXPECT_EQ(shadow_.fence({TableKind::kHs, {}, 2}), 0u);
  EXPECT_EQ(shadow_.fence({TableKind::kHs, {}, 1}), 1u);
  EXPECT_EQ(shadow_.fence({TableKind::kHs, {}, 1}), 0u);
}

TEST_F(FenceShadowTest, StoresAfterSfenceWInvalAreNotOrderedBySinval) {
  const ShadowKey before = hold(TableKind::kHs, 0, 1);
  const ShadowKey after = hold(TableKind::kHs, 0, 2);
  shadow_.mark_changed(before, *shadow_.find(before), 1);
  shadow_.mark_changed(after, *shadow_.find(after), 2);
  FenceScope scope{TableKind::kHs};
  scope.last_store = 1;
  EXPECT_EQ(shadow_.fence(scope), 1u);
  EXPECT_FALSE(holds(before));
  ASSERT_TRUE(holds(after));
  EXPECT_TRUE(shadow_.find(after)->has_sinval);
}

}  // namespace
}  // namespace gstage::riscv
