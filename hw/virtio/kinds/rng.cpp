// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/rng.h"

#include "softmmu/typed_property.h"
#include "hw/virtio/kinds/kind.h"

namespace gstage::hw {
namespace {

struct RngProperties {
  std::string object;
};

constexpr PropertyRow kProperties[] = {
    property<&RngProperties::object>("rng", "ID", "a -object (default: the emulator's own)"),
    ignored_property("max-bytes"),
    ignored_property("period"),
};

Result<std::unique_ptr<VirtioDevice>> create(const DeviceRequest& request) {
  RngProperties given;
  if (Status status = read_properties(request.what, kProperties, request.given, given); !status.ok())
    return status.error();
  const DeviceOptions* const object = request.world.back_ends.object(given.object);
  if (!given.object.empty() && object == nullptr)
    return error("%s: there is no object '%s'; add -object rng-random,id=%s", request.what.c_str(),
                 given.object.c_str(), given.object.c_str());
  if (object == nullptr || object->driver == "rng-builtin")
    return std::unique_ptr<VirtioDevice>(std::make_unique<VirtioRng>(EntropySource()));
  const std::string* const path = object->find("filename");
  auto source = EntropySource::open(path == nullptr ? "/dev/urandom" : *path);
  if (!source.ok()) return source.error();
  return std::unique_ptr<VirtioDevice>(std::make_unique<VirtioRng>(std::move(*source)));
}

}  // namespace

const VirtioKind kVirtioRngKind{"virtio-rng", "random numbers", kProperties, create};

}  // namespace gstage::hw
