// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "softmmu/base/result.h"
#include "io/net/peer.h"
#include "io/net/user_options.h"

namespace gstage {

/// `-netdev user`: a small network with gateway, name server, DHCP and TFTP, whose connections are sockets of
/// this process (libslirp). It needs no privileges. Sockets that listen for `hostfwd=` are open once this
/// returns; all else happens on its loop.
Result<std::shared_ptr<NetBackend>> make_user_net(const UserNetOptions& options);

}  // namespace gstage
