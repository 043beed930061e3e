// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "softmmu/options.h"

namespace gstage {

/// Adds the serial port and the monitor that the command line leaves to us. Pure.
void add_default_consoles(Options& options);

/// Opens all character back ends: fills `options.machine.serials` and `.chardevs`, and returns those on which
/// a monitor listens.
Result<std::vector<std::shared_ptr<Chardev>>> open_consoles(Options& options);

}  // namespace gstage
