// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "io/net/peer.h"

namespace gstage {

/// `-netdev tap`: an interface of the host.
struct TapNetOptions {
  std::string id;
  std::string interface;                 ///< empty: the kernel names it
  std::vector<std::string> descriptors;  ///< opened by others, one a queue pair; in place of an interface
  unsigned queues = 1;
  bool has_offloads = true;  ///< vnet_hdr=
  std::string script;        ///< run with the interface's name once it is there; empty: none
  std::string down_script;   ///< run at the end
};

/// Attached once this returns. An Error says what the interface lacks.
Result<std::shared_ptr<NetBackend>> make_tap_net(const TapNetOptions& options);

}  // namespace gstage
