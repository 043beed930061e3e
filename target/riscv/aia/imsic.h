// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "target/riscv/aia/interrupt_file.h"

namespace gstage::riscv {

struct Hart;

/// What a board gives each hart of an IMSIC.
struct ImsicSetup {
  unsigned identities = 0;   ///< the largest, 64 k − 1 from 63 to 2047; 0: there is no IMSIC
  unsigned guest_files = 0;  ///< GEILEN, 0–63
};

/// The interrupt files of one hart.
class Imsic {
 public:
  Imsic(const ImsicSetup& setup, Hart& hart, RiscvCpu& cpu);

  void reset();
  InterruptFile& machine() { return machine_; }
  InterruptFile& supervisor() { return supervisor_; }
  /// The guest file of a number, or null when there is none. Numbers begin with 1.
  InterruptFile* guest(std::uint64_t number) {
    return number == 0 || number > guests_.size() ? nullptr : guests_[number - 1].get();
  }
  /// GEILEN.
  [[nodiscard]] unsigned guest_count() const { return static_cast<unsigned>(guests_.size()); }

 private:
  InterruptFile machine_;
  InterruptFile supervisor_;
  std::vector<std::unique_ptr<InterruptFile>> guests_;
};

/// GEILEN of a hart.
unsigned guest_external_interrupts(const Hart& hart);
/// Bits GEILEN:1, those of hgeip and hgeie.
std::uint64_t guest_file_mask(const Hart& hart);
/// The guest file that hstatus.VGEIN names, or null.
InterruptFile* selected_guest_file(const Hart& hart);
/// The guest files of `wanted` that signal. Only those are looked at whose hint is set.
std::uint64_t signalling_guest_files(const Hart& hart, std::uint64_t wanted);
/// `lines` of Hart::irq_lines without the external interrupts whose hint is set for nothing.
std::uint64_t confirmed_lines(const Hart& hart, std::uint64_t lines);

}  // namespace gstage::riscv
