// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "tcg/ir/unit.h"

namespace gstage::tcg {

/// One pass over a unit. Each is linear in the block and keeps its tables between blocks: most of the time
/// that a guest takes to boot goes into translation.
using Pass = void (*)(Unit&);

/// A pass with the name that tests and logs know it by.
struct NamedPass {
  const char* name;
  Pass run;
};

/// The passes in their order.
std::span<const NamedPass> passes();

/// Runs all passes. In builds with assertions the unit is verified before the first and after each.
void optimize(Unit& unit);

}  // namespace gstage::tcg
