// SPDX-License-Identifier: Apache-2.0
#include "hw/nvme/nvme_admin.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

enum Opcode : std::uint8_t {
  kDeleteSubmission = 0x00,
  kCreateSubmission = 0x01,
  kGetLogPage = 0x02,
  kDeleteCompletion = 0x04,
  kCreateCompletion = 0x05,
  kIdentify = 0x06,
  kAbort = 0x08,
  kSetFeatures = 0x09,
  kGetFeatures = 0x0a,
  kEventRequest = 0x0c,
};

enum FeatureId : std::uint8_t {
  kPower = 0x02,
  kTemperature = 0x04,
  kErrorRecovery = 0x05,
  kWriteCache = 0x06,
  kQueueCount = 0x07,
  kVector = 0x09,
};
/// A feature (5.21.1).
struct Feature {
  std::uint8_t id;
  std::uint32_t value;  ///< at reset
  std::uint32_t mask;   ///< bits that can be set
  bool is_of_namespace;
};
constexpr Feature kFeatureRows[] = {
    {0x01, 0x07, 0xffff'ff07, false},            // arbitration
    {kPower, 0, 0, false},                       // there is one state
    {kTemperature, 0x0157, 0xffff'ffff, false},  // in Kelvin; nothing here becomes warm
    {kErrorRecovery, 0, 0x0001'ffff, true},      //
    {kWriteCache, 1, 1, false},                  // the namespace has it
    {kQueueCount, 0, 0xffff'ffff, false},        //
    {0x08, 0, 0x0000'ffff, false},               // coalescing of interrupts, which is not done
    {kVector, 0, 0x0001'ffff, false},            //
    {0x0a, 0, 1, false},                         // atomicity of writes
    {0x0b, 0, 0xffff'ffff, false},               // events
};

const Feature* find_feature(std::uint32_t id) {
  const auto* const end = std::end(kFeatureRows);
  const auto* const found =
      std::find_if(std::begin(kFeatureRows), end, [&](const Feature& row) { return row.id == id; });
  return found == end ? nullptr : found;
}

constexpr std::size_t kIdentifyBytes = 4096;

template <class T>
void put(NvmeBytes& to, std::size_t at, T value) {
  std::memcpy(to.data() + at, &value, sizeof value);
}
/// Padded with spaces.
void put_text(NvmeBytes& to, std::size_t at, const std::string& text, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i)
    to[at + i] = i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{' '};
}

}  // namespace

NvmeAdmin::NvmeAdmin(const NvmeOptions& options, NvmeQueues& queues, NvmeNamespace& disk)
    : options_(options), queues_(queues), disk_(disk) {
  reset();
}

void NvmeAdmin::reset() {
  features_ = {};
  for (const Feature& row : kFeatureRows) features_[row.id] = row.value;
  event_requests_.clear();
  disk_.reset();
}

void NvmeAdmin::visit(Visitor& visitor) {
  visitor.field("features", features_);
  visitor.list("event_requests", event_requests_, std::size_t{options_.event_requests} + 1);
}

NvmeStatus NvmeAdmin::execute(const NvmeTransfer& transfer, NvmeRequest& request) {
  constexpr std::uint8_t kFusedOrSgl = 0xc3;
  const NvmeCommand& command = request.command;
  if ((command.flags & kFusedOrSgl) != 0) return NvmeStatus::kInvalidField;
  switch (command.opcode) {
    case kDeleteSubmission: return remove_submission(command);
    case kCreateSubmission: return create_submission(transfer, command);
    case kGetLogPage: return get_log_page(transfer, request);
    case kDeleteCompletion: return remove_completion(command);
    case kCreateCompletion: return create_completion(transfer, command);
    case kIdentify: return identify(transfer, request);
    case kAbort: request.result = 1; return NvmeStatus::kSuccess;  // it was not aborted
    case kSetFeatures: return set_features(request);
    case kGetFeatures: return get_features(request);
    case kEventRequest: return keep_event_request(request);
    default: return NvmeStatus::kInvalidOpcode;
  }
}

/// There are no events: nothing here fails by itself, and no namespace changes.
NvmeStatus NvmeAdmin::keep_event_request(NvmeRequest& request) {
  if (event_requests_.size() > options_.event_requests) return NvmeStatus::kTooManyEventRequests;
  event_requests_.push_back(request.command.id);
  request.is_kept = true;
  return NvmeStatus::kSuccess;
}

namespace {

constexpr std::uint32_t kContiguous = 1;

/// The id and the number of entries, of a command that creates a queue.
unsigned queue_id(const NvmeCommand& command) { return command.word(10) & 0xffff; }
std::uint32_t queue_entries(const NvmeCommand& command) { return (command.word(10) >> 16) + 1; }

NvmeStatus check_queue(const NvmeTransfer& transfer, const NvmeCommand& command) {
  if (queue_entries(command) < 2 || queue_entries(command) > NvmeQueues::kMaxEntries)
    return NvmeStatus::kInvalidQueueSize;
  if ((command.word(11) & kContiguous) == 0) return NvmeStatus::kInvalidField;
  if (command.prp[0] == 0 || command.prp[0] % transfer.page_bytes != 0) return NvmeStatus::kInvalidPrpOffset;
  return NvmeStatus::kSuccess;
}

}  // namespace

NvmeStatus NvmeAdmin::create_completion(const NvmeTransfer& transfer, const NvmeCommand& command) {
  constexpr std::uint32_t kInterrupts = 2;
  const unsigned id = queue_id(command);
  const auto vector = static_cast<std::uint16_t>(command.word(11) >> 16);
  if (!is_io_queue(id) || queues_.has_completion(id)) return NvmeStatus::kInvalidQueueId;
  if (const NvmeStatus status = check_queue(transfer, command); status != NvmeStatus::kSuccess) return status;
  if (vector >= options_.vectors) return NvmeStatus::kInvalidVector;
  const bool has_interrupts = (command.word(11) & kInterrupts) != 0;
  return queues_.create_completion(id, {command.prp[0], queue_entries(command), vector, has_interrupts})
             ? NvmeStatus::kSuccess
             : NvmeStatus::kDataTransfer;
}

NvmeStatus NvmeAdmin::create_submission(const NvmeTransfer& transfer, const NvmeCommand& command) {
  const unsigned id = queue_id(command);
  const auto completions = static_cast<std::uint16_t>(command.word(11) >> 16);
  if (!is_io_queue(completions) || !queues_.has_completion(completions))
    return NvmeStatus::kInvalidCompletionQueue;
  if (!is_io_queue(id) || queues_.has_submission(id)) return NvmeStatus::kInvalidQueueId;
  if (const NvmeStatus status = check_queue(transfer, command); status != NvmeStatus::kSuccess) return status;
  return queues_.create_submission(id, {command.prp[0], queue_entries(command), completions})
             ? NvmeStatus::kSuccess
             : NvmeStatus::kDataTransfer;
}

NvmeStatus NvmeAdmin::remove_completion(const NvmeCommand& command) {
  const unsigned id = queue_id(command);
  if (!is_io_queue(id) || !queues_.has_completion(id)) return NvmeStatus::kInvalidQueueId;
  return queues_.remove_completion(id) ? NvmeStatus::kSuccess : NvmeStatus::kInvalidQueueDeletion;
}

NvmeStatus NvmeAdmin::remove_submission(const NvmeCommand& command) {
  const unsigned id = queue_id(command);
  if (!is_io_queue(id) || !queues_.has_submission(id)) return NvmeStatus::kInvalidQueueId;
  queues_.remove_submission(id);
  return NvmeStatus::kSuccess;
}

NvmeStatus NvmeAdmin::answer(const NvmeTransfer& transfer, NvmeRequest& request,
                             std::span<const std::uint8_t> bytes) {
  const NvmeStatus status = map_data(transfer, request, bytes.size());
  if (status == NvmeStatus::kSuccess) copy_to(transfer.memory, request.data, bytes);
  return status;
}

NvmeStatus NvmeAdmin::identify(const NvmeTransfer& transfer, NvmeRequest& request) {
  enum : std::uint8_t { kNamespace = 0, kController = 1, kActiveList = 2, kIdentifiers = 3 };
  const NvmeCommand& command = request.command;
  const auto what = static_cast<std::uint8_t>(command.word(10));
  switch (what) {
    case kController: return answer(transfer, request, identify_controller());
    case kActiveList: {
      // Those whose numbers are greater; the two greatest numbers are none.
      if (command.nsid >= NvmeNamespace::kAll - 1) return NvmeStatus::kInvalidNamespace;
      NvmeBytes list(kIdentifyBytes);
      if (command.nsid < NvmeNamespace::kId) put(list, 0, NvmeNamespace::kId);
      return answer(transfer, request, list);
    }
    case kNamespace:
    case kIdentifiers: {
      const bool is_here = command.nsid == NvmeNamespace::kId;
      // Of all namespaces it tells what they have in common.
      if (!is_here && !(what == kNamespace && command.nsid == NvmeNamespace::kAll))
        return NvmeStatus::kInvalidNamespace;
      return answer(transfer, request, what == kNamespace ? disk_.identify() : disk_.identifiers());
    }
    default: return NvmeStatus::kInvalidField;
  }
}

NvmeBytes NvmeAdmin::identify_controller() const {
  constexpr std::uint16_t kVendor = 0x1b36, kSubsystemVendor = 0x1af4, kTemperatures[] = {0x157, 0x175};
  constexpr std::uint8_t kOui[] = {0x00, 0x54, 0x52}, kIoController = 1, kAbortLimit = 3;
  constexpr std::uint8_t kOneSlotReadOnly = 3, kExtendedLog = 4, kFlushOfAll = 7;
  constexpr std::uint16_t kDataSetsAndZeroes = 0x0c, kMaxPower = 2500;
  NvmeBytes bytes(kIdentifyBytes);
  put(bytes, 0, kVendor);
  put(bytes, 2, kSubsystemVendor);
  put_text(bytes, 4, options_.serial, 20);
  put_text(bytes, 24, "QEMU NVMe Ctrl", 40);
  put_text(bytes, 64, "1.0", 8);
  bytes[72] = kNvmeCommandShift;  // arbitration burst
  std::copy(std::begin(kOui), std::end(kOui), bytes.begin() + 73);
  bytes[77] = options_.max_transfer;
  put(bytes, 80, kNvmeVersion);
  bytes[111] = kIoController;
  bytes[258] = kAbortLimit;
  bytes[259] = options_.event_requests;
  bytes[260] = kOneSlotReadOnly;
  bytes[261] = kExtendedLog;
  put(bytes, 266, kTemperatures[0]);
  put(bytes, 268, kTemperatures[1]);
  bytes[512] = kNvmeCommandShift << 4 | kNvmeCommandShift;
  bytes[513] = kNvmeCompletionShift << 4 | kNvmeCompletionShift;
  put(bytes, 516, NvmeNamespace::kId);
  put(bytes, 520, kDataSetsAndZeroes);
  bytes[525] = kFlushOfAll;
  const std::string name = "nqn.2019-08.org.qemu:" + options_.serial;
  std::copy(name.begin(), name.end(), bytes.begin() + 768);
  put(bytes, 2048, kMaxPower);
  return bytes;
}

NvmeStatus NvmeAdmin::get_log_page(const NvmeTransfer& transfer, NvmeRequest& request) {
  enum : std::uint8_t { kErrors = 1, kHealth = 2, kFirmware = 3 };
  const NvmeCommand& command = request.command;
  const std::uint64_t words = (std::uint64_t{command.word(11) & 0xffff} << 16 | command.word(10) >> 16) + 1;
  const std::uint64_t offset = command.wide(12);
  NvmeBytes log;
  switch (command.word(10) & 0xff) {
    case kErrors: log.resize(64); break;
    case kHealth:
      if (command.nsid != 0 && command.nsid != NvmeNamespace::kId && command.nsid != NvmeNamespace::kAll)
        return NvmeStatus::kInvalidNamespace;
      log = disk_.health();
      break;
    case kFirmware:
      log.resize(512);
      log[0] = 1;
      put_text(log, 8, "1.0", 8);
      break;
    default: return NvmeStatus::kInvalidLogPage;
  }
  if (offset % 4 != 0 || offset > log.size()) return NvmeStatus::kInvalidField;
  return answer(transfer, request,
                std::span(log).subspan(offset, std::min<std::uint64_t>(words * 4, log.size() - offset)));
}

std::uint32_t NvmeAdmin::io_queues_word() const {
  // Less one, and without the admin queue.
  const std::uint32_t count = queues_.pairs() - 2;
  return count << 16 | count;
}

std::uint32_t NvmeAdmin::feature(std::uint8_t id, std::uint32_t word11) const {
  constexpr std::uint32_t kNoCoalescing = 1u << 16;
  switch (id) {
    case kWriteCache: return disk_.is_write_cache() ? 1 : 0;
    case kQueueCount: return io_queues_word();
    case kVector: return (word11 & 0xffff) | kNoCoalescing;
    default: return features_[id];
  }
}

NvmeStatus NvmeAdmin::get_features(NvmeRequest& request) {
  enum : std::uint32_t { kCurrent = 0, kDefault = 1, kSaved = 2, kCapabilities = 3 };
  constexpr std::uint32_t kOfNamespace = 2, kChangeable = 4;
  const NvmeCommand& command = request.command;
  const Feature* const row = find_feature(command.word(10) & 0xff);
  if (row == nullptr) return NvmeStatus::kInvalidField;
  const bool is_known = command.nsid == NvmeNamespace::kId || command.nsid == NvmeNamespace::kAll;
  if (row->is_of_namespace && !is_known) return NvmeStatus::kInvalidNamespace;
  if (row->id == kVector && (command.word(11) & 0xffff) >= options_.vectors) return NvmeStatus::kInvalidField;
  switch (command.word(10) >> 8 & 7) {
    case kCurrent: request.result = feature(row->id, command.word(11)); return NvmeStatus::kSuccess;
    case kDefault:
    case kSaved:
      request.result = row->id == kQueueCount ? io_queues_word() : row->value;
      return NvmeStatus::kSuccess;
    case kCapabilities:
      request.result = (row->mask != 0 ? kChangeable : 0) | (row->is_of_namespace ? kOfNamespace : 0);
      return NvmeStatus::kSuccess;
    default: return NvmeStatus::kInvalidField;
  }
}

NvmeStatus NvmeAdmin::set_features(NvmeRequest& request) {
  constexpr std::uint32_t kSave = 1u << 31, kReservedCount = 0xffff;
  const NvmeCommand& command = request.command;
  const std::uint32_t value = command.word(11);
  const Feature* const row = find_feature(command.word(10) & 0xff);
  if (row == nullptr) return NvmeStatus::kInvalidField;
  if ((command.word(10) & kSave) != 0) return NvmeStatus::kNotSaveable;
  const bool is_here = command.nsid == NvmeNamespace::kId || command.nsid == NvmeNamespace::kAll;
  if (row->is_of_namespace && !is_here) return NvmeStatus::kInvalidNamespace;
  switch (row->id) {
    case kPower: return value == 0 ? NvmeStatus::kSuccess : NvmeStatus::kInvalidField;
    case kQueueCount:
      if ((value & 0xffff) == kReservedCount || value >> 16 == kReservedCount)
        return NvmeStatus::kInvalidField;
      request.result = io_queues_word();
      return NvmeStatus::kSuccess;
    case kVector:
      return (value & 0xffff) < options_.vectors ? NvmeStatus::kSuccess : NvmeStatus::kInvalidField;
    case kWriteCache: {
      const bool is_on = (value & 1) != 0;
      const bool was_on = disk_.is_write_cache();
      disk_.set_write_cache(is_on);
      // What was written until now is on the disk before the cache is gone.
      return was_on && !is_on ? disk_.flush() : NvmeStatus::kSuccess;
    }
    default: features_[row->id] = value & row->mask; return NvmeStatus::kSuccess;
  }
}

}  // namespace gstage::hw
