// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "io/chardev_kinds.h"
#include "system/gdb/endpoint.h"
#include "system/machine_requests.h"
#include "system/options.h"

namespace gstage {

/// Whether a back end is standard input and output. Pure.
bool uses_stdio(const Options& options);

/// Adds the serial port and the monitor that the command line leaves to us. Pure.
void add_default_consoles(Options& options);

/// Where a client speaks QMP.
struct QmpEnd {
  std::shared_ptr<Chardev> chardev;
  bool is_pretty = false;
};

/// What opening the back ends gave.
struct Consoles {
  std::vector<std::shared_ptr<Chardev>> monitors;  ///< on which a monitor listens
  std::vector<QmpEnd> qmps;                        ///< on which QMP is spoken
  std::unique_ptr<gdb::Endpoint> debuggers;        ///< where they come (-gdb), or null
  ChardevList chardevs;                            ///< all that are open
  ChardevNeeds needs;
};

/// Opens all character back ends and fills `options.machine.serials` and `.chardevs`. `requests` takes what
/// is typed to end the machine, and outlives them.
Result<Consoles> open_consoles(Options& options, MachineRequests& requests);

}  // namespace gstage
