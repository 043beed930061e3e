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
#include "hw/riscv/virt_wiring.h"

namespace gstage::hw {

/// What a board gives its interrupt controllers; outlives them.
struct VirtIrqchipSetup {
  AddressSpace& memory;
  riscv::TimeCounter& time;
  TimerThread& timers;
  riscv::CpuCluster& harts;
  const std::vector<HartLines*>& lines;  ///< in the order of the harts
  const VirtWiring& wiring;
};

/// The board's interrupt controllers: ACLINT's, and a PLIC or two APLIC domains with or without IMSICs. Made
/// first, for all other devices are wired to them; put on the bus last.
class VirtIrqchip {
 public:
  explicit VirtIrqchip(const VirtIrqchipSetup& setup);

  /// A wire to a source.
  IrqLine line(unsigned source);
  /// Where messages go.
  MsiSink& msis() { return wiring_.interrupts.has_imsic() ? static_cast<MsiSink&>(imsics_) : no_msis_; }
  /// Maps the controllers, and hands them to the bus.
  Status put_on(Bus& bus);

 private:
  void make_aplics(const VirtIrqchipSetup& setup);
  void make_imsics(riscv::CpuCluster& harts);
  Status put_external(Bus& bus);
  Status put_aclint(Bus& bus);
  template <class D>
  Status put(Bus& bus, Part part, const NodePlace& place, std::unique_ptr<D>& device, MmioHandler& handler);

  AddressSpace& memory_;
  const VirtWiring& wiring_;
  const unsigned hart_count_;
  // Null where the board has none, and once the bus has it.
  std::unique_ptr<Mswi> mswi_;
  std::unique_ptr<Mtimer> mtimer_;
  std::unique_ptr<Sswi> sswi_;
  std::unique_ptr<Plic> plic_;
  std::unique_ptr<ImsicPages> imsic_m_;
  std::unique_ptr<ImsicPages> imsic_s_;
  std::unique_ptr<Aplic> aplic_s_;
  std::unique_ptr<Aplic> aplic_m_;  ///< the root
  ImsicSink imsics_;
  NoMsiSink no_msis_;
};

}  // namespace gstage::hw
