// SPDX-License-Identifier: Apache-2.0
#include "hw/pci/pci_bus.h"

#include <cstdlib>

#include "hw/pci/pci_host.h"
#include "hw/pci/pci_registers.h"

namespace gstage::hw {

Result<unsigned> PciAddress::parse(const std::string& text) {
  const std::size_t dot = text.find('.');
  const std::string device_text = text.substr(0, dot);
  const std::string function_text = dot == std::string::npos ? "0" : text.substr(dot + 1);
  char* device_end = nullptr;
  char* function_end = nullptr;
  const unsigned long device = std::strtoul(device_text.c_str(), &device_end, 16);
  const unsigned long function = std::strtoul(function_text.c_str(), &function_end, 16);
  const bool is_number =
      !device_text.empty() && !function_text.empty() && *device_end == '\0' && *function_end == '\0';
  if (!is_number || device >= PciBus::kDevices || function >= PciBus::kFunctions)
    return error("addr=%s is not DEVICE or DEVICE.FUNCTION, hexadecimal, from 0.0 to 1f.7", text.c_str());
  return static_cast<unsigned>(device * PciBus::kFunctions + function);
}

Result<unsigned> PciBus::place(const PciAddress& address) const {
  unsigned devfn = address.devfn;
  if (devfn == PciAddress::kAny) {
    devfn = 0;
    while (devfn < functions_.size() && functions_[devfn] != nullptr) devfn += kFunctions;
    const bool is_full = devfn >= functions_.size() || (kind_ == Kind::kLink && devfn >= kFunctions);
    if (is_full) return error("the bus %s has no free slot; use another bus", name_.c_str());
  }
  const unsigned device = devfn / kFunctions;
  const unsigned function = devfn % kFunctions;
  if (kind_ == Kind::kLink && device != 0)
    return error("the bus %s has the slot 0 alone; addr=%x is none", name_.c_str(), device);
  if (functions_[devfn] != nullptr)
    return error("%x.%x on the bus %s is taken already; choose another addr=", device, function, name_.c_str());
  const PciFunction* const first = functions_[device * kFunctions].get();
  const bool is_single =
      first != nullptr && (first->config().read(pci::kHeaderType, 1) & pci::kMultifunction) == 0;
  if (function != 0 && is_single)
    return error("%x.0 on the bus %s is a device of one function: say multifunction=on for it", device,
                 name_.c_str());
  for (unsigned other = 1; function == 0 && !address.is_multifunction && other < kFunctions; ++other)
    if (functions_[devfn + other] != nullptr)
      return error("%x.0 on the bus %s needs multifunction=on, for %x.%x is there", device, name_.c_str(), device,
                   other);
  return devfn;
}

Status PciBus::plug(const PciAddress& address, std::unique_ptr<PciFunction> function) {
  auto devfn = place(address);
  if (!devfn.ok()) return devfn.error();
  if (address.is_multifunction) function->set_multifunction();
  function->plugged(*this, *devfn);
  functions_[*devfn] = std::move(function);
  host_->wire(*functions_[*devfn]);
  return Ok{};
}

}  // namespace gstage::hw
