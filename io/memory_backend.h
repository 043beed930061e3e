// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "softmmu/base/result.h"
#include "softmmu/mem/host_ram.h"
#include "softmmu/typed_property.h"

namespace gstage {

/// What an `-object memory-backend-...` says of memory.
struct MemoryBackendOptions {
  std::string id;
  std::uint64_t size = 0;              ///< bytes
  std::string path;                    ///< mem-path: a file, or a folder for one without a name
  std::uint64_t offset = 0;            ///< in the file
  OnOffAuto share = OnOffAuto::kAuto;  ///< auto: as the kind has it
  bool is_preallocated = false;
  bool is_mergeable = false;
  bool is_dumped = false;
  bool is_discarded = false;
  bool is_sealed = true;
  bool has_huge_pages = false;
  std::uint64_t huge_page_bytes = 0;  ///< 0: the host's default
  std::string policy = "default";
};

/// A kind of memory back end: what `-object` calls it, and its properties.
struct MemoryBackendKind {
  const char* name;
  const char* help;
  PropertyRows properties;
  bool is_shared;  ///< unless share= says otherwise
  /// Opens the file that it needs, or -1: none. `what` is for messages.
  Result<int> (*open)(const std::string& what, const MemoryBackendOptions& options);
};

/// All kinds, by name.
std::span<const MemoryBackendKind> memory_backend_kinds();
/// The kind of that name, or null: it is no memory back end.
const MemoryBackendKind* find_memory_backend(const std::string& name);

/// The memory back end with that id among the machine's objects, or an error that says how to add one.
Result<const DeviceOptions*> find_memory_object(std::span<const DeviceOptions> objects,
                                                const std::string& id);

/// The object's size in bytes; an error when it has none, or another property has no sense. Opens nothing.
Result<std::uint64_t> memory_backend_size(const DeviceOptions& object);
/// Opens what the object names.
Result<RamPart> open_memory_backend(const DeviceOptions& object);

}  // namespace gstage
