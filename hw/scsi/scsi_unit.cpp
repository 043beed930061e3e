// SPDX-License-Identifier: Apache-2.0
#include "hw/scsi/scsi_unit.h"

#include <algorithm>
#include <array>
#include <utility>

#include "hw/core/visitor.h"
#include "hw/scsi/scsi_unit_rows.h"

namespace gstage::hw {
namespace {

constexpr std::size_t kMostModeParameters = 256;

bool has_bit(const ScsiRequest& request, std::size_t at, unsigned bit) {
  return (request.cdb[at] >> bit & 1) != 0;
}

}  // namespace

std::span<const ScsiUnit::Row> ScsiUnit::rows() {
  using U = ScsiUnit;
  // READ and WRITE come first, for they are looked for most.
  static constexpr Row kTable[] = {
      {0x28, kNoAction, kAny, kMedium, &U::read, "read"},
      {0x2a, kNoAction, kHd, kMedium, &U::write, "write"},
      {0x88, kNoAction, kAny, kMedium, &U::read, "read"},
      {0x8a, kNoAction, kHd, kMedium, &U::write, "write"},
      {0x35, kNoAction, kAny, kMedium, &U::synchronize, "flush"},
      {0x91, kNoAction, kAny, kMedium, &U::synchronize, "flush"},
      {0x42, kNoAction, kHd, kMedium, &U::unmap, "unmap"},
      {0x41, kNoAction, kHd, kMedium, &U::write_same, "write same"},
      {0x93, kNoAction, kHd, kMedium, &U::write_same, "write same"},
      {0x08, kNoAction, kAny, kMedium, &U::read, "read"},
      {0x0a, kNoAction, kHd, kMedium, &U::write, "write"},
      {0xa8, kNoAction, kAny, kMedium, &U::read, "read"},
      {0xaa, kNoAction, kHd, kMedium, &U::write, "write"},
      {0x2f, kNoAction, kAny, kMedium, &U::verify, "verify"},
      {0x8f, kNoAction, kAny, kMedium, &U::verify, "verify"},
      {0x00, kNoAction, kAny, kMedium, &U::nothing, "test unit ready"},
      {0x03, kNoAction, kAny, kAtAnyTime, &U::request_sense, "request sense"},
      {0x12, kNoAction, kAny, kAtAnyTime, &U::inquiry, "inquiry"},
      {0x15, kNoAction, kAny, kReady, &U::mode_select, "mode select"},
      {0x1a, kNoAction, kAny, kReady, &U::mode_sense, "mode sense"},
      {0x1b, kNoAction, kAny, kReady, &U::start_stop, "start stop unit"},
      {0x1e, kNoAction, kAny, kReady, &U::prevent_removal, "prevent allow medium removal"},
      {0x25, kNoAction, kAny, kMedium, &U::read_capacity, "read capacity"},
      {0x55, kNoAction, kAny, kReady, &U::mode_select, "mode select"},
      {0x5a, kNoAction, kAny, kReady, &U::mode_sense, "mode sense"},
      {0x9e, 0x10, kAny, kMedium, &U::read_capacity_long, "read capacity"},
      {0xa3, 0x0c, kAny, kReady, &U::report_commands, "report supported operation codes"},
      {0x43, kNoAction, kDiscs, kMedium, &U::read_contents, "read toc"},
      {0x46, kNoAction, kDiscs, kAtAnyTime, &U::get_configuration, "get configuration"},
      {0x4a, kNoAction, kDiscs, kAtAnyTime, &U::get_events, "get event status"},
      {0x51, kNoAction, kDiscs, kMedium, &U::read_information, "read disc information"},
  };
  return kTable;
}

ScsiUnit::ScsiUnit(std::shared_ptr<BlockBackend> medium, ScsiUnitOptions options)
    : medium_(std::move(medium)), options_(std::move(options)) {
  reset();
}

ScsiSense ScsiUnit::find(const ScsiRequest& request, const Row*& found) const {
  const unsigned kind = options_.kind == ScsiKind::kDisk ? kHd : kDiscs;
  const std::uint8_t action = request.cdb[1] & kActionMask;
  ScsiSense why = senses::kInvalidOpcode;
  for (const Row& row : rows()) {
    if (row.opcode != request.cdb[0] || (row.kinds & kind) == 0) continue;
    why = senses::kInvalidField;
    if (row.action != kNoAction && row.action != action) continue;
    found = &row;
    return senses::kNone;
  }
  return why;
}

void ScsiUnit::execute(ScsiRequest& request) {
  const Row* row = nullptr;
  if (const ScsiSense why = find(request, row); row == nullptr) return request.fail(why);
  if (row->when != kAtAnyTime) {
    const std::lock_guard lock(mutex_);
    // SAM-5, 5.14: told once, and the command is not executed.
    const ScsiSense attention = std::exchange(state_.attention, senses::kNone);
    if (attention != senses::kNone) return request.fail(attention);
    if (row->when == kMedium && (medium_ == nullptr || state_.is_open))
      return request.fail(senses::kNoMedium);
  }
  (this->*row->run)(request);
}

void ScsiUnit::reset() {
  const std::lock_guard lock(mutex_);
  state_ = State{};
  state_.is_write_cache = options_.is_write_cache;
}

void ScsiUnit::tell(const ScsiSense& attention) {
  const std::lock_guard lock(mutex_);
  state_.attention = attention;
}

void ScsiUnit::visit(Visitor& visitor) {
  const std::lock_guard lock(mutex_);
  visitor.field("attention", state_.attention);
  visitor.field("is_write_cache", state_.is_write_cache);
  visitor.field("is_locked", state_.is_locked);
  visitor.field("is_open", state_.is_open);
}

ScsiUnit::State ScsiUnit::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

bool ScsiUnit::is_writable() const {
  return options_.kind == ScsiKind::kDisk && medium_ != nullptr && !medium_->is_read_only();
}

void ScsiUnit::nothing(ScsiRequest&) {}

void ScsiUnit::inquiry(ScsiRequest& request) {
  const bool wants_page = has_bit(request, 1, 0);
  const std::uint8_t page = request.cdb[2];
  const std::uint64_t allocation = request.number(3, 2);
  if (!wants_page && page != 0) return request.fail(senses::kInvalidField);
  if (!wants_page) return request.reply(standard_inquiry(options_), allocation);
  const ScsiBytes bytes = vital_product_data(options_, page, is_writable());
  if (bytes.size() == 0) return request.fail(senses::kInvalidField);
  request.reply(bytes, allocation);
}

/// SPC-5, 6.39: senses come with the commands that failed; what may wait is a unit attention.
void ScsiUnit::request_sense(ScsiRequest& request) {
  ScsiSense sense = senses::kNone;
  {
    const std::lock_guard lock(mutex_);
    sense = std::exchange(state_.attention, senses::kNone);
    if (sense == senses::kNone && (medium_ == nullptr || state_.is_open)) sense = senses::kNoMedium;
  }
  request.reply(has_bit(request, 1, 0) ? descriptor_sense(sense) : fixed_sense(sense), request.cdb[4]);
}

void ScsiUnit::mode_sense(ScsiRequest& request) {
  constexpr std::uint8_t kSix = 0x1a, kAllSubpages = 0xff, kWriteProtect = 0x80, kFua = 0x10;
  const bool is_short = request.cdb[0] == kSix;
  const auto control = static_cast<ModeControl>(request.cdb[2] >> 6);
  const std::uint8_t subpage = request.cdb[3];
  const std::uint64_t allocation = is_short ? request.cdb[4] : request.number(7, 2);
  if (control == ModeControl::kSaved) return request.fail(senses::kNoSavedPages);
  if (subpage != 0 && subpage != kAllSubpages) return request.fail(senses::kInvalidField);
  const State now = state();
  const ScsiBytes pages =
      mode_pages(options_, request.cdb[2] & kAllModePages, control, {now.is_write_cache, now.is_locked});
  if (pages.size() == 0) return request.fail(senses::kInvalidField);
  const bool is_disk = options_.kind == ScsiKind::kDisk;
  std::uint8_t specific = 0;
  if (is_disk && !is_writable()) specific |= kWriteProtect;
  if (is_disk && options_.has_fua) specific |= kFua;
  ScsiBytes descriptor;
  if (is_disk && !has_bit(request, 1, 3)) {
    descriptor.add(std::min<std::uint64_t>(blocks(), 0xffff'ffff), 4);
    descriptor.add(options_.logical_block, 4);
  }
  ScsiBytes bytes;
  if (is_short) {
    bytes.add(3 + descriptor.size() + pages.size(), 1);
    bytes.add({0, specific, static_cast<std::uint8_t>(descriptor.size())});
  } else {
    bytes.add(6 + descriptor.size() + pages.size(), 2);
    bytes.add({0, specific, 0, 0, 0, static_cast<std::uint8_t>(descriptor.size())});
  }
  bytes.add(descriptor);
  bytes.add(pages);
  request.reply(bytes, allocation);
}

void ScsiUnit::mode_select(ScsiRequest& request) {
  constexpr std::uint8_t kSix = 0x15, kSave = 0;
  const bool is_short = request.cdb[0] == kSix;
  const std::uint64_t length = is_short ? request.cdb[4] : request.number(7, 2);
  const std::size_t head = is_short ? 4 : 8;
  if (has_bit(request, 1, kSave)) return request.fail(senses::kInvalidField);
  if (length == 0) return;
  if (length < head || length > kMostModeParameters) return request.fail(senses::kParameterListLength);
  std::array<std::uint8_t, kMostModeParameters> parameters{};
  if (!request.take(std::span(parameters).first(length))) return;
  const std::span<const std::uint8_t> list = std::span(parameters).first(length);
  const std::uint64_t descriptors = is_short ? list[3] : scsi_number(list, 6, 2);
  if (head + descriptors > length) return request.fail(senses::kParameterListLength);
  // A block's size cannot be changed.
  const bool is_known =
      descriptors == 0 || (descriptors == 8 && scsi_number(list, head + 5, 3) == options_.logical_block);
  if (!is_known) return request.fail(senses::kInvalidParameter);
  if (!select_pages(request, list.subspan(head + descriptors))) request.fail(senses::kInvalidParameter);
}

bool ScsiUnit::select_pages(ScsiRequest& request, std::span<const std::uint8_t> pages) {
  constexpr std::uint8_t kCodeMask = 0x3f, kSubpageFormat = 0x40;
  const State now = state();
  const ModeState current{now.is_write_cache, now.is_locked};
  bool is_write_cache = now.is_write_cache;
  while (!pages.empty()) {
    if (pages.size() < 2 || (pages[0] & kSubpageFormat) != 0) return false;
    const std::uint8_t code = pages[0] & kCodeMask;
    if (code == kAllModePages) return false;
    const ScsiBytes have = mode_pages(options_, code, ModeControl::kCurrent, current);
    const ScsiBytes mask = mode_pages(options_, code, ModeControl::kChangeable, current);
    if (have.size() == 0 || have.size() > pages.size() || pages[1] != have[1]) return false;
    for (std::size_t i = 2; i < have.size(); ++i)
      if (((pages[i] ^ have[i]) & ~mask[i] & 0xff) != 0) return false;
    if (code == kCachingPage) is_write_cache = (pages[2] & kWriteCacheBit) != 0;
    pages = pages.subspan(have.size());
  }
  // What was written until now is on the disk before the cache is gone.
  if (now.is_write_cache && !is_write_cache) finish_write(request, 0, true);
  const std::lock_guard lock(mutex_);
  state_.is_write_cache = is_write_cache;
  return true;
}

void ScsiUnit::start_stop(ScsiRequest& request) {
  constexpr unsigned kStart = 0, kLoadEject = 1;
  const bool has_power_condition = request.cdb[4] >> 4 != 0;
  if (has_power_condition || options_.kind == ScsiKind::kDisk) return;
  if (!has_bit(request, 4, kLoadEject)) return;
  const std::lock_guard lock(mutex_);
  const bool is_load = has_bit(request, 4, kStart);
  if (!is_load && state_.is_locked) return request.fail(senses::kRemovalPrevented);
  if (is_load && state_.is_open && medium_ != nullptr) state_.attention = senses::kMediumChanged;
  state_.is_open = !is_load;
}

void ScsiUnit::prevent_removal(ScsiRequest& request) {
  const std::lock_guard lock(mutex_);
  state_.is_locked = has_bit(request, 4, 0);
}

namespace {

/// SPC-5, 6.31.3: the bits of a command that are looked at; all of them, but for the control byte.
ScsiBytes usage(std::uint8_t opcode, std::uint8_t action) {
  const unsigned size = scsi_cdb_bytes(opcode);
  ScsiBytes bytes{opcode};
  for (unsigned i = 1; i < size; ++i) bytes.add(i + 1 < size ? 0xff : 0, 1);
  if (action != kNoAction) bytes[1] = action;
  return bytes;
}

}  // namespace

void ScsiUnit::report_commands(ScsiRequest& request) {
  constexpr std::uint8_t kAll = 0, kOne = 1, kOneWithAction = 2, kEither = 3;
  constexpr std::uint8_t kUnsupported = 1, kSupported = 3;
  const std::uint8_t option = request.cdb[2] & 7;
  const std::uint8_t opcode = request.cdb[3];
  const auto action = static_cast<std::uint8_t>(request.number(4, 2) & kActionMask);
  const std::uint64_t allocation = request.number(6, 4);
  const unsigned kind = options_.kind == ScsiKind::kDisk ? kHd : kDiscs;
  if (option == kAll) {
    ScsiBytes bytes{0, 0, 0, 0};
    for (const Row& row : rows()) {
      if ((row.kinds & kind) == 0) continue;
      const bool has_action = row.action != kNoAction;
      bytes.add({row.opcode, 0, 0, has_action ? row.action : std::uint8_t{0}, 0,
                 has_action ? std::uint8_t{1} : std::uint8_t{0}});
      bytes.add(scsi_cdb_bytes(row.opcode), 2);
    }
    bytes.set(0, bytes.size() - 4, 4);
    return request.reply(bytes, allocation);
  }
  if (option > kEither) return request.fail(senses::kInvalidField);
  const Row* found = nullptr;
  bool has_actions = false;
  for (const Row& row : rows()) {
    if (row.opcode != opcode || (row.kinds & kind) == 0) continue;
    has_actions = has_actions || row.action != kNoAction;
    if (row.action == kNoAction || row.action == action) found = &row;
  }
  // To ask for one with a service action as if it had none, or the other way round, is an error.
  if ((option == kOne && has_actions) || (option == kOneWithAction && found != nullptr && !has_actions))
    return request.fail(senses::kInvalidField);
  ScsiBytes bytes{0, found == nullptr ? kUnsupported : kSupported};
  const ScsiBytes used = found == nullptr ? ScsiBytes() : usage(opcode, found->action);
  bytes.add(used.size(), 2);
  bytes.add(used);
  request.reply(bytes, allocation);
}

void ScsiUnit::read_contents(ScsiRequest& request) {
  // Drivers of old put the format into the two highest bits of the control byte.
  const auto format =
      static_cast<std::uint8_t>((request.cdb[2] & 0xf) != 0 ? request.cdb[2] & 0xf : request.cdb[9] >> 6);
  const ScsiBytes bytes = cd_contents(format, has_bit(request, 1, 1), request.cdb[6], blocks());
  if (bytes.size() == 0) return request.fail(senses::kInvalidField);
  request.reply(bytes, request.number(7, 2));
}

void ScsiUnit::get_configuration(ScsiRequest& request) {
  const auto type = static_cast<std::uint8_t>(request.cdb[1] & 3);
  const bool has_medium = medium_ != nullptr && !state().is_open;
  request.reply(
      cd_configuration(type, static_cast<std::uint16_t>(request.number(2, 2)), has_medium ? blocks() : 0),
      request.number(7, 2));
}

void ScsiUnit::get_events(ScsiRequest& request) {
  // Only what is polled can be answered.
  if (!has_bit(request, 1, 0)) return request.fail(senses::kInvalidField);
  const State now = state();
  request.reply(cd_events(request.cdb[4], medium_ != nullptr && !now.is_open, now.is_open),
                request.number(7, 2));
}

void ScsiUnit::read_information(ScsiRequest& request) {
  if ((request.cdb[1] & 7) != 0) return request.fail(senses::kInvalidField);
  request.reply(cd_information(), request.number(7, 2));
}

}  // namespace gstage::hw
