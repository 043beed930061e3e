// SPDX-License-Identifier: Apache-2.0
#include "hw/nvme/nvme_namespace.h"

#include <bit>
#include <cerrno>
#include <cstring>

#include "softmmu/base/trace.h"
#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

enum Opcode : std::uint8_t {
  kFlush = 0x00,
  kWrite = 0x01,
  kRead = 0x02,
  kWriteZeroes = 0x08,
  kDataSets = 0x09,
};
/// Of command word 12.
constexpr std::uint32_t kForceUnitAccess = 1u << 30;
constexpr std::uint32_t kCountMask = 0xffff;

template <class T>
void put(NvmeBytes& to, std::size_t at, T value) {
  std::memcpy(to.data() + at, &value, sizeof value);
}

void trace_blocks(const char* name, std::uint64_t block, std::uint64_t bytes) {
  if (trace_enabled(TraceEvent::block_request)) trace_write(TraceEvent::block_request, {name, block, bytes});
}

}  // namespace

NvmeStatus NvmeNamespace::execute(const NvmeTransfer& transfer, NvmeRequest& request) {
  constexpr std::uint8_t kFused = 0x03;
  const NvmeCommand& command = request.command;
  const bool is_here = command.nsid == kId || (command.opcode == kFlush && command.nsid == kAll);
  if ((command.flags & kFused) != 0) return NvmeStatus::kInvalidField;
  if (!is_here) return NvmeStatus::kInvalidNamespace;
  switch (command.opcode) {
    case kFlush: return flush();
    case kWrite: return transfer_blocks(transfer, request, true);
    case kRead: return transfer_blocks(transfer, request, false);
    case kWriteZeroes: return write_zeroes(command);
    case kDataSets: return manage_data_sets(transfer, request);
    default: return NvmeStatus::kInvalidOpcode;
  }
}

bool NvmeNamespace::is_inside(std::uint64_t block, std::uint64_t count) const {
  return block <= blocks() && count <= blocks() - block;
}

NvmeStatus NvmeNamespace::flush() {
  if (disk_->is_read_only()) return NvmeStatus::kSuccess;
  trace_blocks("flush", 0, 0);
  return disk_->flush() == 0 ? NvmeStatus::kSuccess : NvmeStatus::kWriteFault;
}

NvmeStatus NvmeNamespace::finish_write(int failure, bool is_forced) {
  if (failure == ENOSPC) return NvmeStatus::kNoSpace;
  if (failure != 0) return NvmeStatus::kWriteFault;
  return is_forced || !is_write_cache_ ? flush() : NvmeStatus::kSuccess;
}

NvmeStatus NvmeNamespace::transfer_blocks(const NvmeTransfer& transfer, NvmeRequest& request, bool is_write) {
  const NvmeCommand& command = request.command;
  const std::uint64_t block = command.wide(10);
  const std::uint64_t count = (command.word(12) & kCountMask) + std::uint64_t{1};
  const std::uint64_t bytes = count * options_.logical_block;
  if (bytes > transfer.max_bytes) return NvmeStatus::kInvalidField;
  if (!is_inside(block, count)) return NvmeStatus::kOutOfRange;
  if (is_write && is_read_only()) return NvmeStatus::kWriteProtected;
  if (const NvmeStatus status = map_data(transfer, request, bytes); status != NvmeStatus::kSuccess)
    return status;
  trace_blocks(is_write ? "write" : "read", block, bytes);
  std::uint64_t offset = block * options_.logical_block;
  int failure = 0;
  for (const BufferElement& element : request.data) {
    if (is_write)
      failure = disk_->write(offset, {element.host, element.size});
    else
      failure = disk_->read(offset, {element.host, element.size});
    if (!is_write) transfer.memory.dirty(element.paddr, element.size);
    if (failure != 0) break;
    offset += element.size;
  }
  (is_write ? writes_ : reads_).add(bytes);
  if (is_write) return finish_write(failure, (command.word(12) & kForceUnitAccess) != 0);
  return failure == 0 ? NvmeStatus::kSuccess : NvmeStatus::kReadError;
}

NvmeStatus NvmeNamespace::write_zeroes(const NvmeCommand& command) {
  const std::uint64_t block = command.wide(10);
  const std::uint64_t count = (command.word(12) & kCountMask) + std::uint64_t{1};
  if (!is_inside(block, count)) return NvmeStatus::kOutOfRange;
  if (is_read_only()) return NvmeStatus::kWriteProtected;
  const std::uint64_t bytes = count * options_.logical_block;
  trace_blocks("zeroes", block, bytes);
  return finish_write(disk_->write_zeroes(block * options_.logical_block, bytes),
                      (command.word(12) & kForceUnitAccess) != 0);
}

/// Of what data sets are for, deallocation alone changes anything.
NvmeStatus NvmeNamespace::manage_data_sets(const NvmeTransfer& transfer, NvmeRequest& request) {
  struct Range {
    std::uint32_t attributes;
    std::uint32_t count;
    std::uint64_t block;
  };
  constexpr std::size_t kMostRanges = 256;
  constexpr std::uint32_t kDeallocate = 4;
  const std::size_t count = (request.command.word(10) & 0xff) + std::size_t{1};
  if (const NvmeStatus status = map_data(transfer, request, count * sizeof(Range));
      status != NvmeStatus::kSuccess)
    return status;
  std::array<Range, kMostRanges> ranges;
  copy_from(request.data, {reinterpret_cast<std::uint8_t*>(ranges.data()), count * sizeof(Range)});
  const std::span<const Range> given = std::span(ranges).first(count);
  for (const Range& range : given)
    if (!is_inside(range.block, range.count)) return NvmeStatus::kOutOfRange;
  if ((request.command.word(11) & kDeallocate) == 0) return NvmeStatus::kSuccess;
  if (is_read_only()) return NvmeStatus::kWriteProtected;
  int failure = 0;
  for (const Range& range : given) {
    const std::uint64_t bytes = std::uint64_t{range.count} * options_.logical_block;
    trace_blocks("discard", range.block, bytes);
    if (bytes != 0) failure = disk_->discard(range.block * options_.logical_block, bytes);
    if (failure != 0) break;
  }
  return finish_write(failure, false);
}

NvmeBytes NvmeNamespace::identify() const {
  constexpr std::size_t kSize = 0, kCapacity = 8, kUsed = 16, kFeatures = 24, kWriteGranularity = 64,
                        kDiscardGranularity = 68, kDiscardAlignment = 70, kOptimalWrite = 72,
                        kAttributes = 99, kFormat0 = 128;
  constexpr std::uint8_t kHasSizes = 0x10, kIsWriteProtected = 1;
  NvmeBytes bytes(4096);
  for (const std::size_t at : {kSize, kCapacity, kUsed}) put(bytes, at, blocks());
  // Sizes in blocks, less one.
  const std::uint32_t block = options_.logical_block;
  const auto less_one = [&](std::uint32_t size) {
    return static_cast<std::uint16_t>((size < block ? block : size) / block - 1);
  };
  bytes[kFeatures] = kHasSizes;
  put(bytes, kWriteGranularity, less_one(options_.physical_block));
  put(bytes, kWriteGranularity + 2, less_one(options_.physical_block));
  put(bytes, kDiscardGranularity, less_one(options_.discard_granularity));
  put(bytes, kDiscardAlignment, less_one(options_.discard_granularity));
  put(bytes, kOptimalWrite, less_one(options_.opt_io));
  bytes[kAttributes] = is_read_only() ? kIsWriteProtected : 0;
  bytes[kFormat0 + 2] = static_cast<std::uint8_t>(std::countr_zero(block));
  return bytes;
}

NvmeBytes NvmeNamespace::identifiers() const {
  constexpr std::uint8_t kUuid = 3;
  NvmeBytes bytes(4096);
  bytes[0] = kUuid;
  bytes[1] = static_cast<std::uint8_t>(options_.uuid.size());
  std::memcpy(bytes.data() + 4, options_.uuid.data(), options_.uuid.size());
  return bytes;
}

NvmeBytes NvmeNamespace::health() const {
  constexpr std::size_t kTemperature = 1, kSpare = 3, kThreshold = 4, kUnitsRead = 32, kUnitsWritten = 48,
                        kReads = 64, kWrites = 80;
  constexpr std::uint64_t kUnit = 512 * 1000;  // of data, rounded up (5.14.1.2)
  constexpr std::uint16_t kKelvin = 0x143;
  NvmeBytes bytes(512);
  put(bytes, kTemperature, kKelvin);
  bytes[kSpare] = 100;
  bytes[kThreshold] = 10;
  put(bytes, kUnitsRead, (reads_.bytes + kUnit - 1) / kUnit);
  put(bytes, kUnitsWritten, (writes_.bytes + kUnit - 1) / kUnit);
  put(bytes, kReads, reads_.commands.load());
  put(bytes, kWrites, writes_.commands.load());
  return bytes;
}

void NvmeNamespace::visit(Visitor& visitor) {
  visitor.field("is_write_cache", is_write_cache_);
  visitor.field("reads", reads_.commands);
  visitor.field("bytes_read", reads_.bytes);
  visitor.field("writes", writes_.commands);
  visitor.field("bytes_written", writes_.bytes);
}

}  // namespace gstage::hw
