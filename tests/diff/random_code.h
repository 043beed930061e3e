// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "tests/diff/world.h"

namespace gstage::test {

/// Fills `bytes` of code with instructions drawn from the decode tables, and pointers to the data among them.
void fill_random_code(Rng& rng, std::byte* code, std::size_t bytes);

}  // namespace gstage::test
