// SPDX-License-Identifier: Apache-2.0
// Host and guest memory. An access of the guest finds its page in the hart's TLB inline; what misses goes to
// the target's slow path, out of the way.
#include <algorithm>

#include "tcg/x86_64/compiler.h"

namespace gstage::tcg::x86_64 {

using namespace Xbyak::util;  // NOLINT: register names

void Compiler::store_to(const Xbyak::RegExp& address, MemKind kind, const Source& value) {
  const auto imm = static_cast<std::uint32_t>(value.number);
  if (value.is_xmm()) {  // 4 or 8 bytes
    mem_size(kind) == 8 ? a_.movq(qword[address], xmm(value.reg)) : a_.movd(dword[address], xmm(value.reg));
    return;
  }
  const Reg r = gpr(value.is_imm() ? 0 : value.reg);
  switch (mem_size(kind)) {
    case 1: value.is_imm() ? a_.mov(byte[address], imm & 0xff) : a_.mov(byte[address], r.cvt8()); break;
    case 2: value.is_imm() ? a_.mov(word[address], imm & 0xffff) : a_.mov(word[address], r.cvt16()); break;
    case 4: value.is_imm() ? a_.mov(dword[address], imm) : a_.mov(dword[address], r.cvt32()); break;
    default:
      value.is_imm() ? a_.mov(qword[address], static_cast<std::uint64_t>(std::int64_t{value.number}))
                     : a_.mov(qword[address], r);
  }
}

Source Compiler::reg_or_imm(Value v) {
  const Source s = regs_.source(v);
  return s.is_memory() ? Source{Source::Kind::reg, regs_.use_index(v), 0} : s;
}

void Compiler::host_load(const Inst& inst) {
  const Reg base = regs_.use(inst.args[0]);
  const Reg d = regs_.def(inst.args[0]);
  a_.load(d, base + inst.imm, static_cast<MemKind>(inst.aux));
}

void Compiler::host_store(const Inst& inst) {
  const Reg base = regs_.use(inst.args[0]);
  store_to(base + inst.imm, static_cast<MemKind>(inst.aux), reg_or_imm(inst.args[1]));
}

Compiler::GuestAddress Compiler::guest_address(Value base, std::int64_t displacement) {
  // The displacement of the last byte must fit, too.
  if (fits_int32(displacement) && fits_int32(displacement + 8))
    return {regs_.use(base), static_cast<std::int32_t>(displacement)};
  const Reg t = regs_.temp();
  a_.load_constant(t, static_cast<std::uint64_t>(displacement));
  const Source from = regs_.source(base);
  alu_source(kAdd, t, from);
  regs_.unlock(from);
  return {t, 0};
}

/// Finds the slot of a range of `size` bytes; jumps when it does not hold the range's page.
Compiler::Jump Compiler::find_entry(const GuestAddress& address, unsigned size, std::size_t table,
                                    const Reg& entry, const Reg& page) {
  // The slot of the first byte must hold the page of the last: what crosses pages misses.
  if (address.displacement != 0) a_.lea(entry, ptr[address.base + address.displacement]);
  a_.find_slot(entry, address.displacement != 0 ? entry : address.base, page, offsetof(CpuCore, data_mask),
               features_.bmi2);
  a_.add(entry, a_.core(table));
  const std::int32_t last = address.displacement + static_cast<std::int32_t>(size) - 1;
  if (last == 0)
    a_.mov(page, address.base);
  else
    a_.lea(page, ptr[address.base + last]);
  a_.and_(page, -4096);
  a_.cmp(page, qword[entry + offsetof(TlbEntry, tag)]);
  return a_.jump_on(Cc::ne);
}

void Compiler::lookup(const GuestAddress& address, unsigned size, std::size_t table, const Reg& entry,
                      OutOfLine& path) {
  path.entries[0] = find_entry(address, size, table, entry, regs_.temp());
  a_.mov(entry, qword[entry + offsetof(TlbEntry, addend)]);
}

/// The same for an access that has an inline cache: it looks there first, and only then in the TLB. The
/// access itself need not wait for the comparison.
void Compiler::look_in_inline_cache(const GuestAddress& address, unsigned size, const Reg& addend,
                                    OutOfLine& path) {
  path.scratch = static_cast<std::uint8_t>(regs_.temp().getIdx());
  path.entry = static_cast<std::uint8_t>(addend.getIdx());
  path.size = size;
  if (address.displacement == 0)
    a_.mov(addend, address.base);
  else
    a_.lea(addend, ptr[address.base + address.displacement]);
  a_.sub(addend, inline_cache(path, offsetof(InlineCache, start)));
  a_.cmp(addend, inline_cache(path, offsetof(InlineCache, size)));
  path.entries[0] = a_.jump_on(Cc::ae);
  a_.mov(addend, inline_cache(path, offsetof(InlineCache, addend)));
}

/// On a miss of the inline cache, the TLB fills it, now and again with the pages around as well. A cache that
/// misses a lot is given up and stays empty: the host predicts a branch that always goes the same way.
void Compiler::fill_inline_cache(OutOfLine& path) {
  a_.bind(path.entries[0]);
  const Reg entry = gpr(path.entry);
  const Reg page = gpr(path.scratch);
  path.entries[0] =
      find_entry({gpr(path.a), static_cast<std::int32_t>(path.imm2)}, path.size, path.table, entry, page);
  constexpr unsigned kMostMisses = 1024;
  // A cache that goes to and fro between pages that lie apart is widened seldom.
  constexpr unsigned kWidenEvery = 4;        // a power of two
  constexpr unsigned kWidenEveryLater = 64;  // likewise
  constexpr unsigned kLater = 16;
  a_.mov(entry, qword[entry + offsetof(TlbEntry, addend)]);
  a_.inc(inline_cache(path, offsetof(InlineCache, misses)));
  a_.cmp(inline_cache(path, offsetof(InlineCache, misses)), kMostMisses);
  const auto is_given_up = a_.short_on(Cc::ae);
  a_.mov(inline_cache(path, offsetof(InlineCache, start)), page);
  a_.mov(inline_cache(path, offsetof(InlineCache, size)),
         std::uint32_t{kPageSize} - std::max(path.fill, path.size) + 1);
  a_.mov(inline_cache(path, offsetof(InlineCache, addend)), entry);
  a_.test(inline_cache(path, offsetof(InlineCache, misses)), kWidenEvery - 1);
  const auto is_left = a_.short_on(Cc::ne);
  a_.cmp(inline_cache(path, offsetof(InlineCache, misses)), kLater);
  const auto is_early = a_.short_on(Cc::b);
  a_.test(inline_cache(path, offsetof(InlineCache, misses)), kWidenEveryLater - 1);
  const auto is_left_later = a_.short_on(Cc::ne);
  a_.bind(is_early);
  a_.lea(page, inline_cache(path, 0));
  a_.push(page);
  a_.push(a_.core(path.table));
  a_.call(static_cast<const void*>(a_.at(thunks_.widen())));
  a_.jump_back(path.found);
  a_.bind(is_given_up);
  a_.mov(inline_cache(path, offsetof(InlineCache, size)), 0);
  a_.load_constant(page, reinterpret_cast<std::uintptr_t>(&report_->is_given_up[path.inline_cache]));
  a_.mov(byte[page], 1);
  a_.bind(is_left);
  a_.bind(is_left_later);
  a_.jump_back(path.found);
}

Compiler::Access Compiler::begin_access(const Inst& inst) {
  const GuestAddress address = guest_address(inst.args[0], inst.imm);
  const std::uint16_t number =
      groups_.group_of(regs_.now());  // none where it goes by a versioned loop's pointer
  if (number == AccessGroups::kNone) return {address, regs_.temp(), nullptr, {}};
  const AccessGroup& group = groups_.groups()[number];
  const Value addend = addends_[number];
  return {address, regs_.now() == group.first ? regs_.temp() : regs_.use(addend), &group, addend};
}

void Compiler::find_host(const Access& access, unsigned size, std::size_t table, OutOfLine& slow) {
  GuestAddress range = access.address;
  if (access.group != nullptr) {
    range.displacement = static_cast<std::int32_t>(access.group->low);
    size = static_cast<unsigned>(access.group->high - access.group->low);
  }
  if (const LoopPointer* const pointer = loop_pointer(); pointer != nullptr) {
    slow.inline_cache = pointer->inline_cache;
    if (region_->nodes[node_].is_unchecked)
      return a_.mov(access.addend, inline_cache(slow, offsetof(InlineCache, addend)));
    slow.fill = kPointerSpan;
    slow.table = table;
    slow.imm2 = range.displacement;
    look_in_inline_cache(range, size, access.addend, slow);
    slow.found = a_.here();
  } else if (access.group == nullptr || regs_.now() == access.group->first) {
    slow.inline_cache = next_inline_cache();
    if (slow.inline_cache == kNoInlineCache) return lookup(range, size, table, access.addend, slow);
    slow.table = table;
    slow.imm2 = range.displacement;
    look_in_inline_cache(range, size, access.addend, slow);
    slow.found = a_.here();
  } else {
    a_.test(access.addend, access.addend);
    slow.entries[0] = a_.jump_on(Cc::e);
  }
}

void Compiler::finish_access(const Access& access, OutOfLine& slow) {
  keep_live(slow);
  if (access.group != nullptr && regs_.now() == access.group->first) {
    // What follows in the group does without another lookup, or, after a miss, without this one.
    regs_.bind_value(access.value, access.addend);
    slow.clear = static_cast<std::uint8_t>(access.addend.getIdx());
  }
  // In the body of a versioned loop that does not check there is no other way.
  if (slow.entries[0].end != 0) resume(slow);
  if (access.group != nullptr && regs_.now() == access.group->last) regs_.release(access.value);
}

/// The global floating-point register (32 + n) that the value being loaded goes to and nowhere else, or
/// kNoHome.
unsigned Compiler::float_target(MemKind kind) const {
  const std::uint32_t next = regs_.now() + 1;
  const Inst& set = unit_->insts[next];
  const bool fits = (set.op == Op::set_f_bits && mem_size(kind) == 8) ||
                    (set.op == Op::set_f32_bits && mem_size(kind) == 4);
  if (!fits || set.args[0].index != regs_.now() || regs_.is_used_after(set.args[0], next))
    return Allocator::kNoHome;
  const unsigned home = 32 + static_cast<unsigned>(set.imm);
  return regs_.global_host(home) == kNoReg ? unsigned{Allocator::kNoHome} : home;
}

void Compiler::load_float(const Access& access, MemKind kind, unsigned home) {
  const bool is_single = mem_size(kind) == 4;
  OutOfLine slow = slow_access(access.address);
  slow.thunk = thunks_.load(kind);
  slow.result = regs_.global_host(home);
  slow.type = is_single ? Type::f32 : Type::f64;
  slow.is_to_xmm = true;
  regs_.evacuate(home);
  regs_.settle(home, Value{regs_.now()});
  find_host(access, mem_size(kind), offsetof(CpuCore, read), slow);
  const Xmm to = xmm(regs_.global_host(home));
  const Xbyak::RegExp address = access.address.base + access.addend + access.address.displacement;
  is_single ? a_.movss(to, dword[address]) : a_.movsd(to, qword[address]);
  if (is_single) box(to);
  finish_access(access, slow);
}

void Compiler::load(const Inst& inst) {
  const auto kind = static_cast<MemKind>(inst.aux);
  const Access access = begin_access(inst);
  if (const unsigned home = float_target(kind); home != Allocator::kNoHome)
    return load_float(access, kind, home);
  // Written last: it may be the register of the address, or of an addend that is not used again.
  const Reg d = access.group == nullptr ? regs_.def_or(access.addend) : regs_.def(access.value);
  OutOfLine slow = slow_access(access.address);
  slow.thunk = thunks_.load(kind);
  slow.result = static_cast<std::uint8_t>(d.getIdx());
  find_host(access, mem_size(kind), offsetof(CpuCore, read), slow);
  a_.load(d, access.address.base + access.addend + access.address.displacement, kind);
  finish_access(access, slow);
}

void Compiler::store(const Inst& inst) {
  const auto kind = static_cast<MemKind>(inst.aux);
  const Access access = begin_access(inst);
  const Source value = mem_size(kind) >= 4 ? regs_.bits_source(inst.args[1], true) : reg_or_imm(inst.args[1]);
  OutOfLine slow = slow_access(access.address);
  slow.thunk = thunks_.store(kind);
  slow.has_value = true;
  slow.sources[1] = value;
  find_host(access, mem_size(kind), offsetof(CpuCore, write), slow);
  store_to(access.address.base + access.addend + access.address.displacement, kind, value);
  finish_access(access, slow);
}

Compiler::OutOfLine Compiler::slow_access(const GuestAddress& address) {
  OutOfLine c = out_of_line(&Compiler::access_out_of_line);
  c.a = static_cast<std::uint8_t>(address.base.getIdx());
  c.imm = address.displacement;
  return c;
}

void Compiler::access_out_of_line(const OutOfLine& found) {
  OutOfLine path = found;
  if (path.inline_cache != kNoInlineCache) fill_inline_cache(path);
  for (const Jump& entry : path.entries)
    if (entry.end != 0) a_.bind(entry);
  save_live(path);
  // The address to rdx and the value to rax, whichever registers they are in.
  const auto address = [&] { a_.lea(rdx, ptr[gpr(path.a) + static_cast<std::int32_t>(path.imm)]); };
  const Source& value = path.sources[1];
  if (!path.has_value) {
    address();
  } else if (value.is_reg(kRdx) && path.a == kRax) {
    a_.xchg(rax, rdx);
    if (path.imm != 0) a_.add(rdx, static_cast<std::uint32_t>(path.imm));
  } else if (value.is_reg(kRdx)) {
    a_.mov(rax, rdx);
    address();
  } else {
    address();
    move(rax, value);
  }
  call_thunk(path.thunk, path.page_offset);
  if (path.is_to_xmm) {
    bits_to_xmm(xmm(path.result), rax, path.type);
    if (path.type == Type::f32) box(xmm(path.result));
  } else if (path.result != kNoReg) {
    move(gpr(path.result), {Source::Kind::reg, kRax, 0});
  }
  restore_live(path);
  if (path.clear != kNoReg) a_.xor_(gpr(path.clear).cvt32(), gpr(path.clear).cvt32());
  a_.jump_back(path.back);
}

}  // namespace gstage::tcg::x86_64
