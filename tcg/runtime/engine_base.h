// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "tcg/ir/unit.h"
#include "tcg/runtime/block_cache.h"
#include "tcg/runtime/engine.h"
#include "tcg/runtime/guest.h"

namespace gstage::tcg {

/// What both accelerators share: finding the block at a pc, translating it to IR, forgetting it.
///
/// Translation happens outside generated code alone, so that what needs all harts stopped (a full buffer) can
/// be done from there. Lock order: Exclusive, then `mutex_`.
class EngineBase : public Engine {
 public:
  ~EngineBase() override;
  EngineBase(const EngineBase&) = delete;
  EngineBase& operator=(const EngineBase&) = delete;

  void invalidate(Paddr first, std::uint64_t size) override;
  [[nodiscard]] std::string describe() final;

 protected:
  EngineBase(Guest& guest, AddressSpace& memory, Exclusive& exclusive);

  /// The hart's guest code at core.pc.
  struct CodeLocation {
    BlockKey key;
    Paddr paddr;             ///< set by `locate_fully` only
    Paddr second;            ///< likewise
    bool may_cache = false;  ///< its pages are in the fetch table: jump caches may hold the block
  };
  enum class Outcome : std::uint8_t { kDone, kFull, kUnsettled };

  /// Runs one stay in guest code of the hart, from core.pc, until the hart must leave or code is missing.
  virtual void execute(CpuCore& core) = 0;
  /// Makes the unit executable. Under the lock. False: it is too big.
  virtual bool generate(Block& block, const Unit& unit) = 0;
  /// Whether there is room to generate a block. Under the lock.
  virtual bool has_room() = 0;
  /// The block is no longer found: stop its use. Under the lock.
  virtual void retire(Block&) {}
  /// kAttendSample was set: the hart is outside generated code, at core.pc. Leaves no trap pending.
  virtual void sample(CpuCore&) {}
  /// The block at core.pc was just translated; likewise.
  virtual void translated(CpuCore&) {}
  /// Sets kAttendSample for all harts in generated code. Returns whether there are any. Any thread.
  bool ask_for_samples();
  /// What `describe` tells of the code, lines ended. Under the lock.
  [[nodiscard]] virtual std::string describe_code() const { return {}; }
  /// All blocks are gone, no hart runs. Under the lock.
  virtual void reset_code() {}

  void run_until_attention(CpuCore& core, Tlb& tlb);
  /// The code of the block at core.pc (Block::code), entered in the jump cache, with core.pc_page set;
  /// delivers traps of fetching. Null: the hart must leave, because of its attention word or because the
  /// block is to be translated first.
  const void* find_next(CpuCore& core);
  /// The code of the block at core.pc as the jumps know it, or null.
  static const void* find_jump(const CpuCore& core);
  /// Translates the block at core.pc. A trap may be left pending. Outside generated code.
  void translate(CpuCore& core);
  /// False: a trap is pending.
  bool locate(CpuCore& core, CodeLocation& location);
  bool locate_fully(CpuCore& core, CodeLocation& location);
  /// Translates to IR into `unit_`; under the lock.
  void make_unit(const CodeLocation& location, unsigned max_insns);
  [[nodiscard]] std::mutex& mutex() { return mutex_; }
  [[nodiscard]] BlockCache& blocks() { return blocks_; }
  /// Whether code of the page can be read now: it is withheld from stores and none is under way. Under the
  /// lock.
  [[nodiscard]] bool is_readable(Paddr page) const;

  static constexpr unsigned kMaxInsns = 64;

  Guest& guest_;
  AddressSpace& memory_;
  Exclusive& exclusive_;
  const GuestLayout layout_;
  Unit unit_;
  const CpuCore* translating_ = nullptr;  ///< the hart at whose pc code is made; under the lock

 private:
  struct HartRecord {
    CpuCore* core;
    std::uint64_t generation;
  };
  HartRecord& record_of(CpuCore& core);
  bool must_return(CpuCore& core);
  static void show_jumps(CpuCore& core);
  static void enter_jump(CpuCore& core, const CodeLocation& location, const void* code);
  /// What can be fetched at an address.
  struct Fetched {
    const std::byte* page = nullptr;
    bool is_cached = false;   ///< the page is in the fetch table
    std::uint16_t limit = 0;  ///< FetchPage::limit
  };
  bool locate_page(CpuCore& core, Vaddr pc, Fetched& fetched);
  bool locate_straddling(CpuCore& core, CodeLocation& location);
  const void* find_block_code(const BlockKey& key);
  Outcome translate_locked(const CodeLocation& location);
  bool is_settled(Paddr page);
  void settle();
  void flush(std::uint64_t generation);

  std::mutex mutex_;  ///< translation, invalidation, patching
  BlockCache blocks_;
  std::uint64_t generation_ = 0;          ///< counts flushes; written while no hart runs
  std::vector<std::uint64_t> unsettled_;  ///< pages to which a store may be under way

  std::mutex records_mutex_;
  std::vector<std::unique_ptr<HartRecord>> records_;
  std::atomic<std::size_t> hart_count_{0};
};

}  // namespace gstage::tcg
