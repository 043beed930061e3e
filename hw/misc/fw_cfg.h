// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "softmmu/mem/address_space.h"
#include "hw/core/register_table.h"
#include "hw/core/system_device.h"

namespace gstage::hw {

/// The firmware configuration device, memory-mapped form with DMA (QEMU documentation, "QEMU Firmware
/// Configuration (fw_cfg) Device"): numbered items and named files which firmware reads. Items cannot be
/// written by the guest.
class FwCfg final : public SystemDevice, public RegisterDevice<FwCfg> {
 public:
  static constexpr const char* kName = "fw-cfg";

  /// Numbers of the well-known items.
  enum Key : std::uint16_t {
    kSignature = 0x00,
    kInterfaces = 0x01,
    kRamSize = 0x03,
    kCpuCount = 0x05,
    kMaxCpus = 0x0f,
    kFileDirectory = 0x19,
    kFirstFile = 0x20,
  };

  /// `memory` is for DMA and outlives the device.
  explicit FwCfg(AddressSpace& memory);

  /// Items are added while the machine is built. Integers are little-endian.
  void add_item(std::uint16_t key, std::vector<std::uint8_t> bytes);
  void add_number(std::uint16_t key, std::uint64_t value, unsigned size);
  /// A named file (at most 55 characters); the directory lists it.
  void add_file(const std::string& name, std::vector<std::uint8_t> bytes);

  [[nodiscard]] const char* driver() const override { return "fw_cfg_mem"; }
  void reset() override;
  void visit(Visitor& visitor) override;
  static std::span<const Register<FwCfg>> registers();
  void describe(FdtBuilder& fdt) const override;

 private:
  struct State {
    std::uint16_t key = 0;
    std::uint32_t offset = 0;  ///< of the next byte in the item
    std::uint32_t dma_high = 0;
  };
  struct DmaRequest {
    std::uint32_t control;
    std::uint32_t length;
    std::uint64_t address;
  };

  std::uint64_t read_data(Access);
  void write_data(Access, std::uint64_t);
  void write_selector(Access, std::uint64_t);
  std::uint64_t read_dma_signature(Access);
  void write_dma_address(Access, std::uint64_t);

  void select(std::uint16_t key);
  void build_directory();
  void run_dma(Paddr request_at);
  /// Copies the rest of the item, then zeroes, to guest memory; false on a bad address.
  bool read_to_guest(Paddr to, std::uint32_t length);

  AddressSpace& memory_;
  State state_;
  std::map<std::uint16_t, std::vector<std::uint8_t>> items_;
  std::vector<std::string> files_;  ///< names; number n has the key kFirstFile + n
};

}  // namespace gstage::hw
