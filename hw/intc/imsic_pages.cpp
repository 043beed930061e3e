// SPDX-License-Identifier: Apache-2.0
#include "hw/intc/imsic_pages.h"

#include <string>

#include "softmmu/base/log.h"
#include "softmmu/base/trace.h"

namespace gstage::hw {

namespace {

constexpr unsigned kPageBits = 12;
constexpr std::uint64_t kSeteipnumLe = 0;

}  // namespace

bool ImsicPages::mmio_read(std::uint64_t, unsigned size, std::uint64_t& value) {
  value = 0;
  return size == 4;
}

bool ImsicPages::mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) {
  constexpr std::uint64_t kPageMask = (1u << kPageBits) - 1;
  if (size != 4) return false;
  const std::uint64_t page = offset >> kPageBits;
  if ((offset & kPageMask) != kSeteipnumLe || page >= files_.size() || files_[page] == nullptr) {
    // seteipnum_be may be without effect on a system that is little-endian.
    log_line(Log::kGuestErrors, "imsic: store to 0x%llx, where is no register",
             static_cast<unsigned long long>(offset));
    return true;
  }
  trace(TraceEvent::imsic_message, place().base + (page << kPageBits), value);
  files_[page]->receive(static_cast<std::uint32_t>(value));
  return true;
}

void ImsicSink::send(std::uint64_t address, std::uint32_t data) {
  for (const Range& range : ranges_) {
    if (address - range.base >= range.size) continue;
    range.pages->mmio_write(address - range.base, 4, data);
    return;
  }
  log_line(Log::kGuestErrors, "msi: message %u to 0x%llx, where is no interrupt file", data,
           static_cast<unsigned long long>(address));
}

void ImsicPages::describe(FdtBuilder& fdt) const {
  const auto open = fdt.node("interrupt-controller", place().base);
  fdt.cell("phandle", place().phandle);
  if (node_.guest_index_bits != 0) fdt.cell("riscv,guest-index-bits", node_.guest_index_bits);
  fdt.cell("riscv,num-ids", node_.identities);
  fdt.wide_cells("reg", {place().base, place().size});
  std::vector<std::uint32_t> wires;
  for (const std::uint32_t phandle : place().cpu_irqs) wires.insert(wires.end(), {phandle, node_.mip_bit});
  fdt.cells("interrupts-extended", wires);
  fdt.empty("msi-controller");
  fdt.empty("interrupt-controller");
  fdt.cell("#interrupt-cells", 0);
  const std::string compatible[] = {"qemu,imsics", "riscv,imsics"};
  fdt.strings("compatible", compatible);
}

}  // namespace gstage::hw
