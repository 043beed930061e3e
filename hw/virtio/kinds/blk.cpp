// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/blk.h"

#include <algorithm>
#include <bit>

#include "softmmu/typed_property.h"
#include "hw/core/boot_order.h"
#include "hw/virtio/kinds/kind.h"

namespace gstage::hw {
namespace {

constexpr std::uint16_t kQueuesAuto = 0;
constexpr std::uint16_t kMaxQueues = 64;
constexpr std::uint32_t kMaxRange = 0x3fffff;
constexpr PropertyBounds kBlockBounds{512, 2 << 20};

struct BlkProperties {
  std::string drive;
  std::string serial;
  OnOffAuto write_cache = OnOffAuto::kAuto;
  bool can_discard = true;
  bool can_write_zeroes = true;
  bool can_switch_cache = true;
  std::uint16_t queue_size = 256;
  std::uint16_t queues = kQueuesAuto;
  std::uint32_t logical_block = 512;
  std::uint32_t physical_block = 0;
  std::uint32_t min_io = 0;
  std::uint32_t opt_io = 0;
  std::uint32_t discard_granularity = 0;
  std::uint32_t max_discard_sectors = kMaxRange;
  std::uint32_t max_write_zeroes_sectors = kMaxRange;
  FailureAction on_write = FailureAction::kAuto;
  FailureAction on_read = FailureAction::kAuto;
};

constexpr PropertyRow kProperties[] = {
    property<&BlkProperties::drive>("drive", "ID", "a -drive"),
    property<&BlkProperties::serial>("serial", "the disk's serial number, at most 20 characters"),
    property<&BlkProperties::write_cache>("write-cache", "the guest has to flush what it writes (auto: on)"),
    property<&BlkProperties::can_discard>("discard", "the guest may discard"),
    property<&BlkProperties::can_write_zeroes>("write-zeroes", "the guest may ask for zeroes"),
    property<&BlkProperties::queue_size>("queue-size", "entries, a power of two", {4, 1024}),
    property<&BlkProperties::queues>("num-queues", "queues, 0: one a hart on PCI, else one", {0, kMaxQueues}),
    property<&BlkProperties::can_switch_cache>("config-wce", "the guest may switch the write cache"),
    property<&BlkProperties::logical_block>("logical_block_size", "bytes, a power of two", kBlockBounds),
    property<&BlkProperties::physical_block>("physical_block_size", "bytes, 0: as the logical one",
                                             {0, kBlockBounds.most}),
    property<&BlkProperties::min_io>("min_io_size", "bytes, 0: not said", {0, 2 << 20}),
    property<&BlkProperties::opt_io>("opt_io_size", "bytes, 0: not said"),
    property<&BlkProperties::discard_granularity>("discard_granularity", "bytes, 0: a logical block"),
    property<&BlkProperties::max_discard_sectors>("max-discard-sectors", "of one request", {1, kMaxRange}),
    property<&BlkProperties::max_write_zeroes_sectors>("max-write-zeroes-sectors", "of one request",
                                                       {1, kMaxRange}),
    property<&BlkProperties::on_write>("werror",
                                       "what becomes of writes that fail (auto: as the drive says)"),
    property<&BlkProperties::on_read>("rerror", "likewise of reads"),
    boot_index_property(),
    missing_property("account-failed"),
    missing_property("account-invalid"),
    missing_property("backend_defaults"),
    missing_property("cyls"),
    missing_property("heads"),
    missing_property("iothread"),
    missing_property("iothread-vq-mapping"),
    missing_property("lcyls"),
    missing_property("lheads"),
    missing_property("lsecs"),
    missing_property("report-discard-granularity"),
    missing_property("request-merging"),
    missing_property("secs"),
    missing_property("seg-max-adjust"),
    missing_property("share-rw"),
    missing_property("stats-intervals"),
    missing_property("x-enable-wce-if-config-wce"),
};

Result<std::unique_ptr<VirtioDevice>> create(const DeviceRequest& request) {
  BlkProperties given;
  if (Status status = read_properties(request.what, kProperties, request.given, given); !status.ok())
    return status.error();
  if (!std::has_single_bit(given.queue_size))
    return error("%s: queue-size must be a power of two from 4 to 1024", request.what.c_str());
  const std::uint32_t logical = given.logical_block;
  const std::uint32_t physical = std::max(given.physical_block, logical);
  if (!std::has_single_bit(logical) || !std::has_single_bit(physical))
    return error("%s: logical_block_size and physical_block_size must be powers of two",
                 request.what.c_str());
  if (given.min_io % logical != 0 || given.opt_io % logical != 0 || given.discard_granularity % logical != 0)
    return error(
        "%s: min_io_size, opt_io_size and discard_granularity must be multiples of "
        "logical_block_size (%u)",
        request.what.c_str(), logical);
  VirtioBlkOptions options;
  options.serial = given.serial;
  options.is_write_cache = given.write_cache != OnOffAuto::kOff;
  options.can_discard = given.can_discard;
  options.can_write_zeroes = given.can_write_zeroes;
  options.can_switch_cache = given.can_switch_cache;
  options.queue_size = given.queue_size;
  options.queues = given.queues == kQueuesAuto ? default_queues(request, kMaxQueues) : given.queues;
  options.logical_block = logical;
  options.physical_block = physical;
  options.min_io = given.min_io;
  options.opt_io = given.opt_io;
  options.discard_granularity = given.discard_granularity;
  options.max_discard_sectors = given.max_discard_sectors;
  options.max_write_zeroes_sectors = given.max_write_zeroes_sectors;
  if (Status status = check_read_action(request.what, given.on_read); !status.ok()) return status.error();
  options.failures = request.world.back_ends.failure_rule(given.drive, {given.on_write, given.on_read});
  auto disk = request.world.back_ends.take_drive(request.what, given.drive);
  if (!disk.ok()) return disk.error();
  return std::unique_ptr<VirtioDevice>(std::make_unique<VirtioBlk>(std::move(*disk), options));
}

}  // namespace

const VirtioKind kVirtioBlkKind{"virtio-blk", "disk", kProperties, create};

}  // namespace gstage::hw
