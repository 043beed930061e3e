// SPDX-License-Identifier: Apache-2.0
#include "tcg/x86_64/compiler.h"

#include <bit>
#include <cstddef>

#include <cpuid.h>

#include "softmmu/base/check.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names

namespace {

/// Of the space for a block: no instruction takes more.
constexpr std::size_t kMargin = 1024;

/// clang 14 does not know the name.
bool has_lzcnt() {
  constexpr unsigned kExtendedFeatures = 0x8000'0001;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(kExtendedFeatures, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_LZCNT) != 0;
}

}  // namespace

HostFeatures detect_host() {
  __builtin_cpu_init();
  HostFeatures features;
  features.bmi2 = __builtin_cpu_supports("bmi2") != 0;
  features.fma = __builtin_cpu_supports("fma") != 0;
  features.bit_counts =
      has_lzcnt() && __builtin_cpu_supports("bmi") != 0 && __builtin_cpu_supports("popcnt") != 0;
  return features;
}

Compiler::Compiler(CodeBuffer& buffer, Thunks& thunks, const GuestLayout& layout, HostFeatures features)
    : buffer_(buffer),
      thunks_(thunks),
      layout_(layout),
      features_(features),
      a_(buffer.writable(), buffer.size()),
      regs_(a_, layout) {}

bool Compiler::compile(const Unit& unit, const CompileRequest& request, CompiledBlock& block) {
  request_ = &request;
  out_of_line_.clear();
  links_.clear();
  boxed_ = 0;
  out_of_line_next_ = request.out_of_line_at;
  begin_block(request);
  if (!emit_unit(unit)) return false;
  block.end = a_.here();
  if (!emit_out_of_line()) return false;
  finish_block(request, block);
  CHECK(!Assembler::take_error());
  return true;
}

bool Compiler::emit_unit(const Unit& unit) {
  unit_ = &unit;
  insn_offset_ = unit.first_offset;
  insn_raw_ = 0;
  regs_.start(unit);
  groups_.find(unit, region_ == nullptr ? std::span<const std::uint8_t>{} : region_->nodes[node_].pointers);
  addends_.clear();
  for (const AccessGroup& group : groups_.groups()) addends_.push_back(regs_.add_value(group.last));
  for (std::uint32_t i = 0; i < unit.insts.size(); ++i) {
    regs_.begin_inst(i);
    emit_inst(unit.insts[i]);
    regs_.end_inst();
    if (a_.here() > request_->at + kMaxInlineBytes - kMargin) return false;
  }
  return !regs_.is_overflown();
}

bool Compiler::emit_out_of_line() {
  a_.go_to(out_of_line_next_);
  // Out-of-line code may add to the list.
  for (std::size_t i = 0; i < out_of_line_.size(); ++i) {
    const OutOfLine path = out_of_line_[i];
    (this->*path.emit)(path);
    if (a_.here() > request_->out_of_line_at + kMaxOutOfLineBytes - kMargin) return false;
  }
  return true;
}

void Compiler::begin_block(const CompileRequest& request) {
  // The header, then the entry: aligned, so that the jump of a stale block is one aligned store.
  entry_ = (request.at + sizeof(void*) + 15) & ~std::size_t{15};
  a_.go_to(entry_ - sizeof(void*));
  a_.dq(reinterpret_cast<std::uintptr_t>(request.block));
  a_.nop(5);
  // The store covers 8 bytes, all of which are the block's.
}

void Compiler::finish_block(const CompileRequest& request, CompiledBlock& block) {
  const auto stub = [&](std::size_t displacement, std::uint32_t target) {
    a_.call(static_cast<const void*>(a_.at(thunks_.link())));
    const std::size_t self = a_.here();
    a_.dd(static_cast<std::uint32_t>(self - entry_));
    a_.dw(target);
    a_.dw(static_cast<std::uint32_t>(displacement - entry_));
  };
  for (const Link& link : links_) {
    a_.rewrite(link.displacement, a_.here() - (link.displacement + 4), 4);
    stub(link.displacement, link.target);
  }
  block.entry = entry_;
  block.stale = a_.here();
  if (!request.is_single && region_ == nullptr) stub(entry_ + 1, unit_->first_offset);
  block.out_of_line_end = a_.here();
}

void Compiler::emit_inst(const Inst& inst) {
  switch (inst.op) {
#define OP(name, ...) \
  case Op::name:      \
    return name(inst);
#include "tcg/ir/ops.inc"
#undef OP
    case Op::kCount: break;
  }
}

void Compiler::save_live(const OutOfLine& path) {
  for (RegMask rest = path.live_gprs; rest != 0; rest &= rest - 1) {
    const auto reg = static_cast<unsigned>(std::countr_zero(rest));
    a_.mov(a_.frame(offsetof(Frame, saved_gpr) + 8 * reg), gpr(reg));
  }
  for (RegMask rest = path.live_xmms; rest != 0; rest &= rest - 1) {
    const auto reg = static_cast<unsigned>(std::countr_zero(rest));
    a_.movsd(a_.frame(offsetof(Frame, saved_xmm) + 8 * reg), xmm(reg));
  }
}

void Compiler::restore_live(const OutOfLine& path) {
  for (RegMask rest = path.live_gprs; rest != 0; rest &= rest - 1) {
    const auto reg = static_cast<unsigned>(std::countr_zero(rest));
    a_.mov(gpr(reg), a_.frame(offsetof(Frame, saved_gpr) + 8 * reg));
  }
  for (RegMask rest = path.live_xmms; rest != 0; rest &= rest - 1) {
    const auto reg = static_cast<unsigned>(std::countr_zero(rest));
    a_.movsd(xmm(reg), a_.frame(offsetof(Frame, saved_xmm) + 8 * reg));
  }
}

void Compiler::call_thunk(std::size_t thunk, std::uint32_t page_offset) {
  const auto switch_registers = [&](std::size_t routine) {
    if (region_ != nullptr) a_.call(static_cast<const void*>(a_.at(routine)));
  };
  switch_registers(common_switch_);
  a_.push(page_offset);
  a_.call(static_cast<const void*>(a_.at(thunk)));
  switch_registers(own_switch_);
}

}  // namespace gstage::tcg::x86_64
