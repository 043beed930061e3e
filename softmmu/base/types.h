// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>

namespace gstage {

/// An address in one address space. Spaces do not mix: a conversion is always written out.
template <class Space>
struct Address {
  std::uint64_t value = 0;

  constexpr Address() = default;
  constexpr explicit Address(std::uint64_t v) : value(v) {}
  /// The first byte of the 4 KiB page that holds this address.
  [[nodiscard]] constexpr Address page() const { return Address{value & ~std::uint64_t{0xfff}}; }
  /// The offset within the 4 KiB page, 0–4095.
  [[nodiscard]] constexpr std::uint64_t page_offset() const { return value & 0xfff; }
  constexpr auto operator<=>(const Address&) const = default;
  friend constexpr Address operator+(Address a, std::uint64_t n) { return Address{a.value + n}; }
  friend constexpr std::uint64_t operator-(Address a, Address b) { return a.value - b.value; }
};

struct VirtualSpace;
struct GuestPhysicalSpace;
struct PhysicalSpace;

/// A virtual address of the guest (of a guest's guest when V=1).
using Vaddr = Address<VirtualSpace>;
/// A guest physical address: what the VS-stage yields and the G-stage takes.
using Gpa = Address<GuestPhysicalSpace>;
/// A supervisor physical address: what the machine's bus sees.
using Paddr = Address<PhysicalSpace>;

inline constexpr std::uint64_t kPageSize = 4096;
inline constexpr unsigned kPageShift = 12;
inline constexpr std::uint64_t kPageMask = kPageSize - 1;

}  // namespace gstage
