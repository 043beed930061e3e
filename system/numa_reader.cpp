// SPDX-License-Identifier: Apache-2.0
#include "system/numa_reader.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "softmmu/base/format.h"
#include "softmmu/base/log.h"
#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

constexpr unsigned kMostNodes = 128;
constexpr unsigned kNoNode = ~0u;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
/// Of a node to itself; others are relative to that (ACPI 6.5, 5.2.17 "System Locality Information Table").
constexpr std::uint8_t kLocalDistance = 10;

constexpr PropertyRow kNodeProperties[] = {
    {"nodeid", "N", "its number, 0 to 127 (default: the next one)"},
    {"cpus", "A[-B]", "harts that are in it; may be given several times (default: as many in each node)"},
    {"memdev", "ID", "the -object memory-backend-... that is its memory"},
    {"mem", "N[K|M|G|T]", "how much of RAM is its memory, in place of memdev; MiB without a suffix"},
    missing_property("initiator"),
};
constexpr PropertyRow kCpuProperties[] = {
    {"node-id", "N", "the node that harts are in; which ones, as -smp numbers them:"},
    {"socket-id", "N", "those of the socket"},
    {"core-id", "N", "those of the core in its socket"},
    {"thread-id", "N", "those of the number in their core"},
    missing_property("book-id"),
    missing_property("cluster-id"),
    missing_property("die-id"),
    missing_property("drawer-id"),
    missing_property("module-id"),
};
constexpr PropertyRow kDistanceProperties[] = {
    {"src", "N", "from this node"},
    {"dst", "N", "to this one"},
    {"val", "N", "10 to 255; 10 is a node to itself. What is said for one direction alone is so for both"},
};
constexpr struct {
  const char* type;
  const char* help;
  PropertyRows properties;
} kTypes[] = {
    {"node", "a node: harts and memory", kNodeProperties},
    {"cpu", "harts that are in a node", kCpuProperties},
    {"dist", "the distance of two nodes", kDistanceProperties},
};

std::string what_of(const DeviceOptions& given) { return "-numa " + given.driver; }

class NumaReader {
 public:
  explicit NumaReader(const Options& options)
      : options_(options), harts_(options.machine.harts), node_of_hart_(harts_, kNoNode) {}

  Result<NumaOptions> read();

 private:
  using Pair = std::pair<unsigned, unsigned>;

  Status add_node(const DeviceOptions& given);
  Status set_memory(const DeviceOptions& given, NumaNode& node);
  Status add_harts(unsigned node, const std::string& text);
  Status add_hart(unsigned node, unsigned hart);
  Status add_cpu(const DeviceOptions& given);
  Status add_distance(const DeviceOptions& given);
  /// The number of a node that is there.
  Result<unsigned> known_node(const DeviceOptions& given, const char* name);
  void place_the_rest();
  Status set_distances(NumaOptions& numa);

  const Options& options_;
  const unsigned harts_;
  std::map<unsigned, NumaNode> nodes_;
  std::vector<unsigned> node_of_hart_;
  std::map<Pair, std::uint8_t> distances_;
};

Status NumaReader::add_hart(unsigned node, unsigned hart) {
  unsigned& place = node_of_hart_[hart];
  if (place != kNoNode && place != node)
    return error("-numa: hart %u is in the nodes %u and %u: leave it out of one", hart, place, node);
  place = node;
  return Ok{};
}

Status NumaReader::add_harts(unsigned node, const std::string& text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_number("-numa node,cpus=", text.substr(0, dash), 0, harts_ - 1);
  auto begin = first;
  if (!begin) return begin.error();
  auto end = dash == std::string::npos
                 ? first
                 : parse_number("-numa node,cpus=", text.substr(dash + 1), *begin, harts_ - 1);
  if (!end) return end.error();
  for (std::uint64_t hart = *begin; hart <= *end; ++hart)
    if (Status status = add_hart(node, static_cast<unsigned>(hart)); !status.ok()) return status;
  return Ok{};
}

Status NumaReader::set_memory(const DeviceOptions& given, NumaNode& node) {
  const std::string* const bytes = given.find("mem");
  const std::string* const memory = given.find("memdev");
  if (bytes != nullptr && memory != nullptr)
    return error("-numa node: mem= and memdev= both say how much memory it has: leave one of them out");
  if (bytes != nullptr) {
    auto size = parse_size("-numa node,mem=", *bytes, kMiB);
    if (!size) return size.error();
    if (*size % kPageSize != 0) return error("-numa node: mem=%s is no multiple of 4 KiB", bytes->c_str());
    node.bytes = *size;
  }
  if (memory == nullptr) return Ok{};
  auto size = memory_object_size(options_, "-numa node,memdev=", *memory);
  if (!size) return size.error();
  node.bytes = *size;
  node.memory = *memory;
  return Ok{};
}

Status NumaReader::add_node(const DeviceOptions& given) {
  auto number = static_cast<unsigned>(nodes_.size());
  if (const std::string* const text = given.find("nodeid"); text != nullptr) {
    auto parsed = parse_number("-numa node,nodeid=", *text, 0, kMostNodes - 1);
    if (!parsed) return parsed.error();
    number = static_cast<unsigned>(*parsed);
  }
  if (number >= kMostNodes) return error("-numa: there are more than %u nodes", kMostNodes);
  if (nodes_.contains(number))
    return error("-numa: the node %u is there twice: choose another nodeid=", number);
  if (Status status = set_memory(given, nodes_[number]); !status.ok()) return status;
  for (const Property& property : given.properties) {
    if (property.name != "cpus") continue;
    if (Status status = add_harts(number, property.value); !status.ok()) return status;
  }
  return Ok{};
}

Result<unsigned> NumaReader::known_node(const DeviceOptions& given, const char* name) {
  const std::string* const text = given.find(name);
  if (text == nullptr) return error("%s has no %s=: add it", what_of(given).c_str(), name);
  auto number = parse_number(what_of(given) + "," + name + "=", *text, 0, kMostNodes - 1);
  if (!number) return number.error();
  if (!nodes_.contains(static_cast<unsigned>(*number)))
    return error("%s: there is no node %llu: put its -numa node before it", what_of(given).c_str(),
                 static_cast<unsigned long long>(*number));
  return static_cast<unsigned>(*number);
}

/// A hart's socket, core and thread: with cores of no given number, they are all in as few sockets as -smp
/// says.
Status NumaReader::add_cpu(const DeviceOptions& given) {
  auto node = known_node(given, "node-id");
  if (!node) return node.error();
  const Topology& smp = options_.topology;
  const unsigned threads = std::max(smp.threads, 1u);
  const unsigned cores =
      smp.cores != 0 ? smp.cores : std::max(harts_ / (std::max(smp.sockets, 1u) * threads), 1u);
  constexpr const char* kIds[] = {"socket-id", "core-id", "thread-id"};
  std::uint64_t wanted[std::size(kIds)] = {};
  for (std::size_t i = 0; i < std::size(kIds); ++i) {
    const std::string* const text = given.find(kIds[i]);
    auto number = text == nullptr ? Result<std::uint64_t>(~std::uint64_t{0})
                                  : parse_number(format("-numa cpu,%s=", kIds[i]), *text, 0, harts_ - 1);
    if (!number) return number.error();
    wanted[i] = *number;
  }
  bool is_any = false;
  for (unsigned hart = 0; hart < harts_; ++hart) {
    const std::uint64_t ids[] = {hart / threads / cores, hart / threads % cores, hart % threads};
    const bool is_meant = std::equal(std::begin(ids), std::end(ids), wanted, [](auto id, auto want) {
      return want == ~std::uint64_t{0} || want == id;
    });
    if (!is_meant) continue;
    is_any = true;
    if (Status status = add_hart(*node, hart); !status.ok()) return status;
  }
  return is_any ? Status(Ok{}) : error("-numa cpu: there is no such hart: -smp says which there are");
}

Status NumaReader::add_distance(const DeviceOptions& given) {
  auto from = known_node(given, "src");
  if (!from) return from.error();
  auto to = known_node(given, "dst");
  if (!to) return to.error();
  const std::string* const text = given.find("val");
  if (text == nullptr) return error("-numa dist has no val=: add it");
  auto value = parse_number("-numa dist,val=", *text, kLocalDistance, UINT8_MAX);
  if (!value) return value.error();
  if (*from == *to && *value != kLocalDistance)
    return error("-numa dist: the distance of node %u to itself is 10", *from);
  distances_[{*from, *to}] = static_cast<std::uint8_t>(*value);
  return Ok{};
}

/// Without cpus= as many follow one another in each node; with some, the others are in the first one.
void NumaReader::place_the_rest() {
  const auto nodes = static_cast<unsigned>(nodes_.size());
  const bool is_any =
      std::any_of(node_of_hart_.begin(), node_of_hart_.end(), [](unsigned node) { return node != kNoNode; });
  const unsigned share = std::max(harts_ / nodes, 1u);
  unsigned left = 0;
  for (unsigned hart = 0; hart < harts_; ++hart) {
    if (node_of_hart_[hart] != kNoNode) continue;
    node_of_hart_[hart] = is_any ? 0 : std::min(hart / share, nodes - 1);
    if (is_any) ++left;
  }
  if (left != 0) warn("-numa: %u harts are in no node, and so in node 0: name them in cpus=", left);
}

Status NumaReader::set_distances(NumaOptions& numa) {
  if (distances_.empty()) return Ok{};
  const auto count = static_cast<unsigned>(nodes_.size());
  numa.distances.assign(std::size_t{count} * count, kLocalDistance);
  for (unsigned from = 0; from < count; ++from) {
    for (unsigned to = 0; to < count; ++to) {
      if (from == to) continue;
      auto found = distances_.find({from, to});
      if (found == distances_.end()) found = distances_.find({to, from});
      if (found == distances_.end())
        return error(
            "-numa: the distance of the nodes %u and %u is missing: add -numa dist,src=%u,dst=%u,val=N", from,
            to, from, to);
      numa.distances[from * count + to] = found->second;
    }
  }
  return Ok{};
}

Result<NumaOptions> NumaReader::read() {
  for (const DeviceOptions& given : options_.numa) {
    const Status status = given.driver == "node"  ? add_node(given)
                          : given.driver == "cpu" ? add_cpu(given)
                                                  : add_distance(given);
    if (!status.ok()) return status.error();
  }
  NumaOptions numa;
  if (nodes_.empty()) return numa;
  bool has_objects = false;
  bool has_sizes = false;
  for (const auto& [number, node] : nodes_) {
    if (number != numa.nodes.size())
      return error("-numa: there is a node %u and no node %zu: number them from 0 on", number,
                   numa.nodes.size());
    (node.memory.empty() ? has_sizes : has_objects) |= node.bytes != 0;
    numa.nodes.push_back(node);
  }
  if (has_objects && has_sizes)
    return error("-numa: some nodes have mem= and others memdev=: use one of them for all");
  place_the_rest();
  numa.node_of_hart = node_of_hart_;
  if (Status status = set_distances(numa); !status.ok()) return status.error();
  return numa;
}

}  // namespace

std::string numa_help() {
  std::string text;
  for (const auto& row : kTypes)
    text += properties_help(format("-numa %s,PROP=VALUE..., %s:", row.type, row.help), row.properties);
  return text;
}

Status check_numa(const DeviceOptions& given) {
  for (const auto& row : kTypes) {
    if (given.driver != row.type) continue;
    for (const Property& property : given.properties)
      if (Status status = check_property(what_of(given), row.properties, property); !status.ok())
        return status;
    return Ok{};
  }
  if (given.driver == "hmat-lb" || given.driver == "hmat-cache")
    return error("-numa %s is not supported yet: use node, cpu and dist", given.driver.c_str());
  return error("-numa: '%s' is none of node, cpu, dist", given.driver.c_str());
}

Result<NumaOptions> read_numa(const Options& options) { return NumaReader(options).read(); }

}  // namespace gstage
