// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "io/net/peer.h"
#include "system/options.h"

namespace gstage {

/// Networks by id.
using Networks = std::map<std::string, std::shared_ptr<NetBackend>>;

/// A kind of network that `-netdev` makes.
struct NetdevKind {
  const char* name;
  const char* help;
  PropertyRows properties;
  /// Opens it; the properties have rows. `others` are the networks before it; it may take one for itself.
  Result<std::shared_ptr<NetBackend>> (*open)(const DeviceOptions& netdev, Networks& others);
  /// What the sandbox has to leave it; null: nothing but what it has open.
  Status (*needs)(const DeviceOptions& netdev, SandboxOptions& sandbox);
};

extern const NetdevKind kUserNetdev;
extern const NetdevKind kTapNetdev;
extern const NetdevKind kSocketNetdev;
extern const NetdevKind kStreamNetdev;
extern const NetdevKind kDgramNetdev;
extern const NetdevKind kHubportNetdev;

/// The text of a property, or "".
std::string netdev_text(const DeviceOptions& netdev, const char* name);
/// Sets `to` where the property is given.
Status netdev_switch(const DeviceOptions& netdev, const char* name, bool& to);

/// The kind, or an Error: it does not exist, or not yet.
Result<const NetdevKind*> find_netdev_kind(const std::string& option, const std::string& name);
/// What `-netdev help` prints.
std::string netdevs_help();

/// Makes of -nic and -net what they are short for, a -netdev and a -device. Pure.
Status expand_nics(Options& options);
/// Opens one more while the machine runs: checks it as -netdev does and fills `options.machine.networks`.
Status add_network(Options& options, const DeviceOptions& netdev);
/// Opens all networks: fills `options.machine.networks`, and says in `options.sandbox` what they need.
Status open_networks(Options& options);

}  // namespace gstage
