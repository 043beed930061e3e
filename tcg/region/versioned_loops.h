// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "tcg/region/region.h"

namespace gstage::tcg {

/// How often the code at this offset is run in a row each time that it is come to, as far as it was seen.
using RoundsAt = std::function<std::uint32_t(std::int64_t offset)>;

/// Gives loops of the region a second body whose accesses need no check of their own (see VersionedLoop). For
/// regions that are laid out; afterwards their units stay as they are.
void version_loops(Region& region, const RoundsAt& rounds_at);

}  // namespace gstage::tcg
