// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/blk.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "softmmu/base/log.h"
#include "softmmu/base/trace.h"
#include "hw/core/visitor.h"
#include "hw/virtio/virtio_core.h"

namespace gstage::hw {
namespace {

enum Type : std::uint32_t {
  kIn = 0,
  kOut = 1,
  kFlush = 4,
  kGetId = 8,
  kDiscard = 11,
  kWriteZeroes = 13,
};
enum BlkStatus : std::uint8_t { kOk = 0, kIoError = 1, kUnsupported = 2 };
/// In place of a status: there is none, the request is to be done once more.
constexpr std::uint8_t kHalted = 0xff;
/// Likewise: it cannot be done without waiting.
constexpr std::uint8_t kMustWait = 0xfe;
/// What harts do themselves is no larger.
constexpr std::uint64_t kMostAtOnce = 16 << 10;
/// After so many requests that came alone harts serve themselves, for so many requests.
constexpr unsigned kLoneRequests = 8;
constexpr unsigned kRequestsAtOnce = 256;
enum Feature : std::uint64_t {
  kSegMax = 1u << 2,
  kReadOnly = 1u << 5,
  kBlkSize = 1u << 6,
  kFlushCommand = 1u << 9,
  kTopology = 1u << 10,
  kConfigWce = 1u << 11,
  kMultiqueue = 1u << 12,
  kDiscardCommand = 1u << 13,
  kWriteZeroesCommand = 1u << 14,
};
constexpr std::uint32_t kRangeUnmap = 1;

/// For traces.
const char* name_of(std::uint32_t type) {
  switch (type) {
    case kIn: return "read";
    case kOut: return "write";
    case kFlush: return "flush";
    case kGetId: return "id";
    case kDiscard: return "discard";
    case kWriteZeroes: return "zeroes";
    default: return "unknown";
  }
}

constexpr std::size_t kIdBytes = 20;

/// Virtio 1.3, 5.2.4.
struct [[gnu::packed]] Config {
  std::uint64_t capacity;
  std::uint32_t size_max;
  std::uint32_t seg_max;
  std::uint32_t geometry;
  std::uint32_t blk_size;
  std::uint8_t physical_block_exp;
  std::uint8_t alignment_offset;
  std::uint16_t min_io_size;
  std::uint32_t opt_io_size;
  std::uint8_t writeback;
  std::uint8_t unused0;
  std::uint16_t num_queues;
  std::uint32_t max_discard_sectors;
  std::uint32_t max_discard_seg;
  std::uint32_t discard_sector_alignment;
  std::uint32_t max_write_zeroes_sectors;
  std::uint32_t max_write_zeroes_seg;
  std::uint8_t write_zeroes_may_unmap;
  std::uint8_t unused1[3];
};
constexpr std::uint32_t kWritebackOffset = 32;
static_assert(offsetof(Config, writeback) == kWritebackOffset);

}  // namespace

std::int64_t BlkRequests::execute(AddressSpace& memory, BlkRequest& request, bool is_writethrough) {
  const Chain& chain = request.chain;
  BufferElements& data = request.data;
  Header header{};
  const std::uint64_t writable = total_bytes(chain.writable);
  const bool has_header =
      copy_from(chain.readable, {reinterpret_cast<std::uint8_t*>(&header), sizeof header}) == sizeof header;
  if (!has_header || writable == 0) return kNoRequest;
  const bool is_to_guest = header.type == kIn || header.type == kGetId;
  if (is_to_guest)
    slice_into(data, chain.writable, 0, writable - 1);
  else
    slice_into(data, chain.readable, sizeof header, UINT64_MAX);
  if (trace_enabled(TraceEvent::block_request))
    trace_write(TraceEvent::block_request, {name_of(header.type), header.sector, total_bytes(data)});
  const std::uint8_t status = dispatch(memory, request, header, is_writethrough);
  if (status == kHalted) return kAgainLater;
  if (status == kMustWait) return kNotAtOnce;
  const BufferElement& last = chain.writable.back();
  last.host[last.size - 1] = std::byte{status};
  memory.dirty(last.paddr + (last.size - 1), 1);
  // What precedes the status byte counts only when all of it was written.
  const bool is_filled = header.type == kIn || (header.type == kGetId && writable - 1 <= kIdBytes);
  if (writable == 1) return 1;
  return status == kOk && is_filled ? static_cast<std::int64_t>(writable) : 0;
}

std::uint8_t BlkRequests::dispatch(AddressSpace& memory, BlkRequest& request, const Header& header,
                                   bool is_writethrough) {
  if (request.is_at_once && (header.type != kIn || total_bytes(request.data) > kMostAtOnce)) return kMustWait;
  switch (header.type) {
    case kIn: return read(memory, header.sector, request);
    case kOut: return write(header.sector, request, is_writethrough);
    case kFlush: return flush(request);
    case kGetId: return identify(memory, request);
    case kDiscard:
    case kWriteZeroes: return ranges(header.type, request, is_writethrough);
    default: return kUnsupported;
  }
}

std::uint8_t BlkRequests::identify(AddressSpace& memory, const BlkRequest& request) const {
  std::uint8_t name[kIdBytes] = {};
  std::memcpy(name, options_.serial.data(), std::min(options_.serial.size(), kIdBytes));
  copy_to(memory, request.data, name);
  return kOk;
}

bool BlkRequests::is_inside(std::uint64_t sector, std::uint64_t bytes) const {
  const std::uint64_t block = options_.logical_block;
  return bytes % block == 0 && sector % (block / kSectorBytes) == 0 && sector <= sectors() &&
         bytes / kSectorBytes <= sectors() - sector;
}

std::uint8_t BlkRequests::failed(BlkRequest& request, bool is_write, int error) const {
  const DiskFailure failure = options_.failures.decide(is_write, error);
  if (failure.action == FailureAction::kStop) {
    request.failure = failure;
    return kHalted;
  }
  options_.failures.tell(failure);
  return failure.action == FailureAction::kIgnore ? kOk : kIoError;
}

std::uint8_t BlkRequests::read(AddressSpace& memory, std::uint64_t sector, BlkRequest& request) {
  if (!is_inside(sector, total_bytes(request.data))) return kIoError;
  std::uint64_t offset = sector * kSectorBytes;
  for (const BufferElement& element : request.data) {
    const std::span<std::byte> to(element.host, element.size);
    const int failure = request.is_at_once ? backend_.read_at_once(offset, to) : backend_.read(offset, to);
    if (request.is_at_once && failure != 0) return kMustWait;
    memory.dirty(element.paddr, element.size);
    if (failure != 0)
      if (const std::uint8_t status = failed(request, false, failure); status != kOk) return status;
    offset += element.size;
  }
  return kOk;
}

std::uint8_t BlkRequests::write(std::uint64_t sector, BlkRequest& request, bool is_writethrough) {
  if (backend_.is_read_only() || !is_inside(sector, total_bytes(request.data))) return kIoError;
  std::uint64_t offset = sector * kSectorBytes;
  for (const BufferElement& element : request.data) {
    if (const int failure = backend_.write(offset, {element.host, element.size}); failure != 0)
      if (const std::uint8_t status = failed(request, true, failure); status != kOk) return status;
    offset += element.size;
  }
  return is_writethrough ? flush(request) : std::uint8_t{kOk};
}

std::uint8_t BlkRequests::flush(BlkRequest& request) {
  if (backend_.is_read_only()) return kOk;
  const int failure = backend_.flush();
  return failure == 0 ? std::uint8_t{kOk} : failed(request, true, failure);
}

std::uint8_t BlkRequests::ranges(std::uint32_t type, BlkRequest& request, bool is_writethrough) {
  const BufferElements& data = request.data;
  if (type == kDiscard ? !options_.can_discard : !options_.can_write_zeroes) return kUnsupported;
  if (backend_.is_read_only()) return kIoError;
  const std::uint64_t bytes = total_bytes(data);
  if (bytes == 0 || bytes % sizeof(Range) != 0 || bytes / sizeof(Range) > kMaxRanges) return kIoError;
  for (std::uint64_t at = 0; at < bytes; at += sizeof(Range)) {
    Range range{};
    copy_from(slice(data, at, sizeof range), {reinterpret_cast<std::uint8_t*>(&range), sizeof range});
    // Virtio 1.3, 5.2.6.2: unknown flags, and unmap of a discard, are unsupported.
    if ((range.flags & ~(type == kDiscard ? 0 : kRangeUnmap)) != 0) return kUnsupported;
    const std::uint64_t size = range.sectors * kSectorBytes;
    const std::uint32_t most =
        type == kDiscard ? options_.max_discard_sectors : options_.max_write_zeroes_sectors;
    if (range.sectors > most || !is_inside(range.sector, size)) return kIoError;
    const std::uint64_t offset = range.sector * kSectorBytes;
    const int failure =
        type == kDiscard ? backend_.discard(offset, size) : backend_.write_zeroes(offset, size);
    if (failure != 0)
      if (const std::uint8_t status = failed(request, true, failure); status != kOk) return status;
  }
  return is_writethrough ? flush(request) : std::uint8_t{kOk};
}

VirtioBlk::VirtioBlk(std::shared_ptr<BlockBackend> backend, const VirtioBlkOptions& options)
    : backend_(std::move(backend)),
      options_(options),
      requests_(*backend_, options),
      is_writeback_(options.is_write_cache),
      queues_(options.queues) {
  if (options_.failures.all != nullptr) resume_id_ = options_.failures.all->on_resume([this] { resume(); });
}

VirtioBlk::~VirtioBlk() {
  if (options_.failures.all != nullptr) options_.failures.all->forget(resume_id_);
}

std::uint64_t VirtioBlk::features() const {
  std::uint64_t features = kSegMax | kBlkSize | kFlushCommand | kTopology;
  if (options_.can_switch_cache) features |= kConfigWce;
  if (options_.queues > 1) features |= kMultiqueue;
  if (backend_->is_read_only()) return features | kReadOnly;
  if (options_.can_discard) features |= kDiscardCommand;
  if (options_.can_write_zeroes) features |= kWriteZeroesCommand;
  return features;
}

std::uint16_t VirtioBlk::max_queue_size(unsigned index) const {
  return index < options_.queues ? options_.queue_size : 0;
}

void VirtioBlk::read_config(std::uint32_t offset, std::span<std::uint8_t> to) {
  Config config{};
  config.capacity = requests_.sectors();
  config.seg_max = options_.queue_size - 2u;  // the header and the status take one descriptor each
  const std::uint32_t block = options_.logical_block;
  config.blk_size = block;
  config.physical_block_exp = static_cast<std::uint8_t>(std::countr_zero(options_.physical_block / block));
  config.min_io_size = static_cast<std::uint16_t>(options_.min_io / block);
  config.opt_io_size = options_.opt_io / block;
  config.writeback = is_writeback_ ? 1 : 0;
  config.num_queues = options_.queues;
  config.max_discard_sectors = options_.max_discard_sectors;
  config.max_discard_seg = BlkRequests::kMaxRanges;
  config.discard_sector_alignment =
      static_cast<std::uint32_t>(std::max(options_.discard_granularity, block) / BlkRequests::kSectorBytes);
  config.max_write_zeroes_sectors = options_.max_write_zeroes_sectors;
  config.max_write_zeroes_seg = BlkRequests::kMaxRanges;
  config.write_zeroes_may_unmap = 1;
  read_config_struct(config, offset, to);
}

void VirtioBlk::write_config(std::uint32_t offset, std::span<const std::uint8_t> from) {
  const bool is_allowed = (core().features() & kConfigWce) != 0;
  if (offset == kWritebackOffset && from.size() == 1 && is_allowed) {
    is_writeback_ = from[0] != 0;
    return;
  }
  log_line(Log::kGuestErrors, "virtio-blk: configuration byte %u cannot be written", offset);
}

void VirtioBlk::negotiated() {
  // Virtio 1.3, 5.2.5.2: without flush the cache must write through.
  if ((core().features() & kFlushCommand) == 0) is_writeback_ = false;
}

void VirtioBlk::visit(Visitor& visitor) {
  visitor.field("is_writeback", is_writeback_);
  visitor.field("is_halted", is_halted_);
}

void VirtioBlk::reset() {
  is_writeback_ = options_.is_write_cache;
  is_halted_ = false;
}

/// The request goes back to where it came from: a reset forgets it there, and a saved state has it.
void VirtioBlk::wait_for_resume(unsigned index, const BlkRequest& request) {
  core().queue(index).unpop(request.chain);
  // Before it is told: the machine may stop and go on at once.
  is_halted_ = true;
  options_.failures.tell(request.failure);
}

void VirtioBlk::resume() {
  if (!is_halted_.exchange(false)) return;
  for (unsigned index = 0; index < options_.queues; ++index) core().wake(index);
}

/// Who waits for each request waits for a worker's waking up as well, and a hart that does it itself is
/// faster; who has several under way goes on with others meanwhile. What the guest does now is looked at
/// again and again.
void VirtioBlk::note_served(Work& work, unsigned count) {
  if (count == 0) return;
  work.lone = count == 1 ? work.lone + 1 : 0;
  if (work.lone < kLoneRequests) return;
  work.lone = 0;
  work.left_at_once = kRequestsAtOnce;
}

Served VirtioBlk::serve(unsigned index) {
  Work& work = queues_[index];
  BlkRequest& request = work.request;
  request.is_at_once = false;
  // Harts run on for a moment, and may tell of more.
  if (is_halted_) return Served::kLater;
  unsigned count = 0;
  for (; core().pop(index, request.chain); ++count) {
    const std::int64_t written = requests_.execute(core().memory(), request, !is_writeback_);
    // The driver may have taken the queue back meanwhile; who resets it waits until this returns.
    if (!core().is_live(index)) break;
    if (written == BlkRequests::kAgainLater) {
      wait_for_resume(index, request);
      return Served::kLater;
    }
    if (written < 0) {
      core().fail(index, "a buffer is no block request");
      break;
    }
    core().queue(index).push(request.chain, static_cast<std::uint32_t>(written));
    core().notify_used(index);
  }
  note_served(work, count);
  return Served::kAll;
}

bool VirtioBlk::serve_at_once(unsigned index) {
  Work& work = queues_[index];
  BlkRequest& request = work.request;
  Queue& queue = core().queue(index);
  request.is_at_once = true;
  while (work.left_at_once != 0 && !is_halted_) {
    if (!core().pop(index, request.chain)) {
      if (!core().is_served(index) || !queue.enable_notifications()) return true;
      continue;
    }
    const std::int64_t written = requests_.execute(core().memory(), request, !is_writeback_);
    if (written < 0) {
      // A worker is better at what takes long, or is no request.
      queue.unpop(request.chain);
      return false;
    }
    --work.left_at_once;
    queue.push(request.chain, static_cast<std::uint32_t>(written));
    core().notify_used(index);
  }
  return false;
}

}  // namespace gstage::hw
