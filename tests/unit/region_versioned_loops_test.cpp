// SPDX-License-Identifier: Apache-2.0
// What is known of addresses, and which loops get a body that does not check them.
#include <algorithm>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "tcg/ir/builder.h"
#include "tcg/ir/helpers.h"
#include "tcg/region/addresses.h"
#include "tcg/region/form.h"
#include "tcg/region/versioned_loops.h"

namespace gstage::tcg::test {
namespace {

constexpr unsigned kBase = 20;
constexpr unsigned kOther = 21;

/// The range of the unit's last access.
AddressRange range_of(const std::function<void(Builder&)>& write) {
  Unit unit;
  Builder ir(unit);
  ir.begin_insn(0, 4, 0);
  write(ir);
  const UnitAddresses addresses = find_addresses(unit);
  AddressRange last;
  for (std::size_t i = 0; i < unit.insts.size(); ++i)
    if (unit.insts[i].op == Op::load) last = addresses.of[i];
  return last;
}

void expect_range(const AddressRange& range, unsigned x, std::int64_t low, std::int64_t high) {
  EXPECT_EQ(range.x, x);
  EXPECT_EQ(range.low, low);
  EXPECT_EQ(range.high, high);
}

TEST(RegionAddresses, AreARegisterAtTheUnitsStartPlusConstants) {
  expect_range(range_of([](Builder& ir) {
                 ir.set_x(ir.add(ir.get_x(kBase), ir.const_(8)), kBase);
                 ir.set_x(ir.add(ir.get_x(kBase), ir.const_(-32)), kOther);
                 ir.load(ir.get_x(kOther), 4, MemKind::u32);
               }),
               kBase, -20, -20);
}

TEST(RegionAddresses, ReachAsFarAsAnIndexCan) {
  expect_range(range_of([](Builder& ir) {
                 const Value byte = ir.zext8(ir.get_x(10));
                 ir.load(ir.add(ir.shl(byte, ir.const_(2)), ir.get_x(kBase)), 16, MemKind::u32);
               }),
               kBase, 16, 16 + 4 * 255);
  expect_range(range_of([](Builder& ir) {
                 const Value index = ir.xor_(ir.and_(ir.get_x(10), ir.const_(6)),
                                             ir.setcond(ir.get_x(10), ir.get_x(11), Cond::eq));
                 ir.load(ir.add(ir.get_x(kBase), index), 0, MemKind::u8);
               }),
               kBase, 0, 7);
}

TEST(RegionAddresses, AreUnknownWhereAnIndexMayBeAnything) {
  EXPECT_EQ(range_of([](Builder& ir) { ir.load(ir.add(ir.get_x(kBase), ir.get_x(10)), 0, MemKind::u8); }).x,
            0);
  EXPECT_EQ(
      range_of([](Builder& ir) { ir.load(ir.load(ir.get_x(kBase), 0, MemKind::u64), 0, MemKind::u8); }).x, 0);
  EXPECT_EQ(range_of([](Builder& ir) {
              const Value word = ir.load(ir.get_x(kOther), 0, MemKind::u32);
              ir.load(ir.add(ir.get_x(kBase), word), 0, MemKind::u8);
            }).x,
            0);
}

TEST(RegionAddresses, TellHowFarRegistersMove) {
  Unit unit;
  Builder ir(unit);
  ir.begin_insn(0, 4, 0);
  ir.set_x(ir.add(ir.get_x(kBase), ir.const_(24)), kBase);
  ir.set_x(ir.add(ir.get_x(kBase), ir.const_(-32)), kBase);
  ir.set_x(ir.get_x(kBase), kOther);
  const UnitAddresses addresses = find_addresses(unit);
  EXPECT_FALSE(addresses.changes[kBase].is_unknown);
  EXPECT_EQ(addresses.changes[kBase].up, 24);
  EXPECT_EQ(addresses.changes[kBase].down, 8);
  EXPECT_TRUE(addresses.changes[kOther].is_unknown);
  EXPECT_FALSE(addresses.changes[10].is_unknown);
}

constexpr Helper kNothing{
    "test_nothing",
    [](CpuCore*, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) -> std::uint64_t { return 0; },
    0,
    false,
    false,
    false};

/// A loop of one node that does this and goes round.
Region loop_of(const std::function<void(Builder&)>& write) {
  Region region;
  region.pages.push_back({});
  RegionNode node;
  Builder ir(node.unit);
  ir.begin_insn(0, 4, 0);
  write(ir);
  ir.branch_to(Cond::ne, ir.get_x(10), ir.const_(0), 0, 0x40);
  node.edges.push_back({0, 0});
  region.nodes.push_back(std::move(node));
  lay_out(region);
  return region;
}

void step(Builder& ir, unsigned x, std::int64_t by) { ir.set_x(ir.add(ir.get_x(x), ir.const_(by)), x); }

std::uint32_t always(std::int64_t) { return 1000; }

TEST(RegionRuns, HaveAPointerForEachRegisterThatMovesByConstants) {
  Region region = loop_of([](Builder& ir) {
    ir.load(ir.get_x(kBase), 8, MemKind::u64);
    ir.load(ir.get_x(kBase), -8, MemKind::u32);
    ir.store(ir.get_x(kOther), ir.get_x(10), 0, MemKind::u8);
    step(ir, kBase, 16);
    step(ir, kOther, -1);
  });
  version_loops(region, always);
  ASSERT_EQ(region.versioned_loops.size(), 1u);
  const std::vector<LoopPointer>& pointers = region.versioned_loops[0].pointers;
  ASSERT_EQ(pointers.size(), 2u);
  EXPECT_EQ(pointers[0].x, kBase);
  EXPECT_EQ(pointers[0].low, -8);
  EXPECT_EQ(pointers[0].high, 16);
  EXPECT_EQ(pointers[0].up, 16);
  EXPECT_EQ(pointers[0].down, 0);
  EXPECT_TRUE(pointers[1].is_store);
  EXPECT_EQ(pointers[1].down, 1);
  EXPECT_NE(pointers[0].inline_cache, pointers[1].inline_cache);
}

TEST(RegionRuns, HaveACheckThatLeadsToBothBodiesAndIsTheEntry) {
  Region region = loop_of([](Builder& ir) {
    ir.load(ir.get_x(kBase), 0, MemKind::u64);
    step(ir, kBase, 8);
  });
  version_loops(region, always);
  ASSERT_EQ(region.nodes.size(), 3u);
  const RegionNode& check = region.nodes[0];
  EXPECT_TRUE(check.is_check && check.is_entry);
  const RegionNode& unchecked = region.nodes[check.edges[0].node];
  const RegionNode& checked = region.nodes[check.edges[1].node];
  EXPECT_TRUE(unchecked.is_unchecked);
  EXPECT_EQ(unchecked.check, 0u);
  EXPECT_EQ(unchecked.edges[0].node, check.edges[0].node);
  EXPECT_FALSE(checked.is_unchecked || checked.is_entry || unchecked.is_entry);
  EXPECT_EQ(checked.edges[0].node, 0u);
}

std::size_t runs_of(Region region, const RoundsAt& rounds_at = always) {
  version_loops(region, rounds_at);
  return region.versioned_loops.size();
}

TEST(RegionRuns, AreNotMadeWhereAHelperMayChangeTheRegime) {
  const auto write = [](bool has_call) {
    return loop_of([=](Builder& ir) {
      ir.load(ir.get_x(kBase), 0, MemKind::u64);
      if (has_call) ir.call(kNothing);
      step(ir, kBase, 8);
    });
  };
  EXPECT_EQ(runs_of(write(false)), 1u);
  EXPECT_EQ(runs_of(write(true)), 0u);
}

TEST(RegionRuns, AreNotMadeOfLoopsThatEndSoon) {
  const Region region = loop_of([](Builder& ir) { ir.load(ir.get_x(kBase), 0, MemKind::u64); });
  EXPECT_EQ(runs_of(region, [](std::int64_t) { return 3; }), 0u);
  EXPECT_EQ(runs_of(region, [](std::int64_t) { return 300; }), 1u);
}

TEST(RegionRuns, AreNotMadeWherePointersAreLoaded) {
  EXPECT_EQ(runs_of(loop_of([](Builder& ir) { ir.set_x(ir.load(ir.get_x(kBase), 0, MemKind::u64), kBase); })),
            0u);
}

TEST(RegionRuns, LeaveOutAPointerThatWasGivenUp) {
  Region region = loop_of([](Builder& ir) {
    ir.load(ir.get_x(kOther), 0, MemKind::u64);
    ir.begin_insn(4, 4, 0);
    ir.load(ir.get_x(kBase), 0, MemKind::u64);
    ir.begin_insn(8, 4, 0);
    ir.load(ir.get_x(kBase), 8, MemKind::u64);
    ir.begin_insn(12, 4, 0);
    ir.load(ir.get_x(kOther), 8, MemKind::u64);
  });
  region.scattered = {8};
  version_loops(region, always);
  ASSERT_EQ(region.versioned_loops.size(), 1u);
  ASSERT_EQ(region.versioned_loops[0].pointers.size(), 1u);
  EXPECT_EQ(region.versioned_loops[0].pointers[0].x, kOther);
}

}  // namespace
}  // namespace gstage::tcg::test
