// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "softmmu/mem/address_space.h"
#include "hw/core/device.h"
#include "hw/pci/pci_config.h"
#include "hw/pci/pci_intx.h"
#include "hw/pci/pci_master.h"
#include "hw/pci/pci_msi.h"
#include "hw/pci/pci_msix.h"

namespace gstage::hw {

class PciBus;

/// `addr=` of `-device`.
struct PciSlot {
  static constexpr unsigned kAny = ~0u;
  unsigned devfn = kAny;  ///< device × 8 + function; kAny: function 0 of the first free device

  [[nodiscard]] bool is_any() const { return devfn == kAny; }
  [[nodiscard]] unsigned device() const { return devfn / 8; }
  [[nodiscard]] unsigned function() const { return devfn % 8; }
  /// `DEV` or `DEV.FN`, both hexadecimal, as on the board that this follows. False: it is neither.
  static bool parse(const std::string& text, PciSlot& to);
};

/// Where a function goes on its bus.
struct PciAddress {
  PciSlot slot;
  bool is_multifunction = false;  ///< the device has (or may get) other functions than 0
};

/// What a function says of itself in its header.
struct PciIds {
  std::uint16_t vendor;
  std::uint16_t device;
  std::uint32_t class_code;  ///< base class, subclass, interface: 24 bits
  std::uint8_t revision = 0;
  std::uint16_t subsystem_vendor = 0x1af4;
  std::uint16_t subsystem = 0x1100;
};

/// What a base address register decodes.
enum class PciBarKind : std::uint8_t { kMemory32, kMemory64, kMemory64Prefetchable, kIo };

/// A base address register and who answers behind it.
struct PciBar {
  std::uint64_t size = 0;  ///< bytes, a power of two; 0: there is none
  PciBarKind kind = PciBarKind::kMemory32;
  MmioHandler* handler = nullptr;
};

/// The type of an express function, as its capability has it (PCI Express Base, section 7.5.3.2).
enum class PciExpressType : std::uint8_t { kEndpoint = 0, kRootPort = 4, kToPciBridge = 7, kIntegrated = 9 };

/// One function on a PCI bus: configuration space, base address registers, interrupts, DMA. A device derives
/// from it and in its constructor declares what it has; its registers are MmioHandlers (register tables)
/// behind the bars, called without a lock as all devices on the bus are.
///
/// Lock order: host bridge (configuration space, where bars are) → device → queue of virtio → MSI-X, pin →
/// bus master → interrupt controller → hart. A device never asks for the left one while it holds its own.
class PciFunction : public Device {
 public:
  static constexpr unsigned kBars = 6;

  explicit PciFunction(const PciIds& ids);
  ~PciFunction() override = default;

  // What the device does with it.
  [[nodiscard]] PciMaster& master() { return master_; }
  [[nodiscard]] bool bus_master() const { return master_.is_enabled(); }
  /// The pin; the device has called `use_pin`. A device that has MSI-X or MSI uses the pin only while both
  /// are off.
  [[nodiscard]] PciIntx& intx() { return intx_; }
  /// Null: the function has none.
  [[nodiscard]] PciMsix* msix() { return msix_.get(); }
  [[nodiscard]] PciMsi* msi() { return msi_.get(); }

  /// Where it asks to be put; before it is.
  [[nodiscard]] const PciAddress& address() const { return address_; }
  void set_address(const PciAddress& address) { address_ = address; }

  /// To the state at power-on, as a whole: configuration space, interrupts, the device (`reset_function`).
  void reset() final;
  /// A device that has state of its own calls these two as well.
  void visit(Visitor& visitor) override;
  void restored() override;

  // The bus's part; with the host bridge's lock held.
  [[nodiscard]] std::uint32_t config_read(unsigned offset, unsigned size);
  /// Answers whether what the function decodes may have changed.
  bool config_write(unsigned offset, unsigned size, std::uint32_t value);
  [[nodiscard]] const PciConfig& config() const { return config_; }
  [[nodiscard]] const std::array<PciBar, kBars>& bars() const { return bars_; }
  /// The bus address that the register holds.
  [[nodiscard]] std::uint64_t bar_base(unsigned index) const;
  /// Whether memory, I/O or bus mastering (`pci::kCommand…`) is on: never in a low-power state.
  [[nodiscard]] bool is_on(std::uint32_t command_bit) const;
  /// Whether it and all bridges above it may master the bus. Once it may not, and this has returned, nothing
  /// of it reaches memory or a hart, whatever its threads were about to do.
  void enable_master(bool is_enabled);
  /// Takes its place on a bus: what depends on the kind of the bus is settled.
  virtual void plugged(PciBus& bus, unsigned devfn);
  [[nodiscard]] unsigned devfn() const { return devfn_; }
  /// By its class, as "scsi@2", or "scsi@2,1" where it is no function 0.
  [[nodiscard]] std::string firmware_node() const override;
  [[nodiscard]] PciBus* pci_bus() const { return pci_bus_; }
  /// The bus behind it, if it is a bridge. Else null.
  virtual PciBus* secondary() { return nullptr; }

 protected:
  // Declarations of the device, before it is plugged.
  /// `index` from 0 to 5; a 64-bit register takes the next one as well. `size` is a power of two, at least 16
  /// (4 for I/O). `handler` outlives the function's last access.
  void add_bar(unsigned index, std::uint64_t size, PciBarKind kind, MmioHandler& handler);
  /// A capability of read-only bytes (behind id and link); answers its offset.
  unsigned add_capability(std::uint8_t id, std::span<const std::uint8_t> bytes);
  /// One of `size` bytes with rows at offsets within it.
  unsigned add_capability(std::uint8_t id, unsigned size, std::span<const PciConfigRow> rows);
  /// MSI-X whose table and pending bits are the bar.
  PciMsix& add_msix(unsigned bar, unsigned vectors);
  PciMsi& add_msi(unsigned vectors);
  /// The PCI Express capability. An endpoint's type follows from the bus, and on a conventional bus it has
  /// none. Endpoints can be reset by the guest (function-level reset). Answers the offset.
  unsigned add_express(PciExpressType type = PciExpressType::kEndpoint);
  /// Power management: the guest may switch the function to D3hot, in which it decodes and sends nothing.
  void add_power();
  /// The pin INTA#.
  void use_pin();
  /// What firmware boots from below the function's node, as "ethernet-phy@0".
  void set_firmware_unit(const char* unit) { firmware_unit_ = unit; }
  [[nodiscard]] PciConfig& space() { return config_; }

  /// To the device's own state at power-on: at power-on, on a function-level reset and a reset of the bus.
  virtual void reset_function() = 0;
  /// The function is a bus master now: goes on with what waited for that. Or it is none any more: returns
  /// once no other thread does DMA that it began before. With the host bridge's lock held, so nobody whom
  /// this waits for asks for that lock, or waits for somebody who does: no DMA reaches configuration space,
  /// and no thread of a device waits for a hart.
  virtual void master_changed(bool is_enabled);
  /// Software is about to read these bytes of configuration space: what follows from elsewhere is set now.
  virtual void config_reading(unsigned offset, unsigned size);
  /// Software wrote these bytes of configuration space, which hold the result.
  virtual void config_written(unsigned offset, unsigned size);

 private:
  [[nodiscard]] unsigned config_size() const;
  /// Tells interrupts what the registers say.
  void apply();

  PciConfig config_;
  std::array<PciBar, kBars> bars_{};
  PciMaster master_;
  PciIntx intx_;
  std::unique_ptr<PciMsix> msix_;
  std::unique_ptr<PciMsi> msi_;
  unsigned msix_at_ = 0;  ///< offsets of the capabilities; 0: none
  unsigned power_at_ = 0;
  unsigned express_at_ = 0;
  PciBus* pci_bus_ = nullptr;
  PciAddress address_;
  unsigned devfn_ = 0;
  const char* firmware_unit_ = nullptr;  ///< null: nothing
};

}  // namespace gstage::hw
