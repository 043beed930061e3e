// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "tcg/ir/builder.h"
#include "tcg/runtime/guest.h"
#include "target/riscv/decode/decode.h"
#include "target/riscv/extensions.h"
#include "target/riscv/hart.h"
#include "target/riscv/ops/helpers.h"
#include "target/riscv/ops/soft_float.h"

namespace gstage::riscv {

/// Translates the instructions of one block. One method a row of insn32.inc, in the files rv_*.cpp: it
/// appends the instruction's IR, or returns false where the instruction is illegal in this mode.
class Translator {
 public:
  Translator(const tcg::BlockSource& source, const CpuConfig& config, tcg::Unit& unit)
      : source_(source), config_(config), ir_(unit) {}

  /// Translates the block, its end included.
  void run();

#define INSN(name, pattern, format, extension) bool name(const Args##format& args);
#include "target/riscv/decode/insn32.inc"
#undef INSN

 private:
  using Value = tcg::Value;
  using Unary = Value (tcg::Builder::*)(Value);
  using Binary = Value (tcg::Builder::*)(Value, Value);

  // translate.cpp: fetching, dispatch and the ends of blocks.
  std::uint16_t halfword(std::uint32_t offset) const;
  std::uint32_t expand(std::uint16_t raw) const;
  void translate_insn();
  void always_trap(const tcg::Helper& helper, std::initializer_list<Value> values = {});
  bool virtual_instruction();
  void leave();

  // The mode that the block is for.
  unsigned privilege() const { return source_.flags & block_flags::kPrivMask; }
  bool has_triggers() const { return (source_.flags & block_flags::kTriggers) != 0; }
  bool is_virtual() const { return (source_.flags & block_flags::kVirtual) != 0; }

  // Values. x0 reads as a constant; what is written to it is dropped.
  Value constant(std::uint64_t value) { return ir_.const_(static_cast<std::int64_t>(value)); }
  Value x(unsigned reg) { return reg == 0 ? ir_.const_(0) : ir_.get_x(reg); }
  void set_x(unsigned reg, Value value) {
    if (reg != 0) ir_.set_x(value, reg);
  }
  Value raw_bits() { return constant(raw_); }
  Value env(std::size_t offset, tcg::MemKind kind = tcg::MemKind::u64) {
    return ir_.env_load(static_cast<std::int64_t>(offset), kind);
  }
  void set_env(std::size_t offset, Value value) {
    ir_.env_store(value, static_cast<std::int64_t>(offset), tcg::MemKind::u64);
  }

  // rv_i.cpp.
  bool compute(const ArgsR& args, Binary op);
  bool compute(unsigned rd, unsigned rs1, std::int64_t constant, Binary op);
  bool compare(unsigned rd, Value a, Value b, tcg::Cond cond);
  bool load(const ArgsI& args, tcg::MemKind kind);
  bool store(const ArgsS& args, tcg::MemKind kind);
  bool branch(const ArgsB& args, tcg::Cond cond);
  bool is_misaligned(std::int64_t target) const { return !config_.zca && (target & 2) != 0; }
  void jump_to(std::int64_t target);

  // rv_b.cpp, rv_zbk.cpp: bit manipulation.
  bool compute(const ArgsR2& args, Unary op);
  bool shift_add(const ArgsR& args, unsigned shift, bool is_word);
  bool choose(const ArgsR& args, tcg::Cond keeps_first);
  bool rotate_left(const ArgsR& args, Binary rotate);
  Value inverted(Value value) { return ir_.xor_(value, ir_.const_(-1)); }
  Value single_bit(Value index) { return ir_.shl(ir_.const_(1), index); }
  bool with_bit(unsigned rd, unsigned rs1, Value index, Binary op);
  bool clear_bit(unsigned rd, unsigned rs1, Value index);
  bool extract_bit(unsigned rd, unsigned rs1, Value index);
  bool call_binary(const ArgsR& args, const tcg::Helper& helper);
  Value swap_neighbours(Value value, unsigned distance, std::uint64_t low_mask);

  // rv_zk.cpp: cryptography.
  struct HashStep {
    unsigned first, second, third;
    bool is_third_shifted;
  };
  bool crypt(unsigned rd, unsigned rs1, unsigned rs2, const tcg::Helper& helper);
  bool hash64(const ArgsR2& args, const HashStep& step);
  bool hash32(const ArgsR2& args, const HashStep& step);

  // rv_zi.cpp.
  bool cache_block(const ArgsR2& args, CacheBlockOp op);

  // rv_a.cpp.
  bool load_reserved(const ArgsAmo& args, tcg::MemKind kind);
  bool store_conditional(const ArgsAmo& args, tcg::MemKind kind);
  bool amo(const ArgsAmo& args, tcg::Rmw rmw, tcg::MemKind kind);
  bool compare_and_swap(const ArgsAmo& args, tcg::MemKind kind);

  // rv_fp.cpp: what F and D share.
  bool fp_load(const ArgsI& args, tcg::MemKind kind);
  bool fp_store(const ArgsS& args, tcg::MemKind kind);
  void require_fp();
  void mark_fp_dirty();
  void set_f_bits(unsigned reg, Value value);
  /// Whether IR ops, which round as MXCSR says, do what the rm field asks for.
  bool rounds_in_place(unsigned rm) const {
    return rm == kDynamicRounding && (source_.flags & block_flags::kSlowRounding) == 0;
  }
  bool fp_helper(unsigned rd, const tcg::Helper& helper, std::initializer_list<Value> values);
  bool fp_to_x_helper(unsigned rd, const tcg::Helper& helper, std::initializer_list<Value> values);
  static bool is_reserved(unsigned rm) { return rm == 5 || rm == 6; }
  static constexpr unsigned kDynamicRounding = 7;
  static constexpr unsigned kTowardsZero = 1;

  /// What the instructions of F and of D differ in.
  struct FpFormat {
    Value (tcg::Builder::*get)(std::int64_t reg);
    Value (tcg::Builder::*set)(Value value, std::int64_t reg);
    Unary sqrt;
    Value (tcg::Builder::*fma)(Value, Value, Value, tcg::Fma);
    Value (tcg::Builder::*compare)(Value, Value, tcg::FpCond);
    Value (tcg::Builder::*to_int)(Value, tcg::IntKind);
    Value (tcg::Builder::*from_int)(Value, tcg::IntKind);
    // What does the same in rounding modes that IR ops do not have.
    const tcg::Helper& sqrt_helper;
    const tcg::Helper& fma_helper;
    const tcg::Helper& to_int_helper;
    const tcg::Helper& from_int_helper;
    std::int64_t sign;  ///< the bit
    bool is_boxed;
    bool holds_words;  ///< integers of 32 bits are exact
  };
  static const FpFormat kF;  // rv_f.cpp
  static const FpFormat kD;  // rv_d.cpp
  enum class SignOp : std::uint8_t { kCopy, kNegate, kXor };
  bool arith(const ArgsFRm& args, const FpFormat& format, Binary op, const tcg::Helper& helper);
  bool fused(const ArgsFR4& args, const FpFormat& format, tcg::Fma form);
  bool square_root(const ArgsFUnary& args, const FpFormat& format);
  bool min_or_max(const ArgsR& args, const tcg::Helper& helper);
  Value f_single_bits(unsigned reg);
  bool sign(const ArgsR& args, const FpFormat& format, SignOp op);
  bool compare_f(const ArgsR& args, const FpFormat& format, tcg::FpCond cond);
  bool classify(const ArgsR2& args, const tcg::Helper& helper);
  bool to_int(const ArgsFUnary& args, const FpFormat& format, tcg::IntKind kind);
  bool from_int(const ArgsFUnary& args, const FpFormat& format, tcg::IntKind kind);

  // rv_zfa.cpp, rv_zfh.cpp: what one helper does for several instructions.
  bool load_constant(const ArgsR2& args, const soft_float::Format& format);
  bool select_f(const ArgsR& args);
  bool round_f(const ArgsFUnary& args);
  bool unary_h(const ArgsFUnary& args, const tcg::Helper& helper);
  bool to_int_h(const ArgsFUnary& args);
  bool from_int_h(const ArgsFUnary& args);
  bool arith_h(const ArgsFRm& args);
  bool fused_h(const ArgsFR4& args);
  bool sign_h(const ArgsR& args);
  bool compare_h(const ArgsR& args);

  // zicsr.cpp.
  struct CsrAccess {
    unsigned number;
    CsrOp op;
    unsigned rd;
    unsigned source;  ///< rs1, or the immediate
    bool is_immediate;
  };
  bool csr(const CsrAccess& access);
  bool csr_inline(const CsrAccess& access);
  Value status_view(Value bank);
  bool status_inline(const CsrAccess& access);
  bool status_write(const CsrAccess& access);
  Value csr_operand(const CsrAccess& access);

  // priv.cpp, hyp.cpp.
  bool return_to_lower(const tcg::Helper& helper);
  /// `kind`: 0 or kFenceIsSinval.
  bool fence_vma(const ArgsVma& args, const tcg::Helper& helper, std::uint64_t kind);
  bool supervisor_fence(const ArgsVma& args, std::uint64_t kind);
  bool hypervisor_fence(const ArgsVma& args, const tcg::Helper& helper, std::uint64_t kind);
  bool sinval_fence(bool is_after);
  bool hyp_load(const ArgsR2& args, tcg::MemKind kind, bool needs_execute = false);
  bool hyp_store(const ArgsVma& args, tcg::MemKind kind);

  const tcg::BlockSource& source_;
  const CpuConfig& config_;
  tcg::Builder ir_;
  std::int64_t offset_ = 0;  ///< of the instruction in the page
  std::int64_t next_ = 0;    ///< of the one after it
  std::uint32_t raw_ = 0;    ///< as fetched, 16 or 32 bits
  std::uint32_t bits_ = 0;   ///< 32 bits: those of a compressed instruction's expansion
  bool is_done_ = false;     ///< the block has its end
  bool fp_required_ = false;
  bool fp_marked_ = false;
};

}  // namespace gstage::riscv
