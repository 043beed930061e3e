// SPDX-License-Identifier: Apache-2.0
#include "tcg/x86_64/global_registers.h"

#include <algorithm>
#include <array>

#include "tcg/ir/op_info.h"

namespace gstage::tcg::x86_64 {
namespace {

constexpr unsigned kHomes = 64;
/// The rest is for values under way.
constexpr unsigned kMaxGlobalXmms = 10;
constexpr unsigned kLastXmm = 15;

/// How a region uses the guest's registers; 32 + n: floating point.
struct Usage {
  std::array<std::uint64_t, kHomes> weight{};  ///< uses, those in inner loops counting more
  std::uint64_t written = 0;                   ///< a bit each
  std::uint32_t read_as_single = 0;
  std::uint32_t written_unboxed = 0;
  bool is_touched = false;  ///< helpers read or write registers in memory
};

std::uint64_t weight_of(const RegionNode& node) { return std::uint64_t{1} << 3 * std::min(node.depth, 8u); }

void note(const Inst& inst, std::uint64_t weight, Usage& usage) {
  const OpInfo& row = info(inst.op);
  usage.is_touched |= touches_registers(inst);
  const bool is_read = row.has(kReadsRegister);
  if (!is_read && !row.has(kWritesRegister)) return;
  const unsigned home = static_cast<unsigned>(inst.imm) + (row.imm == ImmKind::f ? 32 : 0);
  usage.weight[home] += weight;
  if (!is_read) usage.written |= std::uint64_t{1} << home;
  if (home < 32) return;
  const std::uint32_t bit = std::uint32_t{1} << (home - 32);
  if (inst.op == Op::get_f32) usage.read_as_single |= bit;
  if (inst.op == Op::set_f64 || inst.op == Op::set_f_bits) usage.written_unboxed |= bit;
}

Usage usage_of(const Region& region) {
  Usage usage;
  for (const RegionNode& node : region.nodes)
    for (const Inst& inst : node.unit.insts) note(inst, weight_of(node), usage);
  return usage;
}

/// The homes from `first` to `last` that are used, the most used first.
template <class Wanted>
std::vector<std::uint8_t> by_weight(const Usage& usage, unsigned first, unsigned last, Wanted&& is_wanted) {
  std::vector<std::uint8_t> homes;
  for (unsigned home = first; home <= last; ++home)
    if (is_wanted(home)) homes.push_back(static_cast<std::uint8_t>(home));
  std::stable_sort(homes.begin(), homes.end(),
                   [&](std::uint8_t a, std::uint8_t b) { return usage.weight[a] > usage.weight[b]; });
  return homes;
}

void choose_integers(const Usage& usage, RegionGlobalRegisters& globals) {
  const auto is_global = [&](unsigned home) { return globals.hosts[home] != Allocator::kNoReg; };
  auto wanted =
      by_weight(usage, 1, 31, [&](unsigned home) { return !is_global(home) && usage.weight[home] != 0; });
  auto present = by_weight(usage, 1, 31, is_global);
  for (const std::uint8_t own : wanted) {
    if (present.empty() || usage.weight[present.back()] >= usage.weight[own]) return;
    const std::uint8_t common = present.back();
    present.pop_back();
    const std::uint8_t host = globals.hosts[common];
    globals.hosts[own] = host;
    globals.hosts[common] = Allocator::kNoReg;
    globals.swaps.push_back({host, common, own, (usage.written >> own & 1) != 0});
  }
}

void choose_floats(const Usage& usage, RegionGlobalRegisters& globals) {
  auto wanted = by_weight(usage, 32, kHomes - 1, [&](unsigned home) { return usage.weight[home] != 0; });
  if (wanted.size() > kMaxGlobalXmms) wanted.resize(kMaxGlobalXmms);
  auto host = static_cast<std::uint8_t>(kLastXmm);
  for (const std::uint8_t home : wanted) {
    globals.hosts[home] = host;
    globals.floats.push_back({host, static_cast<std::uint8_t>(home - 32), (usage.written >> home & 1) != 0});
    --host;
  }
}

}  // namespace

RegionGlobalRegisters choose_global_registers(const Region& region, const Allocator::GlobalRegisters& common,
                                              bool has_floats) {
  const Usage usage = usage_of(region);
  RegionGlobalRegisters globals{common, {}, {}, 0};
  choose_integers(usage, globals);
  if (has_floats) choose_floats(usage, globals);
  if (!usage.is_touched) globals.boxed = usage.read_as_single & ~usage.written_unboxed;
  return globals;
}

}  // namespace gstage::tcg::x86_64
