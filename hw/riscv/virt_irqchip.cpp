// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/virt_irqchip.h"

#include "target/riscv/hart.h"

namespace gstage::hw {

VirtIrqchip::VirtIrqchip(const VirtIrqchipSetup& setup)
    : memory_(setup.memory),
      wiring_(setup.wiring),
      hart_count_(setup.harts.count()),
      mswi_(std::make_unique<Mswi>(setup.lines)),
      mtimer_(std::make_unique<Mtimer>(setup.time, setup.timers, setup.lines)),
      sswi_(std::make_unique<Sswi>(setup.lines)) {
  if (wiring_.interrupts.has_aplic())
    make_aplics(setup);
  else
    plic_ = std::make_unique<Plic>(setup.lines);
}

void VirtIrqchip::make_aplics(const VirtIrqchipSetup& board) {
  const VirtInterrupts& choice = wiring_.interrupts;
  AplicSetup setup{"aplic-s", false, hart_count_, board.lines, choice.guest_files, nullptr};
  if (choice.has_imsic()) {
    make_imsics(board.harts);
    // The interrupt files drive the harts' external interrupts; none takes an APLIC's in its place.
    setup.lines.clear();
    setup.msis = &imsics_;
  }
  aplic_s_ = std::make_unique<Aplic>(setup, nullptr, AplicNode{wiring_.imsic_s, 0, riscv::kSei});
  setup.name = "aplic-m";
  setup.is_machine = true;
  aplic_m_ = std::make_unique<Aplic>(setup, &aplic_s_->domain(),
                                     AplicNode{wiring_.imsic_m, wiring_.irqs, riscv::kMei});
}

void VirtIrqchip::make_imsics(riscv::CpuCluster& harts) {
  std::vector<riscv::InterruptFile*> machine;
  std::vector<riscv::InterruptFile*> supervisor;
  const unsigned bits = wiring_.interrupts.guest_index_bits();
  const unsigned pages = 1u << bits;
  for (unsigned hart = 0; hart < hart_count_; ++hart) {
    riscv::Imsic& imsic = *harts.cpu(hart).hart().imsic;
    machine.push_back(&imsic.machine());
    supervisor.push_back(&imsic.supervisor());
    for (unsigned guest = 1; guest < pages; ++guest) supervisor.push_back(imsic.guest(guest));
  }
  constexpr unsigned kIdentities = VirtInterrupts::kIdentities;
  imsic_m_ = std::make_unique<ImsicPages>(std::move(machine), ImsicNode{kIdentities, 0, riscv::kMei});
  imsic_s_ = std::make_unique<ImsicPages>(std::move(supervisor), ImsicNode{kIdentities, bits, riscv::kSei});
  imsics_.add(virt_part(Part::kImsicM).base, wiring_.interrupts.machine_size(hart_count_), *imsic_m_);
  imsics_.add(virt_part(Part::kImsicS).base, wiring_.interrupts.supervisor_size(hart_count_), *imsic_s_);
}

IrqLine VirtIrqchip::line(unsigned source) {
  return plic_ != nullptr ? plic_->line(source) : aplic_m_->domain().line(source);
}

template <class D>
Status VirtIrqchip::put(Bus& bus, Part part, const NodePlace& place, std::unique_ptr<D>& device,
                        MmioHandler& handler) {
  device->set_place(place);
  if (Status status = memory_.add_mmio(virt_part(part).name, Paddr{place.base}, place.size, handler);
      !status.ok())
    return status;
  return bus.plug(std::move(device));
}

Status VirtIrqchip::put_on(Bus& bus) {
  if (Status status = put_external(bus); !status.ok()) return status;
  return put_aclint(bus);
}

Status VirtIrqchip::put_external(Bus& bus) {
  const auto place = [this](Part part, std::uint32_t phandle, std::uint64_t size) {
    NodePlace place = wiring_.place(part);
    place.phandle = phandle;
    if (size != 0) place.size = size;
    return place;
  };
  if (plic_ != nullptr) return put(bus, Part::kPlic, place(Part::kPlic, wiring_.irqs, 0), plic_, *plic_);
  const VirtInterrupts& choice = wiring_.interrupts;
  Status steps[] = {
      put(bus, Part::kAplicS, place(Part::kAplicS, wiring_.irqs, 0), aplic_s_, aplic_s_->domain()),
      put(bus, Part::kAplicM, place(Part::kAplicM, wiring_.aplic_m, 0), aplic_m_, aplic_m_->domain())};
  for (Status& status : steps)
    if (!status.ok()) return status;
  if (!choice.has_imsic()) return Ok{};
  const NodePlace s = place(Part::kImsicS, wiring_.imsic_s, choice.supervisor_size(hart_count_));
  if (Status status = put(bus, Part::kImsicS, s, imsic_s_, *imsic_s_); !status.ok()) return status;
  const NodePlace m = place(Part::kImsicM, wiring_.imsic_m, choice.machine_size(hart_count_));
  return put(bus, Part::kImsicM, m, imsic_m_, *imsic_m_);
}

/// ACLINT's devices, or the CLINT that they make up.
Status VirtIrqchip::put_aclint(Bus& bus) {
  const VirtInterrupts& choice = wiring_.interrupts;
  NodePlace timer = wiring_.place(Part::kMtimer);
  timer.base = choice.mtimer_base();
  timer.size = choice.mtimer_size();
  Bus* members = &bus;
  if (!choice.has_aclint) {
    auto clint = make_clint();
    NodePlace place = wiring_.place(Part::kMswi);
    place.size += virt_part(Part::kMtimer).size;
    clint->set_place(place);
    members = &clint->members();
    if (Status status = bus.plug(std::move(clint)); !status.ok()) return status;
  }
  if (choice.has_mswi())
    if (Status status = put(*members, Part::kMswi, wiring_.place(Part::kMswi), mswi_, *mswi_); !status.ok())
      return status;
  if (Status status = put(*members, Part::kMtimer, timer, mtimer_, *mtimer_); !status.ok()) return status;
  return choice.has_sswi() ? put(*members, Part::kSswi, wiring_.place(Part::kSswi), sswi_, *sswi_) : Ok{};
}

}  // namespace gstage::hw
