// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/hw_state_software.h"

#include <array>
#include <cstring>

#include "hw/char/uart16550.h"
#include "hw/intc/aclint.h"
#include "hw/intc/aplic.h"
#include "hw/intc/plic.h"
#include "hw/misc/cfi_flash.h"
#include "hw/misc/fw_cfg.h"
#include "hw/misc/goldfish_rtc.h"
#include "hw/misc/htif.h"
#include "hw/misc/sifive_test.h"
#include "hw/net/e1000e.h"
#include "hw/nvme/nvme.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_function.h"
#include "hw/pci/pci_registers.h"
#include "hw/riscv/virt_map.h"
#include "hw/virtio/serial_port.h"
#include "hw/virtio/virtio_mmio.h"

#include "tests/unit/hw_state_virtio.h"

namespace gstage::hw {
namespace {

/// Memory that the guest's software uses; what the machine loads lies elsewhere.
constexpr std::uint64_t kFwCfgScratch = virt_part(Part::kRam).base + 0x8'0000;
constexpr std::uint64_t kMmioScratch = virt_part(Part::kRam).base + 0x10'0000;
constexpr std::uint64_t kPciScratch = kMmioScratch + kVirtioSlots * kVirtioScratch;

std::uint64_t base_of(const Device& device) { return static_cast<const SystemDevice&>(device).place().base; }

template <class D>
void any_register(Guest& guest, Device& device) {
  access_registers<D>(guest, base_of(device));
}

/// Alarms of the past and of the future. The time is the host's: another machine reads another one.
void rtc(Guest& guest, Device& device) {
  const std::uint64_t base = base_of(device);
  switch (guest.below(6)) {
    case 0: return guest.store(base + 0xc, 4, guest.one_in(2) ? guest.number(24) : 0x7fff'0000);
    case 1: return guest.store(base + 0x8, 4, guest.number(32));
    case 2: return guest.store(base + 0x10, 4, guest.below(2));
    case 3: return guest.store(base + (guest.one_in(2) ? 0x14 : 0x1c), 4, 1);
    case 4: return guest.store(base + 0x4, 4, guest.number(32));
    default: guest.load(base + 0x4 + guest.below(6) * 4, 4);
  }
}

void fw_cfg(Guest& guest, Device& device) {
  const std::uint64_t base = base_of(device);
  static constexpr std::uint16_t kKeys[] = {0, 1, 3, 5, 0xf, 0x19, 0x20, 0x21, 0x8000};
  const std::uint16_t key = guest.one_of(std::span<const std::uint16_t>(kKeys));
  switch (guest.below(12)) {
    case 0: return guest.store(base + 8, 2, __builtin_bswap16(key));
    case 1: {
      const std::uint32_t control =
          static_cast<std::uint32_t>(key) << 16 | static_cast<std::uint32_t>(guest.below(32));
      guest.poke(kFwCfgScratch, std::array<std::uint32_t, 4>{
                                    __builtin_bswap32(control),
                                    __builtin_bswap32(static_cast<std::uint32_t>(guest.below(9))), 0,
                                    __builtin_bswap32(static_cast<std::uint32_t>(kFwCfgScratch + 64))});
      if (guest.one_in(2)) guest.store(base + 0x10, 4, guest.number(8) << 24);
      return guest.store(base + 0x14, 4, __builtin_bswap32(static_cast<std::uint32_t>(kFwCfgScratch)));
    }
    case 2: return guest.store(base + 0x10, 4, guest.number(32));
    default: guest.load(base, guest.one_in(8) ? 8 : 1);
  }
}

/// System calls whose answers wait until somebody reads fromhost, or anything.
void htif(Guest& guest, Device& device) {
  const std::uint64_t base = base_of(device);
  if (guest.one_in(3)) return any_register<Htif>(guest, device);
  if (guest.one_in(4)) return guest.store(base + 8, 8, 0);
  guest.poke(kFwCfgScratch, std::array<std::uint64_t, 4>{guest.one_in(2) ? 64u : 65u, 1, kFwCfgScratch, 1});
  guest.store(base, 8, kFwCfgScratch);
}

/// Commands, and what may follow them.
void flash(Guest& guest, Device& device) {
  static constexpr std::uint8_t kCommands[] = {0x00, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70,
                                               0x90, 0x98, 0xb0, 0xd0, 0xe8, 0xff, 0x77};
  const unsigned size = 1u << guest.below(4);
  const std::uint64_t at = base_of(device) + guest.below(3) * CfiFlash::kBlockBytes + guest.below(8) * 8;
  if (guest.one_in(2))
    guest.load(at, size);
  else if (guest.one_in(2))
    guest.store(at, size, guest.one_of(std::span<const std::uint8_t>(kCommands)));
  else
    guest.store(at, size, guest.number(8 * size));
}

void uart(Guest& guest, Device& device) {
  if (guest.keyboard != nullptr && guest.one_in(4))
    guest.keyboard->type(std::string(1 + guest.below(4), 'k'));
  any_register<Uart16550>(guest, device);
}

/// What an operating system does with sources that devices have, or anything.
void plic(Guest& guest, Device& device) {
  const std::uint64_t base = base_of(device);
  const std::uint64_t context = guest.below(5);
  const std::uint64_t claim = base + 0x20'0004 + context * 0x1000;
  switch (guest.below(6)) {
    case 0: return guest.store(base + guest.below(40) * 4, 4, guest.below(8));
    case 1: return guest.store(base + 0x2000 + context * 0x80 + guest.below(2) * 4, 4, guest.number(32));
    case 2: return guest.store(base + 0x20'0000 + context * 0x1000, 4, guest.below(4));
    case 3: return static_cast<void>(guest.load(claim, 4));
    case 4: return guest.store(claim, 4, guest.below(40));
    default: any_register<Plic>(guest, device);
  }
}
void aplic(Guest& guest, Device& device) {
  constexpr std::uint64_t kDelegate = 1u << 10;
  static constexpr std::uint64_t kModes[] = {0, 1, 4, 5, 6, 7, kDelegate, kDelegate};
  const std::uint64_t base = base_of(device);
  const std::uint64_t source = 1 + guest.below(36);
  const std::uint64_t hart = guest.below(2);
  switch (guest.below(8)) {
    case 0: return guest.store(base + source * 4, 4, guest.one_of(std::span<const std::uint64_t>(kModes)));
    case 1: return guest.store(base + 0x1edc, 4, source);
    case 2: return guest.store(base + 0x3000 + source * 4, 4, hart << 18 | guest.below(200));
    case 3: return guest.store(base, 4, guest.below(8) == 0 ? guest.number(32) : 0x100 | guest.below(2) << 2);
    case 4: return guest.store(base + 0x4000 + hart * 32, 4, guest.below(4) != 0);
    case 5: return static_cast<void>(guest.load(base + 0x401c + hart * 32, 4));
    default: any_register<AplicDomain>(guest, device);
  }
}

/// A page a file; identities that exist and others.
void imsic(Guest& guest, Device& device) {
  const NodePlace& place = static_cast<SystemDevice&>(device).place();
  guest.store(place.base + guest.below(place.size / kPageSize) * kPageSize, 4, guest.number(9));
}

class MmioRegisters final : public VirtioRegisters {
 public:
  explicit MmioRegisters(std::uint64_t base) : base_(base) {}
  std::uint64_t status(Guest& guest) override { return guest.load(base_ + 0x70, 4); }
  void set_status(Guest& guest, std::uint64_t value) override { guest.store(base_ + 0x70, 4, value); }
  std::uint64_t features(Guest& guest) override {
    guest.store(base_ + 0x14, 4, 0);
    const std::uint64_t low = guest.load(base_ + 0x10, 4);
    guest.store(base_ + 0x14, 4, 1);
    return low | guest.load(base_ + 0x10, 4) << 32;
  }
  void set_features(Guest& guest, std::uint64_t value) override {
    for (const unsigned half : {0u, 1u}) {
      guest.store(base_ + 0x24, 4, half);
      guest.store(base_ + 0x20, 4, value >> (32 * half) & 0xffff'ffff);
    }
  }
  std::uint64_t select(Guest& guest, unsigned queue) override {
    guest.store(base_ + 0x30, 4, queue);
    return guest.load(base_ + 0x34, 4);
  }
  void set_up(Guest& guest, std::uint64_t size, const std::uint64_t (&areas)[3]) override {
    guest.store(base_ + 0x38, 4, size);
    for (unsigned i = 0; i < 3; ++i) {
      guest.store(base_ + 0x80 + i * 0x10, 4, areas[i] & 0xffff'ffff);
      guest.store(base_ + 0x84 + i * 0x10, 4, areas[i] >> 32);
    }
    guest.store(base_ + 0x44, 4, 1);
  }
  void reset_queue(Guest& guest) override { guest.store(base_ + 0xc0, 4, 1); }
  void notify(Guest& guest, unsigned queue) override { guest.store(base_ + 0x50, 4, queue); }
  void take_interrupt(Guest& guest) override { guest.store(base_ + 0x64, 4, guest.load(base_ + 0x60, 4)); }
  std::uint64_t config() override { return base_ + 0x100; }
  void fiddle(Guest& guest) override {
    static constexpr std::uint64_t kSelectors[] = {0x14, 0x24, 0x30};
    if (guest.one_in(2))
      guest.store(base_ + guest.one_of(std::span<const std::uint64_t>(kSelectors)), 4, guest.below(8));
    else
      guest.load(base_ + guest.below(0x40) * 4, 4);
  }

 private:
  const std::uint64_t base_;
};

/// A slot with nothing in it; what is in it has software of its own.
void virtio_mmio(Guest& guest, Device& device) {
  if (device.buses()[0]->devices().empty()) any_register<VirtioMmio>(guest, device);
}

/// Where the configuration space of a function on the root bus is.
std::uint64_t config_space(const PciFunction& function) {
  return virt_part(Part::kPciEcam).base + (std::uint64_t{function.devfn()} << 12);
}

/// Anything in a function's configuration space.
void pci_function(Guest& guest, Device& device) {
  const unsigned size = 1u << guest.below(3);
  const std::uint64_t at = config_space(static_cast<PciFunction&>(device)) +
                           guest.below((guest.one_in(8) ? 0x1000 : 0x80) / size) * size;
  guest.one_in(2) ? static_cast<void>(guest.load(at, size)) : guest.store(at, size, guest.number(size * 8));
}

/// Functions that are there and others.
void pci_host(Guest& guest, Device& device) {
  guest.load(base_of(device) + (guest.below(8) << 15) + guest.below(64) * 4, 4);
}

/// The registers of the PCI transport. The function lies at a fixed place of the windows.
class PciRegisters final : public VirtioRegisters {
 public:
  explicit PciRegisters(const PciFunction& function)
      : config_(config_space(function)),
        msix_(virt_part(Part::kPciMemory).base + function.devfn() * 0x1'0000),
        common_(msix_ + 0x8000) {}

  std::uint64_t status(Guest& guest) override { return guest.load(common_ + 0x14, 1); }
  void set_status(Guest& guest, std::uint64_t value) override {
    if (value == 0) enable(guest);
    guest.store(common_ + 0x14, 1, value);
    if (value == 0) guest.store(common_ + 0x10, 2, guest.below(3));
  }
  std::uint64_t features(Guest& guest) override {
    guest.store(common_, 4, 0);
    const std::uint64_t low = guest.load(common_ + 4, 4);
    guest.store(common_, 4, 1);
    return low | guest.load(common_ + 4, 4) << 32;
  }
  void set_features(Guest& guest, std::uint64_t value) override {
    for (const unsigned half : {0u, 1u}) {
      guest.store(common_ + 8, 4, half);
      guest.store(common_ + 0xc, 4, value >> (32 * half) & 0xffff'ffff);
    }
  }
  std::uint64_t select(Guest& guest, unsigned queue) override {
    guest.store(common_ + 0x16, 2, queue);
    return guest.load(common_ + 0x12, 2) > queue ? guest.load(common_ + 0x18, 2) : 0;
  }
  void set_up(Guest& guest, std::uint64_t size, const std::uint64_t (&areas)[3]) override {
    guest.store(common_ + 0x18, 2, size);
    guest.store(common_ + 0x1a, 2, guest.below(3));
    for (unsigned i = 0; i < 3; ++i) {
      guest.store(common_ + 0x20 + i * 8, 4, areas[i] & 0xffff'ffff);
      guest.store(common_ + 0x24 + i * 8, 4, areas[i] >> 32);
    }
    guest.store(common_ + 0x1c, 2, 1);
  }
  void reset_queue(Guest& guest) override { guest.store(common_ + 0x3a, 2, 1); }
  void notify(Guest& guest, unsigned queue) override { guest.store(common_ + 0x3000 + queue * 4, 2, queue); }
  void take_interrupt(Guest& guest) override { guest.load(common_ + 0x1000, 1); }
  std::uint64_t config() override { return common_ + 0x2000; }
  void fiddle(Guest& guest) override {
    switch (guest.below(8)) {
      case 0: return static_cast<void>(guest.load(config_ + guest.below(0x40) * 4, 4));
      case 1: return guest.store(common_ + 0x16, 2, guest.below(4));
      case 2: return guest.store(common_ + (guest.one_in(2) ? 0 : 8), 4, guest.below(3));
      case 3:
        return guest.store(config_ + pci::kCommand, 2,
                           guest.one_in(2) ? 6 : guest.below(8) | guest.below(2) << 10);
      case 4: return guest.store(config_ + msix_capability(guest) + 2, 2, guest.below(4) << 14);
      case 5: return static_cast<void>(guest.load(msix_ + 0x800, 4));
      default: return set_vector(guest, guest.below(3));
    }
  }

 private:
  std::uint64_t msix_capability(Guest& guest) {
    std::uint64_t at = guest.load(config_ + pci::kCapabilityPointer, 1);
    while (at != 0 && guest.load(config_ + at, 1) != pci::kCapMsix) at = guest.load(config_ + at + 1, 1);
    return at;
  }
  /// A message to an interrupt file of supervisor level, if there are any.
  void set_vector(Guest& guest, std::uint64_t vector) {
    const std::uint64_t entry = msix_ + vector * 16;
    guest.store(entry, 4, virt_part(Part::kImsicS).base + guest.below(4) * kPageSize);
    guest.store(entry + 4, 4, 0);
    guest.store(entry + 8, 4, 1 + guest.below(200));
    guest.store(entry + 12, 4, guest.below(2));
  }
  /// Bars at their places, memory and bus mastering on.
  void enable(Guest& guest) {
    guest.store(config_ + pci::kBar0 + 4, 4, msix_);
    guest.store(config_ + pci::kBar0 + 16, 4, common_);
    guest.store(config_ + pci::kBar0 + 20, 4, 0);
    guest.store(config_ + pci::kCommand, 2, 6);
  }

  const std::uint64_t config_;
  const std::uint64_t msix_;
  const std::uint64_t common_;
};

/// A device on the bus of its transport.
void virtio(Guest& guest, Device& device) {
  Device& transport = *device.bus()->owner();
  const std::uint32_t id = static_cast<VirtioDevice&>(device).virtio_id();
  if (std::strcmp(transport.bus()->kind(), PciBus::kKind) == 0) {
    PciRegisters registers(static_cast<PciFunction&>(transport));
    return drive_virtio(guest, registers, id, kPciScratch);
  }
  MmioRegisters registers(base_of(transport));
  const std::uint64_t slot =
      (base_of(transport) - virt_part(Part::kVirtio).base) / virt_part(Part::kVirtio).size;
  drive_virtio(guest, registers, id, kMmioScratch + slot * kVirtioScratch);
}

/// The registers of a card without a network, and its configuration space.
void e1000e(Guest& guest, Device& device) {
  const auto& function = static_cast<const PciFunction&>(device);
  const std::uint64_t config = config_space(function);
  const std::uint64_t bars = virt_part(Part::kPciMemory).base + 0x100'0000 + function.devfn() * 0x10'0000;
  if (guest.one_in(16)) return pci_function(guest, device);
  if (guest.one_in(16)) {
    for (const unsigned bar : {0u, 1u, 3u})
      guest.store(config + pci::kBar0 + bar * 4, 4, bars + bar * 0x4'0000);
    guest.store(config + pci::kBar0 + 8, 4, 0x1000);
    return guest.store(config + pci::kCommand, 2, 7);
  }
  constexpr std::uint64_t kIcr = 0xc0, kIcs = 0xc8, kIms = 0xd0;
  switch (guest.below(8)) {
    case 0: return guest.store(bars + kIms, 4, guest.number(25));
    case 1: return guest.store(bars + kIcs, 4, guest.number(25));
    case 2: return static_cast<void>(guest.load(bars + kIcr, 4));
    case 3: return guest.store(virt_part(Part::kPciIo).base + 0x1000, 4, guest.below(64) * 4);
    case 4:
      return static_cast<void>(guest.load(virt_part(Part::kPciIo).base + 0x1000 + guest.below(2) * 4, 4));
    default: access_registers<E1000e>(guest, bars);
  }
}

/// Commands for an NVMe controller, in queues of eight entries; what the driver knows lies in RAM.
class NvmeSoftware {
 public:
  NvmeSoftware(Guest& guest, Device& device)
      : guest_(guest),
        device_(device),
        config_(config_space(static_cast<PciFunction&>(device))),
        bar_(virt_part(Part::kPciMemory).base + 0x300'0000 +
             static_cast<PciFunction&>(device).devfn() * 0x1'0000),
        notes_(guest.peek<Notes>(kNotes)) {}

  void step() {
    switch (guest_.below(16)) {
      case 0: pci_function(guest_, device_); break;
      case 1: place(); break;
      case 2: access_registers<Nvme>(guest_, bar_); break;
      case 3:
        if (guest_.one_in(2)) start();
        break;
      case 4:
      case 5:
      case 6: take(static_cast<unsigned>(guest_.below(kPairs))); break;
      case 7: guest_.store(bar_ + 0x1000 + guest_.below(2 * kPairs) * 4, 4, guest_.below(kEntries)); break;
      case 8:
      case 9: send(0, admin_command()); break;
      default: send(1, io_command());
    }
    guest_.poke(kNotes, notes_);
  }

 private:
  static constexpr unsigned kPairs = 2, kEntries = 8;
  static constexpr std::uint64_t kNotes = kPciScratch + kVirtioScratch;
  static constexpr std::uint64_t kQueues = kNotes + 0x1000, kData = kQueues + kPairs * 0x2000;
  struct Notes {
    std::uint32_t tails[kPairs];
    std::uint32_t heads[kPairs];
  };

  /// Bars at their places, memory and bus mastering on.
  void place() {
    guest_.store(config_ + pci::kBar0, 4, bar_);
    guest_.store(config_ + pci::kBar0 + 4, 4, 0);
    guest_.store(config_ + pci::kBar0 + 16, 4, bar_ + 0x8000);
    guest_.store(config_ + pci::kCommand, 2, 6);
  }
  void start() {
    place();
    notes_ = Notes{};
    guest_.poke(kQueues, std::array<std::uint8_t, kPairs * 0x2000>{});
    guest_.store(bar_ + 0x14, 4, 0);
    guest_.store(bar_ + 0x24, 4, (kEntries - 1) << 16 | (kEntries - 1));
    guest_.store(bar_ + 0x28, 8, kQueues);
    guest_.store(bar_ + 0x30, 8, kQueues + 0x1000);
    guest_.store(bar_ + 0x14, 4, 0x46'0001);
    send(0, make(5, {1 | (kEntries - 1) << 16, 1 << 16 | 3}, kQueues + 0x3000));
    send(0, make(1, {1 | (kEntries - 1) << 16, 1 << 16 | 1}, kQueues + 0x2000));
  }
  static NvmeCommand make(std::uint8_t opcode, const std::array<std::uint32_t, 3>& words,
                          std::uint64_t data) {
    NvmeCommand command{};
    command.opcode = opcode;
    command.nsid = 1;
    command.prp[0] = data;
    for (unsigned i = 0; i < words.size(); ++i) command.words10[i] = words[i];
    return command;
  }
  NvmeCommand admin_command() {
    static constexpr std::uint8_t kOpcodes[] = {0, 2, 6, 8, 9, 10, 12};
    const std::uint8_t opcode = guest_.one_of(std::span<const std::uint8_t>(kOpcodes));
    // Mostly the features that change something.
    const auto word = static_cast<std::uint32_t>(opcode == 9 ? 4 + guest_.below(3) : guest_.below(8));
    return make(opcode, {word, static_cast<std::uint32_t>(guest_.below(2)), 0}, kData);
  }
  NvmeCommand io_command() {
    static constexpr std::uint8_t kOpcodes[] = {0, 1, 2, 1, 2, 8, 77};
    guest_.poke(kData, guest_.number(64));
    return make(
        guest_.one_of(std::span<const std::uint8_t>(kOpcodes)),
        {static_cast<std::uint32_t>(guest_.below(140)), 0, static_cast<std::uint32_t>(guest_.below(4))},
        kData);
  }
  void send(unsigned queue, NvmeCommand command) {
    std::uint32_t& tail = notes_.tails[queue];
    command.id = static_cast<std::uint16_t>(tail + 1);
    guest_.poke(kQueues + queue * 0x2000 + tail * sizeof command, command);
    tail = (tail + 1) % kEntries;
    guest_.store(bar_ + 0x1000 + queue * 8, 4, tail);
  }
  void take(unsigned queue) {
    std::uint32_t& head = notes_.heads[queue];
    for (unsigned word = 0; word < 4; ++word)
      guest_.load(kQueues + queue * 0x2000 + 0x1000 + head * 16 + word * 4, 4);
    head = (head + 1) % kEntries;
    guest_.store(bar_ + 0x1004 + queue * 8, 4, head);
  }

  Guest& guest_;
  Device& device_;
  const std::uint64_t config_;
  const std::uint64_t bar_;
  Notes notes_;
};

void nvme(Guest& guest, Device& device) { NvmeSoftware(guest, device).step(); }

/// Tests are chosen, and stores count.
void pci_testdev(Guest& guest, Device& device) {
  const auto& function = static_cast<const PciFunction&>(device);
  const std::uint64_t config = config_space(function);
  const std::uint64_t bar = virt_part(Part::kPciMemory).base + 0x200'0000 + function.devfn() * 0x1000;
  switch (guest.below(8)) {
    case 0: return pci_function(guest, device);
    case 1: return guest.store(config + pci::kBar0, 4, bar), guest.store(config + pci::kCommand, 2, 2);
    case 2: return guest.store(bar, 1, guest.below(4));
    case 3: return static_cast<void>(guest.load(bar + guest.below(4) * 4, 4));
    default: guest.store(bar + 0x800 + guest.below(3), 1, guest.one_in(2) ? 0xfa : 0xce);
  }
}

/// The driver of the port is that of its device; somebody types.
void port(Guest& guest, Device& device) {
  auto* const chardev = static_cast<FakeChardev*>(static_cast<SerialPort&>(device).options().chardev.get());
  // One piece at a time: input that is held back comes on a worker's thread.
  if (chardev != nullptr && chardev->waiting() == 0) chardev->type(std::string(1 + guest.below(8), 't'));
}

constexpr Software kAll[] = {
    {"virt", nullptr, false},
    {"spike", nullptr, false},
    {"soc", nullptr, false},
    {"clint", nullptr, false},
    {"flash", nullptr, false},
    {"cfi.pflash01", flash},
    {"fw_cfg_mem", fw_cfg},
    {"goldfish_rtc", rtc},
    {"gpex-pcihost", pci_host, false},
    {"gpex-root", pci_function},
    {"htif", htif},
    {"ns16550a", uart},
    {"e1000e", e1000e},
    {"nvme", nvme},
    {"pci-bridge", pci_function},
    {"pci-testdev", pci_testdev},
    {"pcie-pci-bridge", pci_function},
    {"pcie-root-port", pci_function},
    {"scsi-cd", nullptr},
    {"scsi-hd", nullptr},
    {"riscv.aclint.mswi", any_register<Mswi>},
    {"riscv.aclint.mtimer", any_register<Mtimer>},
    {"riscv.aclint.sswi", any_register<Sswi>, false},
    {"riscv.aplic", aplic},
    {"riscv.imsic", imsic, false},
    {"riscv.sifive.plic", plic},
    {"riscv.sifive.test", any_register<SifiveTest>, false},
    {"virtio-mmio", virtio_mmio},
    {"virtio-blk-device", virtio},
    {"virtio-net-device", virtio},
    {"virtio-balloon-device", virtio},
    {"virtio-9p-device", virtio},
    {"virtio-9p-pci", nullptr},
    {"virtio-scsi-device", virtio},
    {"virtio-scsi-pci", nullptr},
    {"virtio-blk-pci", nullptr},
    {"virtio-net-pci", nullptr},
    {"virtio-rng-pci", nullptr},
    {"virtio-serial-pci", nullptr},
    {"virtio-balloon-pci", nullptr},
    {"virtio-rng-device", virtio, false},
    {"virtio-serial-device", virtio},
    {"virtconsole", port, false},
    {"virtserialport", port, false},
};

}  // namespace

std::span<const Software> all_software() { return kAll; }

const Software* find_software(const std::string& driver) {
  for (const Software& software : kAll)
    if (software.driver == driver) return &software;
  return nullptr;
}

}  // namespace gstage::hw
