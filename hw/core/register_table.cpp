// SPDX-License-Identifier: Apache-2.0
#include "hw/core/register_table.h"

#include <cinttypes>

namespace gstage::hw {

void log_bad_access(const char* device, const char* what, std::uint64_t offset, unsigned size) {
  log_line(Log::kGuestErrors, "%s: bad access of %u bytes at offset 0x%" PRIx64 ": %s", device, size, offset,
           what);
}

}  // namespace gstage::hw
