// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hw/core/numa.h"

namespace gstage::hw::acpi {

/// A part of the bus.
struct Range {
  std::uint64_t base = 0;
  std::uint64_t size = 0;
};

/// A device's registers and its wire.
struct WiredDevice {
  Range registers;
  std::uint32_t gsi = 0;
};

/// What takes the wires of devices: all global system interrupts, which begin at 0.
struct WireController {
  enum class Kind : std::uint8_t { kPlic, kAplic, kAplicWithImsics };
  Kind kind = Kind::kPlic;
  Range registers;  ///< of the supervisor's domain
  unsigned sources = 0;
  unsigned priorities = 0;  ///< of a PLIC: the highest one

  [[nodiscard]] bool has_imsics() const { return kind == Kind::kAplicWithImsics; }
};

/// The interrupt files of supervisors and guests: of each hart 2^guest_index_bits pages.
struct Imsics {
  std::uint64_t base = 0;
  unsigned identities = 0;
  unsigned guest_index_bits = 0;
  [[nodiscard]] std::uint64_t hart_size() const { return std::uint64_t{0x1000} << guest_index_bits; }
};

/// What harts are; they are alike. Hart N has the id N and the ACPI processor UID N.
struct Harts {
  unsigned count = 1;
  std::uint64_t timebase_hz = 0;
  std::string isa;       ///< "rv64imafdch_…"
  std::string mmu_type;  ///< "riscv,sv57", …; others: there is none
  // Bytes that an instruction of Zicbom, Zicbop or Zicboz is for; 0: it is not there.
  std::uint64_t management_block = 0;
  std::uint64_t prefetch_block = 0;
  std::uint64_t zero_block = 0;
};

/// A host bridge with configuration space as memory. Memory has the same addresses on both sides of its
/// windows, I/O begins at 0.
struct PciBridge {
  Range ecam;
  Range io;
  Range memory32;
  Range memory64;
  std::uint32_t first_gsi = 0;  ///< of four wires: pin P of slot S is wire (S + P) modulo 4
};

/// What the tables say of a board.
struct Description {
  Harts harts;
  WireController wires;
  Imsics imsics;  ///< where `wires` has some
  WiredDevice uart;
  std::uint32_t uart_clock_hz = 0;
  Range fw_cfg;
  std::vector<WiredDevice> virtio_slots;  ///< by number
  PciBridge pci;
  std::uint64_t ram_base = 0;
  NumaOptions numa;
};

}  // namespace gstage::hw::acpi
