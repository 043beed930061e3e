// SPDX-License-Identifier: Apache-2.0
// Handlers of the options that say what RAM is.
#include <set>

#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "softmmu/option_values.h"
#include "io/memory_backend.h"
#include "system/numa_reader.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kLeastRam = 16 * kMiB;
constexpr std::uint64_t kMostRam = std::uint64_t{1} << 42;
constexpr std::uint64_t kMostSlots = 256;

constexpr PropertyRow kMemoryProperties[] = {
    {"size", "N[K|M|G|T]", "16M to 4T; a number alone counts MiB"},
    {"maxmem", "N[K|M|G|T]", "accepted: there is no hot plug of memory yet"},
    {"slots", "N", "likewise"},
};

Result<std::uint64_t> parse_ram(const std::string& text) {
  auto bytes = parse_size("-m", text, kMiB);
  if (!bytes) return bytes.error();
  if (*bytes < kLeastRam)
    return error("-m: %llu MiB is too small: use 16M to 4T (a number alone counts MiB)",
                 static_cast<unsigned long long>(*bytes / kMiB));
  if (*bytes > kMostRam)
    return error("-m: '%s' is out of range: use 16M to 4T (a number alone counts MiB)", text.c_str());
  return (*bytes + kPageMask) & ~kPageMask;
}

/// RAM is as large as what it is made of, unless -m says how large that is to be.
Status set_ram_bytes(Options& options, const std::string& what, std::uint64_t bytes) {
  std::uint64_t& ram = options.machine.ram_bytes;
  if (options.has_memory_size && bytes != ram)
    return error("%s has %llu MiB and -m says %llu MiB: make them equal", what.c_str(),
                 static_cast<unsigned long long>(bytes / kMiB), static_cast<unsigned long long>(ram / kMiB));
  if (bytes < kLeastRam || bytes > kMostRam)
    return error("%s has %llu KiB: use 16M to 4T", what.c_str(),
                 static_cast<unsigned long long>(bytes >> 10));
  ram = bytes;
  return Ok{};
}

Status settle_backend(Options& options) {
  const std::string& id = options.machine.memory_backend;
  if (id.empty()) return Ok{};
  if (!options.machine.memory_path.empty())
    return error("-mem-path and -machine memory-backend= both say what RAM is: leave one of them out");
  auto bytes = memory_object_size(options, "-machine memory-backend=" + id, id);
  return bytes.ok() ? set_ram_bytes(options, "-machine memory-backend=" + id, *bytes) : Status(bytes.error());
}

Status settle_numa(Options& options) {
  auto numa = read_numa(options);
  if (!numa) return numa.error();
  if (numa->nodes.empty()) return Ok{};
  std::uint64_t bytes = 0;
  std::set<std::string> used;
  for (const NumaNode& node : numa->nodes) {
    bytes += node.bytes;
    if (!node.memory.empty() && !used.insert(node.memory).second)
      return error("-numa: '%s' is the memory of two nodes: add an object for each", node.memory.c_str());
  }
  if (bytes == 0) return error("-numa: the nodes have no memory: give them memdev= or mem=");
  const bool has_other = !options.machine.memory_backend.empty() || !options.machine.memory_path.empty();
  if (has_other && !used.empty())
    return error(
        "-numa memdev= says what RAM is: leave -machine memory-backend= and -mem-path out, or use mem=");
  options.machine.numa = std::move(*numa);
  return set_ram_bytes(options, "-numa: the nodes' memory", bytes);
}

}  // namespace

Result<std::uint64_t> memory_object_size(const Options& options, const std::string& what,
                                         const std::string& id) {
  auto object = find_memory_object(options.machine.objects, id);
  if (!object.ok()) return error("%s: %s", what.c_str(), object.error().message.c_str());
  return memory_backend_size(**object);
}

Status settle_memory(Options& options) {
  if (options.most_memory != 0 && options.most_memory < options.machine.ram_bytes)
    return error("-m: maxmem= is less than size=: leave it out, or make it larger");
  if (const Status status = settle_backend(options); !status.ok()) return status;
  return settle_numa(options);
}

Status MemoryHandlers::memory(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = properties_help("Properties of -m:", kMemoryProperties);
    return Ok{};
  }
  auto properties = parse_properties("-m", argument, "size");
  if (!properties) return properties.error();
  const DeviceOptions given{"", *properties};
  for (const Property& property : *properties)
    if (Status status = check_property("-m", kMemoryProperties, property); !status.ok()) return status;
  if (const std::string* const size = given.find("size"); size != nullptr) {
    auto bytes = parse_ram(*size);
    if (!bytes) return bytes.error();
    options.machine.ram_bytes = *bytes;
    options.has_memory_size = true;
  }
  const std::string* const most = given.find("maxmem");
  const std::string* const slots = given.find("slots");
  if (most == nullptr && slots == nullptr) return Ok{};
  if (most == nullptr) return error("-m: slots= needs maxmem=: say how much memory there may be");
  auto bytes = parse_ram(*most);
  if (!bytes) return bytes.error();
  options.most_memory = *bytes;
  if (slots != nullptr)
    if (auto count = parse_number("-m: slots=", *slots, 0, kMostSlots); !count) return count.error();
  warn("-m: there is no hot plug of memory yet: maxmem= and slots= change nothing");
  return Ok{};
}

Status MemoryHandlers::memory_path(Options& options, const std::string& argument) {
  if (argument.empty()) return error("-mem-path: no file is named: name a file or a folder");
  options.machine.memory_path = argument;
  return Ok{};
}

Status MemoryHandlers::preallocate(Options& options, const std::string&) {
  options.machine.is_memory_preallocated = true;
  return Ok{};
}

Status MemoryHandlers::numa(Options& options, const std::string& argument) {
  if (is_help(argument)) {
    options.output = numa_help();
    return Ok{};
  }
  auto given = parse_device("-numa", argument, "type");
  if (!given) return given.error();
  if (asks_for_help(given->properties)) {
    options.output = numa_help();
    return Ok{};
  }
  if (const Status status = check_numa(*given); !status.ok()) return status;
  options.numa.push_back(std::move(*given));
  return Ok{};
}

}  // namespace gstage
