// SPDX-License-Identifier: Apache-2.0
// In place of file.cpp where the headers of libnbd are not installed.
#include "io/block/nbd/nbd.h"

namespace gstage::nbd {

bool is_built_in() { return false; }

Result<Opened> open(Setup /*setup*/) {
  return error("this gstage was built without libnbd: install libnbd-dev and build it anew");
}

}  // namespace gstage::nbd
