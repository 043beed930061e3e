// SPDX-License-Identifier: Apache-2.0
#include "target/riscv/aia/imsic.h"

#include <bit>

#include "target/riscv/csr/fields.h"
#include "target/riscv/hart.h"
#include "target/riscv/trap/interrupts.h"

namespace gstage::riscv {

Imsic::Imsic(const ImsicSetup& setup, Hart& hart, RiscvCpu& cpu)
    : machine_(setup.identities), supervisor_(setup.identities) {
  machine_.connect(hart.irq_lines, kMei, cpu);
  supervisor_.connect(hart.irq_lines, kSei, cpu);
  for (unsigned number = 1; number <= setup.guest_files; ++number) {
    guests_.push_back(std::make_unique<InterruptFile>(setup.identities));
    guests_.back()->connect(hart.hgeip, number, cpu);
  }
}

void Imsic::reset() {
  machine_.reset();
  supervisor_.reset();
  for (const auto& guest : guests_) guest->reset();
}

unsigned guest_external_interrupts(const Hart& hart) {
  return hart.imsic == nullptr ? 0 : hart.imsic->guest_count();
}

std::uint64_t guest_file_mask(const Hart& hart) {
  // GEILEN is at most 63: all ones but bit 0, as (2^63 − 1) << 1 is.
  return ((std::uint64_t{1} << guest_external_interrupts(hart)) - 1) << 1;
}

InterruptFile* selected_guest_file(const Hart& hart) {
  return hart.imsic == nullptr ? nullptr : hart.imsic->guest(hstatus::Vgein::get(hart.hstatus));
}

std::uint64_t signalling_guest_files(const Hart& hart, std::uint64_t wanted) {
  if (hart.imsic == nullptr) return 0;
  std::uint64_t signalling = 0;
  std::uint64_t hints = hart.hgeip.load() & wanted;
  for (; hints != 0; hints &= hints - 1) {
    const InterruptFile* const file = hart.imsic->guest(static_cast<unsigned>(std::countr_zero(hints)));
    if (file != nullptr && file->is_signalling()) signalling |= hints & -hints;
  }
  return signalling;
}

std::uint64_t confirmed_lines(const Hart& hart, std::uint64_t lines) {
  constexpr std::uint64_t kMachine = interrupt_bit(kMei);
  constexpr std::uint64_t kSuper = interrupt_bit(kSei);
  if (hart.imsic == nullptr) return lines;
  if ((lines & kMachine) != 0 && !hart.imsic->machine().is_signalling()) lines &= ~kMachine;
  if ((lines & kSuper) != 0 && !hart.imsic->supervisor().is_signalling()) lines &= ~kSuper;
  return lines;
}

}  // namespace gstage::riscv
