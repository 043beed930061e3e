// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/boot.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>

#include <unistd.h>

#include "softmmu/base/log.h"
#include "hw/core/properties.h"
#include "hw/riscv/elf.h"
#include "hw/riscv/reset_rom.h"

namespace gstage::hw {
namespace {

constexpr std::uint64_t kKernelAlign = 2 << 20;
constexpr std::uint64_t kFdtAlign = 2 << 20;
/// Firmware adds nodes to the tree in place.
constexpr std::uint64_t kFdtSlack = 64 << 10;
constexpr std::uint64_t kInitrdDistance = 512 << 20;
constexpr const char* kFdtImageName = "the device tree";
/// What OpenSBI is called where distributions install it.
constexpr const char* kDefaultFirmware[] = {"fw_dynamic.bin", "opensbi-riscv64-generic-fw_dynamic.bin"};

/// The header of a flat kernel (Linux, Documentation/arch/riscv/boot-image-header.rst).
struct ImageHeader {
  std::uint32_t code[2];
  std::uint64_t text_offset;
  std::uint64_t image_size;
  std::uint64_t flags;
  std::uint32_t version;
  std::uint32_t reserved[3];
  char magic[8];
  char magic2[4];
  std::uint32_t pe_offset;
};
static_assert(sizeof(ImageHeader) == 64);

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }
constexpr std::uint64_t align_down(std::uint64_t value, std::uint64_t to) { return value / to * to; }

/// Bytes of memory that a flat image uses once it runs.
Result<std::uint64_t> flat_footprint(ImageFile& file) {
  auto header = file.head<ImageHeader>();
  if (!header.ok()) return header.error();
  const bool is_linux = std::memcmp(header->magic2, "RSC\x05", sizeof header->magic2) == 0;
  return is_linux ? std::max(header->image_size, file.size()) : file.size();
}

/// A file of that name in one of the folders, or an empty path.
std::string find_firmware(const MachineOptions& options, const std::string& name) {
  std::vector<std::string> folders = options.firmware_folders;
  folders.insert(folders.end(), std::begin(MachineOptions::kFirmwareFolders),
                 std::end(MachineOptions::kFirmwareFolders));
  for (const std::string& folder : folders)
    if (const std::string path = folder + "/" + name; access(path.c_str(), R_OK) == 0) return path;
  return "";
}

Result<std::string> default_firmware(const MachineOptions& options) {
  for (const char* const name : kDefaultFirmware)
    if (std::string path = find_firmware(options, name); !path.empty()) return path;
  return error(
      "-bios default: no firmware found at %s/%s; install the package opensbi, or say -bios none or -bios "
      "FILE",
      MachineOptions::kFirmwareFolders[0], kDefaultFirmware[0]);
}

/// The file that -bios names: as it is, or in a folder where firmware is.
std::string named_firmware(const MachineOptions& options) {
  if (access(options.bios.c_str(), F_OK) == 0) return options.bios;
  const std::string found = find_firmware(options, options.bios);
  return found.empty() ? options.bios : found;
}

}  // namespace

Status Boot::plan(const MachineOptions& options, std::vector<std::byte> fdt) {
  start_ = places_.ram_base;
  if (options.kernel.empty() && !options.initrd.empty())
    return error("-initrd is for a kernel; name one with -kernel");
  if (options.kernel.empty() && !options.append.empty())
    return error("-append is for a kernel; name one with -kernel");
  const bool goes_on_in_flash = places_.flash_firmware && options.bios != "none";
  const Status planned = goes_on_in_flash ? plan_flash(options) : plan_kernel_and_firmware(options);
  if (!planned.ok()) return planned;
  if (places_.flash_firmware && !goes_on_in_flash) start_ = *places_.flash_firmware;
  for (const DeviceOptions& device : options.devices) {
    const Status status = device.driver == "loader"         ? plan_loader(options, device)
                          : device.driver == "guest-loader" ? plan_guest_loader(device)
                                                            : Ok{};
    if (!status.ok()) return status;
  }
  fdt_name_ = options.dtb.empty() ? kFdtImageName : "-dtb " + options.dtb;
  if (!options.dtb.empty()) {
    auto tree = read_dtb(options.dtb);
    if (!tree.ok()) return tree.error();
    fdt = std::move(*tree);
  }
  if (Status status = goes_on_in_flash ? Ok{} : plan_initrd(options); !status.ok()) return status;
  if (Status status = plan_fdt(options, std::move(fdt)); !status.ok()) return status;
  return images_.add_bytes("the reset vector", places_.rom_base,
                           make_reset_rom({places_.rom_base, start_, fdt_address_, next_}));
}

Result<std::vector<std::byte>> Boot::read_dtb(const std::string& path) const {
  auto file = ImageFile::open("-dtb", path, ImageFile::Packed::kKeep, 0);
  if (!file.ok()) return file.error();
  std::vector<std::byte> tree(std::min<std::uint64_t>((*file)->size(), kMaxFdtBytes + 1));
  if (Status status = (*file)->read(0, tree); !status.ok()) return status.error();
  if (Status status = check_fdt((*file)->name(), tree); !status.ok()) return status.error();
  const std::string doubt = doubt_fdt_memory(tree, places_.ram_base, places_.ram_size);
  if (!doubt.empty()) warn("%s %s", (*file)->name().c_str(), doubt.c_str());
  return tree;
}

Result<Boot::Placed> Boot::place_elf(const std::shared_ptr<ImageFile>& file, std::uint64_t flat_base) {
  auto elf = parse_elf(*file);
  if (!elf.ok()) return elf.error();
  if (elf->is_movable && !elf->move(flat_base))
    return error("%s does not fit at 0x%" PRIx64 "; choose another address", file->name().c_str(), flat_base);
  auto fit = images_.fit(file, *elf);
  if (!fit.ok()) return fit.error();
  // Firmware starts an ELF kernel at its lowest address, as it would a flat one: ELF files may have another
  // entry for the case that there is no firmware.
  const Placed placed{elf->has_entry ? elf->entry : fit->low, fit->low, fit->high, fit->low,
                      !elf->is_movable};
  if (Status status = images_.add_elf(file, std::move(*fit)); !status.ok()) return status.error();
  return placed;
}

Result<Boot::Placed> Boot::place(const std::shared_ptr<ImageFile>& file, std::uint64_t flat_base) {
  auto is_elf_file = is_elf(*file);
  if (!is_elf_file.ok()) return is_elf_file.error();
  if (*is_elf_file) return place_elf(file, flat_base);
  auto footprint = flat_footprint(*file);
  if (!footprint.ok()) return footprint.error();
  const auto& uimage = file->uimage();
  const bool has_address = uimage && uimage->has_address;
  const std::uint64_t base = has_address ? uimage->load : flat_base;
  const std::uint64_t entry = has_address ? uimage->entry : flat_base;
  if (Status status = images_.add_file(file, base, *footprint); !status.ok()) return status.error();
  return Placed{entry, base, base + *footprint, entry};
}

Status Boot::check_entry(const ImageFile& file, std::uint64_t entry) const {
  if (images_.holds_code(entry)) return Ok{};
  return error("%s has its entry point at 0x%" PRIx64 ", outside of what is loaded; link it with one inside",
               file.name().c_str(), entry);
}

Result<bool> Boot::replaces_firmware(const std::shared_ptr<ImageFile>& kernel) {
  auto is_elf_file = is_elf(*kernel);
  if (!is_elf_file.ok()) return is_elf_file.error();
  if (!*is_elf_file) return false;
  auto elf = parse_elf(*kernel);
  if (!elf.ok()) return elf.error();
  if (elf->is_movable) return false;
  auto fit = images_.fit(kernel, *elf);
  if (!fit.ok()) return fit.error();
  return fit->low <= places_.ram_base;
}

Result<std::uint64_t> Boot::plan_firmware(const MachineOptions& options) {
  auto path =
      options.bios == "default" ? default_firmware(options) : Result<std::string>(named_firmware(options));
  if (!path.ok()) return path.error();
  auto file = ImageFile::open("-bios", *path, ImageFile::Packed::kUnpack, places_.ram_size);
  if (!file.ok()) return file.error();
  auto firmware = place(*file, places_.ram_base);
  if (!firmware.ok()) return firmware.error();
  if (Status status = check_entry(**file, firmware->entry); !status.ok()) return status.error();
  if (firmware->has_symbols) elf_files_.push_back(*file);
  start_ = firmware->entry;
  return align_up(firmware->high, kKernelAlign);
}

Status Boot::plan_kernel_and_firmware(const MachineOptions& options) {
  std::shared_ptr<ImageFile> kernel;
  bool has_firmware = options.bios != "none";
  if (!options.kernel.empty()) {
    auto opened = ImageFile::open("-kernel", options.kernel, ImageFile::Packed::kUnpack, places_.ram_size);
    if (!opened.ok()) return opened.error();
    kernel = *opened;
  }
  if (kernel != nullptr && options.bios == "default") {
    // Scripts from before there was a default firmware start firmware itself with -kernel.
    auto replaces = replaces_firmware(kernel);
    if (!replaces.ok()) return replaces.error();
    has_firmware = !*replaces;
    if (!has_firmware)
      warn("%s lies where the firmware belongs and takes its place, as with -bios none",
           kernel->name().c_str());
  }
  std::uint64_t kernel_base = places_.ram_base;
  if (has_firmware) {
    auto behind = plan_firmware(options);
    if (!behind.ok()) return behind.error();
    kernel_base = *behind;
  }
  if (kernel == nullptr) return Ok{};
  auto placed = place(kernel, kernel_base);
  if (!placed.ok()) return placed.error();
  if (placed->has_symbols) elf_files_.insert(elf_files_.begin(), kernel);
  kernel_low_ = placed->low;
  kernel_high_ = placed->high;
  next_ = placed->next;
  if (has_firmware) return Ok{};
  start_ = placed->entry;
  return check_entry(*kernel, start_);
}

Status Boot::plan_initrd(const MachineOptions& options) {
  if (options.initrd.empty()) return Ok{};
  auto file = ImageFile::open("-initrd", options.initrd, ImageFile::Packed::kKeep, 0);
  if (!file.ok()) return file.error();
  const std::uint64_t size = (*file)->size();
  std::uint64_t base = kernel_low_ + std::min(places_.ram_size / 2, kInitrdDistance);
  base = std::max(base, align_up(kernel_high_, kPageSize));
  chosen_.initrd_base = base;
  chosen_.initrd_size = size;
  return images_.add_file(*file, base);
}

Status Boot::plan_fdt(const MachineOptions& options, std::vector<std::byte> fdt) {
  plain_fdt_ = std::move(fdt);
  chosen_.bootargs = options.append;
  chosen_.has_seed = true;
  auto tree = set_chosen(fdt_name_, plain_fdt_, chosen_);
  if (!tree.ok()) return tree.error();
  fdt_ = std::move(*tree);
  const std::uint64_t needed = fdt_.size() + kFdtSlack;
  if (needed > places_.ram_size)
    return error("%" PRIu64 " KiB of RAM are too few for the device tree; choose a larger -m",
                 places_.ram_size >> 10);
  fdt_address_ = std::max(align_down(ram_end() - needed, kFdtAlign), places_.ram_base);
  return images_.add_bytes(kFdtImageName, fdt_address_, fdt_, needed);
}

Status Boot::plan_loader(const MachineOptions& options, const DeviceOptions& device) {
  PropertyReader properties("-device", device, kLoaderProperties);
  if (properties.is_given("data") || !properties.is_given("file")) return plan_loader_data(options, device);
  const std::string path = properties.text("file");
  const bool has_address = properties.is_given("addr");
  const std::uint64_t address = properties.number("addr", 0);
  const bool is_raw = properties.flag("force-raw", false);
  const bool has_hart = properties.is_given("cpu-num");
  const auto hart = static_cast<unsigned>(properties.number("cpu-num", 0, options.harts - 1));
  if (Status status = properties.finish(); !status.ok()) return status;
  auto file = ImageFile::open("-device loader,file=", path, ImageFile::Packed::kKeep, 0);
  if (!file.ok()) return file.error();
  auto is_elf_file = is_elf(**file);
  if (!is_elf_file.ok()) return is_elf_file.error();
  const bool is_flat = is_raw || !*is_elf_file;
  if (is_flat && !has_address)
    return error("-device loader: %s is not an ELF file; say with addr= where it belongs", path.c_str());
  std::uint64_t entry = address;
  if (is_flat) {
    if (Status status = images_.add_file(*file, address); !status.ok()) return status;
  } else {
    auto placed = place(*file, has_address ? address : places_.ram_base);
    if (!placed.ok()) return placed.error();
    entry = placed->entry;
  }
  if (has_hart) entries_[hart] = entry;
  return Ok{};
}

Status Boot::plan_loader_data(const MachineOptions& options, const DeviceOptions& device) {
  constexpr std::uint64_t kMaxDataBytes = 8;
  PropertyReader properties("-device", device, kLoaderProperties);
  const bool has_address = properties.is_given("addr");
  const bool has_data = properties.is_given("data");
  const bool has_hart = properties.is_given("cpu-num");
  const std::uint64_t address = properties.number("addr", 0);
  const std::uint64_t data = properties.number("data", 0);
  const std::uint64_t size = properties.number("data-len", 0, kMaxDataBytes);
  const bool is_big_endian = properties.flag("data-be", false);
  const auto hart = static_cast<unsigned>(properties.number("cpu-num", 0, options.harts - 1));
  if (Status status = properties.finish(); !status.ok()) return status;
  if (!has_address || (!has_data && !has_hart))
    return error("-device loader needs file=, or addr= with data= and data-len=, or addr= with cpu-num=");
  if (has_data && size == 0) return error("-device loader: data= needs data-len=, 1 to 8 bytes");
  if (has_hart) entries_[hart] = address;
  if (!has_data) return Ok{};
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), &data, size);
  if (is_big_endian) std::reverse(bytes.begin(), bytes.end());
  return images_.add_bytes("-device loader,data=", address, std::move(bytes));
}

Status Boot::plan_guest_loader(const DeviceOptions& device) {
  PropertyReader properties("-device", device, kGuestLoaderProperties);
  const bool has_address = properties.is_given("addr");
  const std::uint64_t address = properties.number("addr", 0);
  const std::string kernel = properties.text("kernel");
  const std::string initrd = properties.text("initrd");
  const bool has_bootargs = properties.is_given("bootargs");
  const std::string bootargs = properties.text("bootargs");
  if (Status status = properties.finish(); !status.ok()) return status;
  if (kernel.empty() == initrd.empty())
    return error("-device guest-loader needs kernel= or initrd=, one of them: use two for two files");
  if (!has_address) return error("-device guest-loader: say with addr= where the file belongs");
  if (has_bootargs && kernel.empty()) return error("-device guest-loader: bootargs= goes with kernel=");
  const bool is_kernel = !kernel.empty();
  const char* const option = is_kernel ? "-device guest-loader,kernel=" : "-device guest-loader,initrd=";
  auto file = ImageFile::open(option, is_kernel ? kernel : initrd, ImageFile::Packed::kKeep, 0);
  if (!file.ok()) return file.error();
  const char* const kind = is_kernel ? "multiboot,kernel" : "multiboot,ramdisk";
  chosen_.modules.push_back({address, (*file)->size(), kind, has_bootargs, bootargs});
  return images_.add_file(*file, address);
}

Result<std::shared_ptr<ImageFile>> Boot::for_firmware(const char* option, const std::string& path,
                                                      ImageFile::Packed packed) const {
  auto file = ImageFile::open(option, path, packed, places_.ram_size);
  if (file.ok() && (*file)->size() > UINT32_MAX)
    return error("%s has more than 4 GiB, which fw_cfg cannot hand to firmware; name a smaller file",
                 (*file)->name().c_str());
  return file;
}

Status Boot::plan_flash(const MachineOptions& options) {
  next_ = *places_.flash_firmware;
  if (auto behind = plan_firmware(options); !behind.ok()) return behind.error();
  if (options.kernel.empty()) return Ok{};
  auto kernel = for_firmware("-kernel", options.kernel, ImageFile::Packed::kForFirmware);
  if (!kernel.ok()) return kernel.error();
  handover_ = {*kernel, nullptr, options.append};
  if (options.initrd.empty()) return Ok{};
  auto initrd = for_firmware("-initrd", options.initrd, ImageFile::Packed::kKeep);
  if (!initrd.ok()) return initrd.error();
  handover_.initrd = *initrd;
  return Ok{};
}

Status Boot::load() {
  auto tree = set_chosen(fdt_name_, plain_fdt_, chosen_);
  if (!tree.ok()) return tree.error();
  fdt_ = std::move(*tree);
  images_.replace_bytes(kFdtImageName, fdt_);
  return images_.load();
}

}  // namespace gstage::hw
