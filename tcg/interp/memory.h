// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>

#include "tcg/interp/state.h"
#include "tcg/ir/int_semantics.h"

namespace gstage::tcg::interp {

/// An unaligned read.
template <class T>
T read_as(const void* host) {
  T value;
  std::memcpy(&value, host, sizeof value);
  return value;
}

/// A host address made of an integer.
inline std::byte* host_at(std::uint64_t address) { return reinterpret_cast<std::byte*>(address); }

/// Loads and extends.
inline std::uint64_t read_host(const void* host, MemKind kind) {
  using namespace semantics;
  switch (kind) {
    case MemKind::u8: return read_as<std::uint8_t>(host);
    case MemKind::u16: return read_as<std::uint16_t>(host);
    case MemKind::u32: return read_as<std::uint32_t>(host);
    case MemKind::u64: return read_as<std::uint64_t>(host);
    case MemKind::s8: return u64(s64(read_as<std::int8_t>(host)));
    case MemKind::s16: return u64(s64(read_as<std::int16_t>(host)));
    case MemKind::s32: return u64(s64(read_as<std::int32_t>(host)));
  }
  return 0;
}

/// Stores the low bytes of the value.
inline void write_host(void* host, MemKind kind, std::uint64_t value) {
  switch (mem_size(kind)) {
    case 1: std::memcpy(host, &value, 1); break;
    case 2: std::memcpy(host, &value, 2); break;
    case 4: std::memcpy(host, &value, 4); break;
    default: std::memcpy(host, &value, 8); break;
  }
}

/// The host address of an access that hits in the table (core.read or core.write), else null. As in generated
/// code: the slot of the first byte must hold the page of the last, so that a crossing access misses.
inline std::byte* find_in(const CpuCore& core, const TlbEntry* table, std::uint64_t vaddr, MemKind kind) {
  const TlbEntry& entry = table[tlb_index(vaddr, core.data_mask)];
  // Other harts overwrite tags of write entries.
  const std::uint64_t tag = __atomic_load_n(&entry.tag, __ATOMIC_RELAXED);
  if (tag != ((vaddr + mem_size(kind) - 1) & ~kPageMask)) [[unlikely]]
    return nullptr;
  return host_at(vaddr + entry.addend);
}

/// One atomic read-modify-write of an unsigned type; the old value.
template <class T>
std::uint64_t rmw_as(void* host, Rmw rmw, std::uint64_t operand) {
  using Signed = std::make_signed_t<T>;
  T* const at = static_cast<T*>(host);
  const T b = static_cast<T>(operand);
  switch (rmw) {
    case Rmw::swap: return __atomic_exchange_n(at, b, __ATOMIC_SEQ_CST);
    case Rmw::add: return __atomic_fetch_add(at, b, __ATOMIC_SEQ_CST);
    case Rmw::xor_: return __atomic_fetch_xor(at, b, __ATOMIC_SEQ_CST);
    case Rmw::and_: return __atomic_fetch_and(at, b, __ATOMIC_SEQ_CST);
    case Rmw::or_: return __atomic_fetch_or(at, b, __ATOMIC_SEQ_CST);
    case Rmw::min:
    case Rmw::max:
    case Rmw::minu:
    case Rmw::maxu: break;
  }
  T old = __atomic_load_n(at, __ATOMIC_SEQ_CST);
  for (;;) {
    const bool is_less =
        rmw == Rmw::min || rmw == Rmw::max ? static_cast<Signed>(old) < static_cast<Signed>(b) : old < b;
    const bool keeps_old = (rmw == Rmw::min || rmw == Rmw::minu) == is_less;
    if (__atomic_compare_exchange_n(at, &old, keeps_old ? old : b, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
      return old;
  }
}

/// One atomic read-modify-write; the old value, extended as the kind says.
inline std::uint64_t rmw_host(void* host, MemKind kind, Rmw rmw, std::uint64_t operand) {
  using Function = std::uint64_t (*)(void*, Rmw, std::uint64_t);
  static constexpr Function kBySize[] = {rmw_as<std::uint8_t>, rmw_as<std::uint16_t>, rmw_as<std::uint32_t>,
                                         rmw_as<std::uint64_t>};
  return semantics::extend(kind, kBySize[static_cast<unsigned>(kind) & 3](host, rmw, operand));
}

/// Stores when memory holds the low bytes of `expected`; the old value.
template <class T>
std::uint64_t cas_as(void* host, std::uint64_t expected, std::uint64_t value) {
  T old = static_cast<T>(expected);
  __atomic_compare_exchange_n(static_cast<T*>(host), &old, static_cast<T>(value), false, __ATOMIC_SEQ_CST,
                              __ATOMIC_SEQ_CST);
  return old;
}
/// The same, extended as the kind says.
inline std::uint64_t cas_host(void* host, MemKind kind, std::uint64_t expected, std::uint64_t value) {
  using Function = std::uint64_t (*)(void*, std::uint64_t, std::uint64_t);
  static constexpr Function kBySize[] = {cas_as<std::uint8_t>, cas_as<std::uint16_t>, cas_as<std::uint32_t>,
                                         cas_as<std::uint64_t>};
  return semantics::extend(kind, kBySize[static_cast<unsigned>(kind) & 3](host, expected, value));
}

/// Stores when memory still holds `expected`.
template <class T>
bool exchange_as(void* host, std::uint64_t expected, std::uint64_t value) {
  T old = static_cast<T>(expected);
  return __atomic_compare_exchange_n(static_cast<T*>(host), &old, static_cast<T>(value), false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

}  // namespace gstage::tcg::interp
