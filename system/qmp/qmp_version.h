// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "system/monitor/command.h"

namespace gstage {

/// What the greeting and query-version say: a version by which clients judge what they can ask for, that of
/// QEMU whose protocol this is, and gstage's own as the package.
inline Json qmp_version() {
  return Json{{"qemu", Json{{"micro", 2}, {"minor", 0}, {"major", 10}}},
              {"package", "gstage " GSTAGE_VERSION}};
}

}  // namespace gstage
