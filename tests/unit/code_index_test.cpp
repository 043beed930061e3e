// SPDX-License-Identifier: Apache-2.0
#include "tcg/runtime/code_index.h"

#include <array>
#include <cstddef>

#include <gtest/gtest.h>

namespace gstage::tcg {
namespace {

alignas(kPageSize) std::array<std::byte, 4 * kPageSize> guest_code;
std::array<char, 4 * kPageSize> host_code;

BlockKey key_at(std::size_t offset, std::uint32_t flags = 1) { return {&guest_code[offset], nullptr, flags}; }

TEST(CodeIndex, FindsLiveCodeAlone) {
  CodeIndex index;
  EXPECT_EQ(index.find(key_at(8)), nullptr);
  index.enter(key_at(8), &host_code[8]);
  EXPECT_EQ(index.find(key_at(8)), &host_code[8]);
  index.remove(key_at(8));
  EXPECT_EQ(index.find(key_at(8)), nullptr) << "the block is dead";
  index.enter(key_at(8), &host_code[9]);
  EXPECT_EQ(index.find(key_at(8)), &host_code[9]) << "it was translated again";
  index.clear();
  EXPECT_EQ(index.find(key_at(8)), nullptr);
}

TEST(CodeIndex, AllOfTheKeyCounts) {
  CodeIndex index;
  index.enter(key_at(8, 1), &host_code[1]);
  index.enter(key_at(8, 5), &host_code[5]);
  EXPECT_EQ(index.find(key_at(8, 1)), &host_code[1]);
  EXPECT_EQ(index.find(key_at(8, 5)), &host_code[5]);
  EXPECT_EQ(index.find(key_at(8, 0)), nullptr);
  EXPECT_EQ(index.find(key_at(10, 1)), nullptr);
}

TEST(CodeIndex, StraddlingBlocksAndOddFlagsAreNotEntered) {
  CodeIndex index;
  const BlockKey straddling{&guest_code[kPageSize - 2], &guest_code[kPageSize], 1};
  for (const BlockKey& key : {straddling, key_at(8, 1u << 31)}) {
    EXPECT_FALSE(index.has_room(key));
    index.enter(key, &host_code[0]);
    EXPECT_EQ(index.find(key), nullptr);
    index.remove(key);
  }
}

TEST(CodeIndex, WhatFindsNoRoomIsAbsentAndDisturbsNobody) {
  CodeIndex index;
  std::array<bool, kPageSize> is_entered{};
  unsigned refused = 0;
  for (std::size_t offset = 0; offset < kPageSize; offset += 2) {
    is_entered[offset] = index.has_room(key_at(offset));
    refused += is_entered[offset] ? 0 : 1;
    index.enter(key_at(offset), &host_code[offset]);
  }
  EXPECT_GT(refused, 0u) << "a page has more halfwords than places";
  for (std::size_t offset = 0; offset < kPageSize; offset += 2)
    EXPECT_EQ(index.find(key_at(offset)), is_entered[offset] ? &host_code[offset] : nullptr);
}

}  // namespace
}  // namespace gstage::tcg
