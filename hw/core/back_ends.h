// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "io/block/graph.h"
#include "io/chardev.h"
#include "io/ninep/share.h"
#include "hw/core/mac_address.h"
#include "hw/core/machine.h"

namespace gstage::hw {

/// What the command line opened for devices, by the names that they give: disks, character devices, objects.
/// `what` is for messages: "-device virtio-blk-pci".
class BackEnds {
 public:
  /// Opens the disks. `options` outlive the object; what they name later is found too.
  static Result<std::unique_ptr<BackEnds>> open(const MachineOptions& options);

  /// A disk that no other device has: that of a drive, or a node of `-blockdev`, which devices that only read
  /// may share.
  Result<std::shared_ptr<BlockBackend>> take_drive(const std::string& what, const std::string& id);
  /// What becomes of the disk's failures: what `device` says of them, or else its drive.
  [[nodiscard]] FailureRule failure_rule(const std::string& id, const FailureActions& device) const;
  /// Null where the name is empty.
  Result<std::shared_ptr<Chardev>> chardev(const std::string& what, const std::string& id) const;
  /// A network that no other device has; null where the name is empty.
  Result<std::shared_ptr<NetBackend>> take_network(const std::string& what, const std::string& id);
  /// The shared folder of that name, opened for the device alone: each has fids of its own.
  Result<std::shared_ptr<ninep::Share>> take_share(const std::string& what, const std::string& id) const;
  /// The device that took the network is gone: another one may have it.
  void release_network(const std::string& id) { taken_networks_.erase(id); }
  /// The nodes and drives that are open.
  BlockGraph& blocks() { return nodes_; }
  /// For network cards without an address of their own.
  MacAddresses& macs() { return macs_; }
  /// The `-object` of that name.
  [[nodiscard]] const DeviceOptions* object(const std::string& id) const;
  /// Disks that are to have a device by themselves, in their order: those of if=virtio, which is also what a
  /// drive has that says nothing of its interface, as far as no device that was named has taken them.
  [[nodiscard]] std::vector<std::string> implied_drives() const;
  /// The id of the disk of if=pflash that is the flash bank of that number; empty: there is none.
  [[nodiscard]] std::string flash_drive(unsigned bank) const;

 private:
  explicit BackEnds(const MachineOptions& options) : options_(options) {}
  Status open_drives();
  /// Gives the disk its bank: the one that it names, or the first that is free.
  Status plug_flash(const DriveOptions& drive, const std::string& id);
  Status add_throttle_group(const DeviceOptions& object);

  const MachineOptions& options_;
  BlockGraph nodes_;
  std::map<std::string, std::shared_ptr<BlockBackend>> drives_;  ///< null: in use
  std::map<std::string, FailureActions> drive_failures_;         ///< what drives say of them
  std::vector<std::string> implied_drives_;
  std::map<unsigned, std::string> flash_drives_;  ///< by bank
  std::set<std::string> taken_networks_;
  MacAddresses macs_;
};

}  // namespace gstage::hw
