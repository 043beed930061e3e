// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tcg/runtime/engine_base.h"

namespace gstage::tcg {

/// Keeps each block's IR and interprets it.
class InterpEngine final : public EngineBase {
 public:
  /// `buffer_bytes` bounds the memory for IR; 0 means a default.
  InterpEngine(Guest& guest, AddressSpace& memory, Exclusive& exclusive, std::size_t buffer_bytes);

  void run(CpuCore& core, Tlb& tlb) override { run_until_attention(core, tlb); }
  void run_block(CpuCore& core, Tlb& tlb, unsigned max_insns) override;

 private:
  void execute(CpuCore& core) override;
  bool generate(Block& block, const Unit& unit) override;
  bool has_room() override { return used_bytes_ < limit_bytes_; }
  void reset_code() override { used_bytes_ = 0; }

  const std::size_t limit_bytes_;
  std::size_t used_bytes_ = 0;
};

}  // namespace gstage::tcg
