// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/ninep.h"

#include "softmmu/typed_property.h"
#include "hw/virtio/kinds/kind.h"

namespace gstage::hw {
namespace {

struct NinepProperties {
  std::string share;
  std::string tag;
};

constexpr PropertyRow kProperties[] = {
    property<&NinepProperties::share>("fsdev", "ID", "a -fsdev"),
    property<&NinepProperties::tag>("mount_tag", "TEXT", "by which the guest mounts it"),
};

Result<std::unique_ptr<VirtioDevice>> create(const DeviceRequest& request) {
  NinepProperties given;
  if (Status status = read_properties(request.what, kProperties, request.given, given); !status.ok())
    return status.error();
  if (given.tag.empty() || given.tag.size() > VirtioNinep::kMostTagBytes)
    return error("%s: mount_tag= must have 1 to %zu characters", request.what.c_str(),
                 VirtioNinep::kMostTagBytes);
  auto share = request.world.back_ends.take_share(request.what, given.share);
  if (!share.ok()) return share.error();
  return std::unique_ptr<VirtioDevice>(std::make_unique<VirtioNinep>(std::move(*share), given.tag));
}

}  // namespace

const VirtioKind kVirtioNinepKind{"virtio-9p", "shared folder", kProperties, create};

}  // namespace gstage::hw
