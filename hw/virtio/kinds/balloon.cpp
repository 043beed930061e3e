// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/balloon.h"

#include "softmmu/typed_property.h"
#include "hw/virtio/kinds/kind.h"

namespace gstage::hw {
namespace {

constexpr PropertyRow kProperties[] = {
    property<&BalloonOptions::can_deflate_on_oom>("deflate-on-oom",
                                                  "the guest may take memory back when it has none left"),
    property<&BalloonOptions::has_page_reporting>("free-page-reporting",
                                                  "free memory goes back to the host by itself"),
    property<&BalloonOptions::has_page_poison>("page-poison", "the guest says what it fills free pages with"),
    missing_property("free-page-hint"),
    missing_property("guest-stats"),
    missing_property("guest-stats-polling-interval"),
    missing_property("iothread"),
};

Result<std::unique_ptr<VirtioDevice>> create(const DeviceRequest& request) {
  BalloonOptions given;
  if (Status status = read_properties(request.what, kProperties, request.given, given); !status.ok())
    return status.error();
  return std::unique_ptr<VirtioDevice>(std::make_unique<VirtioBalloon>(request.world.memory, given));
}

}  // namespace

const VirtioKind kVirtioBalloonKind{"virtio-balloon", "memory that goes back to the host", kProperties,
                                    create};

}  // namespace gstage::hw
