// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "tcg/ir/unit.h"
#include "tcg/runtime/code_buffer.h"
#include "tcg/runtime/guest.h"
#include "tcg/runtime/run_context.h"
#include "tcg/x86_64/assembler.h"

namespace gstage::tcg::x86_64 {

/// Code that all blocks share, at the start of the buffer: the way in and out, the dispatcher, calls of C++.
///
/// A call of C++ is made in a block by: arguments in rsi, rdx, rcx, rax; push the page offset of the guest
/// instruction; call the thunk; result in rax; scratch registers are gone, global ones are kept. So core.pc
/// is exact in everything that C++ does, and a trap needs no search for its pc.
class Thunks {
 public:
  /// Bytes at the start of the buffer that belong to thunks.
  static constexpr std::size_t kBytes = std::size_t{48} << 10;

  Thunks(CodeBuffer& buffer, Guest& guest, const RuntimeCalls& runtime);

  /// Runs generated code until it leaves. By the hart's thread.
  void enter(RunContext& context, const void* code) const {
    reinterpret_cast<void (*)(RunContext*, const void*)>(
        reinterpret_cast<std::uintptr_t>(buffer_.executable_at(enter_)))(&context, code);
  }
  /// Where RuntimeCalls go to leave generated code, CpuCore::pc being set.
  [[nodiscard]] const void* leave() const { return buffer_.executable_at(leave_); }

  // Offsets in the buffer, for blocks.
  [[nodiscard]] std::size_t dispatch() const { return dispatch_; }  ///< jump, pc in rax
  [[nodiscard]] std::size_t leave_at() const { return leave_at_; }  ///< jump, pc in rax
  [[nodiscard]] std::size_t link() const { return link_; }          ///< call, followed by a LinkSite
  [[nodiscard]] std::size_t canonical_nan(Type type) const {        ///< the constant, of 8 bytes
    return type == Type::f64 ? nan_d_ : nan_s_;
  }
  [[nodiscard]] std::size_t box() const { return box_; }  ///< 16 bytes: what boxes a single by an or
  /// Calls with an address in rdx and, for stores, the value in rax.
  [[nodiscard]] std::size_t load(MemKind kind) const { return load_[static_cast<unsigned>(kind)]; }
  [[nodiscard]] std::size_t store(MemKind kind) const { return store_[static_cast<unsigned>(kind) & 3]; }
  [[nodiscard]] std::size_t atomic_host(MemKind kind) const { return atomic_[static_cast<unsigned>(kind)]; }
  [[nodiscard]] std::size_t load_reserved(MemKind kind) const {
    return reserved_[static_cast<unsigned>(kind)];
  }
  /// Widens an inline cache: takes in the pages around that lie next to it in host memory, too. Push the
  /// address of the InlineCache, then that of the table that filled it, and call. Keeps all registers.
  [[nodiscard]] std::size_t widen() const { return widen_; }
  /// The thunk of a helper, made on first use.
  std::size_t helper(const Helper& helper);

 private:
  static constexpr unsigned kMemKinds = 7;
  using Slow = std::uint64_t (*)(Guest*, CpuCore*, std::uint64_t vaddr, std::uint32_t kind,
                                 std::uint64_t value);

  void emit_entry_and_exit();
  void emit_dispatch(const RuntimeCalls& runtime);
  void emit_straddler();
  void emit_widen();
  std::size_t emit_access(Slow function, unsigned kind, bool has_value);
  /// Looks up the TLB once more: the lookup in the block may have been for a wider range.
  void emit_second_look(MemKind kind, bool is_store);
  void save(unsigned first, unsigned last);
  void restore(unsigned first, unsigned last);
  void call_runtime(const void* function);
  void store_pc();
  void finish_call(bool is_full, bool may_trap);
  Xbyak::Address global_home(unsigned i) {
    return a_.core(layout_.x_offset + 8u * layout_.global_registers[i]);
  }

  CodeBuffer& buffer_;
  Guest& guest_;
  GuestLayout layout_;
  Assembler a_;
  std::size_t enter_ = 0;
  std::size_t leave_ = 0;
  std::size_t leave_at_ = 0;
  std::size_t dispatch_ = 0;
  std::size_t link_ = 0;
  std::size_t trap_full_ = 0;
  std::size_t trap_light_ = 0;
  std::size_t nan_s_ = 0;
  std::size_t nan_d_ = 0;
  std::size_t box_ = 0;
  std::size_t widen_ = 0;
  std::array<std::size_t, kMemKinds> load_{};
  std::array<std::size_t, kMemKinds> reserved_{};
  std::array<std::size_t, kMemKinds> atomic_{};
  std::array<std::size_t, 4> store_{};
  std::unordered_map<const Helper*, std::size_t> helpers_;
};

}  // namespace gstage::tcg::x86_64
