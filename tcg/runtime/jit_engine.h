// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "tcg/runtime/code_buffer.h"
#include "tcg/runtime/engine_base.h"
#include "tcg/runtime/run_context.h"
#include "tcg/x86_64/compiler.h"
#include "tcg/x86_64/thunks.h"

namespace gstage::tcg {

/// Runs blocks as host code.
class JitEngine final : public EngineBase, private x86_64::LinkTargets {
 public:
  JitEngine(Guest& guest, AddressSpace& memory, Exclusive& exclusive, std::unique_ptr<CodeBuffer> buffer,
            x86_64::HostFeatures features);

  void run(CpuCore& core, Tlb& tlb) override { run_until_attention(core, tlb); }
  void run_block(CpuCore& core, Tlb& tlb, unsigned max_insns) override;

 private:
  /// A part of the buffer that fills up.
  struct Area {
    std::size_t first;
    std::size_t end;
    std::size_t next;      ///< where the next block goes
    std::size_t released;  ///< up to here the writable view is not in use
  };
  static Area make_area(std::size_t first, std::size_t end) { return {first, end, first, first}; }
  void advance(Area& area, std::size_t next);

  // Called from generated code.
  static const void* on_next(RunContext* context);
  static const void* on_trap(RunContext* context);
  static const void* on_link(RunContext* context, const LinkSite* site);

  void execute(CpuCore& core) override;
  bool generate(Block& block, const Unit& unit) override;
  bool has_room() override;
  void retire(Block& block) override;
  void reset_code() override;
  std::size_t entry_at(std::uint32_t page_offset) override;

  const void* next_code(CpuCore& core);
  Block* link(CpuCore& core, const LinkSite& site);
  void forward(Block& dead, Block& to);
  bool compile(Block& block, const Unit& unit, const x86_64::CompileRequest& request);

  std::unique_ptr<CodeBuffer> buffer_;
  x86_64::Thunks thunks_;
  x86_64::Compiler compiler_;
  Area hot_;
  Area cold_;
  const std::size_t single_at_;        ///< where run_block's code goes: the buffer's last part
  const BlockKey* linking_ = nullptr;  ///< of the block that is being generated
  std::mutex single_mutex_;            ///< held while code made by run_block exists
};

}  // namespace gstage::tcg
