// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/aia/top.h"

#include "target/riscv/aia/imsic.h"
#include "target/riscv/csr/fields.h"
#include "target/riscv/hart.h"
#include "target/riscv/trap/interrupts.h"

namespace gstage::riscv {

namespace {

/// Virtual supervisor interrupts have the supervisor's numbers at VS level.
constexpr unsigned kExternal = kSei;

std::uint64_t topi_of(const Candidate& top) {
  return std::uint64_t{top.number} << 16 | reported_priority(top);
}

/// An interrupt file's priority number is the identity. Without a file, or with nothing in it, the interrupt
/// comes from software or from a controller that says no priority.
unsigned external_priority(const InterruptFile* file) {
  const unsigned identity = file == nullptr ? 0 : file->top();
  return identity == 0 ? kLowestExternal : identity;
}

Candidate guest_external(const Hart& hart) {
  const InterruptFile* const file = selected_guest_file(hart);
  Candidate external{kExternal, external_priority(file), false};
  const std::uint64_t number = hvictl::Iprio::get(hart.hvictl);
  const bool is_from_hvictl =
      hstatus::Vgein::get(hart.hstatus) == 0 && hvictl::Iid::get(hart.hvictl) == kExternal && number != 0;
  if (is_from_hvictl) external.priority = static_cast<unsigned>(number);
  return external;
}

/// What hvictl injects; DPR takes the place of the default order.
struct Injected {
  bool is_there;
  Candidate candidate;
  std::uint32_t urgency;
};

Injected injected(const Hart& hart) {
  const auto number = static_cast<unsigned>(hvictl::Iid::get(hart.hvictl));
  if (number == kExternal) return {};
  const auto priority = static_cast<unsigned>(hvictl::Iprio::get(hart.hvictl));
  const bool is_above = hvictl::Dpr::get(hart.hvictl) == 0;
  constexpr std::uint32_t kLast = 0xff;
  const Candidate candidate{number, priority, is_above};
  return {true, candidate, (urgency(candidate, kExternal) & ~kLast) | (is_above ? 0 : kLast)};
}

}  // namespace

Candidate machine_top(const Hart& hart, std::uint64_t ready) {
  const InterruptFile* const file = hart.imsic == nullptr ? nullptr : &hart.imsic->machine();
  const bool is_external = (ready & interrupt_bit(kMei)) != 0;
  return most_urgent(ready, hart.miprio, kMei, is_external ? external_priority(file) : 0);
}

Candidate supervisor_top(const Hart& hart, std::uint64_t ready) {
  const InterruptFile* const file = hart.imsic == nullptr ? nullptr : &hart.imsic->supervisor();
  const bool is_external = (ready & interrupt_bit(kSei)) != 0;
  return most_urgent(ready, hart.siprio, kSei, is_external ? external_priority(file) : 0);
}

std::uint64_t mtopi(const Hart& hart) {
  const std::uint64_t ready = ready_for_machine(hart);
  return ready == 0 ? 0 : topi_of(machine_top(hart, ready));
}

std::uint64_t stopi(const Hart& hart) {
  const std::uint64_t ready = ready_for_supervisor(hart);
  return ready == 0 ? 0 : topi_of(supervisor_top(hart, ready));
}

std::uint64_t vstopi(const Hart& hart) { return vstopi_of(hart, ready_for_guest(hart)); }

std::uint64_t vstopi_of(const Hart& hart, std::uint64_t ready) {
  constexpr std::uint64_t kExternalBit = std::uint64_t{1} << kExternal;
  const bool has_vti = hvictl::Vti::get(hart.hvictl) != 0;
  const bool has_external = (ready & kExternalBit) != 0;
  Candidate best;
  bool is_found = false;
  std::uint32_t best_urgency = ~std::uint32_t{0};
  if (has_external) {
    best = guest_external(hart);
    best_urgency = urgency(best, kExternal);
    is_found = true;
  }
  const std::uint64_t others = ready & ~kExternalBit;
  Injected other{};
  if (has_vti) {
    other = injected(hart);
  } else if (others != 0) {
    const Candidate top = most_urgent(others, hart.hviprio, kExternal, 0);
    other = {true, top, urgency(top, kExternal)};
  }
  if (other.is_there && other.urgency < best_urgency) {
    best = other.candidate;
    is_found = true;
  }
  if (!is_found) return 0;
  const unsigned priority = hvictl::Ipriom::get(hart.hvictl) != 0 ? reported_priority(best) : 1;
  return std::uint64_t{best.number} << 16 | priority;
}

}  // namespace gstage::riscv
