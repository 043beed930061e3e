// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <immintrin.h>

#include "tcg/interp/interp.h"
#include "tcg/ir/print.h"
#include "tcg/ir/verify.h"
#include "target/riscv/decode/decode.h"
#include "target/riscv/hart.h"
#include "target/riscv/ops/helpers.h"
#include "target/riscv/trans/translate.h"

namespace gstage::riscv {

/// Guest code in two pages and its translation.
class Code {
 public:
  static constexpr std::uint32_t kStart = 0x100;

  /// Puts instructions of 32 bits one after another.
  explicit Code(std::initializer_list<std::uint32_t> insns, std::uint32_t at = kStart) : start_(at) {
    for (const std::uint32_t insn : insns) {
      std::memcpy(&bytes_[at], &insn, sizeof insn);
      at += sizeof insn;
    }
  }
  Code& put16(std::uint32_t at, std::uint16_t insn) {
    std::memcpy(&bytes_[at], &insn, sizeof insn);
    return *this;
  }

  tcg::Unit translate(std::uint32_t flags = kMachine, unsigned max_insns = 1000) const {
    const bool straddles = start_ == kPageSize - 2 && is_long(first_halfword());
    const tcg::BlockSource source{start_, flags, bytes_.data(), straddles ? &bytes_[kPageSize] : nullptr,
                                  max_insns};
    tcg::Unit unit;
    translate_block(source, config, unit);
    const Status status = tcg::verify(unit);
    EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message) << "\n" << tcg::print(unit);
    return unit;
  }

  CpuConfig config;

 private:
  [[nodiscard]] std::uint16_t first_halfword() const {
    std::uint16_t value = 0;
    std::memcpy(&value, &bytes_[start_], sizeof value);
    return value;
  }
  std::uint32_t start_;
  std::array<std::byte, 2 * kPageSize> bytes_{};
};

inline std::size_t count_op(const tcg::Unit& unit, tcg::Op op) {
  return static_cast<std::size_t>(
      std::count_if(unit.insts.begin(), unit.insts.end(), [op](const tcg::Inst& i) { return i.op == op; }));
}

inline bool calls(const tcg::Unit& unit, const tcg::Helper& helper) {
  return std::any_of(unit.insts.begin(), unit.insts.end(), [&](const tcg::Inst& i) {
    return (i.op == tcg::Op::call || i.op == tcg::Op::trap_if_zero) && i.helper() == &helper;
  });
}

inline const tcg::Inst& end_of(const tcg::Unit& unit) { return unit.insts.back(); }

/// A guest whose memory is one page of host memory at address 0x1000.
class PageGuest : public tcg::Guest {
 public:
  static constexpr std::uint64_t kBase = 0x1000;

  [[nodiscard]] tcg::GuestLayout layout() const override {
    return {offsetof(Hart, x), offsetof(Hart, f), {1, 2, 8, 9, 10, 11, 12, 13, 14, 15}};
  }
  [[nodiscard]] std::uint32_t block_flags(const CpuCore& core) const override {
    return current_block_flags(hart_of(core));
  }
  std::optional<tcg::FetchPage> fetch(CpuCore&, Vaddr) override { return std::nullopt; }
  [[nodiscard]] bool is_long(std::uint16_t first) const override { return riscv::is_long(first); }
  void translate(const tcg::BlockSource&, tcg::Unit&) override {}
  void deliver_trap(CpuCore&) override {}
  std::uint64_t load(CpuCore& core, Vaddr vaddr, tcg::MemKind kind) override {
    std::uint64_t value = 0;
    if (std::byte* host = find(core, vaddr)) std::memcpy(&value, host, tcg::mem_size(kind));
    const unsigned width = 8 * tcg::mem_size(kind);
    return tcg::mem_is_signed(kind) ? sign_extend(value, width) : value;
  }
  void store(CpuCore& core, Vaddr vaddr, tcg::MemKind kind, std::uint64_t value) override {
    if (std::byte* host = find(core, vaddr)) std::memcpy(host, &value, tcg::mem_size(kind));
  }
  void* atomic_host(CpuCore& core, Vaddr vaddr, tcg::MemKind) override { return find(core, vaddr); }
  std::uint64_t load_reserved(CpuCore& core, Vaddr vaddr, tcg::MemKind kind) override {
    core.reservation_vaddr = vaddr.value;
    return core.reservation_value = load(core, vaddr, kind);
  }
  [[nodiscard]] std::string disassemble(std::uint64_t, std::span<const std::byte>) const override {
    return {};
  }
  [[nodiscard]] std::string describe_mode(const CpuCore&) const override { return {}; }

  alignas(8) std::array<std::byte, kPageSize> memory{};

 private:
  std::byte* find(CpuCore& core, Vaddr vaddr) {
    if (vaddr.page().value == kBase) return &memory[vaddr.page_offset()];
    Trap trap{};
    trap.cause = Cause::kLoadPageFault;
    trap.tval = vaddr.value;
    raise(hart_of(core), trap);
    return nullptr;
  }
};

/// A hart in M-mode that executes blocks in the interpreter. Blocks lie in the page at kPage.
class TransTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kPage = 0x80000000;

  TransTest() : tables_(kTlbSize, TlbEntry{kNoTag, 0}), saved_(_mm_getcsr()) {
    _mm_setcsr(0x1f80);
    hart_.core.read = hart_.core.write = tables_.data();
    hart_.priv = kMachine;
    hart_.s = &hart_.hs;
    hart_.fp_enabled = 1;
  }
  ~TransTest() override { _mm_setcsr(saved_); }

  void run(const Code& code) { run(code.translate(current_block_flags(hart_))); }
  void run(const tcg::Unit& unit) {
    hart_.core.pc_page = kPage;
    hart_.core.pc = kPage + unit.first_offset;
    tcg::interp::run(unit, hart_.core, guest_, guest_.layout());
  }
  /// x10 after one instruction.
  std::uint64_t x10_after(std::uint32_t insn) {
    run(Code({insn, kEnd}));
    return hart_.x[10];
  }
  static std::uint32_t fflags() { return _mm_getcsr() & 0x3d; }

  /// A jump to itself ends a block.
  static constexpr std::uint32_t kEnd = 0x0000006f;
  Hart hart_{};
  PageGuest guest_;

 private:
  std::vector<TlbEntry> tables_;
  std::uint32_t saved_;
};

}  // namespace gstage::riscv
