// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "softmmu/mem/address_space.h"
#include "target/riscv/aia/imsic.h"
#include "hw/core/msi_sink.h"
#include "hw/core/system_device.h"

namespace gstage::hw {

/// What an IMSIC's node needs to know besides its place.
struct ImsicNode {
  unsigned identities = 0;
  unsigned guest_index_bits = 0;  ///< 0 for machine level
  unsigned mip_bit = 0;           ///< kMei or kSei
};

/// The memory region of all harts' interrupt files of one level (AIA, "Memory region for an interrupt file"):
/// a page a file, the files of a hart together. It has no state and takes no lock: a store goes straight to
/// the file, which is the hart's.
class ImsicPages final : public SystemDevice, public MmioHandler {
 public:
  /// The files in the order of their pages; null: the page is reserved.
  explicit ImsicPages(std::vector<riscv::InterruptFile*> files, const ImsicNode& node = {})
      : files_(std::move(files)), node_(node) {}

  [[nodiscard]] const char* driver() const override { return "riscv.imsic"; }
  void describe(FdtBuilder& fdt) const override;
  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override;
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override;

 private:
  std::vector<riscv::InterruptFile*> files_;
  const ImsicNode node_;
};

/// The interrupt files of a machine as what messages are sent to: they reach a file and nothing else.
class ImsicSink final : public MsiSink {
 public:
  /// Before the first message.
  void add(std::uint64_t base, std::uint64_t size, ImsicPages& pages) {
    ranges_.push_back({base, size, &pages});
  }
  void send(std::uint64_t address, std::uint32_t data) override;

 private:
  struct Range {
    std::uint64_t base;
    std::uint64_t size;
    ImsicPages* pages;
  };
  std::vector<Range> ranges_;
};

}  // namespace gstage::hw
