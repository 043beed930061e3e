// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace gstage::hw {

/// The parts of the virt board, in the order of their addresses.
enum class Part : std::uint8_t {
  kResetRom,
  kTest,
  kRtc,
  kMswi,
  kMtimer,
  kSswi,
  kPciIo,
  kPlic,
  kUart,
  kVirtio,
  kFwCfg,
  kFlash,
  kPciEcam,
  kPciMemory,
  kRam,
  // In place of the PLIC, with aia=:
  kAplicM,
  kAplicS,
  kImsicM,
  kImsicS,
};

/// One row of the board.
struct VirtPart {
  Part part;
  const char* name;
  std::uint64_t base;  ///< of the first
  std::uint64_t size;  ///< bytes of each, as the device tree shows it
  unsigned irq = 0;    ///< PLIC source of the first; 0: none
  unsigned count = 1;  ///< like parts, one after the other, with consecutive irqs
};

/// The memory map of QEMU's virt board: the only place with addresses and interrupt numbers. RAM's size is
/// what `-m` says.
inline constexpr VirtPart kVirtMap[] = {
    {Part::kResetRom, "mrom", 0x1000, 0xf000},
    {Part::kTest, "test", 0x10'0000, 0x1000},
    {Part::kRtc, "rtc", 0x10'1000, 0x1000, 11},
    {Part::kMswi, "mswi", 0x200'0000, 0x4000},
    {Part::kMtimer, "mtimer", 0x200'4000, 0xc000},
    {Part::kSswi, "sswi", 0x2f0'0000, 0x4000},
    {Part::kPciIo, "pcie-io", 0x300'0000, 0x1'0000},
    {Part::kPlic, "plic", 0xc00'0000, 0x60'0000},
    {Part::kUart, "uart", 0x1000'0000, 0x100, 10},
    {Part::kVirtio, "virtio", 0x1000'1000, 0x1000, 1, 8},
    {Part::kFwCfg, "fw-cfg", 0x1010'0000, 0x18},
    {Part::kFlash, "flash", 0x2000'0000, 0x200'0000, 0, 2},
    {Part::kPciEcam, "pcie-ecam", 0x3000'0000, 0x1000'0000, 32},
    {Part::kPciMemory, "pcie-memory", 0x4000'0000, 0x4000'0000},
    {Part::kRam, "ram", 0x8000'0000, 0},
};

/// What aia=aplic (APLICs) and aia=aplic-imsic have in place of the PLIC. The regions of IMSICs are as large
/// as the harts' files take; here is how large they can be.
inline constexpr VirtPart kAiaMap[] = {
    {Part::kAplicM, "aplic-m", 0xc00'0000, 0x8000},
    {Part::kAplicS, "aplic-s", 0xd00'0000, 0x8000},
    {Part::kImsicM, "imsic-m", 0x2400'0000, 0x400'0000},
    {Part::kImsicS, "imsic-s", 0x2800'0000, 0x800'0000},
};

/// The row of a part.
constexpr const VirtPart& virt_part(Part part) {
  const auto index = static_cast<std::size_t>(part);
  return index < std::size(kVirtMap) ? kVirtMap[index] : kAiaMap[index - std::size(kVirtMap)];
}
inline constexpr unsigned kVirtioSlots = virt_part(Part::kVirtio).count;
/// PCI has this many wires from the irq of its row on.
inline constexpr unsigned kPciWires = 4;
/// PCI's window for 64-bit addresses: as large as its own alignment, behind RAM.
inline constexpr std::uint64_t kPciHighSize = std::uint64_t{16} << 30;
constexpr std::uint64_t pci_high_base(std::uint64_t ram_bytes) {
  const std::uint64_t end = virt_part(Part::kRam).base + ram_bytes;
  return (end + kPciHighSize - 1) / kPciHighSize * kPciHighSize;
}
static_assert(pci_high_base(128 << 20) == 0x4'0000'0000 &&
              pci_high_base(std::uint64_t{20} << 30) == 0x8'0000'0000);
/// As many as the PLIC's region has contexts for.
inline constexpr unsigned kMaxHarts = 512;

namespace virt_map_detail {

constexpr bool is_sorted_and_disjoint() {
  std::uint64_t end = 0;
  std::size_t index = 0;
  for (const VirtPart& row : kVirtMap) {
    if (static_cast<std::size_t>(row.part) != index++ || row.base < end || row.base % 0x1000 != 0)
      return false;
    end = row.base + row.size * row.count;
  }
  return true;
}

constexpr bool are_alternatives_disjoint() {
  std::size_t index = std::size(kVirtMap);
  for (const VirtPart& row : kAiaMap) {
    if (static_cast<std::size_t>(row.part) != index++) return false;
    for (const VirtPart& other : kVirtMap) {
      const bool is_apart =
          row.base + row.size <= other.base || other.base + other.size * other.count <= row.base;
      if (!is_apart && other.part != Part::kPlic) return false;
    }
  }
  return true;
}

constexpr bool are_irqs_disjoint() {
  std::uint64_t seen = 0;
  for (const VirtPart& row : kVirtMap) {
    for (unsigned i = 0; row.irq != 0 && i < row.count; ++i) {
      const std::uint64_t bit = std::uint64_t{1} << (row.irq + i);
      if ((seen & bit) != 0) return false;
      seen |= bit;
    }
  }
  return true;
}

}  // namespace virt_map_detail

static_assert(virt_map_detail::is_sorted_and_disjoint());
static_assert(virt_map_detail::are_alternatives_disjoint());
static_assert(virt_map_detail::are_irqs_disjoint());

}  // namespace gstage::hw
