// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "softmmu/cpu.h"

namespace gstage::tcg {

class Engine;

/// One stay of a hart in generated code.
struct RunContext {
  CpuCore* core;
  Engine* engine;
  bool is_single;  ///< Engine::run_block: leave after the block, deliver no trap
};

/// Follows the call of the link thunk in a block: a direct jump within the page that is not resolved yet.
/// Offsets are from the block's entry. (Unaligned, as in code.)
struct [[gnu::packed]] LinkSite {
  std::uint32_t self;          ///< of this structure
  std::uint16_t target;        ///< page offset of the guest code to jump to
  std::uint16_t displacement;  ///< of the jump's displacement
};

/// What generated code calls to find the way on. Each returns the code to continue at.
struct RuntimeCalls {
  const void* (*next)(RunContext*);                   ///< the block at CpuCore::pc
  const void* (*trapped)(RunContext*);                ///< a trap is pending
  const void* (*link)(RunContext*, const LinkSite*);  ///< and patch the jump
};

}  // namespace gstage::tcg
