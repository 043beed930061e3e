// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "tests/diff/world.h"

namespace gstage::test {

/// Fills `bytes` of code with instructions drawn from the decode tables, and pointers to the data among them.
void fill_random_code(Rng& rng, std::byte* code, std::size_t bytes);

/// The same of instructions that seldom trap where x8 to x15 point to data and x28 to x31 to code: these are
/// left alone. x6 and x7 are masks for sstatus.
void fill_tame_code(Rng& rng, std::byte* code, std::size_t bytes);

}  // namespace gstage::test
