// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "hw/acpi/bytes.h"

namespace gstage::hw::acpi {

// The interface by which firmware gets the tables of a virtual machine: files of fw_cfg, and commands that
// say where they go (what EDK2's AcpiPlatformDxe and U-Boot's QFW driver read).

inline constexpr const char* kRsdpFile = "etc/acpi/rsdp";
inline constexpr const char* kTablesFile = "etc/acpi/tables";
inline constexpr const char* kLoaderFile = "etc/table-loader";

/// Commands for the firmware, in the order in which it obeys them.
class TableLoader {
 public:
  /// Where in memory a file goes: anywhere, or where PCs look for the RSDP.
  enum class Zone : std::uint8_t { kHigh = 1, kFseg = 2 };
  /// Eight bytes of a file that are an offset in `to`: the address of that file is added to them.
  struct Pointer {
    const char* in;
    std::size_t offset;
    const char* to;
  };
  /// A byte of a file, 0 at first, that makes the sum of the `size` bytes at `start` zero.
  struct Checksum {
    const char* in;
    std::size_t offset;
    std::size_t start;
    std::size_t size;
  };

  /// Loads a file. `alignment` is a power of two, bytes.
  void allocate(const char* file, std::uint32_t alignment, Zone zone);
  void add(const Pointer& pointer);
  void add(const Checksum& checksum);
  [[nodiscard]] const Bytes& commands() const { return commands_; }

 private:
  /// Appends a command, which has a fixed size.
  void command(std::uint32_t type, const Bytes& arguments);

  Bytes commands_;
};

}  // namespace gstage::hw::acpi
