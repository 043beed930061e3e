// SPDX-License-Identifier: Apache-2.0
#include "hw/scsi/scsi_request.h"

#include <algorithm>

namespace gstage::hw {

ScsiBytes fixed_sense(const ScsiSense& sense) {
  ScsiBytes bytes{0x70, 0, sense.key, 0, 0, 0, 0, 10};
  bytes.add_zeroes(4);
  bytes.add(sense.code, 1);
  bytes.add(sense.qualifier, 1);
  bytes.add_zeroes(4);
  return bytes;
}

ScsiBytes descriptor_sense(const ScsiSense& sense) {
  return {0x72, sense.key, sense.code, sense.qualifier, 0, 0, 0, 0};
}

void ScsiRequest::begin(std::span<const std::uint8_t> new_cdb) {
  const auto end = std::copy_n(new_cdb.begin(), std::min(new_cdb.size(), kCdbBytes), cdb.begin());
  std::fill(end, cdb.end(), std::uint8_t{0});
  sense = senses::kNone;
  moved = 0;
  is_overrun = false;
}

void ScsiRequest::reply(const ScsiBytes& bytes, std::uint64_t allocation) {
  const std::size_t size = std::min<std::uint64_t>(bytes.size(), allocation);
  moved = copy_to(*memory, to_guest, bytes.view().first(size));
  is_overrun = moved < size;
}

bool ScsiRequest::take(std::span<std::uint8_t> parameters) {
  if (total_bytes(to_unit) < parameters.size()) {
    is_overrun = true;
    fail(senses::kParameterListLength);
    return false;
  }
  moved = copy_from(to_unit, parameters);
  return true;
}

unsigned scsi_cdb_bytes(std::uint8_t opcode) {
  constexpr unsigned kBytes[] = {6, 10, 10, 0, 16, 12, 0, 0};
  return kBytes[opcode >> 5];
}

}  // namespace gstage::hw
