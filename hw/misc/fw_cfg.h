// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "softmmu/mem/address_space.h"
#include "hw/core/register_table.h"
#include "hw/core/system_device.h"

namespace gstage::hw {

/// The firmware configuration device, memory-mapped form with DMA (QEMU documentation, "QEMU Firmware
/// Configuration (fw_cfg) Device"): numbered items and named files which firmware reads. Items cannot be
/// written by the guest. Numbers in them are little-endian, in the directory of files big-endian.
class FwCfg final : public SystemDevice, public RegisterDevice<FwCfg> {
 public:
  static constexpr const char* kName = "fw-cfg";

  /// Numbers of the well-known items.
  enum Key : std::uint16_t {
    kSignature = 0x00,
    kInterfaces = 0x01,
    kRamSize = 0x03,
    kCpuCount = 0x05,
    kKernelSize = 0x08,
    kInitrdSize = 0x0b,
    kBootMenu = 0x0e,
    kMaxCpus = 0x0f,
    kKernelData = 0x11,
    kInitrdData = 0x12,
    kCommandLineSize = 0x14,
    kCommandLineData = 0x15,
    kFileDirectory = 0x19,
    kFirstFile = 0x20,
  };
  static constexpr std::size_t kMaxFileName = 55;  ///< characters
  /// Bytes that are fetched when the guest reads them: fills all of `to` from `offset`, or answers false.
  using Reader = std::function<bool(std::uint64_t offset, std::span<std::byte> to)>;

  /// `memory` is for DMA and outlives the device.
  explicit FwCfg(AddressSpace& memory);

  // Items are added while the machine is built; one that is there already is replaced.

  void add_item(std::uint16_t key, std::vector<std::uint8_t> bytes);
  void add_number(std::uint16_t key, std::uint64_t value, unsigned size);
  /// A text with its NUL.
  void add_text(std::uint16_t key, const std::string& text);
  void add_source(std::uint16_t key, std::uint32_t size, Reader read);
  /// A named file, at most kMaxFileName characters; the directory lists files by name. The contents of one
  /// that is there may be replaced whenever no hart runs.
  void add_file(const std::string& name, std::vector<std::uint8_t> bytes);
  void add_file(const std::string& name, std::uint32_t size, Reader read);
  [[nodiscard]] bool has_file(const std::string& name) const { return files_.count(name) != 0; }

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
  struct Item {
    std::vector<std::uint8_t> bytes;
    std::uint32_t size = 0;
    Reader read{};  ///< in place of the bytes
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
  void put_file(const std::string& name, Item item);
  void build_directory();
  /// The selected item; null: there is none.
  [[nodiscard]] const Item* selected() const;
  /// Takes what comes next of the item, and zeroes behind its end.
  void take(std::span<std::byte> to);
  void run_dma(Paddr request_at);
  /// Takes so many bytes to guest memory; false on a bad address.
  bool read_to_guest(Paddr to, std::uint32_t length);

  AddressSpace& memory_;
  State state_;
  std::map<std::uint16_t, Item> items_;
  std::map<std::string, Item> files_;  ///< the nth has the key kFirstFile + n
  bool has_failed_ = false;            ///< something could not be read, and the user knows
};

}  // namespace gstage::hw
