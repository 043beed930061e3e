// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "softmmu/property_rows.h"
#include "hw/core/loadable.h"
#include "hw/core/machine.h"
#include "hw/riscv/fdt_chosen.h"
#include "hw/riscv/loaded_images.h"

namespace gstage::hw {

/// Of `-device loader`.
inline constexpr PropertyRow kLoaderProperties[] = {
    {"file", "FILE", "what is loaded: an ELF file, or any other with addr="},
    {"addr", "ADDRESS", "where; of an ELF file: how far it is moved"},
    {"force-raw", "on|off", "load an ELF file as it is"},
    {"cpu-num", "N", "the hart that begins at its entry, or at addr"},
    {"data", "N", "a number instead of a file"},
    {"data-len", "N", "how many bytes it has, 1 to 8"},
    {"data-be", "on|off", "the number is big-endian"},
    ignored_property("id"),
};

/// Of `-device guest-loader`: files for a hypervisor, which finds them in /chosen.
inline constexpr PropertyRow kGuestLoaderProperties[] = {
    {"addr", "ADDRESS", "where the file belongs"},
    {"kernel", "FILE", "a guest's kernel, as it is"},
    {"initrd", "FILE", "a guest's initial RAM disk"},
    {"bootargs", "TEXT", "the kernel's command line"},
    ignored_property("id"),
};

/// Where things are that the loader must know.
struct BootPlaces {
  std::uint64_t rom_base;
  std::uint64_t ram_base;
  std::uint64_t ram_size;
  std::vector<LoadablePlace> devices{};  ///< that hold memory as well: flash
  /// Flash that has what the harts begin with (`-bios none`), or what the firmware starts.
  std::optional<std::uint64_t> flash_firmware{};
};

/// What firmware in flash gets by fw_cfg, for it starts the kernel itself.
struct Handover {
  std::shared_ptr<ImageFile> kernel;  ///< null: there is nothing
  std::shared_ptr<ImageFile> initrd;  ///< may be null
  std::string command_line;
};

/// What `-bios`, `-kernel`, `-initrd`, `-append`, `-dtb`, `-device loader` and `-device guest-loader` put
/// into memory, and where the harts begin. Placement is that of QEMU's virt board: firmware at the start of
/// RAM, a flat kernel at the next 2 MiB boundary after it, the initrd half of RAM (at most 512 MiB) above the
/// kernel, the tree at the last 2 MiB boundary of RAM. Firmware and kernels may be packed, and go where a
/// flat image would when they are position-independent ELF files; other ELF files and U-Boot's images go
/// where they are made for. When the firmware goes on in flash, what is there gets the kernel by fw_cfg.
class Boot {
 public:
  /// `memory` outlives the object.
  Boot(AddressSpace& memory, const BootPlaces& places) : places_(places), images_(memory, places.devices) {}

  /// Reads the files and decides on the places. `fdt` is the board's tree. Nothing is written yet.
  Status plan(const MachineOptions& options, std::vector<std::byte> fdt);
  /// Writes everything to memory: at power-on and each reset.
  Status load();

  /// The tree as the guest sees it.
  [[nodiscard]] const std::vector<std::byte>& fdt() const { return fdt_; }
  [[nodiscard]] std::uint64_t fdt_address() const { return fdt_address_; }
  /// Where the reset vector jumps to.
  [[nodiscard]] std::uint64_t start() const { return start_; }
  /// What the firmware starts; 0: nothing.
  [[nodiscard]] std::uint64_t next() const { return next_; }
  /// The kernel and the firmware as far as they are ELF files that are where they were linked, the kernel
  /// first.
  [[nodiscard]] const std::vector<std::shared_ptr<ImageFile>>& elf_files() const { return elf_files_; }
  /// Harts that begin elsewhere than at the reset vector (`-device loader,cpu-num=`).
  [[nodiscard]] const std::map<unsigned, std::uint64_t>& entries() const { return entries_; }
  [[nodiscard]] const Handover& handover() const { return handover_; }

 private:
  /// An image and where it went.
  struct Placed {
    std::uint64_t entry = 0;
    std::uint64_t low = 0;
    std::uint64_t high = 0;    ///< end
    std::uint64_t next = 0;    ///< where firmware starts it
    bool has_symbols = false;  ///< an ELF file that went where it is linked: its symbols are true
  };

  Status plan_kernel_and_firmware(const MachineOptions& options);
  /// Whether a kernel goes where the default firmware would.
  Result<bool> replaces_firmware(const std::shared_ptr<ImageFile>& kernel);
  /// Loads the firmware, and says where a flat kernel goes behind it.
  Result<std::uint64_t> plan_firmware(const MachineOptions& options);
  Result<std::vector<std::byte>> read_dtb(const std::string& path) const;
  Status plan_initrd(const MachineOptions& options);
  Status plan_fdt(const MachineOptions& options, std::vector<std::byte> fdt);
  Status plan_loader(const MachineOptions& options, const DeviceOptions& device);
  Status plan_loader_data(const MachineOptions& options, const DeviceOptions& device);
  Status plan_guest_loader(const DeviceOptions& device);
  /// Has the firmware go on in flash, and hands over what that is to start.
  Status plan_flash(const MachineOptions& options);
  Result<std::shared_ptr<ImageFile>> for_firmware(const char* option, const std::string& path,
                                                  ImageFile::Packed packed) const;
  Result<Placed> place(const std::shared_ptr<ImageFile>& file, std::uint64_t flat_base);
  Result<Placed> place_elf(const std::shared_ptr<ImageFile>& file, std::uint64_t flat_base);
  /// An error unless a hart can begin at the image's entry point.
  [[nodiscard]] Status check_entry(const ImageFile& file, std::uint64_t entry) const;
  [[nodiscard]] std::uint64_t ram_end() const { return places_.ram_base + places_.ram_size; }

  BootPlaces places_;
  LoadedImages images_;
  Chosen chosen_;
  std::string fdt_name_;
  std::vector<std::byte> plain_fdt_;  ///< before /chosen is completed
  std::vector<std::byte> fdt_;
  std::uint64_t fdt_address_ = 0;
  std::uint64_t start_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t kernel_low_ = 0;
  std::uint64_t kernel_high_ = 0;
  std::map<unsigned, std::uint64_t> entries_;
  Handover handover_;
  std::vector<std::shared_ptr<ImageFile>> elf_files_;
};

}  // namespace gstage::hw
