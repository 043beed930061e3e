// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace gstage {

/// What back ends do with the network once the machine runs: the sandbox leaves that much open.
struct ChardevNeeds {
  bool accepts = false;                  ///< clients come to sockets that listen already
  bool connects = false;                 ///< connections are made
  std::vector<std::uint16_t> tcp_ports;  ///< to which
};

}  // namespace gstage
