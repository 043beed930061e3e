// SPDX-License-Identifier: Apache-2.0
#include "hw/intc/aclint.h"

#include <string>

#include "softmmu/base/trace.h"
#include "target/riscv/cpu.h"
#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

constexpr unsigned kMaxHarts = 4095;

/// The hart of a register, or null (logged) when there is none.
template <class Harts>
auto* hart_of(Harts& harts, const char* register_name, unsigned index) {
  if (index < harts.size()) return &harts[index];
  log_line(Log::kGuestErrors, "aclint: %s of hart %u, which does not exist", register_name, index);
  return static_cast<decltype(&harts[index])>(nullptr);
}

/// interrupts-extended: for each hart its controller and the interrupts in turn.
void describe_wires(FdtBuilder& fdt, std::span<const std::uint32_t> cpu_irqs,
                    std::initializer_list<std::uint32_t> interrupts) {
  std::vector<std::uint32_t> wires;
  for (const std::uint32_t phandle : cpu_irqs)
    for (const std::uint32_t interrupt : interrupts) wires.insert(wires.end(), {phandle, interrupt});
  fdt.cells("interrupts-extended", wires);
}

/// What MSWI's and SSWI's nodes have in common.
void describe_ipis(FdtBuilder& fdt, const char* name, const NodePlace& place, std::uint32_t interrupt) {
  const auto node = fdt.node(name, place.base);
  fdt.cell("#interrupt-cells", 0);
  fdt.empty("interrupt-controller");
  describe_wires(fdt, place.cpu_irqs, {interrupt});
  fdt.wide_cells("reg", {place.base, place.size});
  fdt.string("compatible", std::string("riscv,aclint-") + name);
}

}  // namespace

Mswi::Mswi(const std::vector<HartLines*>& harts) {
  for (HartLines* lines : harts) harts_.push_back({lines, false});
}

std::span<const Register<Mswi>> Mswi::registers() {
  static constexpr Register<Mswi> kTable[] = {
      {0, 4, "msip", &Mswi::read_msip, &Mswi::write_msip, kMaxHarts},
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

void Mswi::reset() {
  const std::lock_guard lock(mutex_);
  for (Hart& hart : harts_) {
    hart.is_pending = false;
    hart.lines->set_pending(riscv::kMsi, false);
  }
}

void Mswi::visit(Visitor& visitor) {
  visitor.each("hart", harts_, [](Visitor& part, Hart& hart) { part.field("is_pending", hart.is_pending); });
}

void Mswi::restored() {
  for (const Hart& hart : harts_) hart.lines->set_pending(riscv::kMsi, hart.is_pending);
}

std::uint64_t Mswi::read_msip(Access access) {
  const Hart* of = hart_of(harts_, "msip", access.index);
  return of != nullptr && of->is_pending ? 1 : 0;
}

void Mswi::write_msip(Access access, std::uint64_t value) {
  Hart* of = hart_of(harts_, "msip", access.index);
  if (of == nullptr) return;
  of->is_pending = (value & 1) != 0;
  trace(TraceEvent::aclint_msip, access.index, of->is_pending);
  of->lines->set_pending(riscv::kMsi, of->is_pending);
}

std::span<const Register<Sswi>> Sswi::registers() {
  static constexpr Register<Sswi> kTable[] = {
      {0, 4, "setssip", &Sswi::read_setssip, &Sswi::write_setssip, kMaxHarts},
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

void Sswi::write_setssip(Access access, std::uint64_t value) {
  HartLines** of = hart_of(harts_, "setssip", access.index);
  if (of != nullptr && (value & 1) != 0) (*of)->set_pending(riscv::kSsi, true);
}

Mtimer::Mtimer(riscv::TimeCounter& time, TimerThread& timers, const std::vector<HartLines*>& harts)
    : time_(time) {
  for (HartLines* lines : harts) harts_.push_back({lines, kNever, nullptr});
  for (Hart& hart : harts_) {
    hart.timer = timers.make([this, &hart] {
      const std::lock_guard lock(mutex_);
      update_timer(hart);
    });
  }
}

std::span<const Register<Mtimer>> Mtimer::registers() {
  using M = Mtimer;
  static constexpr Register<M> kTable[] = {
      {0, 8, "mtimecmp", &M::read_mtimecmp, &M::write_mtimecmp, kMaxHarts, 0, 4 | 8},
      {kMtimeOffset, 8, "mtime", &M::read_mtime, &M::write_mtime, 1, 0, 4 | 8},
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

void Mtimer::reset() {
  const std::lock_guard lock(mutex_);
  time_.set(0);
  for (Hart& hart : harts_) {
    hart.compare = kNever;
    update_timer(hart);
  }
}

void Mtimer::visit(Visitor& visitor) {
  std::uint64_t mtime = time_.now();
  visitor.field("mtime", mtime);
  if (visitor.is_loading()) time_.set(mtime);
  visitor.each("hart", harts_, [](Visitor& part, Hart& hart) { part.field("compare", hart.compare); });
}

void Mtimer::restored() {
  for (Hart& hart : harts_) update_timer(hart);
}

void Mtimer::update_timer(Hart& hart) {
  const std::uint64_t now = time_.now();
  hart.lines->set_pending(riscv::kMti, now >= hart.compare);
  hart.timer->arm(time_.deadline(now, riscv::ticks_to_change(now, hart.compare)));
}

std::uint64_t Mtimer::read_mtimecmp(Access access) {
  const Hart* of = hart_of(harts_, "mtimecmp", access.index);
  return of == nullptr ? 0 : of->compare;
}

void Mtimer::write_mtimecmp(Access access, std::uint64_t value) {
  Hart* of = hart_of(harts_, "mtimecmp", access.index);
  if (of == nullptr) return;
  of->compare = value;
  if (trace_enabled(TraceEvent::aclint_timer))
    trace_write(TraceEvent::aclint_timer, {access.index, value, time_.now()});
  update_timer(*of);
}

std::uint64_t Mtimer::read_mtime(Access) { return time_.now(); }

void Mtimer::write_mtime(Access, std::uint64_t value) {
  time_.set(value);
  for (Hart& hart : harts_) update_timer(hart);
}

void Mswi::describe(FdtBuilder& fdt) const { describe_ipis(fdt, "mswi", place(), riscv::kMsi); }
void Sswi::describe(FdtBuilder& fdt) const { describe_ipis(fdt, "sswi", place(), riscv::kSsi); }

void Mtimer::describe(FdtBuilder& fdt) const {
  const std::uint64_t mtime = place().base + Mtimer::kMtimeOffset;
  const auto node = fdt.node("mtimer", mtime);
  describe_wires(fdt, place().cpu_irqs, {riscv::kMti});
  // First mtime with what follows it, then the comparands.
  fdt.wide_cells("reg", {mtime, place().size - kMtimeOffset, place().base, kMtimeOffset});
  fdt.string("compatible", "riscv,aclint-mtimer");
}

std::unique_ptr<DeviceGroup> make_clint() {
  return std::make_unique<DeviceGroup>("clint", [](FdtBuilder& fdt, const NodePlace& place, const Bus&) {
    const auto node = fdt.node("clint", place.base);
    describe_wires(fdt, place.cpu_irqs, {riscv::kMsi, riscv::kMti});
    fdt.wide_cells("reg", {place.base, place.size});
    const std::string compatible[] = {"sifive,clint0", "riscv,clint0"};
    fdt.strings("compatible", compatible);
  });
}

}  // namespace gstage::hw
