// SPDX-License-Identifier: Apache-2.0
#include "tcg/region/form.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "tcg/ir/op_info.h"
#include "tcg/opt/pipeline.h"

namespace gstage::tcg {
namespace {

constexpr std::size_t kMaxNodes = 96;
constexpr std::uint32_t kMaxInsns = 800;
constexpr unsigned kMaxCallDepth = 3;
/// Functions that one indirect call may lead to, each of which is followed.
constexpr std::size_t kMaxCallees = 4;
/// Offsets stay in what an instruction can add.
constexpr std::int64_t kMaxOffset = std::int64_t{1} << 30;

std::int64_t page_of(std::int64_t offset) { return offset & ~static_cast<std::int64_t>(kPageMask); }

/// Changes offsets that count from `delta` bytes further on: now they count from the region's page.
void rebase(Unit& unit, std::int64_t delta) {
  for (Inst& inst : unit.insts) {
    if (info(inst.op).imm != ImmKind::offset) continue;
    inst.imm += delta;
    if (inst.op == Op::branch) inst.imm2 += static_cast<std::int32_t>(delta);
  }
}

/// Where the unit's call returns to. A unit is a call if it ends with a direct jump and has put the address
/// behind itself into a register.
bool is_call(const Unit& unit, std::int64_t behind) {
  return std::any_of(unit.insts.begin(), unit.insts.end(), [&](const Inst& inst) {
    if (inst.op != Op::set_x) return false;
    const Inst& value = unit.insts[inst.args[0].index];
    return value.op == Op::pc && value.imm == behind;
  });
}

/// The offset of the unit's last instruction.
std::int64_t last_insn(const Unit& unit) {
  std::size_t i = unit.insts.size() - 1;
  while (unit.insts[i].op != Op::insn) --i;
  return unit.insts[i].imm;
}

class Former {
 public:
  Former(RegionSource& source, Region& region) : source_(source), region_(region) {}

  bool form(std::uint32_t first_offset) {
    while (!follow_all(first_offset)) {
    }
    const bool is_loop = !region_.nodes.empty() && keep_loop();
    region_.has_unknown_jumps = is_loop ? has_unknown_inside() : !unknown_.empty();
    return is_loop;
  }

 private:
  /// False: a function turned out to call itself, whose nodes are to be the same for all its calls.
  bool follow_all(std::int64_t first_offset) {
    region_.clear();
    blocks_.clear();
    cover_.clear();
    open_.clear();
    unknown_.clear();
    calls_.assign(1, {});
    node_at(first_offset, kNoCall);
    while (!open_.empty()) {
      const std::uint32_t index = open_.front();
      open_.pop_front();
      if (!follow(index)) return false;
    }
    return true;
  }

  static constexpr std::uint32_t kNoCall = 0;
  /// A call that was followed, one of `calls_`: each has nodes of its own for what it calls.
  struct Call {
    std::int64_t target = 0;
    std::int64_t return_offset = 0;
    std::uint32_t caller = kNoCall;
    unsigned depth = 0;
  };
  /// A block, in a function that was called: what a node stands for.
  struct BlockOfCall {
    std::int64_t offset;
    std::uint32_t call;
    bool operator==(const BlockOfCall&) const = default;
  };

  /// The node for the block there, made if need be; kNoNode where none can be.
  std::uint32_t node_at(std::int64_t offset, std::uint32_t call) {
    const BlockOfCall block{offset, call};
    const auto known = std::find(blocks_.begin(), blocks_.end(), block);
    if (known != blocks_.end()) return static_cast<std::uint32_t>(known - blocks_.begin());
    if (blocks_.size() == kMaxNodes || region_.guest_insns >= kMaxInsns) return kNoNode;
    const std::int64_t delta = page_of(offset);
    const RegionPage* const page = source_.page(delta);
    const auto in_page = static_cast<std::uint32_t>(offset - delta);
    if (page == nullptr || !source_.is_whole(*page, in_page)) return kNoNode;
    RegionNode node;
    node.offset = offset;
    node.last_offset = offset;
    node.call = node.last_call = call;
    source_.translate(*page, in_page, node.unit);
    // It may turn out to be known where it goes.
    if (node.unit.insts.back().op == Op::jump_reg) optimize(node.unit);
    rebase(node.unit, delta);
    region_.guest_insns += node.unit.guest_insns;
    const auto index = static_cast<std::uint32_t>(blocks_.size());
    blocks_.push_back(block);
    cover_.push_back({*page, in_page, in_page + node.unit.guest_bytes - 1});
    region_.nodes.push_back(std::move(node));
    // The caller's own blocks first: a long callee must not crowd out the loop.
    calls_[call].depth == 0 ? open_.push_front(index) : open_.push_back(index);
    return index;
  }

  void add_edge(std::uint32_t from, std::int64_t offset, std::uint32_t call) {
    const std::uint32_t to = node_at(offset, call);
    region_.nodes[from].edges.push_back({offset, to});
  }

  void add_call(std::uint32_t from, std::int64_t target, std::int64_t return_offset, std::uint32_t call) {
    calls_.push_back({target, return_offset, call, calls_[call].depth + 1});
    add_edge(from, target, static_cast<std::uint32_t>(calls_.size() - 1));
  }

  /// Whether the call is one of those that it is made in.
  [[nodiscard]] bool is_recursive(std::int64_t target, std::uint32_t call) const {
    for (; call != kNoCall; call = calls_[call].caller)
      if (calls_[call].target == target) return true;
    return false;
  }

  [[nodiscard]] bool calls_itself(std::int64_t target) const {
    return std::find(recursive_.begin(), recursive_.end(), target) != recursive_.end();
  }

  /// Goes on from a call. False: see `follow_all`.
  bool follow_call(std::uint32_t index, std::int64_t target, std::int64_t behind, std::uint32_t call) {
    if (is_recursive(target, call)) {
      recursive_.push_back(target);
      return false;
    }
    if (calls_itself(target))
      add_edge(index, target, kNoCall);
    else if (calls_[call].depth < kMaxCallDepth)
      add_call(index, target, behind, call);
    return true;
  }

  bool add_return(std::uint32_t index, std::uint32_t call) {
    add_edge(index, calls_[call].return_offset, calls_[call].caller);
    return true;
  }

  /// Goes on from a jump to where a register says. False: see `follow_all`.
  bool follow_register(std::uint32_t index, JumpHint hint, std::int64_t behind, std::uint32_t call) {
    if (hint == JumpHint::ret && call != kNoCall) return add_return(index, call);
    // A return of a function that does not call itself leads out of the loop.
    if (hint == JumpHint::ret && recursive_.empty()) return true;
    const RegionPage page = cover_[index].page;
    const auto in_page = static_cast<std::uint32_t>(last_insn(region_.nodes[index].unit) - page.delta);
    const std::span<const JumpTarget> targets = source_.targets(page, in_page);
    if (targets.empty() && call != kNoCall && hint == JumpHint::none) return add_return(index, call);
    if (targets.empty()) unknown_.push_back(region_.nodes[index].offset);
    for (std::size_t i = 0; i < targets.size() && (hint != JumpHint::call || i < kMaxCallees); ++i) {
      const std::int64_t target = page.delta + targets[i].distance;
      if (target < -kMaxOffset || target >= kMaxOffset) continue;
      if (hint != JumpHint::call)
        add_edge(index, target, call);
      else if (!follow_call(index, target, behind, call))
        return false;
    }
    return true;
  }

  /// Adds the ways on from the node. False: see `follow_all`.
  bool follow(std::uint32_t index) {
    const Unit& unit = region_.nodes[index].unit;
    const Inst end = unit.insts.back();
    const std::uint32_t call = blocks_[index].call;
    const std::int64_t behind = blocks_[index].offset + unit.guest_bytes;
    if (end.op == Op::branch) {
      add_edge(index, end.imm2, call);
      if (end.imm != end.imm2) add_edge(index, end.imm, call);
    } else if (end.op == Op::jump && !is_call(unit, behind)) {
      add_edge(index, end.imm, call);
    } else if (end.op == Op::jump) {
      return follow_call(index, end.imm, behind, call);
    } else if (end.op == Op::jump_reg) {
      return follow_register(index, static_cast<JumpHint>(end.aux), behind, call);
    }
    return true;
  }

  /// Whether there is a jump between the loop's blocks of which nothing is known, or a function that calls
  /// itself.
  [[nodiscard]] bool has_unknown_inside() const {
    if (!recursive_.empty() && !unknown_.empty()) return true;
    std::int64_t first = region_.nodes[0].offset;
    std::int64_t last = first;
    for (const RegionNode& node : region_.nodes) {
      if (node.call != kNoCall) continue;
      first = std::min(first, node.offset);
      last = std::max(last, node.offset);
    }
    return std::any_of(unknown_.begin(), unknown_.end(),
                       [&](std::int64_t jump) { return jump >= first && jump <= last; });
  }

  /// Removes the nodes that do not lead back to the first one.
  bool keep_loop() {
    std::vector<RegionNode>& nodes = region_.nodes;
    std::vector<std::uint32_t> positions(nodes.size(), kNoNode);
    std::vector<std::uint8_t> leads_back(nodes.size(), 0);
    const auto leads = [&](const RegionNode& node) {
      return std::any_of(node.edges.begin(), node.edges.end(), [&](const RegionEdge& edge) {
        return edge.node != kNoNode && (edge.node == 0 || leads_back[edge.node] != 0);
      });
    };
    for (bool is_changed = true; is_changed;) {
      is_changed = false;
      for (std::size_t i = nodes.size(); i-- > 0;) {
        if (leads_back[i] != 0 || !leads(nodes[i])) continue;
        leads_back[i] = 1;
        is_changed = true;
      }
    }
    if (leads_back[0] == 0) return false;
    std::uint32_t kept = 0;
    for (std::uint32_t i = 0; i < nodes.size(); ++i)
      if (leads_back[i] != 0) positions[i] = kept++;
    note_pages(positions);
    for (std::uint32_t i = 0; i < positions.size(); ++i)
      if (positions[i] != kNoNode && positions[i] != i) nodes[positions[i]] = std::move(nodes[i]);
    nodes.resize(kept);
    region_.guest_insns = 0;
    for (RegionNode& node : nodes) {
      region_.guest_insns += node.unit.guest_insns;
      for (RegionEdge& edge : node.edges)
        if (edge.node != kNoNode) edge.node = positions[edge.node];
    }
    return true;
  }

  void note_pages(const std::vector<std::uint32_t>& positions) {
    for (std::uint32_t i = 0; i < positions.size(); ++i) {
      if (positions[i] == kNoNode) continue;
      const Cover& cover = cover_[i];
      auto page = std::find_if(region_.pages.begin(), region_.pages.end(),
                               [&](const RegionPage& p) { return p.delta == cover.page.delta; });
      if (page == region_.pages.end()) page = region_.pages.insert(page, cover.page);
      page->first = std::min(page->first, cover.first);
      page->last = std::max(page->last, cover.last);
    }
  }

  /// What a node's code covers.
  struct Cover {
    RegionPage page;
    std::uint32_t first;
    std::uint32_t last;
  };

  RegionSource& source_;
  Region& region_;
  std::vector<BlockOfCall> blocks_;  ///< by node
  std::vector<Cover> cover_;         ///< likewise
  std::vector<Call> calls_;
  std::vector<std::int64_t> recursive_;  ///< functions that call themselves
  std::vector<std::int64_t> unknown_;    ///< blocks that end with a jump of which nothing is known
  std::deque<std::uint32_t> open_;       ///< nodes whose ways on are still to be followed
};

}  // namespace

bool form_region(RegionSource& source, std::uint32_t first_offset, Region& region) {
  return Former(source, region).form(first_offset);
}

}  // namespace gstage::tcg
