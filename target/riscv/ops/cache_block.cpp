// SPDX-License-Identifier: Apache-2.0
// Cache-block operations and waiting on a reservation (ISA manual vol. I, "CMO" and "Zawrs" chapters).
#include <cstring>

#include <sched.h>

#include "tcg/interp/memory.h"
#include "target/riscv/csr/row.h"
#include "target/riscv/hart.h"
#include "target/riscv/mmu/mmu.h"
#include "target/riscv/ops/helpers.h"
#include "target/riscv/trap/trap.h"

namespace gstage::riscv {

namespace {

/// The field of the envcfg registers that lets the lower modes execute the operation.
std::uint64_t enable_of(CacheBlockOp op) {
  switch (op) {
    case CacheBlockOp::kInvalidate: return envcfg::Cbie::kMask;
    case CacheBlockOp::kClean: return envcfg::Cbcfe::kMask;
    case CacheBlockOp::kZero: break;
  }
  return envcfg::Cbze::kMask;
}

/// menvcfg is for all modes below M; what it allows, henvcfg and senvcfg may refuse to a guest and to U-mode
/// ("Memory-Management Cache-Block Operations", "Machine/Supervisor Environment Configuration").
Verdict judge(const Hart& hart, std::uint64_t enable) {
  if (hart.priv == kMachine) return Verdict::kAllowed;
  if ((hart.menvcfg & enable) == 0) return Verdict::kIllegal;
  const bool is_user_refused = hart.priv == kUser && (hart.senvcfg & enable) == 0;
  if (hart.v == 0) return is_user_refused ? Verdict::kIllegal : Verdict::kAllowed;
  return is_user_refused || (hart.henvcfg & enable) == 0 ? Verdict::kVirtual : Verdict::kAllowed;
}

/// Whether the instruction may go on; raises if not.
bool is_allowed(Hart& hart, Verdict verdict, std::uint64_t raw) {
  if (verdict == Verdict::kIllegal) raise_illegal(hart, raw);
  if (verdict == Verdict::kVirtual) raise_virtual(hart, raw);
  return verdict == Verdict::kAllowed;
}

}  // namespace

std::uint64_t helper_cache_block(CpuCore* core, std::uint64_t address, std::uint64_t op, std::uint64_t raw,
                                 std::uint64_t) {
  Hart& hart = hart_of(core);
  const auto what = static_cast<CacheBlockOp>(op);
  if (!is_allowed(hart, judge(hart, enable_of(what)), raw)) return 0;
  // There is no cache that could differ from memory: what is left of the others is their faults.
  if (what != CacheBlockOp::kZero) {
    check_cache_block(hart, Vaddr{address});
    return 0;
  }
  std::byte* const block =
      tcg::interp::find_in(*core, core->write, address & ~(kCacheBlockBytes - 1), tcg::MemKind::u64);
  if (block != nullptr)
    std::memset(block, 0, kCacheBlockBytes);
  else
    zero_cache_block(hart, Vaddr{address});
  return 0;
}

/// Without a reservation, or with an interrupt pending, there is nothing to wait for. Else the hart lets
/// others run and goes on: implementations may end the wait for any reason. Where TW or VTW limit the time,
/// the limit is zero, as it is for wfi.
std::uint64_t helper_wait_reservation(CpuCore* core, std::uint64_t raw, std::uint64_t is_without_timeout,
                                      std::uint64_t, std::uint64_t) {
  Hart& hart = hart_of(core);
  constexpr std::uint64_t kNoReservation = ~std::uint64_t{0};
  if (core->reservation_vaddr == kNoReservation || has_wakeup(hart)) return 0;
  if (is_without_timeout != 0 && hart.priv != kMachine) {
    if (status::Tw::get(hart.mstatus) != 0) {
      raise_illegal(hart, raw);
      return 0;
    }
    if (hart.v != 0 && hstatus::Vtw::get(hart.hstatus) != 0) {
      raise_virtual(hart, raw);
      return 0;
    }
  }
  sched_yield();
  return 0;
}

}  // namespace gstage::riscv
