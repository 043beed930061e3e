// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "tcg/region/region.h"

namespace gstage::tcg {

/// How many rounds in a row the loop at this offset goes, as far as somebody watched it.
using RoundsAt = std::function<std::uint32_t(std::int64_t offset)>;

/// Gives loops of the region a second body whose accesses need no checks of their own (see VersionedLoop).
/// The region must be laid out; afterwards its units must stay as they are.
void version_loops(Region& region, const RoundsAt& rounds_at);

}  // namespace gstage::tcg
