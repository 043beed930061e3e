// SPDX-License-Identifier: Apache-2.0
#include "io/block/graph.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "io/block/disks.h"
#include "io/block/nbd/nbd.h"
#include "io/block/open_file.h"
#include "io/block/qcow2/qcow2.h"

namespace gstage {

namespace {

/// Disks are addressed by sectors of this size.
constexpr std::uint64_t kSector = 512;

/// Opens one node with all under it.
class Opener {
 public:
  Opener(BlockGraph& graph, std::string what) : graph_(graph), what_(std::move(what)) {}

  /// `names_anything`: the user said what the image is, so that it may name files wherever they are.
  Result<BlockNode> open(const BlockOptions& options, bool names_anything);

 private:
  Result<BlockNode> open_bottom(const BlockOptions& options);
  Result<OpenedFile> open_server(const BlockOptions& options);
  Result<BlockNode> open_under(const BlockOptions& options);
  Result<BlockNode> open_throttled(const BlockOptions& options, const BlockNode& under);
  Result<BlockNode> open_raw(const BlockOptions& options, const BlockNode& under);
  Result<BlockNode> open_qcow2(const BlockOptions& options, const BlockNode& under, bool names_anything);
  Result<std::shared_ptr<BlockBackend>> open_backing(const BlockOptions& options, const BlockNode& under,
                                                     const qcow2::Header& header, bool names_anything);
  Result<BlockOptions> named_backing(const BlockOptions& options, const BlockNode& under,
                                     const qcow2::Header& header, bool names_anything);

  BlockGraph& graph_;
  const std::string what_;
  FileChain chain_;
};

/// Under a node in place: how it is written goes for what is under it too.
BlockOptions inherited(BlockOptions child, const BlockOptions& parent) {
  child.is_read_only |= parent.is_read_only;
  child.is_auto_read_only |= parent.is_auto_read_only;
  child.is_direct |= parent.is_direct;
  child.skips_flush |= parent.skips_flush;
  child.shares_by_force |= parent.shares_by_force;
  if (parent.discard == DiscardUse::kUnmap) child.discard = DiscardUse::kUnmap;
  return child;
}

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> found(realpath(path.c_str(), nullptr), std::free);
  return found == nullptr ? "" : found.get();
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

/// Whether the file is in the folder that the image is in, or below, whatever links there are on the way.
bool is_beside(const std::string& file, const std::string& image) {
  const std::string folder = real_path(folder_of(image));
  return !folder.empty() && real_path(file).starts_with(folder == "/" ? folder : folder + "/");
}

/// "nbd://HOST", "json:{...}": what names no file.
bool is_protocol(const std::string& name) {
  const std::size_t colon = name.find(':');
  return colon != std::string::npos && name.find('/') > colon;
}

Result<BlockNode> Opener::open(const BlockOptions& options, bool names_anything) {
  if (options.detect_zeroes == DetectZeroes::kUnmap && options.discard != DiscardUse::kUnmap)
    return error("%s: detect-zeroes=unmap needs discard=unmap: add that, or say detect-zeroes=on",
                 what_.c_str());
  const bool is_bottom = has_no_file(options.driver);
  auto under = is_bottom ? open_bottom(options) : open_under(options);
  if (!under.ok()) return under.error();
  Result<BlockNode> node = under;
  std::string format = options.driver;
  if (format.empty()) {
    auto probed = probe_format(what_, *under->file, under->path);
    if (!probed.ok()) return probed.error();
    format = *probed;
  }
  if (format == "throttle")
    node = open_throttled(options, *under);
  else if (format == "raw")
    node = open_raw(options, *under);
  else if (format == "qcow2")
    node = open_qcow2(options, *under, names_anything);
  else if (!is_bottom)
    return error(
        "%s: '%s' is a %s image, which is not supported yet: convert it (qemu-img convert -O raw), or "
        "say format=raw if it is raw all the same",
        what_.c_str(), under->path.c_str(), format.c_str());
  if (!node.ok()) return node.error();
  node->driver = format;
  WritePolicy policy;
  policy.is_writethrough = options.is_writethrough;
  policy.finds_zeroes = options.detect_zeroes != DetectZeroes::kOff;
  policy.unmaps_zeroes = options.detect_zeroes == DetectZeroes::kUnmap;
  if (!policy.is_plain() && !node->is_read_only) node->disk = make_policy_filter(node->disk, policy);
  return node;
}

Result<OpenedFile> Opener::open_server(const BlockOptions& options) {
  const nbd::Server server = server_of(options);
  auto connect = nbd::make_connector(server);
  if (!connect.ok()) return error("%s: %s", what_.c_str(), connect.error().message.c_str());
  nbd::Setup setup;
  setup.name = server.text();
  setup.export_name = options.export_name;
  setup.connect = std::move(*connect);
  setup.can_unmap = options.discard == DiscardUse::kUnmap;
  setup.skips_sync = options.skips_flush;
  setup.reconnect_delay_s = options.reconnect_delay;
  setup.connect_timeout_s = options.open_timeout;
  auto opened = nbd::open(std::move(setup));
  if (!opened.ok()) return error("%s: %s", what_.c_str(), opened.error().message.c_str());
  if (opened->is_read_only && !options.is_read_only && !options.is_auto_read_only)
    return error("%s: '%s' can only be read: add readonly=on or snapshot=on", what_.c_str(),
                 server.text().c_str());
  return OpenedFile{std::move(opened->file), opened->is_read_only || options.is_read_only};
}

Result<BlockNode> Opener::open_bottom(const BlockOptions& options) {
  const bool is_server = options.driver == "nbd";
  auto opened = is_server ? open_server(options) : open_block_file(what_, options, chain_);
  if (!opened.ok()) return opened.error();
  // A last sector that is there in part reads as if zeros followed.
  const std::uint64_t size = (opened->file->size() + kSector - 1) / kSector * kSector;
  return BlockNode{make_raw_disk(opened->file, {0, size, opened->is_read_only}), opened->file,
                   is_server ? server_of(options).text() : options.filename, opened->is_read_only};
}

Result<BlockNode> Opener::open_under(const BlockOptions& options) {
  auto under = options.file.empty()
                   ? graph_.use(what_, options.file_node, options.is_read_only || options.is_auto_read_only)
                   : open(inherited(options.file.front(), options), true);
  if (!under.ok()) return under.error();
  if (under->file == nullptr && options.driver != "throttle")
    return error("%s: file=%s is an image itself: a format lies on a node of driver=file", what_.c_str(),
                 options.file_node.c_str());
  if (under->is_read_only && !options.is_read_only && !options.is_auto_read_only)
    return error("%s: '%s' is opened read-only: add read-only=on", what_.c_str(), under->path.c_str());
  return under;
}

Result<BlockNode> Opener::open_throttled(const BlockOptions& options, const BlockNode& under) {
  auto group = graph_.throttle_group(options.throttle_group);
  if (group == nullptr)
    return error("%s: there is no throttle-group '%s': add -object throttle-group,id=%s", what_.c_str(),
                 options.throttle_group.c_str(), options.throttle_group.c_str());
  BlockNode node = under;
  node.is_read_only |= options.is_read_only;
  node.disk = make_throttled_disk(under.disk, group);
  if (under.file != nullptr) node.file = make_throttled_file(under.file, group);
  return node;
}

Result<BlockNode> Opener::open_raw(const BlockOptions& options, const BlockNode& under) {
  BlockNode node = under;
  node.is_read_only |= options.is_read_only;
  const std::uint64_t end = under.disk->size();
  if (options.offset > end || options.size > end - options.offset)
    return error("%s: offset= and size= reach beyond the %llu bytes of '%s'", what_.c_str(),
                 static_cast<unsigned long long>(end), under.path.c_str());
  const bool is_part = options.offset != 0 || options.size != 0;
  const std::uint64_t size = options.size != 0 ? options.size : end - options.offset;
  node.disk = make_raw_disk(under.file, {options.offset, size, node.is_read_only});
  // What lies on a part of a file could grow into the rest.
  if (is_part) node.file = nullptr;
  return node;
}

Result<BlockNode> Opener::open_qcow2(const BlockOptions& options, const BlockNode& under,
                                     bool names_anything) {
  qcow2::Setup setup;
  setup.name = under.path;
  setup.is_read_only = options.is_read_only || under.is_read_only;
  setup.can_unmap = options.discard == DiscardUse::kUnmap;
  setup.file = under.file;
  auto header = qcow2::read_header(*under.file, under.path);
  if (!header.ok()) return error("%s: %s", what_.c_str(), header.error().message.c_str());
  auto backing = open_backing(options, under, *header, names_anything);
  if (!backing.ok()) return backing.error();
  setup.backing = std::move(*backing);
  auto disk = qcow2::open(std::move(setup), *header);
  if (!disk.ok()) return error("%s: %s", what_.c_str(), disk.error().message.c_str());
  return BlockNode{std::move(*disk), nullptr, under.path, options.is_read_only || under.is_read_only};
}

Result<std::shared_ptr<BlockBackend>> Opener::open_backing(const BlockOptions& options,
                                                           const BlockNode& under,
                                                           const qcow2::Header& header, bool names_anything) {
  const bool is_given = !options.backing.empty() || !options.backing_node.empty();
  if (options.has_no_backing || (!is_given && header.backing_name.empty()))
    return std::shared_ptr<BlockBackend>();
  if (!options.backing_node.empty()) {
    auto node = graph_.use(what_, options.backing_node, true);
    if (!node.ok()) return node.error();
    return node->disk;
  }
  auto backing = options.backing.empty() ? named_backing(options, under, header, names_anything)
                                         : Result<BlockOptions>(options.backing.front());
  if (!backing.ok()) return backing.error();
  backing->is_read_only = true;
  auto node = open(*backing, names_anything);
  if (!node.ok()) return node.error();
  return node->disk;
}

/// An image comes from anywhere and may name any file of the host, which the guest could read then. It may
/// name what lies beside it; more when the user vouched for it by saying its format.
Result<BlockOptions> Opener::named_backing(const BlockOptions& options, const BlockNode& under,
                                           const qcow2::Header& header, bool names_anything) {
  const std::string& name = header.backing_name;
  const char* const image = under.path.c_str();
  if (is_protocol(name))
    return error("%s: the backing file '%s' of '%s' is not supported yet: only files are", what_.c_str(),
                 name.c_str(), image);
  const std::string path = name.starts_with("/") ? name : folder_of(under.path) + "/" + name;
  if (header.backing_format.empty())
    return error(
        "%s: '%s' does not say which format its backing file '%s' has: add backing.driver=raw or qcow2 "
        "with backing.file.driver=file,backing.file.filename=FILE, or have qemu-img rebase -u -F say it",
        what_.c_str(), image, name.c_str());
  if (!names_anything && !is_beside(path, under.path))
    return error(
        "%s: '%s' wants to read '%s' as its backing file, which is not in its folder: add format=qcow2 "
        "if you trust the image",
        what_.c_str(), image, name.c_str());
  const bool is_file = header.backing_format == "file" || header.backing_format == "host_device";
  BlockOptions backing;
  backing.driver = is_file ? "raw" : header.backing_format;
  if (backing.driver != "raw" && backing.driver != "qcow2")
    return error("%s: the backing file '%s' of '%s' has the format %s, which is not supported yet",
                 what_.c_str(), name.c_str(), image, backing.driver.c_str());
  BlockOptions file;
  file.driver = "file";
  file.filename = path;
  file.is_direct = options.is_direct;
  file.shares_by_force = options.shares_by_force;
  backing.file.push_back(std::move(file));
  return backing;
}

}  // namespace

Status BlockGraph::add(const BlockOptions& options) {
  if (options.node_name.empty())
    return error("-blockdev: a node has no name that a device could use: add node-name=NAME");
  if (has(options.node_name))
    return error("-blockdev: the node-name '%s' is given twice: choose another", options.node_name.c_str());
  auto node = Opener(*this, "-blockdev " + options.node_name).open(options, true);
  if (!node.ok()) return node.error();
  auto entry = std::make_shared<Entry>();
  entry->node = std::move(*node);
  nodes_[options.node_name] = std::move(entry);
  return Ok{};
}

/// That somebody has a node.
struct BlockGraph::Use {
  std::shared_ptr<Entry> entry;
  bool is_writer;

  Use(std::shared_ptr<Entry> of, bool writes) : entry(std::move(of)), is_writer(writes) {
    ++entry->users;
    entry->has_writer |= is_writer;
  }
  ~Use() {
    --entry->users;
    if (is_writer) entry->has_writer = false;
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
};

Result<BlockNode> BlockGraph::use(const std::string& what, const std::string& name, bool reads_alone) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end())
    return error("%s: there is no node '%s'; add -blockdev driver=...,node-name=%s in front of it",
                 what.c_str(), name.c_str(), name.c_str());
  const Entry& entry = *found->second;
  const bool is_writer = !entry.node.is_read_only && !reads_alone;
  if (entry.has_writer || (is_writer && entry.users != 0))
    return error("%s: the node '%s' is in use already: use another -blockdev, or one with read-only=on",
                 what.c_str(), name.c_str());
  // What the user gets has the use with it.
  const auto use = std::make_shared<Use>(found->second, is_writer);
  BlockNode node = entry.node;
  node.disk = {use, entry.node.disk.get()};
  if (entry.node.file != nullptr) node.file = {use, entry.node.file.get()};
  return node;
}

Status BlockGraph::remove(const std::string& name) {
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return error("there is no node '%s'", name.c_str());
  if (found->second->users != 0)
    return error("the node '%s' is in use: delete the device or the node that has it first", name.c_str());
  nodes_.erase(found);
  return Ok{};
}

std::vector<BlockInfo> BlockGraph::nodes() const {
  std::vector<BlockInfo> all;
  for (const auto& [name, entry] : nodes_)
    all.push_back(
        {name, entry->node.driver, entry->node.path, entry->node.disk->size(), entry->node.is_read_only});
  return all;
}

Status BlockGraph::add_throttle_group(const std::string& name, const ThrottleLimits& limits) {
  if (throttle_groups_.emplace(name, std::make_shared<ThrottleGroup>(limits)).second) return Ok{};
  return error("there is a throttle-group '%s' already: choose another id", name.c_str());
}

std::shared_ptr<ThrottleGroup> BlockGraph::throttle_group(const std::string& name) const {
  const auto found = throttle_groups_.find(name);
  return found == throttle_groups_.end() ? nullptr : found->second;
}

std::shared_ptr<ThrottleGroup> BlockGraph::drive_group(const std::string& id) const {
  const auto found = drive_groups_.find(id);
  return found == drive_groups_.end() ? nullptr : found->second;
}

Result<std::shared_ptr<BlockBackend>> BlockGraph::open_drive(const DriveOptions& options) {
  auto image = open_image(options);
  if (!image.ok()) return image.error();
  drives_.push_back({options.id, image->driver, image->path, image->disk->size(), image->is_read_only});
  const std::string& name = options.throttle_group.empty() ? options.id : options.throttle_group;
  auto& group = throttle_groups_[name];
  if (group == nullptr) group = std::make_shared<ThrottleGroup>();
  // Of several disks in a group the last one's count.
  if (options.limits.any()) group->set_limits(options.limits);
  drive_groups_[options.id] = group;
  return make_throttled_disk(std::move(image->disk), group);
}

Result<BlockNode> BlockGraph::open_image(const DriveOptions& options) {
  const std::string what = "-drive";
  if (options.file.empty()) return error("-drive: no image is named: add file=PATH");
  BlockOptions node = options.node;
  node.driver = options.format;
  node.is_read_only = options.is_read_only || options.is_snapshot;
  if (node.file.empty()) node.file.emplace_back();
  BlockOptions& bottom = node.file.front();
  if (bottom.driver.empty()) bottom.driver = "file";
  if (bottom.driver != "nbd") bottom.filename = options.file;
  if (options.is_snapshot) {
    // What is thrown away is never unmapped.
    node.discard = DiscardUse::kIgnore;
    node.detect_zeroes = DetectZeroes::kOff;
  }
  auto opened = Opener(*this, what).open(node, !options.format.empty());
  if (!opened.ok() || !options.is_snapshot || options.is_read_only) return opened;
  auto overlay = open_temporary_file(what);
  if (!overlay.ok()) return overlay.error();
  opened->disk = make_snapshot(std::move(opened->disk), std::move(*overlay));
  opened->is_read_only = false;
  return opened;
}

Result<std::shared_ptr<BlockBackend>> open_drive(const DriveOptions& options) {
  return BlockGraph().open_drive(options);
}

}  // namespace gstage
