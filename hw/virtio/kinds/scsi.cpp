// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/scsi.h"

#include <bit>

#include "softmmu/typed_property.h"
#include "hw/virtio/kinds/kind.h"

namespace gstage::hw {
namespace {

constexpr std::uint16_t kQueuesAuto = 0;

struct ScsiProperties {
  std::uint16_t queues = kQueuesAuto;
  std::uint16_t queue_size = 256;
  std::uint32_t max_sectors = 0xffff;
  std::uint32_t commands_per_lun = 128;
};

constexpr PropertyRow kProperties[] = {
    property<&ScsiProperties::queues>("num_queues", "of requests, 0: one a hart on PCI, else one",
                                      {0, VirtioScsi::kMaxQueues}),
    property<&ScsiProperties::queue_size>("virtqueue_size", "entries, a power of two", {4, 1024}),
    property<&ScsiProperties::max_sectors>("max_sectors", "of 512 bytes, of one command", {1, 0xffff'ffff}),
    property<&ScsiProperties::commands_per_lun>("cmd_per_lun", "commands that a unit may have at a time",
                                                {1, 0xffff}),
    ignored_property("hotplug"),
    ignored_property("param_change"),
    missing_property("iothread"),
    missing_property("iothread-vq-mapping"),
    missing_property("seg_max_adjust"),
};

Result<std::unique_ptr<VirtioDevice>> create(const DeviceRequest& request) {
  ScsiProperties given;
  if (Status status = read_properties(request.what, kProperties, request.given, given); !status.ok())
    return status.error();
  if (!std::has_single_bit(given.queue_size))
    return error("%s: virtqueue_size must be a power of two from 4 to 1024", request.what.c_str());
  VirtioScsiOptions options;
  options.bus_name = request.world.bus_name(request.given, "scsi");
  options.queue_size = given.queue_size;
  options.queues =
      given.queues == kQueuesAuto ? default_queues(request, VirtioScsi::kMaxQueues) : given.queues;
  options.max_sectors = given.max_sectors;
  options.commands_per_lun = given.commands_per_lun;
  return std::unique_ptr<VirtioDevice>(std::make_unique<VirtioScsi>(options));
}

}  // namespace

const VirtioKind kVirtioScsiKind{"virtio-scsi", "host adapter with a SCSI bus", kProperties, create};

}  // namespace gstage::hw
