// SPDX-License-Identifier: Apache-2.0
#include "hw/pci/pci_bus.h"

#include <cstdlib>

#include "hw/pci/pci_host.h"
#include "hw/pci/pci_registers.h"

namespace gstage::hw {

bool PciSlot::parse(const std::string& text, PciSlot& to) {
  const std::size_t dot = text.find('.');
  const std::string device_text = text.substr(0, dot);
  const std::string function_text = dot == std::string::npos ? "0" : text.substr(dot + 1);
  char* device_end = nullptr;
  char* function_end = nullptr;
  const unsigned long device = std::strtoul(device_text.c_str(), &device_end, 16);
  const unsigned long function = std::strtoul(function_text.c_str(), &function_end, 16);
  const bool is_number =
      !device_text.empty() && !function_text.empty() && *device_end == '\0' && *function_end == '\0';
  if (!is_number || device >= PciBus::kDevices || function >= PciBus::kFunctions) return false;
  to.devfn = static_cast<unsigned>(device * PciBus::kFunctions + function);
  return true;
}

Result<unsigned> PciBus::place(const PciAddress& address) const {
  unsigned devfn = address.slot.devfn;
  if (address.slot.is_any()) {
    devfn = 0;
    while (devfn < functions_.size() && functions_[devfn] != nullptr) devfn += kFunctions;
    const bool is_full = devfn >= functions_.size() || (type_ == Kind::kLink && devfn >= kFunctions);
    if (is_full) return error("the bus %s has no free slot; use another bus", name().c_str());
  }
  const unsigned device = devfn / kFunctions;
  const unsigned function = devfn % kFunctions;
  if (type_ == Kind::kLink && device != 0)
    return error("the bus %s has the slot 0 alone; addr=%x is none", name().c_str(), device);
  if (functions_[devfn] != nullptr)
    return error("%x.%x on the bus %s is taken already; choose another addr=", device, function,
                 name().c_str());
  const PciFunction* const first = functions_[device * kFunctions];
  const bool is_single =
      first != nullptr && (first->config().read(pci::kHeaderType, 1) & pci::kMultifunction) == 0;
  if (function != 0 && is_single)
    return error("%x.0 on the bus %s is a device of one function: say multifunction=on for it", device,
                 name().c_str());
  for (unsigned other = 1; function == 0 && !address.is_multifunction && other < kFunctions; ++other)
    if (functions_[devfn + other] != nullptr)
      return error("%x.0 on the bus %s needs multifunction=on, for %x.%x is there", device, name().c_str(),
                   device, other);
  return devfn;
}

void PciBus::cut_off() {
  is_cut_off_ = true;
  reset();
}

void PciBus::empty() {
  is_cut_off_ = false;
  functions_.fill(nullptr);
  clear();
}

Status PciBus::plug(std::unique_ptr<Device> device) {
  PciFunction& function = static_cast<PciFunction&>(*device);
  auto devfn = place(function.address());
  if (!devfn.ok()) return devfn.error();
  if (Status status = Bus::plug(std::move(device)); !status.ok()) return status;
  function.plugged(*this, *devfn);
  functions_[*devfn] = &function;
  host_->wire(function);
  return Ok{};
}

}  // namespace gstage::hw
