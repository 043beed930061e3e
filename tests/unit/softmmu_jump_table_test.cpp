// SPDX-License-Identifier: Apache-2.0
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "softmmu/base/types.h"
#include "softmmu/mem/jump_table.h"

namespace gstage {
namespace {

alignas(kPageSize) std::byte host[kPageSize];
const std::byte code[kPageSize] = {};

TEST(JumpTable, BlocksAreFoundByHostAddressAndFlags) {
  JumpTable table;
  const std::uint64_t key = JumpTable::key_of(host + 0x40, 1);
  EXPECT_EQ(table.find(key), nullptr);
  table.enter(key, &code[1]);
  EXPECT_EQ(table.find(key), &code[1]);
  EXPECT_EQ(table.find(JumpTable::key_of(host + 0x42, 1)), nullptr);
  EXPECT_EQ(table.find(JumpTable::key_of(host + 0x40, 2)), nullptr);
  EXPECT_EQ(JumpTable::find(kNoJumps.data(), 0, key), nullptr);
}

TEST(JumpTable, NoTwoBlocksHaveTheSameKey) {
  const auto* const last = reinterpret_cast<const std::byte*>((std::uintptr_t{1} << 47) - 2);
  for (std::uint32_t flags = 0; flags < 1u << 15; ++flags)
    ASSERT_LT(JumpTable::key_of(last, flags), JumpTable::key_of(nullptr, flags + 1)) << flags;
}

TEST(JumpTable, ABlockHasTheCodeThatWasEnteredLast) {
  JumpTable table;
  const std::uint64_t key = JumpTable::key_of(host, 0);
  table.enter(key, &code[1]);
  table.enter(key, &code[2]);
  EXPECT_EQ(table.find(key), &code[2]);
}

/// Keys with the same slot, however large the table is.
std::uint64_t rival(unsigned number) { return JumpTable::key_of(host, 0) + (std::uint64_t{number} << 33); }

TEST(JumpTable, WhatWasEnteredLastIsFoundWhoeverIsInItsWay) {
  JumpTable table;
  for (unsigned i = 0; i < 10; ++i) {
    table.enter(rival(i), &code[i]);
    EXPECT_EQ(table.find(rival(i)), &code[i]);
  }
  unsigned found = 0;
  for (unsigned i = 0; i < 10; ++i)
    if (table.find(rival(i)) != nullptr) ++found;
  EXPECT_EQ(found, 2u);
}

/// So no two hot blocks are in each other's way for long, however they lie.
TEST(JumpTable, GrowsUntilBlocksInUseAllHaveRoom) {
  std::mt19937_64 random(1);
  JumpTable table;
  const JumpSlot* const slots = table.slots();
  std::vector<std::uint64_t> keys;
  for (unsigned i = 0; i < 20'000; ++i) keys.push_back(JumpTable::key_of(host, 2) + (random() & 0xff'fffe));
  std::size_t missing = keys.size();
  for (unsigned round = 0; round < 4000 && missing > 200; ++round) {
    missing = 0;
    for (const std::uint64_t key : keys) {
      if (table.find(key) != nullptr) continue;
      ++missing;
      table.enter(key, reinterpret_cast<const void*>(key));
    }
  }
  EXPECT_LE(missing, 200u);
  for (const std::uint64_t key : keys) {
    const void* const found = table.find(key);
    ASSERT_TRUE(found == nullptr || found == reinterpret_cast<const void*>(key));
  }
  EXPECT_EQ(table.slots(), slots);
  EXPECT_GE(table.counts().of(TlbEvent::kJumpAsked), keys.size());
  EXPECT_GT(table.counts().of(TlbEvent::kJumpsGrown), 0u);
}

/// The dispatcher waits for a slot's cache line.
TEST(JumpTable, BlocksSideBySideShareCacheLines) {
  constexpr std::uint64_t kSlotsOfALine = 64 / sizeof(JumpSlot);
  for (std::uint64_t page = 0x7f00'0000'0000; page < 0x7f00'0100'0000; page += kPageSize) {
    const std::uint64_t first = JumpTable::hash(page) >> JumpTable::kSlotShift;
    for (std::uint64_t offset = 0; offset < 32; offset += 2)
      ASSERT_EQ((JumpTable::hash(page + offset) >> JumpTable::kSlotShift) / kSlotsOfALine,
                first / kSlotsOfALine);
  }
}

TEST(JumpTable, ClearForgetsEverythingAndTheMemory) {
  JumpTable table;
  for (std::uint64_t i = 0; i < 100'000; ++i) table.enter(JumpTable::key_of(host, 0) + 2 * i, &code[1]);
  const std::uint32_t mask = table.mask();
  table.clear();
  EXPECT_LT(table.mask(), mask);
  for (std::uint64_t i = 0; i < 100'000; ++i)
    ASSERT_EQ(table.find(JumpTable::key_of(host, 0) + 2 * i), nullptr);
}

}  // namespace
}  // namespace gstage
