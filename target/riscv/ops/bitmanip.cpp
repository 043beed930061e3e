// SPDX-License-Identifier: Apache-2.0
// Carry-less multiplication and crossbar permutations (ISA manual vol. I, "Zbc" and "Zbkx").
#include "target/riscv/ops/helpers.h"

namespace gstage::riscv {

namespace {

__extension__ using u128 = unsigned __int128;

/// The product of the polynomials over GF(2).
u128 carryless_product(std::uint64_t a, std::uint64_t b) {
  u128 product = 0;
  for (; b != 0; b &= b - 1) product ^= u128{a} << __builtin_ctzll(b);
  return product;
}

/// Each element of `indices` is replaced by the element of `table` that it names; 0 where there is none.
std::uint64_t permute(std::uint64_t table, std::uint64_t indices, unsigned width) {
  const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
  std::uint64_t result = 0;
  for (unsigned at = 0; at < 64; at += width) {
    const std::uint64_t index = indices >> at & mask;
    if (index < 64 / width) result |= (table >> index * width & mask) << at;
  }
  return result;
}

}  // namespace

std::uint64_t helper_clmul(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t, std::uint64_t) {
  return static_cast<std::uint64_t>(carryless_product(a, b));
}
std::uint64_t helper_clmulh(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t, std::uint64_t) {
  return static_cast<std::uint64_t>(carryless_product(a, b) >> 64);
}
std::uint64_t helper_clmulr(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t, std::uint64_t) {
  return static_cast<std::uint64_t>(carryless_product(a, b) >> 63);
}
std::uint64_t helper_xperm4(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t, std::uint64_t) {
  return permute(a, b, 4);
}
std::uint64_t helper_xperm8(CpuCore*, std::uint64_t a, std::uint64_t b, std::uint64_t, std::uint64_t) {
  return permute(a, b, 8);
}

}  // namespace gstage::riscv
