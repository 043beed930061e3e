// SPDX-License-Identifier: Apache-2.0
#include "hw/core/ram.h"

#include <algorithm>

#include "io/memory_backend.h"

namespace gstage::hw {
namespace {

Result<RamPart> open_object(const MachineOptions& options, const std::string& id) {
  const auto object =
      std::find_if(options.objects.begin(), options.objects.end(), [&id](const DeviceOptions& candidate) {
        const std::string* const name = candidate.find("id");
        return name != nullptr && *name == id && find_memory_backend(candidate.driver) != nullptr;
      });
  if (object == options.objects.end())
    return error("there is no memory '%s': add -object memory-backend-ram,id=%s,size=N", id.c_str(),
                 id.c_str());
  return open_memory_backend(*object);
}

Result<RamPart> open_whole(const MachineOptions& options) {
  if (!options.memory_backend.empty()) return open_object(options, options.memory_backend);
  if (!options.memory_path.empty())
    return open_memory_backend(
        {"memory-backend-file",
         {{"size", std::to_string(options.ram_bytes)}, {"mem-path", options.memory_path}}});
  return RamPart{options.ram_bytes};
}

}  // namespace

Result<std::vector<RamPart>> open_ram(const MachineOptions& options) {
  std::vector<RamPart> parts;
  for (const NumaNode& node : options.numa.nodes) {
    if (node.memory.empty()) continue;
    auto part = open_object(options, node.memory);
    if (!part.ok()) return part.error();
    parts.push_back(std::move(*part));
  }
  if (parts.empty()) {
    auto whole = open_whole(options);
    if (!whole.ok()) return whole.error();
    parts.push_back(std::move(*whole));
  }
  for (RamPart& part : parts) part.is_preallocated |= options.is_memory_preallocated;
  return parts;
}

}  // namespace gstage::hw
