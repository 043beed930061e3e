// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "softmmu/mem/address_space.h"
#include "target/riscv/aia/imsic.h"
#include "hw/core/device.h"

namespace gstage::hw {

/// What an IMSIC's node needs to know besides its place.
struct ImsicNode {
  unsigned identities;
  unsigned guest_index_bits;  ///< 0 for machine level
  unsigned mip_bit;           ///< kMei or kSei
};

/// The memory region of all harts' interrupt files of one level (AIA, "Memory region for an interrupt file"):
/// a page a file, the files of a hart together. It has no state and takes no lock: a store goes straight to
/// the file, which is the hart's.
class ImsicPages final : public MmioHandler {
 public:
  /// The files in the order of their pages; null: the page is reserved.
  explicit ImsicPages(std::vector<riscv::InterruptFile*> files) : files_(std::move(files)) {}

  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override;
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override;
  static void describe(FdtBuilder& fdt, const NodePlace& place, const ImsicNode& node,
                       std::span<const std::uint32_t> cpu_irqs);

 private:
  std::vector<riscv::InterruptFile*> files_;
};

}  // namespace gstage::hw
