// SPDX-License-Identifier: Apache-2.0
#include "hw/intc/aplic.h"

#include <bit>

#include "softmmu/base/check.h"
#include "softmmu/base/trace.h"
#include "target/riscv/cpu.h"
#include "hw/core/visitor.h"
#include "hw/intc/aplic_fields.h"

namespace gstage::hw {

using namespace aplic;

namespace {

constexpr unsigned kMaxSources = 1023;
constexpr unsigned kSourceWords = 32;
constexpr unsigned kMaxHarts = 512;
constexpr unsigned kIdcStride = 32;

}  // namespace

std::span<const Register<AplicDomain>> AplicDomain::registers() {
  using A = AplicDomain;
  static constexpr Register<A> kTable[] = {
      {0x401c, 4, "claimi", &A::claim, nullptr, kMaxHarts, kIdcStride},
      {0x4000, 4, "idelivery", &A::read_idelivery, &A::write_idelivery, kMaxHarts, kIdcStride},
      {0x4004, 4, "iforce", &A::read_iforce, &A::write_iforce, kMaxHarts, kIdcStride},
      {0x4008, 4, "ithreshold", &A::read_ithreshold, &A::write_ithreshold, kMaxHarts, kIdcStride},
      {0x4018, 4, "topi", &A::read_topi, nullptr, kMaxHarts, kIdcStride},
      {0x0000, 4, "domaincfg", &A::read_domaincfg, &A::write_domaincfg},
      {0x0004, 4, "sourcecfg", &A::read_sourcecfg, &A::write_sourcecfg, kMaxSources},
      {0x1bc0, 4, "msiaddrcfg", &A::read_address, &A::write_address, 4},
      {0x1c00, 4, "setip", &A::read_setip, &A::write_setip, kSourceWords},
      {0x1cdc, 4, "setipnum", &A::read_zero, &A::write_setipnum},
      {0x1d00, 4, "in_clrip", &A::read_inputs, &A::write_clrip, kSourceWords},
      {0x1ddc, 4, "clripnum", &A::read_zero, &A::write_clripnum},
      {0x1e00, 4, "setie", &A::read_setie, &A::write_setie, kSourceWords},
      {0x1edc, 4, "setienum", &A::read_zero, &A::write_setienum},
      {0x1f00, 4, "clrie", &A::read_zero, &A::write_clrie, kSourceWords},
      {0x1fdc, 4, "clrienum", &A::read_zero, &A::write_clrienum},
      {0x2000, 4, "setipnum_le", &A::read_zero, &A::write_setipnum},
      {0x3000, 4, "genmsi", &A::read_genmsi, &A::write_genmsi},
      {0x3004, 4, "target", &A::read_target, &A::write_target, kMaxSources},
  };
  static_assert(is_well_formed(kTable));
  return kTable;
}

AplicDomain::AplicDomain(AplicSetup setup, AplicDomain* child)
    : setup_(std::move(setup)), child_(child), deliveries_(setup_.harts) {
  if (setup_.is_machine) delegated_.fill(~0u);
}

void AplicDomain::reset() {
  const std::lock_guard lock(mutex_);
  state_ = State{};
  if (!setup_.is_machine) delegated_ = {};
  for (Delivery& delivery : deliveries_) {
    delivery.is_on = delivery.is_forced = false;
    delivery.threshold = 0;
  }
  notify();
}

IrqLine AplicDomain::line(unsigned source) {
  CHECK(source >= 1 && source <= kSources);
  return IrqLine([this, source](bool is_high) { set_level(source, is_high); });
}

void AplicDomain::set_level(unsigned source, bool is_high) {
  const std::lock_guard lock(mutex_);
  if (((level_[source / 32] & bit_of(source)) != 0) != is_high)
    trace(TraceEvent::aplic_line, source, is_high);
  take_level(source, is_high);
  if (child_ == nullptr) return;
  const std::lock_guard child_lock(child_->mutex_);
  child_->take_level(source, is_high);
}

void AplicDomain::take_level(unsigned source, bool is_high) {
  const bool was_high = rectified(source);
  std::uint32_t& word = level_[source / 32];
  word = is_high ? word | bit_of(source) : word & ~bit_of(source);
  const bool is_now_high = rectified(source);
  if (was_high == is_now_high) return;
  if (is_now_high)
    set_pending(source, true);
  else if (is_level(source))
    set_pending(source, false);
  deliver();
}

bool AplicDomain::is_msi_mode() const { return domaincfg::Dm::get(state_.domaincfg) != 0; }

bool AplicDomain::is_active(unsigned source) const {
  if (source == 0 || source > kSources) return false;
  const unsigned cfg = state_.sourcecfg[source];
  return (cfg & kDelegate) == 0 && cfg != kInactive;
}

bool AplicDomain::is_level(unsigned source) const {
  return is_active(source) && state_.sourcecfg[source] >= kLevel1;
}

bool AplicDomain::rectified(unsigned source) const {
  if (!is_active(source) || state_.sourcecfg[source] == kDetached) return false;
  const bool is_high = (level_[source / 32] & bit_of(source)) != 0;
  const bool is_inverted = (state_.sourcecfg[source] & 1) != 0;
  return is_high != is_inverted;
}

void AplicDomain::set_pending(unsigned source, bool is_pending) {
  std::uint32_t& word = state_.pending[source / 32];
  word = is_pending ? word | bit_of(source) : word & ~bit_of(source);
}

void AplicDomain::ask_pending(unsigned source) {
  // A level source is pending in direct mode as long as its wire says so, in MSI mode at most so long.
  if (!is_level(source) || (is_msi_mode() && rectified(source))) set_pending(source, true);
}

void AplicDomain::ask_not_pending(unsigned source) {
  if (!is_level(source) || is_msi_mode()) set_pending(source, false);
}

void AplicDomain::enable(unsigned source) { state_.enabled[source / 32] |= bit_of(source); }
void AplicDomain::disable(unsigned source) { state_.enabled[source / 32] &= ~bit_of(source); }

void AplicDomain::for_each(unsigned word, std::uint64_t bits, void (AplicDomain::*action)(unsigned)) {
  for (; bits != 0; bits &= bits - 1) {
    const unsigned source = word * 32 + static_cast<unsigned>(std::countr_zero(bits));
    if (is_active(source)) (this->*action)(source);
  }
  deliver();
}

void AplicDomain::apply_to_number(std::uint64_t number, void (AplicDomain::*action)(unsigned)) {
  if (number > kSources || !is_active(static_cast<unsigned>(number))) return;
  (this->*action)(static_cast<unsigned>(number));
  deliver();
}

void AplicDomain::delegate(unsigned source, bool is_delegated) {
  const std::lock_guard lock(mutex_);
  std::uint32_t& word = delegated_[source / 32];
  word = is_delegated ? word | bit_of(source) : word & ~bit_of(source);
  if (is_delegated) return;
  state_.sourcecfg[source] = kInactive;
  state_.target[source] = 0;
  set_pending(source, false);
  disable(source);
  deliver();
}

void AplicDomain::take_address(const MsiAddress& address) {
  const std::lock_guard lock(mutex_);
  state_.address = address;
}

void AplicDomain::deliver() {
  if (is_msi_mode()) forward();
  notify();
}

void AplicDomain::forward() {
  if (domaincfg::Ie::get(state_.domaincfg) == 0) return;
  for (unsigned word = 0; word < kWords; ++word) {
    std::uint32_t ready = state_.pending[word] & state_.enabled[word];
    for (; ready != 0; ready &= ready - 1) {
      const unsigned source = word * 32 + static_cast<unsigned>(std::countr_zero(ready));
      set_pending(source, false);
      send_msi(state_.target[source]);
    }
  }
}

void AplicDomain::send_msi(std::uint32_t to) {
  const std::uint64_t widths = state_.address[address::kMachineHigh];
  const bool is_machine = setup_.is_machine;
  const std::uint64_t low = state_.address[is_machine ? address::kMachineLow : address::kSupervisorLow];
  const std::uint64_t high = state_.address[is_machine ? address::kMachineHigh : address::kSupervisorHigh];
  const std::uint64_t hart = target::HartIndex::get(to);
  const std::uint64_t low_width = address::Lhxw::get(widths);
  const std::uint64_t group = hart >> low_width & ((1u << address::Hhxw::get(widths)) - 1);
  const std::uint64_t in_group = hart & ((1u << low_width) - 1);
  std::uint64_t page = address::HighPpn::get(high) << 32 | low;
  page |= group << (address::Hhxs::get(widths) + 12);
  page |= in_group << address::Lhxs::get(high);
  if (!is_machine) page |= target::GuestIndex::get(to);
  trace(TraceEvent::aplic_msi, page << 12, target::Eiid::get(to));
  setup_.msis->send(page << 12, static_cast<std::uint32_t>(target::Eiid::get(to)));
}

std::uint32_t AplicDomain::top(unsigned hart) const {
  unsigned best = 0;
  std::uint64_t best_priority = ~std::uint64_t{0};
  for (unsigned word = 0; word < kWords; ++word) {
    std::uint32_t ready = state_.pending[word] & state_.enabled[word];
    for (; ready != 0; ready &= ready - 1) {
      const unsigned source = word * 32 + static_cast<unsigned>(std::countr_zero(ready));
      const std::uint64_t priority = target::Iprio::get(state_.target[source]);
      // Ties go to the lowest source, which comes first.
      if (target::HartIndex::get(state_.target[source]) != hart || priority >= best_priority) continue;
      best = source;
      best_priority = priority;
    }
  }
  const unsigned threshold = deliveries_[hart].threshold;
  if (best == 0 || (threshold != 0 && best_priority >= threshold)) return 0;
  return best << 16 | static_cast<std::uint32_t>(best_priority);
}

void AplicDomain::notify() {
  const unsigned mip_bit = setup_.is_machine ? riscv::kMei : riscv::kSei;
  const bool is_on = domaincfg::Ie::get(state_.domaincfg) != 0 && !is_msi_mode();
  for (unsigned hart = 0; hart < setup_.lines.size(); ++hart) {
    Delivery& delivery = deliveries_[hart];
    const bool is_high = is_on && delivery.is_on && (delivery.is_forced || top(hart) != 0);
    if (is_high == delivery.is_notified) continue;
    delivery.is_notified = is_high;
    setup_.lines[hart]->set_pending(mip_bit, is_high);
  }
}

std::uint64_t AplicDomain::read_domaincfg(Access) { return domaincfg::kConstant | state_.domaincfg; }
void AplicDomain::write_domaincfg(Access, std::uint64_t value) {
  const bool was_msi = is_msi_mode();
  std::uint64_t mask = domaincfg::Ie::kMask;
  if (setup_.msis != nullptr) mask |= domaincfg::Dm::kMask;
  state_.domaincfg = static_cast<std::uint32_t>(value & mask);
  for (unsigned source = 1; source <= kSources; ++source) {
    if (was_msi == is_msi_mode()) break;
    // The fields of `target` change their meaning; in direct mode a level source is pending with its wire.
    if (is_active(source)) state_.target[source] = is_msi_mode() ? 0 : 1;
    if (is_level(source) && !is_msi_mode()) set_pending(source, rectified(source));
  }
  deliver();
}

std::uint64_t AplicDomain::read_sourcecfg(Access access) {
  const unsigned source = access.index + 1;
  return source <= kSources ? state_.sourcecfg[source] : 0;
}

void AplicDomain::write_sourcecfg(Access access, std::uint64_t value) {
  const unsigned source = access.index + 1;
  if (source > kSources || (delegated_[source / 32] & bit_of(source)) == 0) return;
  const bool was_active = is_active(source);
  const bool was_delegated = (state_.sourcecfg[source] & kDelegate) != 0;
  const bool is_delegated = child_ != nullptr && (value & kDelegate) != 0;
  const auto mode = static_cast<unsigned>(value & kModeMask);
  // A leaf takes a delegation for zero; the one child has the index 0.
  const bool is_valid_mode = (value & kDelegate) == 0 && is_mode(mode);
  state_.sourcecfg[source] = static_cast<std::uint16_t>(is_delegated    ? kDelegate
                                                        : is_valid_mode ? mode
                                                                        : unsigned{kInactive});
  if (child_ != nullptr && was_delegated != is_delegated) child_->delegate(source, is_delegated);
  if (!is_active(source)) {
    state_.target[source] = 0;
    set_pending(source, false);
    disable(source);
  } else {
    if (!was_active) state_.target[source] = is_msi_mode() ? 0 : 1;
    if (is_level(source)) set_pending(source, rectified(source));
  }
  deliver();
}

std::uint64_t AplicDomain::read_address(Access access) {
  return setup_.is_machine && setup_.msis != nullptr ? state_.address[access.index] : 0;
}
void AplicDomain::write_address(Access access, std::uint64_t value) {
  if (!setup_.is_machine || setup_.msis == nullptr || child_ == nullptr) return;
  if (address::L::get(state_.address[address::kMachineHigh]) != 0) return;
  state_.address[access.index] = static_cast<std::uint32_t>(value) & address::kMasks[access.index];
  child_->take_address(state_.address);
}

std::uint64_t AplicDomain::read_setip(Access access) {
  return access.index < kWords ? state_.pending[access.index] : 0;
}
void AplicDomain::write_setip(Access access, std::uint64_t value) {
  for_each(access.index, value, &AplicDomain::ask_pending);
}
void AplicDomain::write_setipnum(Access, std::uint64_t value) {
  apply_to_number(value, &AplicDomain::ask_pending);
}

std::uint64_t AplicDomain::read_inputs(Access access) {
  std::uint64_t inputs = 0;
  for (unsigned i = 0; i < 32 && access.index < kWords; ++i)
    if (rectified(access.index * 32 + i)) inputs |= std::uint64_t{1} << i;
  return inputs;
}
void AplicDomain::write_clrip(Access access, std::uint64_t value) {
  for_each(access.index, value, &AplicDomain::ask_not_pending);
}
void AplicDomain::write_clripnum(Access, std::uint64_t value) {
  apply_to_number(value, &AplicDomain::ask_not_pending);
}

std::uint64_t AplicDomain::read_setie(Access access) {
  return access.index < kWords ? state_.enabled[access.index] : 0;
}
void AplicDomain::write_setie(Access access, std::uint64_t value) {
  for_each(access.index, value, &AplicDomain::enable);
}
void AplicDomain::write_setienum(Access, std::uint64_t value) {
  apply_to_number(value, &AplicDomain::enable);
}
void AplicDomain::write_clrie(Access access, std::uint64_t value) {
  for_each(access.index, value, &AplicDomain::disable);
}
void AplicDomain::write_clrienum(Access, std::uint64_t value) {
  apply_to_number(value, &AplicDomain::disable);
}

// An MSI leaves at once: Busy is never seen set.
std::uint64_t AplicDomain::read_genmsi(Access) { return is_msi_mode() ? state_.genmsi : 0; }
void AplicDomain::write_genmsi(Access, std::uint64_t value) {
  if (!is_msi_mode()) return;
  state_.genmsi = static_cast<std::uint32_t>(value & (target::HartIndex::kMask | target::Eiid::kMask));
  send_msi(state_.genmsi);
}

std::uint64_t AplicDomain::read_target(Access access) {
  const unsigned source = access.index + 1;
  return source <= kSources ? state_.target[source] : 0;
}
void AplicDomain::write_target(Access access, std::uint64_t value) {
  const unsigned source = access.index + 1;
  if (!is_active(source)) return;
  if (!is_msi_mode()) {
    // Priority number 0 becomes 1.
    const std::uint64_t priority = target::Iprio::get(value);
    value = (value & target::HartIndex::kMask) | (priority == 0 ? 1 : priority);
  } else {
    const bool has_guest = !setup_.is_machine && target::GuestIndex::get(value) <= setup_.guest_files;
    const std::uint64_t guest = has_guest ? value & target::GuestIndex::kMask : 0;
    value = (value & (target::HartIndex::kMask | target::Eiid::kMask)) | guest;
  }
  state_.target[source] = static_cast<std::uint32_t>(value);
  deliver();
}

std::uint64_t AplicDomain::read_idelivery(Access access) {
  const Delivery* const of = delivery(access.index);
  return of != nullptr && of->is_on ? 1 : 0;
}
void AplicDomain::write_idelivery(Access access, std::uint64_t value) {
  if (Delivery* const of = delivery(access.index); of != nullptr) of->is_on = (value & 1) != 0;
  notify();
}
std::uint64_t AplicDomain::read_iforce(Access access) {
  const Delivery* const of = delivery(access.index);
  return of != nullptr && of->is_forced ? 1 : 0;
}
void AplicDomain::write_iforce(Access access, std::uint64_t value) {
  if (Delivery* const of = delivery(access.index); of != nullptr) of->is_forced = (value & 1) != 0;
  notify();
}
std::uint64_t AplicDomain::read_ithreshold(Access access) {
  const Delivery* const of = delivery(access.index);
  return of == nullptr ? 0 : of->threshold;
}
void AplicDomain::write_ithreshold(Access access, std::uint64_t value) {
  if (Delivery* const of = delivery(access.index); of != nullptr)
    of->threshold = static_cast<std::uint8_t>(value);
  notify();
}
std::uint64_t AplicDomain::read_topi(Access access) {
  return delivery(access.index) == nullptr || is_msi_mode() ? 0 : top(access.index);
}
std::uint64_t AplicDomain::claim(Access access) {
  Delivery* const of = delivery(access.index);
  if (of == nullptr || is_msi_mode()) return 0;
  const std::uint32_t topi = top(access.index);
  trace(TraceEvent::aplic_claim, access.index, topi >> 16);
  if (topi == 0)
    of->is_forced = false;
  else
    ask_not_pending(topi >> 16);
  notify();
  return topi;
}

void Aplic::visit(Visitor& visitor) {
  AplicDomain::State& state = domain_.state_;
  visitor.field("domaincfg", state.domaincfg);
  visitor.field("genmsi", state.genmsi);
  visitor.field("sourcecfg", state.sourcecfg);
  visitor.field("target", state.target);
  visitor.field("pending", state.pending);
  visitor.field("enabled", state.enabled);
  visitor.field("address", state.address);
  visitor.field("level", domain_.level_);
  visitor.field("delegated", domain_.delegated_);
  visitor.each("hart", domain_.deliveries_, [](Visitor& part, AplicDomain::Delivery& delivery) {
    part.field("is_on", delivery.is_on);
    part.field("is_forced", delivery.is_forced);
    part.field("threshold", delivery.threshold);
  });
}

void Aplic::restored() {
  const unsigned mip_bit = domain_.setup_.is_machine ? riscv::kMei : riscv::kSei;
  for (HartLines* const lines : domain_.setup_.lines) lines->set_pending(mip_bit, false);
  for (AplicDomain::Delivery& delivery : domain_.deliveries_) delivery.is_notified = false;
  domain_.notify();
}

void Aplic::describe(FdtBuilder& fdt) const {
  const auto open = fdt.node("interrupt-controller", place().base);
  fdt.cell("phandle", place().phandle);
  if (node_.child != 0) {
    fdt.cells("riscv,delegation", {node_.child, 1, AplicDomain::kSources});
    fdt.cell("riscv,children", node_.child);
  }
  fdt.cell("riscv,num-sources", AplicDomain::kSources);
  fdt.wide_cells("reg", {place().base, place().size});
  if (node_.msi_parent != 0) {
    fdt.cell("msi-parent", node_.msi_parent);
  } else {
    std::vector<std::uint32_t> wires;
    for (const std::uint32_t phandle : place().cpu_irqs) wires.insert(wires.end(), {phandle, node_.mip_bit});
    fdt.cells("interrupts-extended", wires);
  }
  fdt.empty("interrupt-controller");
  fdt.cell("#interrupt-cells", 2);
  fdt.cell("#address-cells", 0);
  const std::string compatible[] = {"qemu,aplic", "riscv,aplic"};
  fdt.strings("compatible", compatible);
}

}  // namespace gstage::hw
