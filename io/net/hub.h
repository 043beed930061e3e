// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "softmmu/base/result.h"
#include "io/net/peer.h"

namespace gstage {

/// A port of hub number `hub`, which passes each frame on to all its other ports. With `network` the port is
/// wired to that network, else to the device that names it. Each port has a queue of bounded length; what
/// does not fit is lost.
Result<std::shared_ptr<NetBackend>> make_hub_port(const std::string& id, unsigned hub,
                                                  std::shared_ptr<NetBackend> network);

}  // namespace gstage
