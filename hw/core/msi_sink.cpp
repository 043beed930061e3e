// SPDX-License-Identifier: Apache-2.0
#include "hw/core/msi_sink.h"

#include <cinttypes>

#include "softmmu/base/log.h"

namespace gstage::hw {

void NoMsiSink::send(std::uint64_t address, std::uint32_t data) {
  log_line(Log::kGuestErrors, "msi: message %" PRIu32 " to 0x%" PRIx64 ", but this machine has no IMSICs",
           data, address);
}

}  // namespace gstage::hw
