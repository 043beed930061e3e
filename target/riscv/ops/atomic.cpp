// SPDX-License-Identifier: Apache-2.0
// Compare-and-swap of 16 bytes (ISA manual vol. I, "Zacas" chapter).
#include "tcg/interp/memory.h"
#include "target/riscv/decode/formats.h"
#include "target/riscv/hart.h"
#include "target/riscv/mmu/access.h"
#include "target/riscv/ops/helpers.h"

namespace gstage::riscv {

namespace {

constexpr unsigned kPairBytes = 16;

struct Pair {
  std::uint64_t low, high;
};

/// Of registers `reg` and `reg` + 1. As a source, x0 makes both halves zero.
Pair pair_of(const Hart& hart, unsigned reg) {
  return reg == 0 ? Pair{0, 0} : Pair{hart.x[reg], hart.x[reg + 1]};
}

/// Stores `value` when `host`, which is aligned, holds `expected`; what it held.
Pair exchange(void* host, Pair expected, Pair value) {
  asm volatile("lock cmpxchg16b %0"
               : "+m"(*static_cast<Pair*>(host)), "+a"(expected.low), "+d"(expected.high)
               : "b"(value.low), "c"(value.high)
               : "cc", "memory");
  return expected;
}

/// As Op::atomic_host; null when a trap was raised.
void* pair_host(Hart& hart, Vaddr vaddr) {
  std::byte* host = nullptr;
  if (vaddr.value % kPairBytes == 0)
    host = tcg::interp::find_in(hart.core, hart.core.write, vaddr.value, tcg::MemKind::u64);
  return host != nullptr ? host : atomic_slow(hart, active_data(hart), vaddr, kPairBytes, AccessType::kStore);
}

}  // namespace

std::uint64_t helper_amocas_q(CpuCore* core, std::uint64_t address, std::uint64_t raw, std::uint64_t,
                              std::uint64_t) {
  Hart& hart = hart_of(core);
  const ArgsAmo args = ArgsAmo::from(static_cast<std::uint32_t>(raw));
  void* const host = pair_host(hart, Vaddr{address});
  if (host == nullptr) return 0;
  const Pair old = exchange(host, pair_of(hart, args.rd), pair_of(hart, args.rs2));
  if (args.rd == 0) return 0;
  hart.x[args.rd] = old.low;
  hart.x[args.rd + 1u] = old.high;
  return 0;
}

}  // namespace gstage::riscv
