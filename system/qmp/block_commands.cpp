// SPDX-License-Identifier: Apache-2.0
// Disks: what is open, nodes that come and go, limits.
#include <algorithm>

#include "softmmu/base/format.h"
#include "hw/core/back_ends.h"
#include "system/monitor/commands.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

/// Null: the machine has no disks at all.
BlockGraph* blocks_of(CommandContext& context) {
  hw::BackEnds* const back_ends = context.machine.back_ends();
  return back_ends == nullptr ? nullptr : &back_ends->blocks();
}

Json describe(const BlockInfo& info, const ThrottleLimits& limits) {
  Json image{{"filename", info.path}, {"format", info.driver}, {"virtual-size", info.size}};
  return Json{{"file", info.path},
              {"node-name", info.name},
              {"ro", info.is_read_only},
              {"drv", info.driver},
              {"encrypted", false},
              {"backing_file_depth", 0},
              {"bps", limits.buckets[kBpsTotal].rate},
              {"bps_rd", limits.buckets[kBpsRead].rate},
              {"bps_wr", limits.buckets[kBpsWrite].rate},
              {"iops", limits.buckets[kIopsTotal].rate},
              {"iops_rd", limits.buckets[kIopsRead].rate},
              {"iops_wr", limits.buckets[kIopsWrite].rate},
              {"detect_zeroes", "off"},
              {"write_threshold", 0},
              {"image", std::move(image)}};
}

CommandResult query_block(CommandContext& context, const Json&) {
  Json all = Json::array();
  BlockGraph* const blocks = blocks_of(context);
  if (blocks == nullptr) return all;
  for (const BlockInfo& drive : blocks->drives()) {
    const auto group = blocks->drive_group(drive.name);
    all.push_back(Json{{"device", drive.name},
                       {"type", "unknown"},
                       {"removable", false},
                       {"locked", false},
                       {"inserted", describe(drive, group == nullptr ? ThrottleLimits{} : group->limits())}});
  }
  return all;
}

CommandResult query_named_block_nodes(CommandContext& context, const Json&) {
  Json all = Json::array();
  BlockGraph* const blocks = blocks_of(context);
  if (blocks == nullptr) return all;
  for (const BlockInfo& node : blocks->nodes()) all.push_back(describe(node, {}));
  return all;
}

std::string block_text(const Json& result) {
  std::string text;
  for (const Json& drive : result)
    text += format("%s: %s (%s%s)\n", drive["device"].get<std::string>().c_str(),
                   printable(drive["inserted"]["file"].get<std::string>()).c_str(),
                   drive["inserted"]["drv"].get<std::string>().c_str(),
                   drive["inserted"]["ro"].get<bool>() ? ", read-only" : "");
  return text;
}

CommandResult no_disks() { return error("this machine takes no disks: use -M virt"); }

CommandResult blockdev_add(CommandContext& context, const Json& arguments) {
  BlockGraph* const blocks = blocks_of(context);
  if (blocks == nullptr) return no_disks();
  auto node = parse_blockdev(arguments.dump(-1, ' ', true, Json::error_handler_t::replace));
  if (!node.ok()) return node.error();
  const Status added = blocks->add(*node);
  if (added.ok()) return nothing();
  return error("%s (-sandbox off lets commands open files)", added.error().message.c_str());
}

CommandResult blockdev_del(CommandContext& context, const Json& arguments) {
  BlockGraph* const blocks = blocks_of(context);
  if (blocks == nullptr) return no_disks();
  return blocks->remove(arguments["node-name"].get<std::string>());
}

CommandResult block_set_io_throttle(CommandContext& context, const Json& arguments) {
  BlockGraph* const blocks = blocks_of(context);
  if (blocks == nullptr) return no_disks();
  const std::string name = arguments["device"].get<std::string>();
  const auto group = blocks->drive_group(name);
  if (group == nullptr) return CommandError{"DeviceNotFound", "Device '" + name + "' not found"};
  ThrottleLimits limits;
  for (const auto& [limit, value] : arguments.items()) {
    if (limit == "device") continue;
    const std::string number = value.is_string() ? value.get<std::string>() : value.dump();
    auto is_set = set_throttle_limit("block_set_io_throttle", ThrottleNames::kOld, {limit, number}, limits);
    if (!is_set.ok()) return is_set.error();
    if (!*is_set) return error("Parameter '%s' is unexpected", printable(limit).c_str());
  }
  if (const Status status = check_throttle_limits("block_set_io_throttle", limits); !status.ok())
    return status.error();
  group->set_limits(limits);
  return nothing();
}

constexpr CommandArgument kAddArguments[] = {
    {"driver", ArgumentType::kProperties, false, "as -blockdev has it, with node-name"}};
constexpr CommandArgument kDelArguments[] = {{"node-name", ArgumentType::kString, false, "of the node"}};
constexpr CommandArgument kThrottleArguments[] = {
    {"device", ArgumentType::kProperties, false, "the id of a drive, and bps=N, iops_rd=N, ... of -drive"}};

constexpr Command kCommands[] = {
    {.qmp = "query-block", .hmp = "info block", .run = query_block, .text = block_text, .help = "drives"},
    {.qmp = "query-named-block-nodes", .run = query_named_block_nodes, .help = "nodes of -blockdev"},
    {.qmp = "blockdev-add",
     .arguments = kAddArguments,
     .run = blockdev_add,
     .help = "open a node for devices and other nodes"},
    {.qmp = "blockdev-del", .arguments = kDelArguments, .run = blockdev_del, .help = "close a node"},
    {.qmp = "block_set_io_throttle",
     .hmp = "block_set_io_throttle",
     .arguments = kThrottleArguments,
     .run = block_set_io_throttle,
     .help = "limits of a drive, or of the group that it is in"},
};

}  // namespace

std::span<const Command> block_commands() { return kCommands; }

}  // namespace gstage
