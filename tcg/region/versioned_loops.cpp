// SPDX-License-Identifier: Apache-2.0
#include "tcg/region/versioned_loops.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "tcg/ir/op_info.h"
#include "tcg/region/addresses.h"
#include "tcg/region/loops.h"

namespace gstage::tcg {
namespace {

/// Fewer rounds do not repay the check before them.
constexpr std::uint32_t kMinRounds = 16;
constexpr std::size_t kMaxVersionedLoops = 4;
constexpr std::size_t kMaxPointers = 6;
constexpr std::size_t kMaxHeads = 16;
constexpr std::size_t kMaxLoopInsts = 600;
/// Inline caches cover a page, at first.
constexpr std::int64_t kMaxReach = kPageSize / 2;
/// A pointer that moves faster leaves its page after some tens of rounds, and the next one may lie anywhere.
constexpr std::int64_t kMaxStep = 64;
/// How many inline caches all versioned loops together may have: the rest is for other accesses.
constexpr unsigned kMaxLoopInlineCaches = kMaxInlineCaches - 4;

/// A loop that may be versioned.
struct Candidate {
  std::vector<std::uint32_t> nodes;  ///< in the region's order
  std::vector<std::uint32_t> heads;  ///< those of them that others of them jump back to
  std::vector<LoopPointer> pointers;
  std::uint64_t weight = 0;      ///< of the accesses that go by the pointers
  std::uint64_t all_weight = 0;  ///< of all accesses

  /// Then a round's start is the unit's.
  [[nodiscard]] bool is_single_node() const { return nodes.size() == 1; }
};

/// Whether the unit may be in an unchecked body: without a helper, which may change the regime, so that all
/// inline caches are emptied, and without an indirect jump, which leaves the body.
bool may_stay_in_body(const Unit& unit) {
  return std::none_of(unit.insts.begin(), unit.insts.end(), [](const Inst& inst) {
    return (info(inst.op).has(kCalls) && inst.op != Op::trap_if_zero) || inst.op == Op::jump_reg;
  });
}

/// Puts the unchecked bodies and the loop checks into the region.
class Rebuilder {
 public:
  Rebuilder(Region& region, const std::vector<Candidate>& loops)
      : region_(region),
        loops_(loops),
        checked_(region.nodes.size(), kNoNode),
        unchecked_(region.nodes.size(), kNoNode),
        checks_(region.nodes.size(), kNoNode) {}

  void rebuild() {
    for (std::uint32_t i = 0; i < region_.nodes.size(); ++i) {
      const auto loop = std::find_if(loops_.begin(), loops_.end(),
                                     [&](const Candidate& c) { return c.nodes.front() == i; });
      const bool begins_loop = loop != loops_.end();
      const bool has_check = begins_loop && is_head(*loop, i);
      if (has_check) add_loop(*loop);
      RegionNode& node = add(i, checked_);
      node.depth -= node.versioned_loop != kNoVersionedLoop && node.depth > 0;
      if (begins_loop && !has_check) add_loop(*loop);
    }
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) lead_on(nodes_[i], origins_[i]);
    region_.nodes = std::move(nodes_);
  }

 private:
  RegionNode& add(std::uint32_t origin, std::vector<std::uint32_t>& positions) {
    positions[origin] = static_cast<std::uint32_t>(nodes_.size());
    origins_.push_back(origin);
    return nodes_.emplace_back(region_.nodes[origin]);
  }

  static bool is_head(const Candidate& loop, std::uint32_t node) {
    return std::find(loop.heads.begin(), loop.heads.end(), node) != loop.heads.end();
  }

  /// The check of what the loop begins with comes first, before its body.
  void add_loop(const Candidate& loop) {
    if (is_head(loop, loop.nodes.front())) add_check(loop.nodes.front());
    for (const std::uint32_t node : loop.nodes) {
      RegionNode& body = add(node, unchecked_);
      body.is_unchecked = true;
      body.is_entry = false;
    }
    for (const std::uint32_t head : loop.heads)
      if (head != loop.nodes.front()) add_check(head);
  }

  void add_check(std::uint32_t head) {
    RegionNode& check = add(head, checks_);
    check.unit.clear();
    check.pointers.clear();
    check.is_check = true;
  }

  void lead_on(RegionNode& node, std::uint32_t origin) const {
    if (!node.is_check && checks_[origin] != kNoNode) node.is_entry = false;  // the check is
    if (node.is_check) {
      node.edges = {{node.offset, unchecked_[origin]}, {node.offset, checked_[origin]}};
      return;
    }
    if (node.is_unchecked) node.check = checks_[origin];
    for (RegionEdge& edge : node.edges) {
      if (edge.node == kNoNode) continue;
      const bool is_inside =
          node.is_unchecked && region_.nodes[edge.node].versioned_loop == node.versioned_loop;
      const std::uint32_t check = checks_[edge.node];
      edge.node = is_inside ? unchecked_[edge.node] : check != kNoNode ? check : checked_[edge.node];
    }
  }

  Region& region_;
  const std::vector<Candidate>& loops_;
  std::vector<RegionNode> nodes_;
  std::vector<std::uint32_t> origins_;  ///< by node: what it was made of
  // By the original node: the node that checks, the one that does not, and the check before both; or kNoNode.
  std::vector<std::uint32_t> checked_;
  std::vector<std::uint32_t> unchecked_;
  std::vector<std::uint32_t> checks_;
};

class Planner {
 public:
  Planner(Region& region, const RoundsAt& rounds_at) : region_(region), rounds_at_(rounds_at) {
    for (const RegionNode& node : region.nodes) addresses_.push_back(find_addresses(node.unit));
  }

  void plan() {
    std::vector<Candidate> candidates;
    for (const Loop& loop : find_loops(region_))
      if (std::optional<Candidate> candidate = consider(loop.nodes); candidate)
        candidates.push_back(std::move(*candidate));
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.weight > b.weight; });
    for (Candidate& candidate : candidates) accept(std::move(candidate));
    if (!chosen_.empty()) Rebuilder(region_, chosen_).rebuild();
  }

 private:
  std::optional<Candidate> consider(const std::vector<std::uint32_t>& loop) {
    Candidate candidate{loop, {}, {}, 0};
    std::size_t insts = 0;
    std::uint32_t rounds = 0;
    for (const std::uint32_t index : loop) {
      const RegionNode& node = region_.nodes[index];
      insts += node.unit.insts.size();
      if (insts > kMaxLoopInsts || !may_stay_in_body(node.unit)) return std::nullopt;
      rounds = std::max(rounds, rounds_at_(node.offset));
    }
    if (rounds < kMinRounds) return std::nullopt;
    find_heads(candidate);
    find_pointers(candidate);
    const bool is_worth_it = !candidate.pointers.empty() && 2 * candidate.weight >= candidate.all_weight;
    return is_worth_it && candidate.heads.size() <= kMaxHeads ? std::optional(std::move(candidate))
                                                              : std::nullopt;
  }

  [[nodiscard]] static bool contains(const std::vector<std::uint32_t>& nodes, std::uint32_t node) {
    return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
  }

  void find_heads(Candidate& candidate) const {
    for (const std::uint32_t from : candidate.nodes)
      for (const RegionEdge& edge : region_.nodes[from].edges)
        if (edge.node <= from && contains(candidate.nodes, edge.node) &&
            !contains(candidate.heads, edge.node))
          candidate.heads.push_back(edge.node);
  }

  /// How one round changes the register; unknown if it moves too far, too. A round goes through each node at
  /// most once, in the region's order, for it ends with the first way back.
  [[nodiscard]] RegisterChange change_in_round(const Candidate& candidate, unsigned x) const {
    RegisterChange sum;
    for (const std::uint32_t index : candidate.nodes) {
      const RegisterChange& change = addresses_[index].changes[x];
      sum.is_unknown |= change.is_unknown;
      sum.up += change.up;
      sum.down += change.down;
    }
    sum.is_unknown |= std::max(sum.up, sum.down) > kMaxStep;
    return sum;
  }

  /// Calls `visit(index, inst, insn)` for the node's loads and stores with the offset of their guest
  /// instruction.
  template <class Visit>
  void for_accesses(const RegionNode& node, Visit&& visit) const {
    std::int64_t insn = 0;
    for (std::uint32_t i = 0; i < node.unit.insts.size(); ++i) {
      const Inst& inst = node.unit.insts[i];
      if (inst.op == Op::insn) insn = inst.imm;
      if (inst.op == Op::load || inst.op == Op::store) visit(i, inst, insn);
    }
  }

  void find_pointers(Candidate& candidate) {
    std::array<RegisterChange, 32> changes;
    for (unsigned x = 1; x < 32; ++x) changes[x] = change_in_round(candidate, x);
    note_scattered(candidate);
    for (const std::uint32_t index : candidate.nodes) {
      const RegionNode& node = region_.nodes[index];
      const std::uint64_t weight = std::uint64_t{1} << 3 * std::min(node.depth, 8u);
      for_accesses(node, [&](std::uint32_t i, const Inst& inst, std::int64_t insn) {
        candidate.all_weight += weight;
        const AddressRange& range = addresses_[index].of[i];
        if (range.x == 0 || changes[range.x].is_unknown || is_scattered_[inst.op == Op::store][range.x])
          return;
        LoopPointer access = pointer_of(inst, range, changes[range.x], candidate.is_single_node());
        access.insn = insn;
        if (merge(candidate.pointers, access)) candidate.weight += weight;
      });
    }
  }

  /// A register is no pointer if one of its accesses was given up.
  void note_scattered(const Candidate& candidate) {
    is_scattered_ = {};
    for (const std::uint32_t index : candidate.nodes)
      for_accesses(region_.nodes[index], [&](std::uint32_t i, const Inst& inst, std::int64_t insn) {
        const std::vector<std::int64_t>& all = region_.scattered;
        if (std::find(all.begin(), all.end(), insn) != all.end())
          is_scattered_[inst.op == Op::store][addresses_[index].of[i].x] = true;
      });
  }

  static LoopPointer pointer_of(const Inst& inst, const AddressRange& range, const RegisterChange& change,
                                bool is_single_node) {
    LoopPointer pointer{range.x, inst.op == Op::store, 0, range.low, range.high, change.up, change.down, 0};
    pointer.high += mem_size(static_cast<MemKind>(inst.aux));
    if (is_single_node) return pointer;
    pointer.low -= change.down;
    pointer.high += change.up;
    return pointer;
  }

  static bool merge(std::vector<LoopPointer>& pointers, const LoopPointer& access) {
    if (access.high - access.low > kMaxReach) return false;
    for (LoopPointer& pointer : pointers) {
      if (pointer.x != access.x || pointer.is_store != access.is_store) continue;
      const std::int64_t low = std::min(pointer.low, access.low);
      const std::int64_t high = std::max(pointer.high, access.high);
      if (high - low > kMaxReach) return false;
      pointer.low = low;
      pointer.high = high;
      return true;
    }
    if (pointers.size() == kMaxPointers) return false;
    pointers.push_back(access);
    return true;
  }

  void accept(Candidate candidate) {
    const bool is_apart = std::none_of(
        candidate.nodes.begin(), candidate.nodes.end(),
        [&](std::uint32_t node) { return region_.nodes[node].versioned_loop != kNoVersionedLoop; });
    if (!is_apart || region_.versioned_loops.size() == kMaxVersionedLoops ||
        inline_caches_ + candidate.pointers.size() > kMaxLoopInlineCaches)
      return;
    for (LoopPointer& pointer : candidate.pointers)
      pointer.inline_cache = static_cast<std::uint8_t>(inline_caches_++);
    const auto loop = static_cast<std::uint8_t>(region_.versioned_loops.size());
    region_.versioned_loops.push_back({candidate.pointers});
    for (const std::uint32_t node : candidate.nodes) mark(node, loop, candidate.is_single_node());
    chosen_.push_back(std::move(candidate));
  }

  /// Notes which of the node's accesses go by a pointer, and by which one.
  void mark(std::uint32_t index, std::uint8_t loop, bool is_single_node) {
    RegionNode& node = region_.nodes[index];
    node.versioned_loop = loop;
    node.pointers.assign(node.unit.insts.size(), kNoPointer);
    const std::vector<LoopPointer>& pointers = region_.versioned_loops[loop].pointers;
    for_accesses(node, [&](std::uint32_t i, const Inst& inst, std::int64_t) {
      const AddressRange& range = addresses_[index].of[i];
      for (std::size_t k = 0; range.x != 0 && k < pointers.size(); ++k) {
        const LoopPointer access =
            pointer_of(inst, range, {false, pointers[k].up, pointers[k].down}, is_single_node);
        const bool is_inside = pointers[k].x == access.x && pointers[k].is_store == access.is_store &&
                               access.low >= pointers[k].low && access.high <= pointers[k].high;
        if (is_inside) node.pointers[i] = static_cast<std::uint8_t>(k);
      }
    });
  }

  Region& region_;
  const RoundsAt& rounds_at_;
  std::vector<UnitAddresses> addresses_;                ///< by node
  std::array<std::array<bool, 32>, 2> is_scattered_{};  ///< by store or not, and register
  std::vector<Candidate> chosen_;
  unsigned inline_caches_ = 0;
};

}  // namespace

void version_loops(Region& region, const RoundsAt& rounds_at) { Planner(region, rounds_at).plan(); }

}  // namespace gstage::tcg
