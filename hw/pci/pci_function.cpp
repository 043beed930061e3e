// SPDX-License-Identifier: Apache-2.0
#include "hw/pci/pci_function.h"

#include <algorithm>
#include <bit>

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"
#include "hw/core/visitor.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_registers.h"

namespace gstage::hw {
namespace {

using namespace pci;

/// The header's registers that all functions have. Vendor, class and the like are set from PciIds.
constexpr PciConfigRow kHeader[] = {
    {kCommand, 2, "command", 0,
     kCommandIo | kCommandMemory | kCommandMaster | kCommandParity | kCommandSerr | kCommandIntxDisable},
    {kStatus, 2, "status", 0, 0, kStatusErrors},
    {0x0c, 1, "cache line size", 0, 0xff},
    {0x3c, 1, "interrupt line", 0, 0xff},
};

/// Of the PCI Express capability, version 2.
enum : std::uint16_t { kExpressFlags = 2, kDeviceCap = 4, kDeviceControl = 8, kExpressSize = 0x3c };
enum : std::uint32_t { kRoleBasedErrors = 1 << 15, kHasFlr = 1 << 28, kFlr = 1 << 15 };
constexpr unsigned kExpressVersion = 2;
constexpr unsigned kExpressTypeShift = 4;
constexpr PciConfigRow kExpress[] = {
    {kExpressFlags, 2, "capabilities", kExpressVersion},
    {kDeviceCap, 4, "device capabilities", kRoleBasedErrors},
    // Relaxed ordering, no snoop, reads of at most 512 bytes.
    {kDeviceControl, 2, "device control", 0x2810, 0xffff},
    {0x0a, 2, "device status", 0, 0, 0x000f},
    {0x28, 2, "device control 2", 0, 0x001f},
};
/// Of functions that have a link: x1 at 2.5 GT/s.
constexpr PciConfigRow kLink[] = {
    {0x0c, 4, "link capabilities", 0x0000'0011},
    {0x10, 2, "link control", 0, 0x00eb},
    {0x12, 2, "link status", 0x0011},
    {0x2c, 4, "link capabilities 2", 0x0000'0002},
    {0x30, 2, "link control 2", 0x0001, 0x000f},
};

/// Of power management (PCI Power Management 1.2): a function keeps its state in D3hot.
enum : std::uint16_t { kPowerCap = 2, kPowerControl = 4, kPowerSize = 8 };
constexpr std::uint32_t kPowerState = 3;
constexpr PciConfigRow kPower[] = {
    {kPowerCap, 2, "power management capabilities", 3},
    {kPowerControl, 2, "power management control", 8, kPowerState},
};

/// Of MSI-X.
enum : std::uint16_t { kMsixControl = 2, kMsixTable = 4, kMsixPending = 8, kMsixSize = 12 };
enum : std::uint32_t { kMsixEnable = 1 << 15, kMsixMask = 1 << 14 };

/// Names that Open Firmware has for classes (PCI Bus Binding to IEEE 1275, "Generic Names").
struct ClassName {
  std::uint32_t code;  ///< base class and subclass
  const char* name;
};
constexpr ClassName kClassNames[] = {{0x0100, "scsi"}, {0x0200, "ethernet"}, {0x0604, "pci-bridge"}};

bool is_64bit(PciBarKind kind) {
  return kind == PciBarKind::kMemory64 || kind == PciBarKind::kMemory64Prefetchable;
}

bool touches(unsigned offset, unsigned size, unsigned at, unsigned bytes) {
  return at != 0 && offset < at + bytes && at < offset + size;
}

}  // namespace

PciFunction::PciFunction(const PciIds& ids) {
  config_.add_rows(kHeader);
  config_.set_fixed(kVendorId, 2, ids.vendor);
  config_.set_fixed(kDeviceId, 2, ids.device);
  config_.set_fixed(kRevision, 4, ids.class_code << 8 | ids.revision);
  config_.set_fixed(kSubsystemVendor, 2, ids.subsystem_vendor);
  config_.set_fixed(kSubsystem, 2, ids.subsystem);
}

void PciFunction::add_bar(unsigned index, std::uint64_t size, PciBarKind kind, MmioHandler& handler) {
  const bool is_io = kind == PciBarKind::kIo;
  const bool is_wide = is_64bit(kind);
  CHECK(std::has_single_bit(size) && size >= (is_io ? 4 : 16) && (is_wide || size <= 1ull << 31));
  CHECK(index + (is_wide ? 1 : 0) < kBars && bars_[index].size == 0);
  bars_[index] = {size, kind, &handler};
  std::uint32_t type = is_io ? kBarIo : 0;
  if (is_wide) type |= kBarMemory64;
  if (kind == PciBarKind::kMemory64Prefetchable) type |= kBarPrefetchable;
  const auto offset = static_cast<std::uint16_t>(kBar0 + 4 * index);
  const std::uint64_t writable = ~(size - 1);
  config_.add_row({offset, 4, "base address", type, static_cast<std::uint32_t>(writable)});
  if (!is_wide) return;
  const auto high = static_cast<std::uint16_t>(offset + 4);
  config_.add_row({high, 4, "base address, high", 0, static_cast<std::uint32_t>(writable >> 32)});
}

unsigned PciFunction::add_capability(std::uint8_t id, std::span<const std::uint8_t> bytes) {
  constexpr unsigned kHead = 2;
  const unsigned offset = config_.add_capability(id, static_cast<unsigned>(bytes.size()) + kHead);
  for (unsigned i = 0; i < bytes.size(); ++i) config_.set_fixed(offset + kHead + i, 1, bytes[i]);
  return offset;
}

unsigned PciFunction::add_capability(std::uint8_t id, unsigned size, std::span<const PciConfigRow> rows) {
  const unsigned offset = config_.add_capability(id, size);
  config_.add_rows(rows, offset);
  return offset;
}

PciMsix& PciFunction::add_msix(unsigned bar, unsigned vectors) {
  CHECK(msix_ == nullptr);
  msix_ = std::make_unique<PciMsix>(vectors, master_);
  add_bar(bar, msix_->bar_size(), PciBarKind::kMemory32, *msix_);
  const PciConfigRow rows[] = {
      {kMsixControl, 2, "message control", vectors - 1, kMsixEnable | kMsixMask},
      {kMsixTable, 4, "table", bar},
      {kMsixPending, 4, "pending bits", msix_->pending_offset() | bar},
  };
  msix_at_ = add_capability(kCapMsix, kMsixSize, rows);
  return *msix_;
}

PciMsi& PciFunction::add_msi(unsigned vectors) {
  CHECK(msi_ == nullptr);
  msi_ = std::make_unique<PciMsi>(config_, vectors, master_);
  return *msi_;
}

unsigned PciFunction::add_express(PciExpressType type) {
  express_at_ = add_capability(kCapExpress, kExpressSize, kExpress);
  const std::uint32_t bits = static_cast<std::uint32_t>(type) << kExpressTypeShift;
  config_.set_fixed(express_at_ + kExpressFlags, 2, kExpressVersion | bits);
  if (type == PciExpressType::kEndpoint)
    config_.set_fixed(express_at_ + kDeviceCap, 4, kRoleBasedErrors | kHasFlr);
  else
    config_.add_rows(kLink, express_at_);
  return express_at_;
}

void PciFunction::add_power() { power_at_ = add_capability(kCapPower, kPowerSize, kPower); }

void PciFunction::use_pin() { config_.set_fixed(kInterruptPin, 1, 1); }

void PciFunction::plugged(PciBus& bus, unsigned devfn) {
  pci_bus_ = &bus;
  devfn_ = devfn;
  if (address_.is_multifunction)
    config_.set_fixed(kHeaderType, 1, config_.read(kHeaderType, 1) | kMultifunction);
  if (express_at_ == 0) return;
  const unsigned flags_at = express_at_ + kExpressFlags;
  const std::uint32_t flags = config_.read(flags_at, 2);
  const bool is_endpoint = flags >> kExpressTypeShift == static_cast<unsigned>(PciExpressType::kEndpoint);
  if (!is_endpoint) return;
  switch (bus.type()) {
    case PciBus::Kind::kConventional:
      config_.remove_capability(express_at_);
      express_at_ = 0;
      break;
    case PciBus::Kind::kRoot: {
      const auto type = static_cast<unsigned>(PciExpressType::kIntegrated);
      config_.set_fixed(flags_at, 2, kExpressVersion | type << kExpressTypeShift);
      break;
    }
    case PciBus::Kind::kLink: config_.add_rows(kLink, express_at_); break;
  }
}

unsigned PciFunction::config_size() const {
  return express_at_ != 0 ? PciConfig::kSize : PciConfig::kConventionalSize;
}

std::uint32_t PciFunction::config_read(unsigned offset, unsigned size) {
  if (offset >= config_size()) return ~0u;
  const std::uint32_t status = config_.read(kStatus, 2) & ~std::uint32_t{kStatusInterrupt};
  config_.set(kStatus, 2, status | (intx_.level() ? kStatusInterrupt : 0));
  if (msi_ != nullptr) msi_->show_pending(config_);
  config_reading(offset, size);
  return config_.read(offset, size);
}

bool PciFunction::config_write(unsigned offset, unsigned size, std::uint32_t value) {
  if (offset >= config_size()) return false;
  config_.write(offset, size, value);
  bool is_reset = false;
  if (express_at_ != 0) {
    // The bit that starts a reset reads as zero.
    const unsigned at = express_at_ + kDeviceControl;
    const std::uint32_t control = config_.read(at, 2);
    config_.set(at, 2, control & ~std::uint32_t{kFlr});
    is_reset = (control & kFlr) != 0 && (config_.read(express_at_ + kDeviceCap, 4) & kHasFlr) != 0;
  }
  if (is_reset) {
    reset();
    return true;
  }
  apply();
  config_written(offset, size);
  return offset < kHeaderEnd || touches(offset, size, power_at_, kPowerSize);
}

void PciFunction::config_reading(unsigned, unsigned) {}
void PciFunction::config_written(unsigned, unsigned) {}

void PciFunction::apply() {
  const bool is_awake = power_at_ == 0 || (config_.read(power_at_ + kPowerControl, 2) & kPowerState) == 0;
  const bool is_disabled = (config_.read(kCommand, 2) & kCommandIntxDisable) != 0;
  intx_.disable(is_disabled || !is_awake);
  if (msi_ != nullptr) msi_->take_registers(config_);
  if (msix_ == nullptr) return;
  const std::uint32_t control = config_.read(msix_at_ + kMsixControl, 2);
  msix_->control((control & kMsixEnable) != 0, (control & kMsixMask) != 0);
}

std::string PciFunction::firmware_node() const {
  const std::uint32_t code = config_.read(kClass, 2);
  const auto named = std::find_if(std::begin(kClassNames), std::end(kClassNames),
                                  [code](const ClassName& row) { return row.code == code; });
  const std::string name = named != std::end(kClassNames) ? named->name
                                                          : format("pci%04x,%04x", config_.read(kVendorId, 2),
                                                                   config_.read(kDeviceId, 2));
  const unsigned function = devfn_ % PciBus::kFunctions;
  const std::string place = format("@%x", devfn_ / PciBus::kFunctions);
  const std::string unit = firmware_unit_ == nullptr ? "" : std::string("/") + firmware_unit_;
  return name + place + (function == 0 ? "" : format(",%x", function)) + unit;
}

std::uint64_t PciFunction::bar_base(unsigned index) const {
  const PciBar& bar = bars_[index];
  std::uint64_t base = config_.read(kBar0 + 4 * index, 4);
  if (is_64bit(bar.kind)) base |= std::uint64_t{config_.read(kBar0 + 4 * (index + 1), 4)} << 32;
  return base & ~(bar.size - 1);
}

bool PciFunction::is_on(std::uint32_t command_bit) const {
  const bool is_awake = power_at_ == 0 || (config_.read(power_at_ + kPowerControl, 2) & kPowerState) == 0;
  return is_awake && (config_.read(kCommand, 2) & command_bit) != 0;
}

void PciFunction::enable_master(bool is_enabled) {
  if (is_enabled == master_.is_enabled()) return;
  master_.enable(is_enabled);
  master_changed(is_enabled);
}

void PciFunction::master_changed(bool) {}

void PciFunction::visit(Visitor& visitor) {
  visitor.part("pci", [this](Visitor& pci) {
    config_.visit(pci);
    intx_.visit(pci);
    if (msix_ != nullptr) msix_->visit(pci);
    if (msi_ != nullptr) msi_->visit(pci);
  });
}

void PciFunction::restored() { apply(); }

void PciFunction::reset() {
  // First of all nothing more goes out of it. Messages are switched off behind the device's reset: what it
  // has to tell until then would go to the pin otherwise.
  enable_master(false);
  config_.reset();
  reset_function();
  if (msix_ != nullptr) msix_->reset();
  if (msi_ != nullptr) msi_->reset();
  intx_.set(false);
  Device::reset();
  apply();
}

}  // namespace gstage::hw
