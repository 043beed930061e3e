// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tcg/region/jump_profile.h"
#include "tcg/region/region.h"
#include "tcg/runtime/code_buffer.h"
#include "tcg/runtime/code_log.h"
#include "tcg/runtime/engine_base.h"
#include "tcg/runtime/run_context.h"
#include "tcg/runtime/sampler.h"
#include "tcg/x86_64/compiler.h"
#include "tcg/x86_64/thunks.h"

namespace gstage::tcg {

/// Runs blocks as host code.
class JitEngine final : public EngineBase, private x86_64::LinkTargets {
 public:
  JitEngine(Guest& guest, AddressSpace& memory, Exclusive& exclusive, std::unique_ptr<CodeBuffer> buffer,
            x86_64::HostFeatures features, Regions regions);
  ~JitEngine() override;

  void run(CpuCore& core, Tlb& tlb) override {
    if (sampler_) sampler_->start();
    run_until_attention(core, tlb);
  }
  void run_block(CpuCore& core, Tlb& tlb, unsigned max_insns) override;
  /// Whom to tell of code; null: nobody. Before harts run.
  void set_code_log(std::unique_ptr<CodeLog> log) { code_log_ = std::move(log); }

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
  [[nodiscard]] std::string describe_code() const override;
  std::size_t entry_at(std::uint32_t page_offset) override;

  // Regions (jit_regions.cpp).
  void sample(CpuCore& core) override;
  bool note_sample(CpuCore& core);
  void translated(CpuCore& core) override;
  /// The block at core.pc, if it is known; under the lock.
  Block* known_block(CpuCore& core);
  enum class Promotion : std::uint8_t { kDone, kNone, kUnknown };
  Promotion promote(CpuCore& core, Block& header);
  bool compile_region(Block& header);
  bool learn_from(Block& region);
  /// Interprets the hart for a while, outside generated code, to fill `jumps_`.
  void watch(CpuCore& core);
  struct Watch {
    std::unordered_map<const Block*, Unit> units;
    std::uint64_t last_pc = 0;
  };
  bool watch_block(CpuCore& core, Watch& watch);
  void note_scattered();
  std::vector<x86_64::RegionEntry> find_entries(std::uint32_t flags, std::vector<Block*>& headers);
  /// The region that the block is a part of, if one is alive; under the lock.
  [[nodiscard]] Block* region_of(const Block& block) const;

  const void* next_code(CpuCore& core);
  Block* link(CpuCore& core, const LinkSite& site);
  void forward(Block& dead, Block& to);
  bool compile(Block& block, const Unit& unit, const x86_64::CompileRequest& request);
  void take(Block& block, const x86_64::CompileRequest& request, const x86_64::CompiledBlock& code);
  void log_code(const Block& block, const x86_64::CompileRequest& request, const x86_64::CompiledBlock& code);

  std::unique_ptr<CodeBuffer> buffer_;
  x86_64::Thunks thunks_;
  x86_64::Compiler compiler_;
  Area inline_;
  Area out_of_line_;
  const std::size_t single_at_;     ///< where run_block's code goes: the buffer's last part
  const Block* linking_ = nullptr;  ///< the block that is being generated
  std::mutex single_mutex_;         ///< held while code made by run_block exists
  const Regions regions_;
  Region region_;                                            ///< under way; under the lock
  std::unordered_map<const std::byte*, int> samples_;        ///< by guest code; likewise
  std::unordered_map<const std::byte*, Block*> regions_at_;  ///< by guest code that begins a node; likewise
  std::unordered_set<const std::byte*> scattered_;  ///< guest instructions: Region::scattered; likewise
  std::unordered_set<const std::byte*> watched_;    ///< code from which the hart was watched; likewise
  JumpProfile jumps_;                               ///< likewise
  std::unique_ptr<Sampler> sampler_;
  std::unique_ptr<CodeLog> code_log_;  ///< or null
};

}  // namespace gstage::tcg
