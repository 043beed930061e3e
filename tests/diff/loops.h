// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tests/diff/world.h"

namespace gstage::test {

/// Writes a program of nested loops into the world's memory, and sets the hart up to run it: calls, switches,
/// pointers that go through scattered pages, code and page tables that the program changes itself, MXR and
/// SUM, interrupts that it sends itself. It ends with a store to World::kStopDevice. The same for every
/// world.
void write_loops(World& world, std::uint64_t seed);

}  // namespace gstage::test
