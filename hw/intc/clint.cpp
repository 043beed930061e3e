// SPDX-License-Identifier: Apache-2.0
#include "hw/intc/clint.h"

#include "target/riscv/cpu.h"

namespace gstage::hw {
namespace {

constexpr auto kTickNs = static_cast<std::uint64_t>(riscv::kNsPerTick);
constexpr unsigned kMaxHarts = 4095;
constexpr std::uint64_t kMtimecmpOffset = 0x4000;
constexpr std::uint64_t kMtimeOffset = 0xbff8;

}  // namespace

std::span<const Register<Clint>> Clint::registers() {
  using C = Clint;
  static constexpr Register<C> kTable[] = {
      {0, 4, "msip", &C::read_msip, &C::write_msip, kMaxHarts},
      {kMtimecmpOffset, 8, "mtimecmp", &C::read_mtimecmp, &C::write_mtimecmp, kMaxHarts, 0, 4 | 8},
      {kMtimeOffset, 8, "mtime", &C::read_mtime, nullptr, 1, 0, 4 | 8},
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

Clint::Clint(const Clock& clock, TimerThread& timers, std::vector<HartLines*> harts) : clock_(clock) {
  for (HartLines* lines : harts) harts_.push_back({lines, kNever, false, nullptr});
  for (Hart& hart : harts_) {
    hart.timer = timers.make([this, &hart] {
      const std::lock_guard lock(mutex_);
      update_timer(hart);
    });
  }
}

void Clint::reset() {
  const std::lock_guard lock(mutex_);
  for (Hart& hart : harts_) {
    hart.compare = kNever;
    hart.is_software_pending = false;
    hart.lines->set_pending(riscv::kMsi, false);
    update_timer(hart);
  }
}

std::uint64_t Clint::now_ticks() const { return static_cast<std::uint64_t>(clock_.now_ns()) / kTickNs; }

Clint::Hart* Clint::hart(const char* register_name, unsigned index) {
  if (index < harts_.size()) return &harts_[index];
  log_line(Log::kGuestErrors, "clint: %s of hart %u, which does not exist", register_name, index);
  return nullptr;
}

void Clint::update_timer(Hart& hart) {
  const bool is_due = now_ticks() >= hart.compare;
  hart.lines->set_pending(riscv::kMti, is_due);
  // A deadline beyond the clock's range never comes.
  const bool is_armed = !is_due && hart.compare < static_cast<std::uint64_t>(INT64_MAX) / kTickNs;
  hart.timer->arm(is_armed ? static_cast<std::int64_t>(hart.compare * kTickNs) : Timer::kNever);
}

std::uint64_t Clint::read_msip(Access access) {
  const Hart* of = hart("msip", access.index);
  return of != nullptr && of->is_software_pending ? 1 : 0;
}

void Clint::write_msip(Access access, std::uint64_t value) {
  Hart* of = hart("msip", access.index);
  if (of == nullptr) return;
  of->is_software_pending = (value & 1) != 0;
  of->lines->set_pending(riscv::kMsi, of->is_software_pending);
}

std::uint64_t Clint::read_mtimecmp(Access access) {
  const Hart* of = hart("mtimecmp", access.index);
  return of == nullptr ? 0 : of->compare;
}

void Clint::write_mtimecmp(Access access, std::uint64_t value) {
  Hart* of = hart("mtimecmp", access.index);
  if (of == nullptr) return;
  of->compare = value;
  update_timer(*of);
}

std::uint64_t Clint::read_mtime(Access) { return now_ticks(); }

void Clint::describe(FdtBuilder& fdt, const NodePlace& place, std::span<const std::uint32_t> cpu_irqs) {
  const auto node = fdt.node("clint", place.base);
  std::vector<std::uint32_t> wires;
  for (const std::uint32_t phandle : cpu_irqs)
    wires.insert(wires.end(), {phandle, riscv::kMsi, phandle, riscv::kMti});
  fdt.cells("interrupts-extended", wires);
  fdt.wide_cells("reg", {place.base, place.size});
  const std::string compatible[] = {"sifive,clint0", "riscv,clint0"};
  fdt.strings("compatible", compatible);
}

}  // namespace gstage::hw
