// SPDX-License-Identifier: Apache-2.0
// -fsdev and -virtfs: folders of the host that the guest may use.
#include <algorithm>

#include "softmmu/option_values.h"
#include "softmmu/property_rows.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

using ninep::SecurityModel;
using ninep::ShareOptions;

constexpr PropertyRow kFsdevProperties[] = {
    {"id", "ID", "for -device virtio-9p-pci,fsdev=ID"},
    {"path", "FOLDER", "what the guest sees as the root"},
    {"security_model", "none|passthrough|mapped-xattr|mapped-file",
     "owners and modes: the host's, or the guest's own, kept in attributes or beside the files"},
    {"readonly", "on|off", "the guest may read alone"},
    {"fmode", "OCTAL", "of files on the host, where they are mapped (default: 0600)"},
    {"dmode", "OCTAL", "of folders, likewise (default: 0700)"},
    ignored_property("writeout"),
    ignored_property("multidevs"),
    missing_property("sock_fd"),
    missing_property("socket"),
    missing_property("throttling.bps-read"),
    missing_property("throttling.bps-total"),
    missing_property("throttling.bps-write"),
    missing_property("throttling.iops-read"),
    missing_property("throttling.iops-total"),
    missing_property("throttling.iops-write"),
};

constexpr struct {
  const char* name;
  SecurityModel model;
} kModels[] = {{"none", SecurityModel::kNone},
               {"passthrough", SecurityModel::kPassthrough},
               {"mapped-xattr", SecurityModel::kMappedXattr},
               {"mapped", SecurityModel::kMappedXattr},
               {"mapped-file", SecurityModel::kMappedFile}};

Status set_model(const char* option, const std::string& name, ShareOptions& share) {
  for (const auto& [known, model] : kModels) {
    if (name != known) continue;
    share.model = model;
    return Ok{};
  }
  return error("%s: security_model=%s: use none, passthrough, mapped-xattr or mapped-file", option,
               name.c_str());
}

Status set_host_mode(const char* option, const Property& property, std::uint32_t& mode) {
  const bool is_octal = !property.value.empty() && property.value.size() <= 4 &&
                        property.value.find_first_not_of("01234567") == std::string::npos;
  mode = is_octal ? static_cast<std::uint32_t>(std::stoul(property.value, nullptr, 8)) : 01000;
  if (mode <= 0777) return Ok{};
  return error("%s: %s=%s: write an octal number up to 0777", option, property.name.c_str(),
               property.value.c_str());
}

Status set_property(const char* option, const Property& property, ShareOptions& share) {
  if (Status status = check_property(option, kFsdevProperties, property); !status.ok()) return status;
  const std::string& name = property.name;
  if (name == "id") share.id = property.value;
  if (name == "path") share.path = property.value;
  if (name == "security_model") return set_model(option, property.value, share);
  if (name == "fmode") return set_host_mode(option, property, share.file_mode);
  if (name == "dmode") return set_host_mode(option, property, share.directory_mode);
  if (name != "readonly") return Ok{};
  auto is_on = parse_switch(option, property);
  if (is_on) share.is_read_only = *is_on;
  return is_on ? Status(Ok{}) : Status(is_on.error());
}

/// What the guest may do there the sandbox leaves to the process.
void tell_sandbox(const ShareOptions& share, SandboxOptions& sandbox) {
  sandbox.networks.add(SandboxUser::kShare);
  if (share.is_read_only) return sandbox.readable.push_back(share.path);
  sandbox.networks.add(SandboxUser::kShareWrite);
  sandbox.shares.push_back(share.path);
  if (share.model == SecurityModel::kPassthrough) sandbox.keeps_file_capabilities = true;
}

Status add_share(const char* option, Options& options, const DeviceOptions& given) {
  if (given.driver != "local")
    return error("%s %s is not supported yet: use local", option, given.driver.c_str());
  ShareOptions share;
  for (const Property& property : given.properties)
    if (Status status = set_property(option, property, share); !status.ok()) return status;
  if (share.id.empty()) return error("%s: it has no id: add id=NAME", option);
  if (share.path.empty()) return error("%s: there is no folder: add path=FOLDER", option);
  if (given.find("security_model") == nullptr)
    return error("%s: say how owners and modes are kept: security_model=none, or mapped-xattr", option);
  auto& all = options.machine.shares;
  if (std::any_of(all.begin(), all.end(), [&](const ShareOptions& other) { return other.id == share.id; }))
    return error("%s: the id '%s' is given twice: choose another", option, share.id.c_str());
  tell_sandbox(share, options.sandbox);
  all.push_back(std::move(share));
  return Ok{};
}

bool shows_help(const char* title, const std::string& argument, Options& options) {
  if (!is_help(argument)) return false;
  options.output = properties_help(title, kFsdevProperties);
  return true;
}

}  // namespace

Status ShareHandlers::fsdev(Options& options, const std::string& argument) {
  if (shows_help("Properties of -fsdev local:", argument, options)) return Ok{};
  auto given = parse_device("-fsdev", argument, "fsdriver");
  return given ? add_share("-fsdev", options, *given) : Status(given.error());
}

Status ShareHandlers::virtfs(Options& options, const std::string& argument) {
  if (shows_help("Properties of -virtfs local, besides mount_tag=TAG:", argument, options)) return Ok{};
  auto given = parse_device("-virtfs", argument, "fsdriver");
  if (!given) return given.error();
  const std::string* const found = given->find("mount_tag");
  if (found == nullptr || found->empty())
    return error("-virtfs: the guest mounts it by a tag: add mount_tag=TAG");
  const std::string tag = *found;
  auto& properties = given->properties;
  properties.erase(std::remove_if(properties.begin(), properties.end(),
                                  [](const Property& property) { return property.name == "mount_tag"; }),
                   properties.end());
  if (given->find("id") == nullptr) properties.push_back({"id", tag});
  const std::string id = *given->find("id");
  if (Status status = add_share("-virtfs", options, *given); !status.ok()) return status;
  options.machine.devices.push_back({"virtio-9p-pci", {{"fsdev", id}, {"mount_tag", tag}}});
  return Ok{};
}

}  // namespace gstage
