// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "hw/pci/pci_function.h"

namespace gstage::hw {

/// A virtio device as a function: name and class (PCI Code and ID Assignment).
struct PciKind {
  std::uint32_t id;  ///< of the virtio device; 0: any other
  const char* driver;
  std::uint32_t class_code;
  unsigned vectors = 0;  ///< by default; 0: one for each queue and one for the configuration
};

inline constexpr PciKind kPciKinds[] = {
    {1, "virtio-net-pci", 0x020000},       {2, "virtio-blk-pci", 0x010000},
    {3, "virtio-serial-pci", 0x078000, 2},  // ports have two queues each, and little to say
    {4, "virtio-rng-pci", 0x00ff00},       {5, "virtio-balloon-pci", 0x00ff00},
    {8, "virtio-scsi-pci", 0x010000},      {9, "virtio-9p-pci", 0x000200},
    {0, "virtio-pci", 0x00ff00},
};

/// The row of a virtio device.
constexpr const PciKind& pci_kind(std::uint32_t id) {
  const PciKind* kind = kPciKinds;
  while (kind->id != id && kind->id != 0) ++kind;
  return *kind;
}

/// Ids of a modern device: Virtio 1.3, 4.1.2.1.
constexpr PciIds pci_ids(std::uint32_t id) {
  constexpr std::uint16_t kVendor = 0x1af4;
  constexpr std::uint16_t kFirstDevice = 0x1040;
  return {kVendor, static_cast<std::uint16_t>(kFirstDevice + id), pci_kind(id).class_code, 1};
}

/// How many vectors MSI-X has where none are asked for.
inline unsigned default_vectors(std::uint32_t id, unsigned queues) {
  const unsigned vectors = pci_kind(id).vectors;
  return vectors != 0 ? vectors : std::min(queues + 1, PciMsix::kMaxVectors);
}

}  // namespace gstage::hw
