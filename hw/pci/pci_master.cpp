// SPDX-License-Identifier: Apache-2.0
#include "hw/pci/pci_master.h"

#include "softmmu/base/log.h"

namespace gstage::hw {

void PciMaster::connect(AddressSpace& memory, MsiSink& msis) {
  memory_ = &memory;
  msis_ = &msis;
}

bool PciMaster::read(Paddr paddr, void* to, std::uint64_t size) const {
  return is_enabled() && memory_->read(paddr, to, size);
}

bool PciMaster::write(Paddr paddr, const void* from, std::uint64_t size) const {
  return is_enabled() && memory_->write(paddr, from, size);
}

std::byte* PciMaster::dma(Paddr paddr, std::uint64_t size) const {
  return is_enabled() ? memory_->dma(paddr, size) : nullptr;
}

void PciMaster::dirty(Paddr paddr, std::uint64_t size) const { memory_->dirty(paddr, size); }

void PciMaster::enable(bool is_enabled) {
  const std::lock_guard lock(mutex_);
  is_enabled_.store(is_enabled, std::memory_order_release);
}

void PciMaster::send(std::uint64_t address, std::uint32_t data) {
  const std::lock_guard lock(mutex_);
  if (is_enabled())
    msis_->send(address, data);
  else
    log_line(Log::kGuestErrors, "pci: a message is lost: the function is no bus master");
}

}  // namespace gstage::hw
