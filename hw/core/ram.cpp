// SPDX-License-Identifier: Apache-2.0
#include "hw/core/ram.h"

#include "io/memory_backend.h"

namespace gstage::hw {
namespace {

Result<RamPart> open_object(const MachineOptions& options, const std::string& id) {
  auto object = find_memory_object(options.objects, id);
  if (!object.ok()) return object.error();
  return open_memory_backend(**object);
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
