// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/virt_irqchip.h"

#include "softmmu/base/log.h"
#include "target/riscv/hart.h"

namespace gstage::hw {

VirtIrqchip::VirtIrqchip(const VirtIrqchipSetup& setup, const VirtInterrupts& choice)
    : memory_(setup.memory),
      choice_(choice),
      hart_count_(setup.harts.count()),
      mswi_(setup.lines),
      mtimer_(setup.time, setup.timers, setup.lines),
      sswi_(setup.lines) {
  if (choice_.has_aplic())
    make_aplics(setup);
  else
    plic_ = std::make_unique<Plic>(setup.lines);
}

void VirtIrqchip::make_aplics(const VirtIrqchipSetup& board) {
  AplicSetup setup{"aplic-s", false, hart_count_, board.lines, choice_.guest_files, nullptr};
  if (choice_.has_imsic()) {
    make_imsics(board.harts);
    // The interrupt files drive the harts' external interrupts; none takes an APLIC's in its place.
    setup.lines.clear();
    setup.send = [this](std::uint64_t address, std::uint32_t data) { send(address, data); };
  }
  aplic_s_ = std::make_unique<AplicDomain>(setup, nullptr);
  setup.name = "aplic-m";
  setup.is_machine = true;
  aplic_m_ = std::make_unique<AplicDomain>(setup, aplic_s_.get());
}

void VirtIrqchip::make_imsics(riscv::CpuCluster& harts) {
  std::vector<riscv::InterruptFile*> machine;
  std::vector<riscv::InterruptFile*> supervisor;
  const unsigned pages = 1u << choice_.guest_index_bits();
  for (unsigned hart = 0; hart < hart_count_; ++hart) {
    riscv::Imsic& imsic = *harts.cpu(hart).hart().imsic;
    machine.push_back(&imsic.machine());
    supervisor.push_back(&imsic.supervisor());
    for (unsigned guest = 1; guest < pages; ++guest) supervisor.push_back(imsic.guest(guest));
  }
  imsic_m_ = std::make_unique<ImsicPages>(std::move(machine));
  imsic_s_ = std::make_unique<ImsicPages>(std::move(supervisor));
}

void VirtIrqchip::send(std::uint64_t address, std::uint32_t data) {
  // Called with an APLIC's lock held. Files take no lock; other devices might want that of the APLIC.
  const Region* const region = memory_.find(Paddr{address});
  const bool is_file =
      region != nullptr && (region->device == imsic_m_.get() || region->device == imsic_s_.get());
  if (is_file)
    region->device->mmio_write(address - region->base.value, 4, data);
  else
    log_line(Log::kGuestErrors, "aplic: MSI to 0x%llx, where is no interrupt file",
             static_cast<unsigned long long>(address));
}

Status VirtIrqchip::map_at(Unit unit, std::uint64_t size, MmioHandler& handler) {
  return memory_.add_mmio(virt_unit(unit).name, Paddr{virt_unit(unit).base}, size, handler);
}

Status VirtIrqchip::map() {
  if (Status status = map_aclint(); !status.ok()) return status;
  return map_external();
}

Status VirtIrqchip::map_aclint() {
  Status timer = memory_.add_mmio(virt_unit(Unit::kMtimer).name, Paddr{choice_.mtimer_base()},
                                  choice_.mtimer_size(), mtimer_);
  if (!timer.ok() || !choice_.has_mswi()) return timer;
  if (Status status = map_at(Unit::kMswi, virt_unit(Unit::kMswi).size, mswi_); !status.ok()) return status;
  return choice_.has_sswi() ? map_at(Unit::kSswi, virt_unit(Unit::kSswi).size, sswi_) : Ok{};
}

Status VirtIrqchip::map_external() {
  if (plic_ != nullptr) return map_at(Unit::kPlic, virt_unit(Unit::kPlic).size, *plic_);
  Status steps[] = {map_at(Unit::kAplicM, virt_unit(Unit::kAplicM).size, *aplic_m_),
                    map_at(Unit::kAplicS, virt_unit(Unit::kAplicS).size, *aplic_s_)};
  for (Status& status : steps)
    if (!status.ok()) return status;
  if (!choice_.has_imsic()) return Ok{};
  if (Status status = map_at(Unit::kImsicM, choice_.machine_size(hart_count_), *imsic_m_); !status.ok())
    return status;
  return map_at(Unit::kImsicS, choice_.supervisor_size(hart_count_), *imsic_s_);
}

IrqLine VirtIrqchip::line(unsigned source) {
  return plic_ != nullptr ? plic_->line(source) : aplic_m_->line(source);
}

void VirtIrqchip::reset() {
  mswi_.reset();
  mtimer_.reset();
  if (plic_ != nullptr) plic_->reset();
  if (aplic_m_ != nullptr) aplic_m_->reset();
  if (aplic_s_ != nullptr) aplic_s_->reset();
}

}  // namespace gstage::hw
