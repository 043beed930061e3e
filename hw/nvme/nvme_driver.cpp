// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "softmmu/typed_property.h"
#include "hw/core/boot_order.h"
#include "hw/nvme/nvme.h"
#include "hw/pci/pci_properties.h"

namespace gstage::hw {
namespace {

constexpr std::uint32_t kMostBytes = 2 << 20;
constexpr std::size_t kMostSerial = 20;

struct NvmeProperties {
  std::string drive;
  std::string serial;
  unsigned queue_pairs = 64;
  unsigned vectors = 65;
  unsigned max_transfer = 7;
  unsigned event_requests = 3;
  OnOffAuto write_cache = OnOffAuto::kAuto;
  std::uint32_t logical_block = 512;
  std::uint32_t physical_block = 0;
  std::uint32_t opt_io = 0;
  std::uint32_t discard_granularity = 0;
};
using P = NvmeProperties;

constexpr PropertyRow kProperties[] = {
    property<&P::drive>("drive", "ID", "a -drive"),
    property<&P::serial>("serial", "its serial number, 1 to 20 characters; it has to be given"),
    property<&P::queue_pairs>("max_ioqpairs", "queues of commands", {1, NvmeQueues::kMaxPairs - 1}),
    property<&P::vectors>("msix_qsize", "vectors of MSI-X", {1, PciMsix::kMaxVectors}),
    property<&P::max_transfer>("mdts", "pages of 4 KiB that a command may move, as a power of two",
                               {1, NvmeOptions::kMaxTransfer}),
    property<&P::event_requests>("aerl", "requests for events that may wait, less one", {0, 255}),
    property<&P::write_cache>("write-cache", "the guest has to flush what it writes (auto: on)"),
    property<&P::logical_block>("logical_block_size", "bytes, a power of two", {512, kMostBytes}),
    property<&P::physical_block>("physical_block_size", "bytes, 0: as the logical one", {0, kMostBytes}),
    property<&P::opt_io>("opt_io_size", "bytes, 0: not said"),
    property<&P::discard_granularity>("discard_granularity", "bytes, 0: a logical block"),
    ignored_property("aer_max_queued"),
    boot_index_property(),
    ignored_property("ioeventfd"),
    missing_property("account-failed"),
    missing_property("account-invalid"),
    missing_property("atomic.awun"),
    missing_property("atomic.awupf"),
    missing_property("atomic.dn"),
    missing_property("backend_defaults"),
    missing_property("busnr"),
    missing_property("cmb_size_mb"),
    missing_property("ctratt.mem"),
    missing_property("dbcs"),
    missing_property("firmware-version"),
    missing_property("legacy-cmb"),
    missing_property("min_io_size"),
    missing_property("model"),
    missing_property("mqes"),
    missing_property("msix-exclusive-bar"),
    missing_property("num_queues"),
    missing_property("ocp"),
    missing_property("pmrdev"),
    missing_property("share-rw"),
    missing_property("smart_critical_warning"),
    missing_property("spdm_port"),
    missing_property("spdm_trans"),
    missing_property("sriov_max_vfs"),
    missing_property("sriov_max_vi_per_vf"),
    missing_property("sriov_max_vq_per_vf"),
    missing_property("sriov_vi_flexible"),
    missing_property("sriov_vq_flexible"),
    missing_property("stats-intervals"),
    missing_property("subsys"),
    missing_property("use-intel-id"),
    missing_property("vsl"),
    missing_property("zoned.auto_transition"),
    missing_property("zoned.zasl"),
};

/// Of a namespace there has to be an identifier that no other has; the serial number makes one, of the
/// version for what somebody made up (RFC 9562, 5.8).
std::array<std::uint8_t, 16> uuid_of(const std::string& serial) {
  std::array<std::uint8_t, 16> uuid{};
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;  // FNV-1a
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    for (const char one : serial + static_cast<char>('a' + i)) {
      hash ^= static_cast<std::uint8_t>(one);
      hash *= 0x100'0000'01b3;
    }
    uuid[i] = static_cast<std::uint8_t>(hash >> 32);
  }
  uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0f) | 0x80);
  uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3f) | 0x80);
  return uuid;
}

Status check(const DeviceRequest& request, const NvmeProperties& given) {
  const char* const what = request.what.c_str();
  if (given.serial.empty()) return error("%s needs serial=, 1 to %zu characters", what, kMostSerial);
  if (given.serial.size() > kMostSerial)
    return error("%s: serial= is at most %zu characters long", what, kMostSerial);
  const std::uint32_t logical = given.logical_block;
  if (!std::has_single_bit(logical) ||
      (given.physical_block != 0 && !std::has_single_bit(given.physical_block)))
    return error("%s: logical_block_size and physical_block_size must be powers of two", what);
  if (given.opt_io % logical != 0 || given.discard_granularity % logical != 0)
    return error("%s: opt_io_size and discard_granularity must be multiples of logical_block_size (%u)", what,
                 logical);
  return Ok{};
}

Result<std::unique_ptr<Device>> create(const DeviceRequest& request) {
  NvmeProperties given;
  if (Status status = read_properties(request.what, kProperties, request.given, given); !status.ok())
    return status.error();
  if (Status status = check(request, given); !status.ok()) return status.error();
  NvmeOptions options;
  options.serial = given.serial;
  options.queue_pairs = given.queue_pairs;
  options.vectors = given.vectors;
  options.max_transfer = static_cast<std::uint8_t>(given.max_transfer);
  options.event_requests = static_cast<std::uint8_t>(given.event_requests);
  NvmeNamespaceOptions disk;
  disk.uuid = uuid_of(given.serial);
  disk.is_write_cache = given.write_cache != OnOffAuto::kOff;
  disk.logical_block = given.logical_block;
  disk.physical_block = std::max(given.physical_block, given.logical_block);
  disk.opt_io = given.opt_io;
  disk.discard_granularity = given.discard_granularity;
  auto medium = request.world.back_ends.take_drive(request.what, given.drive);
  if (!medium.ok()) return medium.error();
  auto controller = std::make_unique<Nvme>(
      Nvme::Parts{request.world.memory, request.world.workers, std::move(*medium)}, options, disk);
  if (Status status = read_pci_properties(request, *controller); !status.ok()) return status.error();
  return std::unique_ptr<Device>(std::move(controller));
}

}  // namespace

Driver nvme_driver() {
  return {"nvme",
          "controller of NVM Express with a disk",
          PciBus::kKind,
          {pci_properties(), kProperties},
          create};
}

}  // namespace gstage::hw
