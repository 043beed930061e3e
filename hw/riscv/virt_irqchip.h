// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/io/irq_line.h"
#include "softmmu/mem/address_space.h"
#include "target/riscv/cpu.h"
#include "hw/core/hart_lines.h"
#include "hw/intc/aplic.h"
#include "hw/intc/imsic_pages.h"
#include "hw/intc/plic.h"
#include "hw/riscv/virt_aia.h"

namespace gstage::hw {

/// The board's external interrupt controllers: a PLIC, or two APLIC domains with or without IMSICs.
class VirtIrqchip {
 public:
  /// `lines` in the order of the harts; what is passed outlives the object.
  VirtIrqchip(AddressSpace& memory, const VirtAia& aia, riscv::CpuCluster& harts,
              const std::vector<HartLines*>& lines);

  /// Maps the controllers.
  Status map();
  /// A wire to a source.
  IrqLine line(unsigned source);
  void reset();

 private:
  void make_imsics(riscv::CpuCluster& harts);
  /// An MSI of an APLIC: a store to an interrupt file, and to nothing else.
  void send(std::uint64_t address, std::uint32_t data);
  Status map_at(Unit unit, std::uint64_t size, MmioHandler& handler);

  AddressSpace& memory_;
  const VirtAia aia_;
  const unsigned hart_count_;
  std::unique_ptr<Plic> plic_;
  std::unique_ptr<ImsicPages> imsic_m_;
  std::unique_ptr<ImsicPages> imsic_s_;
  std::unique_ptr<AplicDomain> aplic_s_;
  std::unique_ptr<AplicDomain> aplic_m_;  ///< the root
};

}  // namespace gstage::hw
