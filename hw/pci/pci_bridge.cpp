// SPDX-License-Identifier: Apache-2.0
#include "hw/pci/pci_bridge.h"

#include <utility>

#include "hw/pci/pci_host.h"
#include "hw/pci/pci_registers.h"

namespace gstage::hw {
namespace {

using namespace pci;

constexpr std::uint16_t kRedHat = 0x1b36;
constexpr std::uint32_t kBridgeClass = 0x060400;

/// The header behind the registers that all functions have (PCI-to-PCI Bridge Architecture 1.2, section 3.2):
/// 16-bit I/O addresses and 64-bit prefetchable ones are passed on. At reset all windows are closed: their
/// ends are the wrong way round.
constexpr PciConfigRow kBridgeHeader[] = {
    {kHeaderType, 1, "header type", 1},
    {0x18, 1, "primary bus", 0, 0xff},
    {kSecondaryBus, 1, "secondary bus", 0, 0xff},
    {kSubordinateBus, 1, "subordinate bus", 0, 0xff},
    {kIoBase, 1, "I/O base", 0xf0, 0xf0},
    {kIoLimit, 1, "I/O limit", 0, 0xf0},
    {0x1e, 2, "secondary status", 0, 0, kStatusErrors},
    {kMemoryBase, 2, "memory base", 0xfff0, 0xfff0},
    {kMemoryLimit, 2, "memory limit", 0, 0xfff0},
    {kPrefetchBase, 2, "prefetchable base", 0xfff1, 0xfff0},
    {kPrefetchLimit, 2, "prefetchable limit", 1, 0xfff0},
    {kPrefetchBaseHigh, 4, "prefetchable base, high", 0, ~0u},
    {kPrefetchLimitHigh, 4, "prefetchable limit, high", 0, ~0u},
    // Parity and SERR#, which never happen, and the reset.
    {kBridgeControl, 2, "bridge control", 0, 3 | kBridgeSecondaryReset},
};

/// Of a root port's PCI Express capability, at its end.
constexpr PciConfigRow kRootRegisters[] = {
    {0x1c, 2, "root control", 0, 0x001f},
    {0x20, 4, "root status", 0, 0, 1 << 16},
};

/// Of the capability of a port with a slot (section 7.5.3).
enum : unsigned { kExpressFlags = 2, kLinkCapabilities = 0xc, kLinkStatus = 0x12 };
enum : unsigned { kSlotCapabilities = 0x14, kSlotControl = 0x18, kSlotStatus = 0x1a };
constexpr std::uint32_t kSlotImplemented = 1 << 8;
constexpr std::uint32_t kReportsLinkActive = 1 << 20;
constexpr std::uint32_t kLinkActive = 1 << 13;
/// A button, a power controller, both indicators, hot plug; commands complete at once, without an event.
constexpr std::uint32_t kHotPlugSlot = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 6 | 1 << 18;
constexpr unsigned kSlotNumberShift = 19;
/// Events are the same bits in status and control, but for that of the link.
constexpr std::uint32_t kButtonPressed = 1 << 0;
constexpr std::uint32_t kPresenceChanged = 1 << 3;
constexpr std::uint32_t kCommonEvents = 0x1f;
constexpr std::uint32_t kLinkChanged = 1 << 8;
constexpr std::uint32_t kLinkChangedEnable = 1 << 12;
constexpr std::uint32_t kPresent = 1 << 6;
constexpr std::uint32_t kHotPlugInterrupt = 1 << 5;
constexpr std::uint32_t kAttentionOff = 3 << 6;
constexpr std::uint32_t kIndicator = 3 << 8;  ///< power: the field, and its value for off
constexpr std::uint32_t kIndicatorOn = 1 << 8;
constexpr std::uint32_t kPowerOff = 1 << 10;
constexpr PciConfigRow kSlotRegisters[] = {
    {kSlotControl, 2, "slot control", kAttentionOff, 0x1fff},
    {kSlotStatus, 2, "slot status", 0, 0, kCommonEvents | kLinkChanged},
};

}  // namespace

PciBridge::PciBridge(const PciIds& ids, PciBus::Kind below, std::string bus)
    : PciFunction(ids),
      secondary_(static_cast<PciBus&>(add_bus(std::make_unique<PciBus>(below, std::move(bus), this)))) {
  space().add_rows(kBridgeHeader);
}

void PciBridge::config_written(unsigned, unsigned) {
  const bool was_in_reset = is_in_reset_;
  is_in_reset_ = (space().read(kBridgeControl, 2) & kBridgeSecondaryReset) != 0;
  if (is_in_reset_ && !was_in_reset) secondary_.reset();
}

void PciBridge::restored() {
  is_in_reset_ = (space().read(kBridgeControl, 2) & kBridgeSecondaryReset) != 0;
  PciFunction::restored();
}

PcieRootPort::PcieRootPort(std::string bus, const Slot& slot)
    : PciBridge({kRedHat, 0x000c, kBridgeClass}, PciBus::Kind::kLink, std::move(bus)),
      has_hot_plug_(slot.has_hot_plug) {
  constexpr unsigned kPortShift = 24;
  express_ = add_express(PciExpressType::kRootPort);
  space().add_rows(kRootRegisters, express_);
  std::uint32_t link = space().read(express_ + kLinkCapabilities, 4) | std::uint32_t{slot.port} << kPortShift;
  if (has_hot_plug_) link |= kReportsLinkActive;
  space().set_fixed(express_ + kLinkCapabilities, 4, link);
  if (has_hot_plug_) {
    const std::uint32_t flags = space().read(express_ + kExpressFlags, 2);
    space().set_fixed(express_ + kExpressFlags, 2, flags | kSlotImplemented);
    space().set_fixed(express_ + kSlotCapabilities, 4,
                      kHotPlugSlot | std::uint32_t{slot.number} << kSlotNumberShift);
    space().add_rows(kSlotRegisters, express_);
  }
  add_msix(0, 1);
  // Two reserved bytes, vendor, subsystem.
  constexpr std::uint8_t kSubsystem[] = {0, 0, kRedHat & 0xff, kRedHat >> 8, 0, 0};
  add_capability(kCapBridgeSubsystem, kSubsystem);
  use_pin();
}

bool PcieRootPort::is_leaving() { return secondary()->is_cut_off(); }

bool PcieRootPort::has_card() { return !secondary()->devices().empty() && !is_leaving(); }

void PcieRootPort::set_bits(unsigned at, std::uint32_t bits, bool is_set) {
  const std::uint32_t value = space().read(express_ + at, 2) & ~bits;
  space().set(express_ + at, 2, value | (is_set ? bits : 0));
}

bool PcieRootPort::is_off() const {
  const std::uint32_t control = config().read(express_ + kSlotControl, 2);
  return (control & kPowerOff) != 0 && (control & kIndicator) == kIndicator;
}

bool PcieRootPort::has_event() const {
  const std::uint32_t status = config().read(express_ + kSlotStatus, 2);
  const std::uint32_t control = config().read(express_ + kSlotControl, 2);
  const bool is_link = (status & kLinkChanged) != 0 && (control & kLinkChangedEnable) != 0;
  return (control & kHotPlugInterrupt) != 0 && (is_link || (status & control & kCommonEvents) != 0);
}

bool PcieRootPort::update_link() {
  const bool was_active = (space().read(express_ + kLinkStatus, 2) & kLinkActive) != 0;
  const bool is_active = has_card() && (space().read(express_ + kSlotControl, 2) & kPowerOff) == 0;
  set_bits(kLinkStatus, kLinkActive, is_active);
  return is_active != was_active;
}

/// A message for each event that comes up while none is (section 6.7.3.4); the pin as long as there is one.
void PcieRootPort::update_interrupt() {
  const bool is_up = has_event();
  const bool has_messages = msix()->is_enabled();
  if (has_messages && is_up && !has_notified_) msix()->notify(0);
  has_notified_ = is_up;
  intx().set(is_up && !has_messages);
}

void PcieRootPort::card_changed() {
  if (!has_hot_plug_) return;
  set_bits(kSlotStatus, kPresent, has_card());
  // Whoever brings a card presses the button as well: where there is one, software looks at that alone.
  set_bits(kSlotStatus, has_card() ? kPresenceChanged | kButtonPressed : kPresenceChanged, true);
  if (update_link()) set_bits(kSlotStatus, kLinkChanged, true);
  update_interrupt();
}

void PcieRootPort::press_button() {
  set_bits(kSlotStatus, kButtonPressed, true);
  update_interrupt();
}

/// A slot with a card is on.
void PcieRootPort::reset_function() {
  if (!has_hot_plug_) return;
  set_bits(kSlotStatus, kPresent, has_card());
  set_bits(kSlotControl, kIndicator | kPowerOff, false);
  set_bits(kSlotControl, has_card() ? kIndicatorOn : kIndicator | kPowerOff, true);
  update_link();
  was_off_ = is_off();
  has_notified_ = false;
}

void PcieRootPort::restored() {
  PciBridge::restored();
  if (!has_hot_plug_) return;
  // A card that was leaving when the state was saved is there again.
  set_bits(kSlotStatus, kPresent, has_card());
  was_off_ = is_off();
  has_notified_ = has_event();
}

void PcieRootPort::config_written(unsigned offset, unsigned size) {
  PciBridge::config_written(offset, size);
  if (!has_hot_plug_) return;
  if (update_link()) set_bits(kSlotStatus, kLinkChanged, true);
  update_interrupt();
  const bool was_off = std::exchange(was_off_, is_off());
  if (!was_off_ || was_off || !has_card()) return;
  // Software may look at once, or switch the slot on again: the card is gone for it, as if a hand had been
  // there.
  if (!secondary()->host()->card_is_free(*this)) return;
  secondary()->cut_off();
  set_bits(kSlotStatus, kPresent, false);
}

PciePciBridge::PciePciBridge(std::string bus)
    : PciBridge({kRedHat, 0x000e, kBridgeClass}, PciBus::Kind::kConventional, std::move(bus)) {
  add_express(PciExpressType::kToPciBridge);
  add_power();
}

ConventionalBridge::ConventionalBridge(std::string bus)
    : PciBridge({kRedHat, 0x0001, kBridgeClass}, PciBus::Kind::kConventional, std::move(bus)) {}

}  // namespace gstage::hw
