// SPDX-License-Identifier: Apache-2.0
// Random regions through the x86-64 back end, and node by node through the interpreter: the whole hart must
// be equal wherever they end.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "tcg/ir/builder.h"
#include "tcg/ir/print.h"
#include "tcg/ir/verify.h"
#include "tcg/region/form.h"
#include "tcg/region/versioned_loops.h"

#include "tests/unit/ir_random.h"
#include "tests/unit/jit_compare.h"
#include "tests/unit/jit_machine.h"

namespace gstage::tcg::test {
namespace {

constexpr std::int64_t kNodeBytes = 0x100;
constexpr std::int64_t kOutside = 0x900;
constexpr std::uint64_t kNowhere = 0xdead0;

std::uint64_t& rounds_left(CpuCore* core) { return core->scratch[1]; }

/// Traps after so many calls: loops end.
std::uint64_t helper_count(CpuCore* core, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  if (--rounds_left(core) == 0) core->trap_pending = 1;
  return 0;
}
constexpr Helper kCount{"test_count", helper_count, 0, false, true, false};

class RandomRegion {
 public:
  explicit RandomRegion(std::uint64_t seed) : seed_(seed), random_(seed * 77) {}

  Region make() {
    Region region;
    const unsigned count = 1 + random_.below(5);
    region.pages.push_back({});
    for (unsigned i = 0; i < count; ++i) region.nodes.push_back(node(i, count));
    return region;
  }

 private:
  RegionNode node(unsigned index, unsigned count) {
    RegionNode node;
    const std::int64_t offset = index * kNodeBytes;
    Unit unit = RandomUnit(seed_ * 1000 + index).make();
    unit.insts.pop_back();
    for (Inst& inst : unit.insts)
      if (inst.op == Op::insn) inst.imm += offset;
    unit.first_offset = static_cast<std::uint32_t>(offset);
    node.unit = std::move(unit);
    Builder ir(node.unit);
    ir.begin_insn(static_cast<std::uint32_t>(offset) + 0x80, 4, 0);
    ir.call(kCount);
    end(node, ir, count);
    return node;
  }

  std::int64_t way(RegionNode& node, unsigned count) {
    if (random_.below(6) == 0) return kOutside;
    const std::uint32_t to = random_.below(count);
    node.edges.push_back({to * kNodeBytes, to});
    return to * kNodeBytes;
  }

  void end(RegionNode& node, Builder& ir, unsigned count) {
    switch (random_.below(8)) {
      case 0: ir.exit_at(kOutside + 4); break;
      case 1:
      case 2: ir.jump(way(node, count)); break;
      case 3: {
        const Value elsewhere = ir.get_x(1 + random_.below(6));
        Value to = ir.pc(way(node, count));
        // By each of these bits one way or the other.
        const unsigned more = random_.below(2) * random_.below(6);
        for (unsigned i = 0; i < more; ++i) {
          const Value bit = ir.and_(ir.get_x(1 + random_.below(6)), ir.const_(2 << i));
          to = ir.select(bit, to, ir.pc(way(node, count)));
        }
        const Value odd = ir.and_(elsewhere, ir.const_(1));
        ir.jump_reg(ir.and_(ir.select(odd, elsewhere, to), ir.const_(-2)), JumpHint::none);
        break;
      }
      default: {
        const auto taken = static_cast<std::int32_t>(way(node, count));
        auto other = static_cast<std::int32_t>(way(node, count));
        const Value a = ir.get_x(1 + random_.below(6));
        ir.branch_to(static_cast<Cond>(random_.below(6)), a, ir.get_x(1 + random_.below(6)), taken, other);
      }
    }
  }

  std::uint64_t seed_;
  RandomUnit random_;
};

void run_in_interpreter(Machine& machine, const Region& region) {
  for (std::uint32_t node = 0; node != kNoNode;) {
    machine.run(region.nodes[node].unit);
    if (machine.hart->core.trap_pending != 0) return;
    node = region.nodes[node].successor(static_cast<std::int64_t>(machine.hart->core.pc - kCodePage));
  }
}

void set_up_region(Machine& machine, std::uint64_t seed) {
  set_up(machine, seed);
  TestHart& hart = *machine.hart;
  rounds_left(&hart.core) = 1 + seed % 40;
  hart.core.pc = kNowhere;
  if (seed % 3 == 0)
    for (std::uint64_t& f : hart.f) f |= 0xffffffff00000000;
  // Two pages at hand in every other run.
  const bool has_two = seed % 2 == 0;
  for (auto* table : {&machine.read, &machine.write})
    (*table)[tlb_index(kSlowPage)] =
        has_two ? TlbEntry{kSlowPage, (*table)[tlb_index(kFastPage)].addend} : TlbEntry{kNoTag, 0};
}

std::string text_of(const Region& region) {
  std::string text;
  for (const RegionNode& node : region.nodes) text += print(node.unit) + "\n";
  return text;
}

struct Variant {
  const char* name;
  x86_64::HostFeatures features;
  bool is_joined;  ///< and optimized
};

class JitRegions : public testing::TestWithParam<Variant> {};

TEST_P(JitRegions, EqualTheInterpreter) {
  const Variant& variant = GetParam();
  const x86_64::HostFeatures host = x86_64::detect_host();
  if ((variant.features.bmi2 && !host.bmi2) || (variant.features.fma && !host.fma)) GTEST_SKIP();
  constexpr std::uint64_t kRegions = 4000;
  Machine interpreter;
  JitMachine jit(variant.features);
  unsigned failures = 0;
  unsigned entered = 0;
  for (std::uint64_t seed = 1; seed <= kRegions && failures < 3; ++seed) {
    Region region = RandomRegion(seed).make();
    for (const RegionNode& node : region.nodes) ASSERT_TRUE(verify(node.unit).ok()) << print(node.unit);
    set_up_region(interpreter, seed);
    set_up_region(jit, seed);
    run_in_interpreter(interpreter, region);
    if (variant.is_joined) join_nodes(region);
    lay_out(region);
    ASSERT_TRUE(jit.run_region(region));
    if (jit.hart->core.pc == kNowhere) continue;  // not entered: a register that is no boxed single
    ++entered;
    const std::string text = differences(interpreter, jit);
    if (!text.empty()) ++failures;
    EXPECT_EQ(text, "") << "seed " << seed << "\n" << text_of(region);
  }
  EXPECT_GT(entered, failures == 0 ? kRegions / 2 : 0);
}

/// Loops that go through memory by pointers, out of the pages that the inline caches hold, and back.
class RandomLoops {
 public:
  explicit RandomLoops(std::uint64_t seed) : random_(seed * 131) {}

  Region make() {
    Region region;
    region.pages.push_back({});
    const unsigned count = 1 + random_.below(5);
    head_ = random_.below(2 * count);
    for (unsigned i = 0; i < count; ++i) region.nodes.push_back(node(i, count));
    return region;
  }

 private:
  static constexpr unsigned kRounds = 30;  ///< the register that counts them
  static constexpr unsigned kFirstPointer = 20;

  RegionNode node(unsigned index, unsigned count) {
    RegionNode node;
    node.offset = node.last_offset = index * kNodeBytes;
    Builder ir(node.unit);
    node.unit.first_offset = static_cast<std::uint32_t>(node.offset);
    const unsigned insns = 1 + random_.below(6);
    for (unsigned i = 0; i < insns; ++i) {
      ir.begin_insn(static_cast<std::uint32_t>(node.offset) + 4 * i, 4, 0);
      insn(ir);
    }
    ir.begin_insn(static_cast<std::uint32_t>(node.offset) + 4 * insns, 4, 0);
    end(node, ir, index, count);
    return node;
  }

  void insn(Builder& ir) {
    const unsigned pointer = kFirstPointer + random_.below(4);
    switch (random_.below(5)) {
      case 0: {
        static constexpr int kSteps[] = {1, 2, 4, 8, 16, 128, 1000, -1, -4, -8, -128};
        ir.set_x(ir.add(ir.get_x(pointer), ir.const_(kSteps[random_.below(std::size(kSteps))])), pointer);
        break;
      }
      case 1: {
        const Value index = ir.shl(ir.and_(ir.get_x(11), ir.const_(0x3f)), ir.const_(random_.below(4)));
        ir.set_x(ir.load(ir.add(index, ir.get_x(pointer)), displacement(), kind()), 11);
        break;
      }
      case 2: ir.store(ir.get_x(pointer), ir.get_x(10 + random_.below(3)), displacement(), kind()); break;
      default:
        ir.set_x(ir.add(ir.get_x(10), ir.load(ir.get_x(pointer), displacement(), kind())),
                 10 + random_.below(3));
    }
  }

  std::int64_t displacement() { return static_cast<std::int64_t>(random_.below(40)) - 8; }
  MemKind kind() { return static_cast<MemKind>(random_.below(4)); }

  static std::int32_t way(RegionNode& node, std::uint32_t to) {
    const std::int64_t offset = to * kNodeBytes;
    node.edges.push_back({offset, to});
    return static_cast<std::int32_t>(offset);
  }

  /// Back, as long as there are rounds left; or on to one of two later nodes.
  void end(RegionNode& node, Builder& ir, unsigned index, unsigned count) {
    const unsigned later = count - index - 1;
    if (later == 0 && head_ < index) return static_cast<void>(ir.jump(way(node, head_)));
    const bool counts = later == 0 || index == head_ || random_.below(2) == 0;
    Value rounds;
    if (counts) {
      rounds = ir.add(ir.get_x(kRounds), ir.const_(-1));
      ir.set_x(rounds, kRounds);
    }
    if (index == head_ && later != 0) {
      const std::int32_t on = way(node, index + 1);
      ir.branch_to(Cond::lt, ir.const_(0), rounds, on, static_cast<std::int32_t>(kOutside));
    } else if (counts) {
      const std::int32_t back = way(node, index - std::min(index, random_.below(3)));
      // Else out; or on, so that a loop is within another one.
      const std::int32_t on = later != 0 ? way(node, index + 1) : static_cast<std::int32_t>(kOutside);
      ir.branch_to(Cond::lt, ir.const_(0),
                   later != 0 ? ir.select(ir.and_(ir.get_x(11), ir.const_(3)), rounds, ir.const_(0)) : rounds,
                   back, on);
    } else if (random_.below(3) == 0) {
      ir.jump(way(node, index + 1));
    } else {
      const std::int32_t taken = way(node, index + 1);
      const std::int32_t other = way(node, index + 1 + random_.below(later));
      ir.branch_to(Cond::eq, ir.and_(ir.get_x(11), ir.const_(1)), ir.const_(0), taken, other);
    }
  }

  RandomUnit random_;
  unsigned head_ =
      0;  ///< a node that leaves when there are no rounds left; the last one then jumps back there
};

std::size_t count_unchecked(const Region& region) {
  return static_cast<std::size_t>(std::count_if(region.nodes.begin(), region.nodes.end(),
                                                [](const RegionNode& node) { return node.is_unchecked; }));
}

TEST(JitRuns, EqualTheInterpreter) {
  constexpr std::uint64_t kRegions = 4000;
  Machine interpreter;
  JitMachine jit(x86_64::detect_host());
  unsigned failures = 0;
  unsigned planned = 0;
  for (std::uint64_t seed = 1; seed <= kRegions && failures < 3; ++seed) {
    Region region = RandomLoops(seed).make();
    for (const RegionNode& node : region.nodes) ASSERT_TRUE(verify(node.unit).ok()) << print(node.unit);
    set_up_region(interpreter, seed);
    set_up_region(jit, seed);
    for (Machine* machine : {&interpreter, static_cast<Machine*>(&jit)})
      machine->hart->x[30] = 1 + seed % 300;
    run_in_interpreter(interpreter, region);
    join_nodes(region);
    lay_out(region);
    version_loops(region, [](std::int64_t) { return 1000; });
    planned += count_unchecked(region) != 0;
    ASSERT_TRUE(jit.run_region(region));
    const std::string text = differences(interpreter, jit);
    if (!text.empty()) ++failures;
    EXPECT_EQ(text, "") << "seed " << seed << "\n" << text_of(region);
  }
  EXPECT_GT(planned, failures == 0 ? kRegions / 2 : 0);
}

/// Another table for the reads to come, as a write of sstatus that changes SUM has it.
std::uint64_t helper_change_table(CpuCore* core, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t) {
  core->read = reinterpret_cast<TlbEntry*>(core->scratch[0]);
  return 0;
}
constexpr Helper kChangeTable{"test_change_table", helper_change_table, 0, false, false, false};

TEST(JitRegionInlineCaches, AreForgottenWhenAHelperMayHaveChangedTheRegime) {
  JitMachine jit(x86_64::detect_host());
  TestHart& hart = *jit.hart;
  auto other = jit.read;  // has the other page in the place of the first
  other[tlb_index(kFastPage)].addend += kPageSize;
  const std::uint64_t first = 5;
  const std::uint64_t second = 1000;
  std::memcpy(jit.guest.memory.data(), &first, sizeof first);
  std::memcpy(jit.guest.memory.data() + kPageSize, &second, sizeof second);
  Region region;
  region.pages.push_back({});
  RegionNode node;
  Builder ir(node.unit);
  ir.begin_insn(0, 4, 0);
  ir.set_x(ir.add(ir.get_x(10), ir.load(ir.get_x(20), 0, MemKind::u64)), 10);
  ir.call(kChangeTable);
  ir.call(kCount);
  ir.jump(0);
  node.edges.push_back({0, 0});
  region.nodes.push_back(std::move(node));
  lay_out(region);
  hart.x[20] = kFastPage;
  hart.core.scratch[0] = reinterpret_cast<std::uint64_t>(other.data());
  rounds_left(&hart.core) = 3;
  ASSERT_TRUE(jit.run_region(region));
  EXPECT_EQ(hart.x[10], first + 2 * second);
}

TEST(JitRegionSize, WhatDoesNotFitIsRefused) {
  JitMachine jit(x86_64::detect_host());
  for (const unsigned nodes : {4u, 20u, 60u, 90u}) {
    Region region;
    region.pages.push_back({});
    for (unsigned i = 0; i < nodes; ++i) {
      RegionNode node;
      Builder ir(node.unit);
      ir.begin_insn(0, 4, 0);
      for (unsigned k = 0; k < 40; ++k) ir.store(ir.get_x(1 + k % 20), ir.get_x(2), 4096 * k, MemKind::u64);
      // Out, or on to the next node; from the last one back to the first.
      const std::int64_t next = (i + 1) % nodes;
      ir.branch_to(Cond::eq, ir.get_x(1), ir.get_x(2), static_cast<std::int32_t>(0x10000 + i),
                   static_cast<std::int32_t>(next));
      node.edges.push_back({next, static_cast<std::uint32_t>(next)});
      region.nodes.push_back(std::move(node));
    }
    jit.hart->core.trap_pending = 0;
    jit.hart->x = {};
    jit.hart->x[2] = 1;
    // The smallest fits: its first access traps.
    EXPECT_EQ(jit.run_region(region), nodes == 4) << nodes;
    EXPECT_EQ(jit.hart->core.trap_pending != 0, nodes == 4) << nodes;
  }
}

INSTANTIATE_TEST_SUITE_P(Hosts, JitRegions,
                         testing::Values(Variant{"full", {true, true, true}, false},
                                         Variant{"joined", {true, true, true}, true},
                                         Variant{"plain", {false, false, false}, true}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace gstage::tcg::test
