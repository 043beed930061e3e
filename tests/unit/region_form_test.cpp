// SPDX-License-Identifier: Apache-2.0
// Which blocks a region is formed of.
#include <functional>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "tcg/ir/builder.h"
#include "tcg/region/form.h"

namespace gstage::tcg::test {
namespace {

/// A page of code whose blocks of four bytes are given by their offsets.
class Code final : public RegionSource {
 public:
  using End = std::function<void(Builder&)>;
  std::map<std::uint32_t, End> blocks;
  JumpProfile jumps;

  const RegionPage* page(std::int64_t delta) override { return delta == 0 ? &page_ : nullptr; }
  bool is_whole(const RegionPage&, std::uint32_t) override { return true; }
  void translate(const RegionPage&, std::uint32_t offset, Unit& unit) override {
    Builder ir(unit);
    unit.first_offset = offset;
    unit.guest_bytes = 4;
    unit.guest_insns = 1;
    ir.begin_insn(offset, 4, 0);
    blocks.contains(offset) ? blocks[offset](ir) : void(ir.exit_at(offset + 4));
  }
  std::span<const JumpTarget> targets(const RegionPage&, std::uint32_t offset) override {
    return jumps.targets(page_.host + offset);
  }
  void note(std::uint32_t jump, std::initializer_list<std::int64_t> targets) {
    for (const std::int64_t target : targets) jumps.note(page_.host + jump, target);
  }

  // Ends of blocks.
  static End jump(std::int64_t to) {
    return [=](Builder& ir) { ir.jump(to); };
  }
  static End branch(std::int32_t to, std::int32_t other) {
    return [=](Builder& ir) { ir.branch_to(Cond::eq, ir.get_x(10), ir.get_x(11), to, other); };
  }
  static End call(std::int64_t to, std::int64_t behind) {
    return [=](Builder& ir) {
      ir.set_x(ir.pc(behind), 1);
      ir.jump(to);
    };
  }
  static End by_register(JumpHint hint, std::int64_t behind = 0) {
    return [=](Builder& ir) {
      const Value target = ir.get_x(12);
      if (hint == JumpHint::call) ir.set_x(ir.pc(behind), 1);
      ir.jump_reg(target, hint);
    };
  }

 private:
  std::byte bytes_[kPageSize] = {};
  RegionPage page_{0, bytes_, Paddr{0x80000000}};
};

std::multiset<std::int64_t> offsets_of(const Region& region) {
  std::multiset<std::int64_t> offsets;
  for (const RegionNode& node : region.nodes) offsets.insert(node.offset);
  return offsets;
}
using Offsets = std::multiset<std::int64_t>;

/// A loop around a switch of two cases, which end by themselves.
void write_switch(Code& code) {
  code.blocks = {
      {0x0, Code::by_register(JumpHint::none)}, {0x10, Code::jump(0)}, {0x20, Code::branch(0, 0x80)}};
}

TEST(RegionForm, ASwitchGoesWhereItWasSeenToGo) {
  Code code;
  write_switch(code);
  code.note(0x0, {0x20, 0x10, 0x20, 0x400});
  Region region;
  ASSERT_TRUE(form_region(code, 0, region));
  EXPECT_EQ(offsets_of(region), (Offsets{0x0, 0x10, 0x20}));
  ASSERT_EQ(region.nodes[0].edges.size(), 3u);
  EXPECT_EQ(region.nodes[0].edges[0].offset, 0x20);  // the most frequent
  EXPECT_EQ(region.nodes[0].successor(0x400), kNoNode);
  EXPECT_FALSE(region.has_unknown_jumps);
}

TEST(RegionForm, ASwitchThatWasNotSeenIsUnknown) {
  Code code;
  write_switch(code);
  Region region;
  EXPECT_FALSE(form_region(code, 0x10, region));
  EXPECT_TRUE(region.has_unknown_jumps);
}

TEST(RegionForm, AnUnknownSwitchWithinALoopIsReportedWithTheLoop) {
  Code code;
  write_switch(code);
  code.blocks[0x0] = Code::branch(0x10, 0x8);
  code.blocks[0x8] = Code::by_register(JumpHint::none);
  Region region;
  EXPECT_TRUE(form_region(code, 0, region));
  EXPECT_TRUE(region.has_unknown_jumps);
}

TEST(RegionForm, AReturnBehindALoopIsNotWaitedFor) {
  Code code;
  code.blocks = {{0x0, Code::branch(0x0, 0x4)}, {0x4, Code::by_register(JumpHint::ret)}};
  code.note(0x4, {0x800});
  Region region;
  EXPECT_TRUE(form_region(code, 0, region));
  EXPECT_EQ(offsets_of(region), (Offsets{0x0}));
  EXPECT_FALSE(region.has_unknown_jumps);
}

TEST(RegionForm, AFunctionIsFollowedOnceForEachCall) {
  Code code;
  code.blocks = {{0x0, Code::call(0x100, 0x4)},
                 {0x4, Code::call(0x100, 0x8)},
                 {0x8, Code::jump(0)},
                 {0x100, Code::by_register(JumpHint::ret)}};
  Region region;
  ASSERT_TRUE(form_region(code, 0, region));
  EXPECT_EQ(offsets_of(region), (Offsets{0x0, 0x4, 0x8, 0x100, 0x100}));
}

/// A function that calls itself twice.
void write_recursion(Code& code) {
  code.blocks = {{0x0, Code::branch(0x20, 0x4)},
                 {0x4, Code::call(0x0, 0x8)},
                 {0x8, Code::call(0x0, 0xc)},
                 {0xc, Code::jump(0x20)},
                 {0x20, Code::by_register(JumpHint::ret)}};
}

TEST(RegionForm, AFunctionThatCallsItselfIsThereOnceAndReturnsToWhereItWasSeenToReturn) {
  Code code;
  write_recursion(code);
  code.note(0x20, {0x8, 0xc, 0x900});
  Region region;
  ASSERT_TRUE(form_region(code, 0, region));
  EXPECT_EQ(offsets_of(region), (Offsets{0x0, 0x4, 0x8, 0xc, 0x20}));
  EXPECT_FALSE(region.has_unknown_jumps);
}

TEST(RegionForm, AFunctionThatCallsItselfIsUnknownUntilItWasSeenToReturn) {
  Code code;
  write_recursion(code);
  Region region;
  form_region(code, 0, region);
  EXPECT_TRUE(region.has_unknown_jumps);
}

TEST(RegionForm, AnIndirectCallIsFollowedToEachFunctionAndBack) {
  Code code;
  code.blocks = {{0x0, Code::by_register(JumpHint::call, 0x4)},
                 {0x4, Code::jump(0)},
                 {0x100, Code::by_register(JumpHint::ret)},
                 {0x200, Code::by_register(JumpHint::ret)}};
  code.note(0x0, {0x200, 0x100, 0x200});
  Region region;
  ASSERT_TRUE(form_region(code, 0, region));
  EXPECT_EQ(offsets_of(region), (Offsets{0x0, 0x4, 0x100, 0x200}));
}

TEST(RegionForm, ASwitchInACalledFunctionIsNoReturn) {
  Code code;
  code.blocks = {{0x0, Code::call(0x100, 0x4)},
                 {0x4, Code::jump(0)},
                 {0x100, Code::by_register(JumpHint::none)},
                 {0x110, Code::by_register(JumpHint::ret)}};
  code.note(0x100, {0x110});
  Region region;
  ASSERT_TRUE(form_region(code, 0, region));
  EXPECT_EQ(offsets_of(region), (Offsets{0x0, 0x4, 0x100, 0x110}));
}

TEST(JumpProfile, NamesTheMostFrequentFirst) {
  JumpProfile profile;
  const std::byte jump{};
  EXPECT_TRUE(profile.targets(&jump).empty());
  for (const std::int64_t distance : {4, 8, 8, 12, 12, 12}) profile.note(&jump, distance);
  const auto targets = profile.targets(&jump);
  ASSERT_EQ(targets.size(), 3u);
  EXPECT_EQ(targets[0].distance, 12);
  EXPECT_EQ(targets[0].count, 3u);
  EXPECT_EQ(targets[2].distance, 4);
}

TEST(JumpProfile, KeepsTheMostFrequentOfTooMany) {
  JumpProfile profile;
  const std::byte jump{};
  for (unsigned i = 0; i < 1000; ++i) {
    profile.note(&jump, 2 * i);
    profile.note(&jump, -2);
  }
  EXPECT_LE(profile.targets(&jump).size(), 64u);
  EXPECT_EQ(profile.targets(&jump)[0].distance, -2);
}

}  // namespace
}  // namespace gstage::tcg::test
