// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/scsi.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "softmmu/base/log.h"
#include "hw/core/visitor.h"
#include "hw/virtio/virtio_core.h"

namespace gstage::hw {
namespace {

enum QueueIndex : unsigned { kControlQueue, kEventQueue, kFirstRequestQueue };
enum Response : std::uint8_t {
  kOk = 0,  ///< also: the function is complete
  kOverrun = 1,
  kBadTarget = 3,
  kFailure = 9,
  kRejected = 11,
  kIncorrectLun = 12,
};
enum ControlType : std::uint32_t { kManagement = 0, kQueryEvents = 1, kSubscribe = 2 };
enum Function : std::uint32_t {
  kAbortTask = 0,
  kAbortTaskSet = 1,
  kClearTaskSet = 3,
  kNexusReset = 4,
  kUnitReset = 5,
  kQueryTask = 6,
  kQueryTaskSet = 7,
};

/// Virtio 1.3, 5.6.4.
struct [[gnu::packed]] Config {
  std::uint32_t num_queues;
  std::uint32_t seg_max;
  std::uint32_t max_sectors;
  std::uint32_t cmd_per_lun;
  std::uint32_t event_info_size;
  std::uint32_t sense_size;
  std::uint32_t cdb_size;
  std::uint16_t max_channel;
  std::uint16_t max_target;
  std::uint32_t max_lun;
};
/// What a buffer of the request queues begins with, and the command behind it.
struct [[gnu::packed]] RequestHead {
  std::uint8_t lun[8];
  std::uint64_t id;
  std::uint8_t task_attr;
  std::uint8_t prio;
  std::uint8_t crn;
};
/// What the device writes, before the sense.
struct [[gnu::packed]] ResponseHead {
  std::uint32_t sense_len;
  std::uint32_t residual;
  std::uint16_t status_qualifier;
  std::uint8_t status;
  std::uint8_t response;
};
struct [[gnu::packed]] Management {
  std::uint32_t type;
  std::uint32_t subtype;
  std::uint8_t lun[8];
  std::uint64_t id;
};
struct [[gnu::packed]] Events {
  std::uint32_t type;
  std::uint8_t lun[8];
  std::uint32_t requested;
};
constexpr std::uint32_t kEventBytes = 16;
constexpr std::uint8_t kCheckCondition = 2;
/// Larger ones make no sense of a driver.
constexpr std::uint32_t kMostSense = 256, kMostCdb = 256;

/// Virtio 1.3, 5.6.6.1: a target and a single level LUN, which is a peripheral or a flat one.
bool parse_lun(const std::uint8_t (&lun)[8], ScsiAddress& to) {
  constexpr std::uint8_t kOneLevel = 1, kMethodMask = 0xc0, kFlat = 0x40, kLunMask = 0x3f;
  const std::uint8_t method = lun[2] & kMethodMask;
  if (lun[0] != kOneLevel || (method != 0 && method != kFlat)) return false;
  to = {lun[1], static_cast<std::uint16_t>((lun[2] & kLunMask) << 8 | lun[3])};
  return true;
}

}  // namespace

VirtioScsi::VirtioScsi(const VirtioScsiOptions& options)
    : options_(options),
      bus_(static_cast<ScsiBus*>(&add_bus(std::make_unique<ScsiBus>(options.bus_name)))),
      in_work_(kFirstRequestQueue + options.queues) {}

std::uint16_t VirtioScsi::max_queue_size(unsigned index) const {
  return index < kFirstRequestQueue + options_.queues ? options_.queue_size : 0;
}

void VirtioScsi::read_config(std::uint32_t offset, std::span<std::uint8_t> to) {
  Config config{};
  config.num_queues = options_.queues;
  config.seg_max = options_.queue_size - 2u;  // the two heads take one descriptor each
  config.max_sectors = options_.max_sectors;
  config.cmd_per_lun = options_.commands_per_lun;
  config.event_info_size = kEventBytes;
  config.sense_size = sense_bytes_;
  config.cdb_size = cdb_bytes_;
  config.max_target = ScsiBus::kTargets - 1;
  config.max_lun = ScsiBus::kLuns - 1;
  read_config_struct(config, offset, to);
}

void VirtioScsi::write_config(std::uint32_t offset, std::span<const std::uint8_t> from) {
  std::uint32_t value = 0;
  if (from.size() == sizeof value) std::memcpy(&value, from.data(), sizeof value);
  if (from.size() == sizeof value && offset == offsetof(Config, sense_size) && value <= kMostSense)
    sense_bytes_ = value;
  else if (from.size() == sizeof value && offset == offsetof(Config, cdb_size) && value <= kMostCdb)
    cdb_bytes_ = value;
  else
    log_line(Log::kGuestErrors, "virtio-scsi: configuration byte %u cannot be written like this", offset);
}

void VirtioScsi::reset() {
  sense_bytes_ = kSenseBytes;
  cdb_bytes_ = kCdbBytes;
  Device::reset();
}

void VirtioScsi::visit(Visitor& visitor) {
  std::uint32_t sense = sense_bytes_, cdb = cdb_bytes_;
  visitor.field("sense_bytes", sense, kMostSense);
  visitor.field("cdb_bytes", cdb, kMostCdb);
  sense_bytes_ = sense;
  cdb_bytes_ = cdb;
}

std::int64_t VirtioScsi::execute(Work& work) {
  const std::uint32_t cdb_size = cdb_bytes_;
  const std::uint32_t sense_size = sense_bytes_;
  const Chain& chain = work.chain;
  ScsiRequest& request = work.request;
  std::array<std::uint8_t, sizeof(RequestHead) + kMostCdb> bytes{};
  const auto command = std::span(bytes).first(sizeof(RequestHead) + cdb_size);
  const std::size_t head_size = sizeof(ResponseHead) + sense_size;
  if (copy_from(chain.readable, command) < command.size() || total_bytes(chain.writable) < head_size)
    return -1;
  RequestHead head;
  std::memcpy(&head, bytes.data(), sizeof head);
  slice_into(request.to_unit, chain.readable, command.size(), UINT64_MAX);
  slice_into(request.to_guest, chain.writable, head_size, UINT64_MAX);
  request.memory = &core().memory();
  work.answer.assign(head_size, 0);
  request.begin(command.subspan(sizeof head));
  ScsiAddress to;
  std::uint8_t response = kOk;
  // No command here has data of both kinds, and VIRTIO_SCSI_F_INOUT is not offered.
  if (!request.to_unit.empty() && !request.to_guest.empty())
    response = kFailure;
  else if (!parse_lun(head.lun, to) || !bus_->execute(to, request))
    response = kBadTarget;
  else if (request.is_overrun)
    response = kOverrun;
  answer(work, response);
  const std::uint64_t filled = request.to_guest.empty() ? 0 : request.moved;
  return static_cast<std::int64_t>(head_size + filled);
}

void VirtioScsi::answer(Work& work, std::uint8_t response) {
  const ScsiRequest& request = work.request;
  ResponseHead head{};
  head.response = response;
  head.residual = static_cast<std::uint32_t>(std::min<std::uint64_t>(
      total_bytes(request.to_unit) + total_bytes(request.to_guest) - request.moved, UINT32_MAX));
  if (response == kOk && !request.is_good()) {
    const ScsiBytes sense = fixed_sense(request.sense);
    head.status = kCheckCondition;
    head.sense_len = static_cast<std::uint32_t>(std::min(sense.size(), work.answer.size() - sizeof head));
    std::copy_n(sense.view().begin(), head.sense_len, work.answer.begin() + sizeof head);
  }
  std::memcpy(work.answer.data(), &head, sizeof head);
  copy_to(core().memory(), work.chain.writable, work.answer);
}

std::int64_t VirtioScsi::control(Work& work) {
  const BufferElements& writable = work.chain.writable;
  std::array<std::uint8_t, sizeof(Management)> message{};
  const std::size_t size = copy_from(work.chain.readable, message);
  std::uint32_t type = 0;
  std::memcpy(&type, message.data(), sizeof type);
  if (size < sizeof(Events) || total_bytes(writable) == 0) return -1;
  if (type == kManagement) {
    if (size < sizeof(Management)) return -1;
    const std::uint8_t response = manage(message);
    return static_cast<std::int64_t>(copy_to(core().memory(), writable, {&response, 1}));
  }
  // There are no such events of any unit.
  constexpr std::size_t kActualBytes = 4;
  std::array<std::uint8_t, kActualBytes + 1> answer{};
  Events events;
  std::memcpy(&events, message.data(), sizeof events);
  ScsiAddress to;
  const bool is_known = type == kQueryEvents || type == kSubscribe;
  const bool has_target = parse_lun(events.lun, to) && bus_->has_target(to.target);
  if (!is_known || !has_target) answer[kActualBytes] = is_known ? kBadTarget : kFailure;
  if (total_bytes(writable) < answer.size()) return -1;
  return static_cast<std::int64_t>(copy_to(core().memory(), writable, answer));
}

/// The commands that were sent before are done once their queues are empty.
std::uint8_t VirtioScsi::manage(std::span<const std::uint8_t> message) {
  Management management;
  std::memcpy(&management, message.data(), sizeof management);
  ScsiAddress to;
  if (!parse_lun(management.lun, to) || !bus_->has_target(to.target)) return kBadTarget;
  const std::uint32_t function = management.subtype;
  const bool is_known = function <= kQueryTaskSet && function != 2;  // CLEAR ACA: there is no ACA
  if (!is_known) return kRejected;
  ScsiUnit* const unit = bus_->find(to);
  if (unit == nullptr && function != kNexusReset) return kIncorrectLun;
  for (unsigned queue = 0; queue < options_.queues; ++queue) core().serve_queue(kFirstRequestQueue + queue);
  if (function == kNexusReset) bus_->tell(to.target, senses::kNexusLoss);
  if (function == kUnitReset) {
    unit->reset();
    unit->tell(senses::kUnitReset);
  }
  return kOk;
}

Served VirtioScsi::serve(unsigned index) {
  // The driver's buffers wait there for events, of which there are none: units neither come nor go.
  if (index == kEventQueue) return Served::kLater;
  Work& work = in_work_[index];
  while (core().pop(index, work.chain)) {
    const std::int64_t written = index == kControlQueue ? control(work) : execute(work);
    // The driver may have taken the queue back meanwhile; who resets it waits until this returns.
    if (!core().is_live(index)) break;
    if (written < 0) {
      core().fail(index, "a buffer is no SCSI request");
      break;
    }
    core().queue(index).push(work.chain, static_cast<std::uint32_t>(written));
    core().notify_used(index);
  }
  return Served::kAll;
}

}  // namespace gstage::hw
