// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "softmmu/base/check.h"
#include "tcg/interp/memory.h"
#include "tcg/interp/state.h"
#include "tcg/ir/fp_semantics.h"
#include "tcg/ir/int_semantics.h"

namespace gstage::tcg::interp {

/// Chooses the function of an op: `Next exec(OpTag<Op::name>, State&, const Inst&)`, inlined into the
/// dispatcher.
template <Op kOp>
struct OpTag {};

/// Constants and registers.
inline Next exec(OpTag<Op::const_>, State& s, const Inst& i) {
  s.set(i, static_cast<std::uint64_t>(i.imm));
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::pc>, State& s, const Inst& i) {
  s.set(i, s.target(i.imm));
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::get_x>, State& s, const Inst& i) {
  s.set(i, s.x[i.imm]);
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::set_x>, State& s, const Inst& i) {
  s.x[i.imm] = s.arg(i, 0);
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::get_f_bits>, State& s, const Inst& i) {
  s.set(i, s.f[i.imm]);
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::set_f_bits>, State& s, const Inst& i) {
  s.f[i.imm] = s.arg(i, 0);
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::set_f32_bits>, State& s, const Inst& i) {
  s.f[i.imm] = s.arg(i, 0) | 0xffffffff00000000;
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::get_f64>, State& s, const Inst& i) {
  s.set(i, s.f[i.imm]);
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::set_f64>, State& s, const Inst& i) {
  s.f[i.imm] = s.arg(i, 0);
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::get_f32>, State& s, const Inst& i) {
  s.set(i, std::uint64_t{fp::unbox(s.f[i.imm])});
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::set_f32>, State& s, const Inst& i) {
  s.f[i.imm] = fp::box(static_cast<std::uint32_t>(s.arg(i, 0)));
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::env_load>, State& s, const Inst& i) {
  s.set(i, read_host(reinterpret_cast<const std::byte*>(s.core) + i.imm, static_cast<MemKind>(i.aux)));
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::env_store>, State& s, const Inst& i) {
  write_host(reinterpret_cast<std::byte*>(s.core) + i.imm, static_cast<MemKind>(i.aux), s.arg(i, 0));
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::host_load>, State& s, const Inst& i) {
  s.set(i, read_host(host_at(s.arg(i, 0)) + i.imm, static_cast<MemKind>(i.aux)));
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::host_store>, State& s, const Inst& i) {
  write_host(host_at(s.arg(i, 0)) + i.imm, static_cast<MemKind>(i.aux), s.arg(i, 1));
  return Next::kGoOn;
}

/// Integers.
#define INT_OP(name, expression)                                     \
  inline Next exec(OpTag<Op::name>, State& s, const Inst& i) {       \
    const std::uint64_t b = i.argument_count == 2 ? s.arg(i, 1) : 0; \
    s.set(i, semantics::integer<Op::name>(s.arg(i, 0), b));          \
    return Next::kGoOn;                                              \
  }
#include "tcg/ir/int_semantics.inc"
#undef INT_OP
inline Next exec(OpTag<Op::setcond>, State& s, const Inst& i) {
  s.set(i, std::uint64_t{semantics::holds(static_cast<Cond>(i.aux), s.arg(i, 0), s.arg(i, 1))});
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::select>, State& s, const Inst& i) {
  s.set(i, s.arg(i, 0) != 0 ? s.arg(i, 1) : s.arg(i, 2));
  return Next::kGoOn;
}

/// What takes the slow path may ask where the hart is.
inline void note_pc(const State& s, const Inst& i) { s.core->pc = s.target(last_insn(&i)->imm); }

/// Guest memory.
inline Next exec(OpTag<Op::load>, State& s, const Inst& i) {
  const std::uint64_t vaddr = s.arg(i, 0) + static_cast<std::uint64_t>(i.imm);
  const auto kind = static_cast<MemKind>(i.aux);
  if (const std::byte* host = find_in(*s.core, s.core->read, vaddr, kind)) [[likely]] {
    s.set(i, read_host(host, kind));
    return Next::kGoOn;
  }
  note_pc(s, i);
  s.set(i, s.guest->load(*s.core, Vaddr{vaddr}, kind));
  return after(s, i);
}
inline Next exec(OpTag<Op::store>, State& s, const Inst& i) {
  const std::uint64_t vaddr = s.arg(i, 0) + static_cast<std::uint64_t>(i.imm);
  const auto kind = static_cast<MemKind>(i.aux);
  if (std::byte* host = find_in(*s.core, s.core->write, vaddr, kind)) [[likely]] {
    write_host(host, kind, s.arg(i, 1));
    return Next::kGoOn;
  }
  note_pc(s, i);
  s.guest->store(*s.core, Vaddr{vaddr}, kind, s.arg(i, 1));
  return after(s, i);
}
inline Next exec(OpTag<Op::atomic_host>, State& s, const Inst& i) {
  const std::uint64_t vaddr = s.arg(i, 0);
  const auto kind = static_cast<MemKind>(i.aux);
  void* host = nullptr;
  if (vaddr % mem_size(kind) == 0) host = find_in(*s.core, s.core->write, vaddr, kind);
  if (host == nullptr) {
    note_pc(s, i);
    host = s.guest->atomic_host(*s.core, Vaddr{vaddr}, kind);
  }
  s.set(i, reinterpret_cast<std::uint64_t>(host));
  return after(s, i);
}
inline Next exec(OpTag<Op::atomic_rmw>, State& s, const Inst& i) {
  s.set(i, rmw_host(host_at(s.arg(i, 0)), static_cast<MemKind>(i.aux), static_cast<Rmw>(i.imm), s.arg(i, 1)));
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::atomic_cas>, State& s, const Inst& i) {
  s.set(i, cas_host(host_at(s.arg(i, 0)), static_cast<MemKind>(i.aux), s.arg(i, 1), s.arg(i, 2)));
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::load_reserved>, State& s, const Inst& i) {
  note_pc(s, i);
  s.set(i, s.guest->load_reserved(*s.core, Vaddr{s.arg(i, 0)}, static_cast<MemKind>(i.aux)));
  return after(s, i);
}
inline Next exec(OpTag<Op::store_conditional>, State& s, const Inst& i) {
  CpuCore& core = *s.core;
  bool is_stored = core.reservation_vaddr == s.arg(i, 1);
  core.reservation_vaddr = ~std::uint64_t{0};
  if (is_stored) {
    const auto exchange =
        mem_size(static_cast<MemKind>(i.aux)) == 8 ? exchange_as<std::uint64_t> : exchange_as<std::uint32_t>;
    is_stored = exchange(host_at(s.arg(i, 0)), core.reservation_value, s.arg(i, 2));
  }
  s.set(i, std::uint64_t{!is_stored});
  return Next::kGoOn;
}
inline Next exec(OpTag<Op::fence>, State&, const Inst&) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return Next::kGoOn;
}

/// Calls and marks. Helpers run with the guest's MXCSR.
inline Next exec(OpTag<Op::call>, State& s, const Inst& i) {
  const auto value = [&](unsigned n) { return n < i.argument_count ? s.arg(i, n) : 0; };
  const Helper& helper = *i.helper();
  s.set(i, helper.function(s.core, value(0), value(1), value(2), value(3)));
  return helper.may_trap ? after(s, i) : Next::kGoOn;
}
inline Next exec(OpTag<Op::trap_if_zero>, State& s, const Inst& i) {
  if (s.arg(i, 0) != 0) [[likely]]
    return Next::kGoOn;
  i.helper()->function(s.core, static_cast<std::uint32_t>(last_insn(&i)->imm2), 0, 0, 0);
  CHECK(s.core->trap_pending != 0);
  return leave_at(s, i);
}
inline Next exec(OpTag<Op::insn>, State&, const Inst&) { return Next::kGoOn; }

/// Ends.
inline Next go_to(State& s, std::uint64_t pc) {
  s.core->pc = pc;
  return Next::kLeave;
}
inline Next exec(OpTag<Op::jump>, State& s, const Inst& i) { return go_to(s, s.target(i.imm)); }
inline Next exec(OpTag<Op::branch>, State& s, const Inst& i) {
  const bool is_taken = semantics::holds(static_cast<Cond>(i.aux), s.arg(i, 0), s.arg(i, 1));
  return go_to(s, s.target(is_taken ? i.imm : i.imm2));
}
inline Next exec(OpTag<Op::jump_reg>, State& s, const Inst& i) { return go_to(s, s.arg(i, 0)); }
inline Next exec(OpTag<Op::exit_at>, State& s, const Inst& i) { return go_to(s, s.target(i.imm)); }
inline Next exec(OpTag<Op::exit_pc>, State&, const Inst&) { return Next::kLeave; }
inline Next exec(OpTag<Op::never>, State&, const Inst&) {
  CHECK(!"a helper that always traps came back");
  return Next::kLeave;
}

}  // namespace gstage::tcg::interp
