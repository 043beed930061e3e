// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "tcg/ir/unit.h"

namespace gstage::tcg::x86_64 {

/// Loads of a block that lie near each other, or such stores, as in a prologue or where fields of one
/// structure are read. If the range that they cover lies in one page, one TLB lookup serves them all.
struct AccessGroup {
  std::uint32_t first;  ///< instructions of the unit
  std::uint32_t last;
  std::uint32_t count;
  std::int64_t low;   ///< bytes that are covered, from the address operand of the first access (with its
  std::int64_t high;  ///< displacement left out); `high` is the byte behind
};

/// Finds the groups of a unit. Addresses are compared as a root value plus a constant: a guest register as it
/// was at some point, or any other value.
class AccessGroups {
 public:
  static constexpr std::uint16_t kNone = 0xffff;

  /// Groups of one access are left out, and accesses that go by a pointer of a versioned loop
  /// (RegionNode::pointers).
  void find(const Unit& unit, std::span<const std::uint8_t> pointers = {});
  [[nodiscard]] const std::vector<AccessGroup>& groups() const { return groups_; }
  /// The group of a load or store, or kNone.
  [[nodiscard]] std::uint16_t group_of(std::uint32_t inst) const { return group_of_[inst]; }

 private:
  /// A value as a root plus a constant.
  struct RootOffset {
    std::uint32_t root;
    std::int64_t offset;
  };
  /// A group that can still grow, relative to its root.
  struct Open {
    std::uint32_t root;
    bool is_store;
    std::uint16_t group;
    std::int64_t first_offset;
  };

  void forget_registers();
  void follow(const Unit& unit, std::uint32_t index);
  void add(const Unit& unit, std::uint32_t index);
  void drop_single_ones();

  std::vector<AccessGroup> groups_;
  std::vector<std::uint16_t> group_of_;
  std::vector<RootOffset> values_;  ///< of each value
  std::array<RootOffset, 32> registers_{};
  std::vector<Open> open_;
  std::span<const std::uint8_t> pointers_;
  std::uint32_t next_root_ = 0;
};

}  // namespace gstage::tcg::x86_64
