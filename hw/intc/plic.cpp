// SPDX-License-Identifier: Apache-2.0
#include "hw/intc/plic.h"

#include <bit>

#include "softmmu/base/check.h"
#include "softmmu/base/trace.h"
#include "target/riscv/cpu.h"
#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

/// Priorities and thresholds are 0–7; higher bits read as zero (WARL).
constexpr std::uint32_t kPriorityMask = Plic::kHighestPriority;
constexpr unsigned kMaxSources = 1024;
constexpr unsigned kWordsPerContext = kMaxSources / 32;
/// As many contexts as the region of the `virt` board has room for.
constexpr unsigned kMaxContexts = 1024;
constexpr unsigned kContextStride = 0x1000;

}  // namespace

std::span<const Register<Plic>> Plic::registers() {
  using P = Plic;
  static constexpr Register<P> kTable[] = {
      {0x200004, 4, "claim/complete", &P::claim, &P::complete, kMaxContexts, kContextStride},
      {0x200000, 4, "threshold", &P::read_threshold, &P::write_threshold, kMaxContexts, kContextStride},
      {0x2000, 4, "enable", &P::read_enable, &P::write_enable, kMaxContexts * kWordsPerContext},
      {0x0, 4, "priority", &P::read_priority, &P::write_priority, kMaxSources},
      {0x1000, 4, "pending", &P::read_pending, nullptr, kWordsPerContext},
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

Plic::Plic(std::vector<HartLines*> harts) {
  for (HartLines* lines : harts) {
    contexts_.push_back({lines, riscv::kMei, {}, 0, false});
    contexts_.push_back({lines, riscv::kSei, {}, 0, false});
  }
}

void Plic::reset() {
  const std::lock_guard lock(mutex_);
  state_ = State{};
  for (Context& context : contexts_) {
    context.enable = {};
    context.threshold = 0;
  }
  for (unsigned source = 1; source <= kSources; ++source) gateway(source);
  notify();
}

void Plic::visit(Visitor& visitor) {
  visitor.field("pending", state_.pending);
  visitor.field("in_flight", state_.in_flight);
  visitor.field("priority", state_.priority);
  visitor.field("level", level_);
  visitor.each("context", contexts_, [](Visitor& part, Context& context) {
    part.field("enable", context.enable);
    part.field("threshold", context.threshold);
  });
}

void Plic::restored() {
  for (Context& context : contexts_) {
    context.is_notified = best(context, context.threshold) != 0;
    context.lines->set_pending(context.mip_bit, context.is_notified);
  }
}

IrqLine Plic::line(unsigned source) {
  CHECK(source >= 1 && source <= kSources);
  return IrqLine([this, source](bool is_high) { set_level(source, is_high); });
}

void Plic::set_level(unsigned source, bool is_high) {
  const std::lock_guard lock(mutex_);
  const std::uint32_t bit = 1u << (source % 32);
  std::uint32_t& word = level_[source / 32];
  if (((word & bit) != 0) != is_high) trace(TraceEvent::plic_line, source, is_high);
  word = is_high ? word | bit : word & ~bit;
  // A request that was forwarded cannot be retracted (PLIC, "Interrupt Gateways"), so only a rise matters.
  if (!is_high) return;
  gateway(source);
  notify();
}

void Plic::gateway(unsigned source) {
  const std::uint32_t bit = 1u << (source % 32);
  const unsigned word = source / 32;
  if ((level_[word] & bit) == 0 || (state_.in_flight[word] & bit) != 0) return;
  state_.in_flight[word] |= bit;
  state_.pending[word] |= bit;
}

unsigned Plic::best(const Context& context, std::uint32_t floor) const {
  unsigned found = 0;
  std::uint32_t highest = floor;
  for (unsigned word = 0; word < kWords; ++word) {
    std::uint32_t candidates = state_.pending[word] & context.enable[word];
    for (; candidates != 0; candidates &= candidates - 1) {
      const unsigned source = word * 32 + static_cast<unsigned>(std::countr_zero(candidates));
      // Ties go to the lowest number, which comes first.
      if (state_.priority[source] <= highest) continue;
      highest = state_.priority[source];
      found = source;
    }
  }
  return found;
}

void Plic::notify() {
  for (Context& context : contexts_) {
    const bool is_notified = best(context, context.threshold) != 0;
    if (is_notified == context.is_notified) continue;
    context.is_notified = is_notified;
    context.lines->set_pending(context.mip_bit, is_notified);
  }
}

Plic::Context* Plic::context(const char* register_name, unsigned index) {
  if (index < contexts_.size()) return &contexts_[index];
  log_line(Log::kGuestErrors, "plic: %s of context %u, which does not exist", register_name, index);
  return nullptr;
}

std::uint64_t Plic::read_priority(Access access) {
  return access.index <= kSources ? state_.priority[access.index] : 0;
}

void Plic::write_priority(Access access, std::uint64_t value) {
  if (access.index == 0 || access.index > kSources) {
    log_line(Log::kGuestErrors, "plic: priority of source %u, which does not exist", access.index);
    return;
  }
  state_.priority[access.index] = value & kPriorityMask;
  notify();
}

std::uint64_t Plic::read_pending(Access access) {
  return access.index < kWords ? state_.pending[access.index] : 0;
}

std::uint64_t Plic::read_enable(Access access) {
  const Context* of = context("enable", access.index / kWordsPerContext);
  const unsigned word = access.index % kWordsPerContext;
  return of != nullptr && word < kWords ? of->enable[word] : 0;
}

void Plic::write_enable(Access access, std::uint64_t value) {
  Context* of = context("enable", access.index / kWordsPerContext);
  const unsigned word = access.index % kWordsPerContext;
  // Sources that do not exist are hard-wired to zero, as is source 0.
  if (of == nullptr || word >= kWords) return;
  of->enable[word] = static_cast<std::uint32_t>(word == 0 ? value & ~std::uint64_t{1} : value);
  notify();
}

std::uint64_t Plic::read_threshold(Access access) {
  const Context* of = context("threshold", access.index);
  return of == nullptr ? 0 : of->threshold;
}

void Plic::write_threshold(Access access, std::uint64_t value) {
  Context* of = context("threshold", access.index);
  if (of == nullptr) return;
  of->threshold = static_cast<std::uint32_t>(value & kPriorityMask);
  notify();
}

std::uint64_t Plic::claim(Access access) {
  const Context* of = context("claim", access.index);
  if (of == nullptr) return 0;
  // The threshold does not bear on a claim (PLIC, "Interrupt Claim Process"); priority 0 is never served.
  const unsigned source = best(*of, 0);
  trace(TraceEvent::plic_claim, access.index, source);
  if (source == 0) return 0;
  state_.pending[source / 32] &= ~(1u << (source % 32));
  notify();
  return source;
}

void Plic::complete(Access access, std::uint64_t value) {
  const Context* of = context("complete", access.index);
  if (of == nullptr || value == 0 || value > kSources) return;
  const auto source = static_cast<unsigned>(value);
  trace(TraceEvent::plic_complete, access.index, source);
  const std::uint32_t bit = 1u << (source % 32);
  // Silently ignored unless the source is enabled for the target (PLIC, "Interrupt Completion").
  if ((of->enable[source / 32] & bit) == 0) return;
  // One still waiting to be claimed stays in flight: it is not this completion's business.
  if ((state_.pending[source / 32] & bit) != 0) return;
  state_.in_flight[source / 32] &= ~bit;
  gateway(source);
  notify();
}

void Plic::describe(FdtBuilder& fdt) const {
  const auto node = fdt.node("interrupt-controller", place().base);
  fdt.cell("phandle", place().phandle);
  fdt.cell("riscv,ndev", kSources);
  fdt.wide_cells("reg", {place().base, place().size});
  std::vector<std::uint32_t> wires;
  for (const std::uint32_t phandle : place().cpu_irqs)
    wires.insert(wires.end(), {phandle, riscv::kMei, phandle, riscv::kSei});
  fdt.cells("interrupts-extended", wires);
  fdt.empty("interrupt-controller");
  const std::string compatible[] = {"sifive,plic-1.0.0", "riscv,plic0"};
  fdt.strings("compatible", compatible);
  fdt.cell("#address-cells", 0);
  fdt.cell("#interrupt-cells", 1);
}

}  // namespace gstage::hw
