// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "system/options.h"

namespace gstage {

/// Adds the serial port and the monitor that the command line leaves to us. Pure.
void add_default_consoles(Options& options);

/// Opens all character back ends: fills `options.machine.serials` and `.chardevs`, and returns those on which
/// a monitor listens. `control` takes what is typed to end the machine, and outlives them.
Result<std::vector<std::shared_ptr<Chardev>>> open_consoles(Options& options, MachineControl& control);

}  // namespace gstage
