// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "softmmu/base/log.h"
#include "softmmu/base/log_filter.h"
#include "tcg/ir/unit.h"
#include "tcg/region/region.h"
#include "tcg/runtime/block.h"
#include "tcg/runtime/guest.h"

namespace gstage::tcg {

/// `-d exec`: a block is found by the dispatcher and entered.
void dump_exec(const Guest& guest, const CpuCore& core, const Block& block);
/// `-d in_asm`: the guest code of a unit, with physical addresses.
void dump_guest_code(const Guest& guest, const BlockKey& key, Paddr first, const Unit& unit);
/// `-d op`, `-d op_opt`.
void dump_unit(Log category, const Unit& unit);
/// `-d op_opt`: the nodes of a region, with their ways on.
void dump_region(const Region& region, Paddr first);
/// `-d out_asm`: host code. `shown_at` is the address that it runs at.
void dump_host_code(const std::uint8_t* code, std::size_t size, std::uint64_t shown_at);

}  // namespace gstage::tcg
