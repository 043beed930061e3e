// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/blk.h"

#include <bit>

#include "softmmu/typed_property.h"
#include "hw/virtio/kinds/kind.h"

namespace gstage::hw {
namespace {

struct BlkProperties {
  std::string drive;
  std::string serial;
  OnOffAuto write_cache = OnOffAuto::kAuto;
  bool can_discard = true;
  bool can_write_zeroes = true;
  std::uint16_t queue_size = 256;
};

constexpr PropertyRow kProperties[] = {
    property<&BlkProperties::drive>("drive", "ID", "a -drive"),
    property<&BlkProperties::serial>("serial", "the disk's serial number, at most 20 characters"),
    property<&BlkProperties::write_cache>("write-cache", "the guest has to flush what it writes (auto: on)"),
    property<&BlkProperties::can_discard>("discard", "the guest may discard"),
    property<&BlkProperties::can_write_zeroes>("write-zeroes", "the guest may ask for zeroes"),
    property<&BlkProperties::queue_size>("queue-size", "entries, a power of two", {4, 1024}),
    ignored_property("bootindex"),
    ignored_property("config-wce"),
    ignored_property("num-queues"),
    missing_property("account-failed"),
    missing_property("account-invalid"),
    missing_property("backend_defaults"),
    missing_property("cyls"),
    missing_property("discard_granularity"),
    missing_property("heads"),
    missing_property("iothread"),
    missing_property("iothread-vq-mapping"),
    missing_property("lcyls"),
    missing_property("lheads"),
    missing_property("logical_block_size"),
    missing_property("lsecs"),
    missing_property("max-discard-sectors"),
    missing_property("max-write-zeroes-sectors"),
    missing_property("min_io_size"),
    missing_property("opt_io_size"),
    missing_property("physical_block_size"),
    missing_property("report-discard-granularity"),
    missing_property("request-merging"),
    missing_property("rerror"),
    missing_property("secs"),
    missing_property("seg-max-adjust"),
    missing_property("share-rw"),
    missing_property("stats-intervals"),
    missing_property("werror"),
    missing_property("x-enable-wce-if-config-wce"),
};

Result<std::unique_ptr<VirtioDevice>> create(const DeviceRequest& request) {
  BlkProperties given;
  if (Status status = read_properties(request.what, kProperties, request.given, given); !status.ok())
    return status.error();
  if (!std::has_single_bit(given.queue_size))
    return error("%s: queue-size must be a power of two from 4 to 1024", request.what.c_str());
  VirtioBlkOptions options;
  options.serial = given.serial;
  options.is_write_cache = given.write_cache != OnOffAuto::kOff;
  options.can_discard = given.can_discard;
  options.can_write_zeroes = given.can_write_zeroes;
  options.queue_size = given.queue_size;
  auto disk = request.world.back_ends.take_drive(request.what, given.drive);
  if (!disk.ok()) return disk.error();
  return std::unique_ptr<VirtioDevice>(std::make_unique<VirtioBlk>(std::move(*disk), options));
}

}  // namespace

const VirtioKind kVirtioBlkKind{"virtio-blk", "disk", kProperties, create};

}  // namespace gstage::hw
