// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "io/net/address.h"
#include "io/net/peer.h"

namespace gstage {

/// `-netdev dgram` and the datagrams of `-netdev socket`: each frame is one datagram, to one peer or to a
/// group.
struct DgramNetOptions {
  std::string id;
  NetAddress local;   ///< an address to receive at, or a descriptor in place of both
  NetAddress remote;  ///< a multicast address: the group, and `local` is the interface's address
};

/// Bound once this returns. An Error says that the addresses cannot be used.
Result<std::shared_ptr<NetBackend>> make_dgram_net(const DgramNetOptions& options);

}  // namespace gstage
