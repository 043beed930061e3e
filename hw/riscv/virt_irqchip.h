// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/mem/address_space.h"
#include "target/riscv/cpu.h"
#include "hw/core/hart_lines.h"
#include "hw/core/irq_line.h"
#include "hw/intc/aclint.h"
#include "hw/intc/aplic.h"
#include "hw/intc/imsic_pages.h"
#include "hw/intc/plic.h"
#include "hw/riscv/virt_interrupts.h"

namespace gstage::hw {

/// What a board gives its interrupt controllers; outlives them.
struct VirtIrqchipSetup {
  AddressSpace& memory;
  riscv::TimeCounter& time;
  TimerThread& timers;
  riscv::CpuCluster& harts;
  const std::vector<HartLines*>& lines;  ///< in the order of the harts
};

/// The board's interrupt controllers: ACLINT's, and a PLIC or two APLIC domains with or without IMSICs.
class VirtIrqchip {
 public:
  VirtIrqchip(const VirtIrqchipSetup& setup, const VirtInterrupts& choice);

  /// Maps the controllers.
  Status map();
  /// A wire to a source.
  IrqLine line(unsigned source);
  void reset();

 private:
  void make_aplics(const VirtIrqchipSetup& board);
  void make_imsics(riscv::CpuCluster& harts);
  Status map_aclint();
  Status map_external();
  /// An MSI of an APLIC: a store to an interrupt file, and to nothing else.
  void send(std::uint64_t address, std::uint32_t data);
  Status map_at(Unit unit, std::uint64_t size, MmioHandler& handler);

  AddressSpace& memory_;
  const VirtInterrupts choice_;
  const unsigned hart_count_;
  Mswi mswi_;
  Mtimer mtimer_;
  Sswi sswi_;
  std::unique_ptr<Plic> plic_;
  std::unique_ptr<ImsicPages> imsic_m_;
  std::unique_ptr<ImsicPages> imsic_s_;
  std::unique_ptr<AplicDomain> aplic_s_;
  std::unique_ptr<AplicDomain> aplic_m_;  ///< the root
};

}  // namespace gstage::hw
