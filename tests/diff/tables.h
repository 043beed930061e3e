// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tests/diff/world.h"

namespace gstage::test {

/// The page tables of one kind of translation: a root, one table in the middle, two tables of leaves, of
/// which the first is in use at first. They map the window kRamBase + kRamSize page by page, and once more,
/// as a superpage, kSuperpage behind it.
struct Tables {
  std::uint64_t at;     ///< physical address of the root
  unsigned root_pages;  ///< 4 in the G-stage
  [[nodiscard]] std::uint64_t middle() const { return at + root_pages * kPageSize; }
  [[nodiscard]] std::uint64_t leaves(unsigned which) const { return middle() + (1 + which) * kPageSize; }
};
inline constexpr std::uint64_t kSuperpage = 0x200000;
inline constexpr unsigned kStages = 3;
enum Stage : unsigned { kHsStage, kVsStage, kGStage };
inline constexpr Tables kTables[kStages] = {
    {kTableBase, 1}, {kTableBase + 0x8000, 1}, {kTableBase + 0x10000, 4}};
inline constexpr std::uint64_t kTablesSize = 0x18000;

/// Identifiers that address spaces and guests have, in their registers' whole width.
inline constexpr std::uint64_t kAsids[] = {0, 1, 2, 0x8001};
inline constexpr std::uint64_t kVmids[] = {0, 1, 2, 0x2001};

/// The value of satp, vsatp or hgatp: Sv39 with the stage's root.
std::uint64_t root_register(Stage stage, std::uint64_t id);

/// Fills all tables.
void build_tables(Rng& rng, World& world);
/// Changes one entry of one table, and has the hart execute fences that suffice for it, in one of the ways
/// that there are.
void edit_tables(Rng& rng, World& world);

}  // namespace gstage::test
