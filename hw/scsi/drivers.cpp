// SPDX-License-Identifier: Apache-2.0
#include "hw/scsi/drivers.h"

#include <algorithm>
#include <bit>

#include "softmmu/typed_property.h"
#include "hw/core/boot_order.h"
#include "hw/scsi/scsi_bus.h"

namespace gstage::hw {
namespace {

constexpr unsigned kAnyTarget = ScsiBus::kTargets;
constexpr unsigned kAnyLun = ScsiBus::kLuns;
constexpr std::uint32_t kMostBytes = 2 << 20;
constexpr std::size_t kMostSerial = 36;

struct UnitProperties {
  std::string drive;
  std::string serial, device_id, vendor, product, version;
  std::uint64_t wwn = 0;
  unsigned target = kAnyTarget;
  unsigned lun = kAnyLun;
  OnOffAuto write_cache = OnOffAuto::kAuto;
  bool has_fua = true;
  bool is_removable = false;
  std::uint16_t rotation_rate = 0;
  std::uint32_t logical_block = 512;
  std::uint32_t physical_block = 0;
  std::uint32_t min_io = 0;
  std::uint32_t opt_io = 0;
  std::uint32_t discard_granularity = 0;
  std::uint64_t max_unmap = std::uint64_t{1} << 30;
  std::uint64_t max_io = 0;
};
using P = UnitProperties;

/// Of both kinds.
constexpr PropertyRow kUnitRows[] = {
    property<&P::drive>("drive", "ID", "a -drive"),
    property<&P::target>("scsi-id", "N", "its target (default: the first without units)",
                         {0, ScsiBus::kTargets - 1}),
    property<&P::lun>("lun", "N", "its number in the target (default: the first free one)",
                      {0, ScsiBus::kLuns - 1}),
    ignored_property("channel"),
    property<&P::serial>("serial", "its serial number, at most 36 characters"),
    property<&P::device_id>("device_id", "its name (default: the serial number, else drive=)"),
    property<&P::wwn>("wwn", "its world-wide name, a number of 64 bits"),
    property<&P::vendor>("vendor", "what it says of itself, at most 8 characters (default: QEMU)"),
    property<&P::product>("product", "likewise, at most 16 (default: QEMU HARDDISK, QEMU CD-ROM)"),
    property<&P::version>("ver", "likewise, at most 4 (default: 2.5+)"),
    boot_index_property(),
    missing_property("account-failed"),
    missing_property("account-invalid"),
    missing_property("backend_defaults"),
    missing_property("migrate-emulated-scsi-request"),
    missing_property("port_index"),
    missing_property("port_wwn"),
    missing_property("quirk_mode_page_set_block_size"),
    missing_property("quirk_mode_page_vendor_specific_apple"),
    missing_property("rerror"),
    missing_property("scsi_version"),
    missing_property("share-rw"),
    missing_property("stats-intervals"),
    missing_property("werror"),
};

/// Of disks alone.
constexpr PropertyRow kDiskRows[] = {
    property<&P::write_cache>("write-cache", "the guest has to flush what it writes (auto: on)"),
    property<&P::has_fua>("dpofua", "the guest may ask for single writes to be flushed"),
    property<&P::is_removable>("removable", "the medium can be taken out"),
    property<&P::rotation_rate>("rotation_rate", "rounds a minute, 1: nothing rotates, 0: not said"),
    property<&P::logical_block>("logical_block_size", "bytes, a power of two", {512, kMostBytes}),
    property<&P::physical_block>("physical_block_size", "bytes, 0: as the logical one", {0, kMostBytes}),
    property<&P::min_io>("min_io_size", "bytes, 0: not said", {0, kMostBytes}),
    property<&P::opt_io>("opt_io_size", "bytes, 0: not said"),
    property<&P::discard_granularity>("discard_granularity", "bytes, 0: not said"),
    property<&P::max_unmap>("max_unmap_size", "bytes of one UNMAP", {512, std::uint64_t{0xffff'ffff} * 512}),
    property<&P::max_io>("max_io_size", "bytes of one command, 0: not said",
                         {0, std::uint64_t{0xffff'ffff} * 512}),
    missing_property("cyls"),
    missing_property("heads"),
    missing_property("lcyls"),
    missing_property("lheads"),
    missing_property("lsecs"),
    missing_property("secs"),
};

/// Those that disks have; of discs these are what they are.
constexpr PropertyRow kDiscRows[] = {
    missing_property("discard_granularity"),
    missing_property("logical_block_size"),
    missing_property("max_io_size"),
    missing_property("min_io_size"),
    missing_property("opt_io_size"),
    missing_property("physical_block_size"),
    missing_property("quirk_mode_page_apple_vendor"),
    missing_property("quirk_mode_page_truncated"),
    missing_property("quirk_mode_sense_rom_use_dbd"),
    missing_property("write-cache"),
};

/// A text that has so much room in what the unit says of itself.
struct Limit {
  const char* name;
  const std::string& text;
  std::size_t most;
};

Status check_texts(const DeviceRequest& request, const UnitProperties& given) {
  const Limit limits[] = {{"serial", given.serial, kMostSerial},
                          {"vendor", given.vendor, 8},
                          {"product", given.product, 16},
                          {"ver", given.version, 4}};
  for (const Limit& limit : limits)
    if (limit.text.size() > limit.most)
      return error("%s: %s= is at most %zu characters long", request.what.c_str(), limit.name, limit.most);
  return Ok{};
}

Status check_sizes(const DeviceRequest& request, const UnitProperties& given) {
  const std::uint32_t logical = given.logical_block;
  if (!std::has_single_bit(logical) ||
      (given.physical_block != 0 && !std::has_single_bit(given.physical_block)))
    return error("%s: logical_block_size and physical_block_size must be powers of two",
                 request.what.c_str());
  for (const std::uint64_t size : {std::uint64_t{given.min_io}, std::uint64_t{given.opt_io},
                                   std::uint64_t{given.discard_granularity}, given.max_io})
    if (size % logical != 0)
      return error(
          "%s: min_io_size, opt_io_size, discard_granularity and max_io_size must be multiples of "
          "logical_block_size (%u)",
          request.what.c_str(), logical);
  return Ok{};
}

ScsiUnitOptions unit_options(const UnitProperties& given, ScsiKind kind) {
  constexpr std::uint32_t kDiscBlock = 2048;
  const bool is_disk = kind == ScsiKind::kDisk;
  ScsiUnitOptions options;
  options.kind = kind;
  if (!is_disk) options.product = "QEMU CD-ROM";
  if (!given.vendor.empty()) options.vendor = given.vendor;
  if (!given.product.empty()) options.product = given.product;
  if (!given.version.empty()) options.version = given.version;
  options.serial = given.serial;
  options.device_id = !given.device_id.empty() ? given.device_id
                      : !given.serial.empty()  ? given.serial
                                               : given.drive;
  options.wwn = given.wwn;
  options.is_removable = !is_disk || given.is_removable;
  options.has_fua = given.has_fua;
  options.is_write_cache = is_disk && given.write_cache != OnOffAuto::kOff;
  options.rotation_rate = given.rotation_rate;
  options.logical_block = is_disk ? given.logical_block : kDiscBlock;
  options.physical_block = std::max(given.physical_block, options.logical_block);
  options.min_io = given.min_io;
  options.opt_io = given.opt_io;
  options.discard_granularity = given.discard_granularity;
  options.max_unmap = given.max_unmap;
  options.max_io = given.max_io;
  return options;
}

Result<std::unique_ptr<Device>> create(const DeviceRequest& request, ScsiKind kind) {
  UnitProperties given;
  for (const PropertyRows rows : {PropertyRows(kUnitRows), PropertyRows(kDiskRows)})
    if (Status status = read_properties(request.what, rows, request.given, given); !status.ok())
      return status.error();
  const std::string* const channel = request.given.find("channel");
  if (channel != nullptr && *channel != "0")
    return error("%s: there is channel 0 alone; leave channel= out", request.what.c_str());
  if (Status status = check_texts(request, given); !status.ok()) return status.error();
  if (Status status = check_sizes(request, given); !status.ok()) return status.error();
  std::shared_ptr<BlockBackend> medium;
  // A drive of discs may be empty.
  if (kind == ScsiKind::kDisk || !given.drive.empty()) {
    auto disk = request.world.back_ends.take_drive(request.what, given.drive);
    if (!disk.ok()) return disk.error();
    medium = std::move(*disk);
  }
  ScsiDevice::Place place;
  if (given.target != kAnyTarget) place.target = static_cast<std::uint8_t>(given.target);
  if (given.lun != kAnyLun) place.lun = static_cast<std::uint16_t>(given.lun);
  return std::unique_ptr<Device>(
      std::make_unique<ScsiDevice>(std::move(medium), unit_options(given, kind), place));
}

Driver pass_through(const char* name) {
  Driver driver{name};
  driver.refusal =
      "the host's SCSI devices are not passed through: use scsi-hd or scsi-cd, with the block device as "
      "the drive's file";
  return driver;
}

}  // namespace

std::vector<Driver> scsi_unit_drivers() {
  return {{"scsi-hd",
           "disk on a SCSI bus",
           ScsiBus::kKind,
           {kUnitRows, kDiskRows},
           [](const DeviceRequest& request) { return create(request, ScsiKind::kDisk); }},
          {"scsi-cd",
           "drive of discs on a SCSI bus",
           ScsiBus::kKind,
           {kUnitRows, kDiscRows},
           [](const DeviceRequest& request) { return create(request, ScsiKind::kCd); }},
          pass_through("scsi-block"),
          pass_through("scsi-generic")};
}

}  // namespace gstage::hw
