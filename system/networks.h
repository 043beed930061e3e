// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "io/net/peer.h"
#include "system/options.h"

namespace gstage {

/// A kind of network that `-netdev` makes.
struct NetdevKind {
  const char* name;
  const char* help;
  PropertyRows properties;
  /// Opens it; the properties have rows. `id` is the -netdev's.
  Result<std::shared_ptr<NetBackend>> (*open)(const DeviceOptions& netdev, const std::string& id);
  /// What the sandbox has to leave it; null: nothing but what it has open.
  Status (*needs)(const DeviceOptions& netdev, SandboxOptions& sandbox);
};

/// The kind, or an Error: it does not exist, or not yet.
Result<const NetdevKind*> find_netdev_kind(const std::string& option, const std::string& name);
/// What `-netdev help` prints.
std::string netdevs_help();

/// Makes of -nic and -net what they are short for, a -netdev and a -device. Pure.
Status expand_nics(Options& options);
/// Opens all networks: fills `options.machine.networks`, and says in `options.sandbox` what they need.
Status open_networks(Options& options);

}  // namespace gstage
