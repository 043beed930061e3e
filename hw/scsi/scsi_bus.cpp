// SPDX-License-Identifier: Apache-2.0
#include "hw/scsi/scsi_bus.h"

#include <algorithm>

#include "softmmu/base/format.h"

namespace gstage::hw {
namespace {

constexpr std::uint8_t kRequestSense = 0x03, kInquiry = 0x12, kReportLuns = 0xa0;

}  // namespace

std::string ScsiDevice::firmware_node() const {
  return format("channel@0/disk@%x,%x", unsigned{address_.target}, unsigned{address_.lun});
}

Status ScsiBus::plug(std::unique_ptr<Device> device) {
  auto& unit = static_cast<ScsiDevice&>(*device);
  const ScsiDevice::Place& wanted = unit.place();
  ScsiAddress& at = unit.address_;
  at = {wanted.target.value_or(0), wanted.lun.value_or(0)};
  if (!wanted.target.has_value())
    while (at.target < kTargets - 1 && (wanted.lun.has_value() ? find(at) != nullptr : has_target(at.target)))
      ++at.target;
  else if (!wanted.lun.has_value())
    while (at.lun < kLuns - 1 && find(at) != nullptr) ++at.lun;
  if (find(at) != nullptr)
    return error("scsi-id %u, lun %u is taken; choose another scsi-id= or lun=", at.target, at.lun);
  units_.push_back(&unit);
  std::sort(units_.begin(), units_.end(), [](const ScsiDevice* a, const ScsiDevice* b) {
    return std::pair(a->address().target, a->address().lun) <
           std::pair(b->address().target, b->address().lun);
  });
  return Bus::plug(std::move(device));
}

ScsiUnit* ScsiBus::find(const ScsiAddress& address) const {
  for (ScsiDevice* const unit : units_)
    if (unit->address() == address) return &unit->unit();
  return nullptr;
}

bool ScsiBus::has_target(std::uint8_t target) const {
  return std::any_of(units_.begin(), units_.end(),
                     [&](const ScsiDevice* unit) { return unit->address().target == target; });
}

void ScsiBus::tell(std::uint8_t target, const ScsiSense& attention) {
  for (ScsiDevice* const unit : units_)
    if (unit->address().target == target) unit->unit().tell(attention);
}

bool ScsiBus::execute(const ScsiAddress& to, ScsiRequest& request) {
  ScsiUnit* const unit = find(to);
  if (unit == nullptr && !has_target(to.target)) return false;
  if (request.cdb[0] == kReportLuns)
    report_luns(to.target, request);
  else if (unit != nullptr)
    unit->execute(request);
  else
    answer_for_nobody(request);
  return true;
}

/// SPC-5, 6.33. All units are simple ones: those of a select report of 1 are well-known.
void ScsiBus::report_luns(std::uint8_t target, ScsiRequest& request) const {
  constexpr std::uint8_t kWellKnownAlone = 1, kMostReport = 2;
  constexpr std::uint16_t kFlatAddress = 0x4000, kMostPeripheral = 255;
  constexpr std::uint64_t kLeastAllocation = 16;
  const std::uint8_t which = request.cdb[2];
  const std::uint64_t allocation = request.number(6, 4);
  if (which > kMostReport || allocation < kLeastAllocation) return request.fail(senses::kInvalidField);
  ScsiBytes bytes;
  bytes.add_zeroes(8);
  for (const ScsiDevice* const unit : units_) {
    if (unit->address().target != target || which == kWellKnownAlone) continue;
    const std::uint16_t lun = unit->address().lun;
    bytes.add(lun > kMostPeripheral ? kFlatAddress | lun : lun, 2);
    bytes.add_zeroes(6);
  }
  bytes.set(0, bytes.size() - 8, 4);
  request.reply(bytes, allocation);
}

/// SPC-5, 6.6.1 and SAM-5, 4.10: what a target says for a unit that it does not have.
void ScsiBus::answer_for_nobody(ScsiRequest& request) {
  if (request.cdb[0] == kInquiry && (request.cdb[1] & 1) == 0)
    request.reply(absent_inquiry(), request.number(3, 2));
  else if (request.cdb[0] == kRequestSense)
    request.reply(fixed_sense(senses::kNoSuchUnit), request.cdb[4]);
  else
    request.fail(senses::kNoSuchUnit);
}

}  // namespace gstage::hw
