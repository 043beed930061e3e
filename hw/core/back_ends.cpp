// SPDX-License-Identifier: Apache-2.0
#include "hw/core/back_ends.h"

#include <algorithm>
#include <iterator>

namespace gstage::hw {

Result<std::unique_ptr<BackEnds>> BackEnds::open(const MachineOptions& options) {
  std::unique_ptr<BackEnds> all(new BackEnds(options));
  if (Status status = all->open_drives(); !status.ok()) return status.error();
  for (const DeviceOptions& device : options.devices) {
    const std::string* const text = device.find("mac");
    if (MacAddress mac{}; text != nullptr && parse_mac(*text, mac)) all->macs_.use(mac);
  }
  return all;
}

Status BackEnds::open_drives() {
  for (const DeviceOptions& object : options_.objects)
    if (Status status = add_throttle_group(object); !status.ok()) return status;
  for (const BlockOptions& node : options_.blockdevs)
    if (Status status = nodes_.add(node); !status.ok()) return status;
  for (const DriveOptions& drive : options_.drives) {
    if (drive.interface != "virtio" && drive.interface != "none" && drive.interface != "pflash")
      return error("-drive if=%s is not supported yet: say if=virtio, or if=none with a -device",
                   drive.interface.c_str());
    const std::string id = drive.id.empty() ? drive.interface + std::to_string(drives_.size()) : drive.id;
    if (nodes_.has(id))
      return error("-drive: the id '%s' is the name of a -blockdev; choose another", id.c_str());
    if (drives_.count(id) != 0)
      return error("-drive: two drives have the id '%s'; give them different ones", id.c_str());
    DriveOptions named = drive;
    named.id = id;
    auto backend = nodes_.open_drive(named);
    if (!backend.ok()) return backend.error();
    drives_[id] = *backend;
    drive_failures_[id] = drive.failures;
    if (drive.interface == "virtio") implied_drives_.push_back(id);
    if (drive.interface != "pflash") continue;
    if (Status status = plug_flash(drive, id); !status.ok()) return status;
  }
  return Ok{};
}

Status BackEnds::plug_flash(const DriveOptions& drive, const std::string& id) {
  constexpr unsigned kBanks = 2;
  unsigned bank = 0;
  while (!drive.unit && flash_drives_.contains(bank)) ++bank;
  if (drive.unit) bank = *drive.unit;
  if (bank >= kBanks)
    return error("-drive if=pflash: there are two flash banks, unit=0 and unit=1; leave the others out");
  if (!flash_drives_.emplace(bank, id).second)
    return error("-drive if=pflash: two drives are flash bank %u; give them different unit=", bank);
  return Ok{};
}

std::string BackEnds::flash_drive(unsigned bank) const {
  const auto found = flash_drives_.find(bank);
  return found == flash_drives_.end() ? "" : found->second;
}

Status BackEnds::add_throttle_group(const DeviceOptions& object) {
  if (object.driver != "throttle-group") return Ok{};
  const std::string* const id = object.find("id");
  ThrottleLimits limits;
  for (const Property& property : object.properties)
    if (auto known = set_throttle_limit("-object throttle-group", ThrottleNames::kObject, property, limits);
        !known.ok())
      return known.error();
  if (Status status = check_throttle_limits("-object throttle-group", limits); !status.ok()) return status;
  return nodes_.add_throttle_group(id == nullptr ? "" : *id, limits);
}

Result<std::shared_ptr<BlockBackend>> BackEnds::take_drive(const std::string& what, const std::string& id) {
  if (id.empty())
    return error("%s needs drive=, the id of a -drive or the node-name of a -blockdev", what.c_str());
  if (nodes_.has(id)) {
    auto node = nodes_.use(what, id, false);
    if (!node.ok()) return node.error();
    return node->disk;
  }
  const auto found = drives_.find(id);
  if (found == drives_.end())
    return error("%s: there is no drive '%s'; add -drive if=none,id=%s,file=FILE", what.c_str(), id.c_str(),
                 id.c_str());
  if (found->second == nullptr)
    return error("%s: the drive '%s' has a device already; use a second -drive", what.c_str(), id.c_str());
  return std::exchange(found->second, nullptr);
}

FailureRule BackEnds::failure_rule(const std::string& id, const FailureActions& device) const {
  const auto drive = drive_failures_.find(id);
  return {options_.disk_failures, drive == drive_failures_.end() ? device : device.or_else(drive->second),
          id};
}

std::vector<std::string> BackEnds::implied_drives() const {
  std::vector<std::string> free;
  std::copy_if(implied_drives_.begin(), implied_drives_.end(), std::back_inserter(free),
               [this](const std::string& id) { return drives_.at(id) != nullptr; });
  return free;
}

Result<std::shared_ptr<Chardev>> BackEnds::chardev(const std::string& what, const std::string& id) const {
  if (id.empty()) return std::shared_ptr<Chardev>();
  const auto found = options_.chardevs.find(id);
  if (found == options_.chardevs.end())
    return error("%s: there is no chardev '%s'; add -chardev KIND,id=%s", what.c_str(), id.c_str(),
                 id.c_str());
  return found->second;
}

Result<std::shared_ptr<NetBackend>> BackEnds::take_network(const std::string& what, const std::string& id) {
  if (id.empty()) return std::shared_ptr<NetBackend>();
  const auto found = options_.networks.find(id);
  if (found == options_.networks.end())
    return error("%s: there is no network '%s'; add -netdev user,id=%s", what.c_str(), id.c_str(),
                 id.c_str());
  if (!taken_networks_.insert(id).second)
    return error("%s: the network '%s' has a device already; use a second -netdev", what.c_str(), id.c_str());
  return found->second;
}

Result<std::shared_ptr<ninep::Share>> BackEnds::take_share(const std::string& what,
                                                           const std::string& id) const {
  if (id.empty()) return error("%s needs fsdev=, the id of a -fsdev", what.c_str());
  const auto found = std::find_if(options_.shares.begin(), options_.shares.end(),
                                  [&](const ninep::ShareOptions& share) { return share.id == id; });
  if (found == options_.shares.end())
    return error("%s: there is no fsdev '%s'; add -fsdev local,id=%s,path=FOLDER,security_model=none",
                 what.c_str(), id.c_str(), id.c_str());
  return ninep::Share::open(*found);
}

const DeviceOptions* BackEnds::object(const std::string& id) const {
  const auto found =
      std::find_if(options_.objects.begin(), options_.objects.end(), [&](const auto& candidate) {
        const std::string* other = candidate.find("id");
        return other != nullptr && *other == id;
      });
  return found == options_.objects.end() ? nullptr : &*found;
}

}  // namespace gstage::hw
