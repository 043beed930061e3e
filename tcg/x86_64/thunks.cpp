// SPDX-License-Identifier: Apache-2.0
#include "tcg/x86_64/thunks.h"

#include <cstddef>
#include <iterator>

#include "softmmu/base/check.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names

namespace {

constexpr unsigned kAll = kGlobalRegisters;

template <class F>
const void* address_of(F* function) {
  return reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(function));
}

std::uint64_t slow_load(Guest* guest, CpuCore* core, std::uint64_t vaddr, std::uint32_t kind, std::uint64_t) {
  return guest->load(*core, Vaddr{vaddr}, static_cast<MemKind>(kind));
}

std::uint64_t slow_store(Guest* guest, CpuCore* core, std::uint64_t vaddr, std::uint32_t kind,
                         std::uint64_t value) {
  guest->store(*core, Vaddr{vaddr}, static_cast<MemKind>(kind), value);
  return 0;
}

std::uint64_t slow_atomic_host(Guest* guest, CpuCore* core, std::uint64_t vaddr, std::uint32_t kind,
                               std::uint64_t) {
  return reinterpret_cast<std::uintptr_t>(
      guest->atomic_host(*core, Vaddr{vaddr}, static_cast<MemKind>(kind)));
}

std::uint64_t slow_load_reserved(Guest* guest, CpuCore* core, std::uint64_t vaddr, std::uint32_t kind,
                                 std::uint64_t) {
  return guest->load_reserved(*core, Vaddr{vaddr}, static_cast<MemKind>(kind));
}

}  // namespace

Thunks::Thunks(CodeBuffer& buffer, Guest& guest, const RuntimeCalls& runtime)
    : buffer_(buffer), guest_(guest), layout_(guest.layout()), a_(buffer.writable(), kBytes) {
  nan_s_ = a_.here();
  a_.dq(0xffffffff7fc00000u);
  nan_d_ = a_.here();
  a_.dq(0x7ff8000000000000u);
  box_ = a_.here();  // a multiple of 16, as an SSE operand must be
  a_.dq(0xffffffff00000000u);
  a_.dq(0);
  emit_entry_and_exit();
  emit_dispatch(runtime);
  emit_widen();
  for (unsigned kind = 0; kind < kMemKinds; ++kind) {
    load_[kind] = a_.here();
    emit_second_look(static_cast<MemKind>(kind), false);
    emit_access(slow_load, kind, false);
    reserved_[kind] = emit_access(slow_load_reserved, kind, false);
    atomic_[kind] = emit_access(slow_atomic_host, kind, false);
    if (kind >= store_.size()) continue;
    store_[kind] = a_.here();
    emit_second_look(static_cast<MemKind>(kind), true);
    emit_access(slow_store, kind, true);
  }
  CHECK(!Assembler::take_error());
}

void Thunks::save(unsigned first, unsigned last) {
  for (unsigned i = first; i < last; ++i) a_.mov(global_home(i), gpr(kGlobalHosts[i]));
}

void Thunks::restore(unsigned first, unsigned last) {
  for (unsigned i = first; i < last; ++i) a_.mov(gpr(kGlobalHosts[i]), global_home(i));
}

void Thunks::emit_entry_and_exit() {
  // void enter(RunContext*, const void* code)
  constexpr int kRoom = sizeof(Frame) + 8;  // six pushes and the return address: 8 more to align
  const Xbyak::Reg64 kSaved[] = {rbx, rbp, r12, r13, r14, r15};
  enter_ = a_.here();
  for (const auto& reg : kSaved) a_.push(reg);
  a_.sub(rsp, kRoom);
  a_.mov(a_.frame(offsetof(Frame, context)), rdi);
  a_.mov(rbp, qword[rdi + offsetof(RunContext, core)]);
  a_.sub(rbp, -kCoreBias);
  a_.stmxcsr(a_.frame32(offsetof(Frame, host_mxcsr)));
  a_.ldmxcsr(a_.core32(offsetof(CpuCore, mxcsr)));
  restore(0, kAll);
  a_.jmp(rsi);

  leave_at_ = a_.here();
  a_.mov(a_.core(offsetof(CpuCore, pc)), rax);
  leave_ = a_.here();
  save(0, kAll);
  a_.stmxcsr(a_.core32(offsetof(CpuCore, mxcsr)));
  a_.ldmxcsr(a_.frame32(offsetof(Frame, host_mxcsr)));
  a_.add(rsp, kRoom);
  for (int i = 5; i >= 0; --i) a_.pop(kSaved[i]);
  a_.ret();
}

void Thunks::call_runtime(const void* function) {
  a_.mov(rdi, a_.frame(offsetof(Frame, context)));
  a_.mov(rax, reinterpret_cast<std::uintptr_t>(function));
  a_.call(rax);
  restore(kCalleeSavedGlobals, kAll);
  a_.jmp(rax);
}

void Thunks::emit_dispatch(const RuntimeCalls& runtime) {
  dispatch_ = a_.here();
  a_.cmp(a_.core32(offsetof(CpuCore, attention)), 0);
  const auto attended = a_.jump_on(Cc::ne);
  // The page's host address, then the block's slot and the next one.
  a_.find_slot(rcx, rax, rdx, offsetof(CpuCore, fetch_mask));
  a_.add(rcx, a_.core(offsetof(CpuCore, fetch)));
  a_.mov(rdx, rax);
  a_.and_(rdx, -4096);
  a_.cmp(rdx, qword[rcx + offsetof(TlbEntry, tag)]);
  const auto no_page = a_.jump_on(Cc::ne);
  a_.mov(rcx, qword[rcx + offsetof(TlbEntry, addend)]);
  a_.mov(a_.core(offsetof(CpuCore, pc_page)), rdx);
  a_.add(rcx, rax);
  a_.add(rcx, a_.core(offsetof(CpuCore, jump_kind)));
  a_.mov(rsi, rcx);
  a_.shr(rsi, JumpTable::kHashShift);
  a_.xor_(esi, ecx);
  a_.and_(esi, a_.core32(offsetof(CpuCore, jump_mask)));
  a_.add(esi, esi);
  static_assert(sizeof(JumpSlot) == 2u << JumpTable::kSlotShift);
  a_.add(rsi, a_.core(offsetof(CpuCore, jump_slots)));
  for (std::size_t slot = 0; slot <= sizeof(JumpSlot); slot += sizeof(JumpSlot)) {
    a_.cmp(rcx, qword[rsi + (slot + offsetof(JumpSlot, key))]);
    const auto other = a_.short_on(Cc::ne);
    a_.jmp(qword[rsi + (slot + offsetof(JumpSlot, code))]);
    a_.bind(other);
  }
  emit_straddler();
  a_.bind(no_page);

  a_.bind(attended);
  a_.mov(a_.core(offsetof(CpuCore, pc)), rax);
  save(kCalleeSavedGlobals, kAll);
  call_runtime(address_of(runtime.next));

  // call link; its return address leads to the LinkSite.
  link_ = a_.here();
  a_.pop(rsi);
  save(kCalleeSavedGlobals, kAll);
  call_runtime(address_of(runtime.link));

  // Out of a call's thunk: its return address and the page offset are still on the stack. What the global
  // registers held is in memory, as far as C++ may have destroyed it.
  trap_full_ = a_.here();
  restore(0, kCalleeSavedGlobals);
  trap_light_ = a_.here();
  a_.add(rsp, 16);
  call_runtime(address_of(runtime.trapped));
}

/// The block at rax straddles two pages, if any. Goes on where it is not known.
void Thunks::emit_straddler() {
  a_.xor_(edx, eax);
  a_.cmp(edx, static_cast<std::uint32_t>(kPageSize - 2));
  const auto other = a_.short_on(Cc::ne);
  a_.mov(rcx, rax);
  a_.shr(rcx, kPageShift);
  a_.imul(ecx, ecx, static_cast<int>(kStraddlerFactor));
  a_.shr(ecx, 32 - kStraddlerBits);
  a_.shl(ecx, 4);
  static_assert(sizeof(JumpEntry) == 1u << 4);
  a_.add(rcx, a_.core(offsetof(CpuCore, straddlers)));
  a_.cmp(rax, qword[rcx + offsetof(JumpEntry, pc)]);
  const auto unknown = a_.short_on(Cc::ne);
  a_.jmp(qword[rcx + offsetof(JumpEntry, code)]);
  a_.bind(other);
  a_.bind(unknown);
}

void Thunks::emit_widen() {
  const Xbyak::Reg64 kUsed[] = {rax, rcx, rdx, rsi, rdi, r8};
  const Xbyak::Reg64& cache = rdi;
  const Xbyak::Reg64& table = rsi;
  const Xbyak::Reg64& addend = rcx;
  const Xbyak::Reg64& page = rdx;
  widen_ = a_.here();
  for (const auto& reg : kUsed) a_.push(reg);
  constexpr int kArguments = 8 * (std::size(kUsed) + 1);
  a_.mov(table, qword[rsp + kArguments]);
  a_.mov(cache, qword[rsp + kArguments + 8]);
  a_.mov(addend, qword[cache + offsetof(InlineCache, addend)]);
  for (const int step : {int{kPageSize}, -int{kPageSize}}) {
    // Ends: pages as many as the table has slots away from each other share one, which holds one of them.
    a_.mov(page, qword[cache + offsetof(InlineCache, start)]);
    const std::size_t next = a_.here();
    a_.add(page, step);
    a_.find_slot(rax, page, r8, offsetof(CpuCore, data_mask));
    a_.cmp(page, qword[table + rax + offsetof(TlbEntry, tag)]);
    const auto is_absent = a_.short_on(Cc::ne);
    a_.cmp(addend, qword[table + rax + offsetof(TlbEntry, addend)]);
    const auto is_elsewhere = a_.short_on(Cc::ne);
    if (step < 0) a_.mov(qword[cache + offsetof(InlineCache, start)], page);
    a_.add(qword[cache + offsetof(InlineCache, size)], int{kPageSize});
    a_.jump_back(next);
    a_.bind(is_absent);
    a_.bind(is_elsewhere);
  }
  for (std::size_t i = std::size(kUsed); i-- > 0;) a_.pop(kUsed[i]);
  a_.ret(16);
}

void Thunks::store_pc() {
  // Uses rdi, which is saved by now.
  a_.mov(rdi, qword[rsp + 8]);
  a_.add(rdi, a_.core(offsetof(CpuCore, pc_page)));
  a_.mov(a_.core(offsetof(CpuCore, pc)), rdi);
}

void Thunks::finish_call(bool is_full, bool may_trap) {
  if (may_trap) {
    a_.cmp(a_.core32(offsetof(CpuCore, trap_pending)), 0);
    a_.jne(static_cast<const void*>(a_.at(is_full ? trap_full_ : trap_light_)));
  }
  restore(is_full ? 0 : kCalleeSavedGlobals, kAll);
  a_.ret(8);
}

void Thunks::emit_second_look(MemKind kind, bool is_store) {
  a_.find_slot(rcx, rdx, rsi, offsetof(CpuCore, data_mask));
  a_.add(rcx, a_.core(is_store ? offsetof(CpuCore, write) : offsetof(CpuCore, read)));
  a_.lea(rsi, ptr[rdx + mem_size(kind) - 1]);
  a_.and_(rsi, -4096);
  a_.cmp(rsi, qword[rcx + offsetof(TlbEntry, tag)]);
  const auto missed = a_.short_on(Cc::ne);
  a_.add(rdx, qword[rcx + offsetof(TlbEntry, addend)]);
  if (is_store)
    a_.mov(ptr[rdx], rax.changeBit(static_cast<int>(8 * mem_size(kind))));
  else
    a_.load(rax, rdx + 0, kind);
  a_.ret(8);
  a_.bind(missed);
}

std::size_t Thunks::emit_access(Slow function, unsigned kind, bool has_value) {
  const std::size_t start = a_.here();
  save(kCalleeSavedGlobals, kAll);
  store_pc();
  if (has_value) a_.mov(r8, rax);
  a_.mov(rdi, reinterpret_cast<std::uintptr_t>(&guest_));
  a_.lea(rsi, ptr[rbp - kCoreBias]);
  a_.mov(ecx, kind);
  a_.mov(rax, reinterpret_cast<std::uintptr_t>(address_of(function)));
  a_.call(rax);
  finish_call(false, true);
  return start;
}

std::size_t Thunks::helper(const Helper& helper) {
  const auto known = helpers_.find(&helper);
  if (known != helpers_.end()) return known->second;
  const std::size_t start = a_.here();
  const bool is_full = helper.touches_registers;
  save(is_full ? 0 : kCalleeSavedGlobals, kAll);
  store_pc();
  if (helper.arguments == 4) a_.mov(r8, rax);
  a_.lea(rdi, ptr[rbp - kCoreBias]);
  a_.mov(rax, reinterpret_cast<std::uintptr_t>(address_of(helper.function)));
  a_.call(rax);
  finish_call(is_full, helper.may_trap);
  CHECK(!Assembler::take_error());
  helpers_.emplace(&helper, start);
  return start;
}

}  // namespace gstage::tcg::x86_64
