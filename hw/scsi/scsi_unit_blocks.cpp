// SPDX-License-Identifier: Apache-2.0
// The commands of a unit that have to do with its blocks (SBC-4).
#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

#include "softmmu/base/trace.h"
#include "hw/scsi/scsi_unit.h"

namespace gstage::hw {
namespace {

constexpr std::uint8_t kSixByteGroup = 0, kTwelveByteGroup = 5, kSixteenByteGroup = 4;
constexpr std::uint8_t kProtectMask = 0xe0;
constexpr std::uint8_t kForceUnitAccess = 0x08;

std::uint8_t group_of(const ScsiRequest& request) { return request.cdb[0] >> 5; }

bool has_force(const ScsiRequest& request) {
  return group_of(request) != kSixByteGroup && (request.cdb[1] & kForceUnitAccess) != 0;
}

/// Protection information is not there (SBC-4, 4.21): the command must not ask for it.
bool has_protection(const ScsiRequest& request) {
  return group_of(request) != kSixByteGroup && (request.cdb[1] & kProtectMask) != 0;
}

void trace_blocks(const char* name, std::uint64_t block, std::uint64_t bytes) {
  if (trace_enabled(TraceEvent::block_request)) trace_write(TraceEvent::block_request, {name, block, bytes});
}

}  // namespace

std::uint64_t ScsiUnit::blocks() const {
  return medium_ == nullptr ? 0 : medium_->size() / options_.logical_block;
}

ScsiUnit::Extent ScsiUnit::extent(const ScsiRequest& request) {
  switch (group_of(request)) {
    case kSixByteGroup: {
      constexpr std::uint32_t kBlockBits = 0x1f'ffff, kMost = 256;
      const std::uint8_t count = request.cdb[4];
      return {request.number(1, 3) & kBlockBits, count == 0 ? kMost : count};
    }
    case kTwelveByteGroup: return {request.number(2, 4), request.number(6, 4)};
    case kSixteenByteGroup: return {request.number(2, 8), request.number(10, 4)};
    default: return {request.number(2, 4), request.number(7, 2)};
  }
}

bool ScsiUnit::check(ScsiRequest& request, const Extent& extent) const {
  if (extent.block <= blocks() && extent.count <= blocks() - extent.block) return true;
  request.fail(senses::kOutOfRange);
  return false;
}

bool ScsiUnit::check_writable(ScsiRequest& request) const {
  if (is_writable()) return true;
  request.fail(senses::kWriteProtected);
  return false;
}

void ScsiUnit::finish_write(ScsiRequest& request, int failure, bool is_forced) {
  if (failure == 0 && is_writable() && (is_forced || !state().is_write_cache)) failure = medium_->flush();
  if (failure != 0) request.fail(failure == ENOSPC ? senses::kNoSpace : senses::kWriteError);
}

void ScsiUnit::read_capacity(ScsiRequest& request) {
  ScsiBytes bytes;
  bytes.add(blocks() == 0 ? 0 : std::min<std::uint64_t>(blocks() - 1, 0xffff'ffff), 4);
  bytes.add(options_.logical_block, 4);
  request.reply(bytes, bytes.size());
}

void ScsiUnit::read_capacity_long(ScsiRequest& request) {
  constexpr std::uint8_t kProvisioned = 0x80;
  ScsiBytes bytes;
  bytes.add(blocks() == 0 ? 0 : blocks() - 1, 8);
  bytes.add(options_.logical_block, 4);
  const int exponent = std::countr_zero(options_.physical_block / options_.logical_block);
  bytes.add({0, static_cast<std::uint8_t>(exponent), is_writable() ? kProvisioned : std::uint8_t{0}, 0});
  bytes.add_zeroes(32 - bytes.size());
  request.reply(bytes, request.number(10, 4));
}

void ScsiUnit::read(ScsiRequest& request) {
  const Extent what = extent(request);
  if (has_protection(request)) return request.fail(senses::kInvalidField);
  if (!check(request, what)) return;
  const std::uint64_t bytes = what.count * options_.logical_block;
  slice_into(request.part, request.to_guest, 0, bytes);
  if (total_bytes(request.part) < bytes) {
    request.is_overrun = true;
    return;
  }
  trace_blocks("read", what.block, bytes);
  std::uint64_t offset = what.block * options_.logical_block;
  for (const BufferElement& element : request.part) {
    const int failure = medium_->read(offset, {element.host, element.size});
    request.memory->dirty(element.paddr, element.size);
    if (failure != 0) return request.fail(senses::kReadError);
    offset += element.size;
    request.moved += element.size;
  }
}

void ScsiUnit::write(ScsiRequest& request) {
  const Extent what = extent(request);
  if (has_protection(request)) return request.fail(senses::kInvalidField);
  if (!check(request, what) || !check_writable(request)) return;
  const std::uint64_t bytes = what.count * options_.logical_block;
  slice_into(request.part, request.to_unit, 0, bytes);
  if (total_bytes(request.part) < bytes) {
    request.is_overrun = true;
    return;
  }
  trace_blocks("write", what.block, bytes);
  std::uint64_t offset = what.block * options_.logical_block;
  int failure = 0;
  for (const BufferElement& element : request.part) {
    failure = medium_->write(offset, {element.host, element.size});
    if (failure != 0) break;
    offset += element.size;
    request.moved += element.size;
  }
  finish_write(request, failure, has_force(request));
}

void ScsiUnit::verify(ScsiRequest& request) {
  constexpr std::uint8_t kByteCheck = 0x06;
  if ((request.cdb[1] & (kProtectMask | kByteCheck)) != 0) return request.fail(senses::kInvalidField);
  check(request, extent(request));
}

/// All of the cache is written, whatever part of it is asked for.
void ScsiUnit::synchronize(ScsiRequest& request) {
  const Extent what = extent(request);
  if (!check(request, what)) return;
  trace_blocks("flush", what.block, 0);
  finish_write(request, 0, true);
}

bool ScsiUnit::take_ranges(ScsiRequest& request, std::vector<Range>& ranges) const {
  constexpr std::size_t kHead = 8, kDescriptor = 16;
  const std::uint64_t length = request.number(7, 2);
  if (length == 0) return true;
  std::array<std::uint8_t, kHead + kDescriptor * kScsiMaxUnmapRanges> list{};
  if (length < kHead) return request.fail(senses::kParameterListLength), false;
  const std::size_t size = std::min<std::size_t>(length, list.size());
  if (!request.take(std::span(list).first(size))) return false;
  const std::uint64_t described = scsi_number(list, 2, 2);
  if (described > length - kHead) return request.fail(senses::kParameterListLength), false;
  if (described / kDescriptor > kScsiMaxUnmapRanges) return request.fail(senses::kInvalidParameter), false;
  std::uint64_t left = options_.max_unmap / options_.logical_block;
  for (std::size_t at = kHead; at + kDescriptor <= kHead + described; at += kDescriptor) {
    const Extent what{scsi_number(list, at, 8), scsi_number(list, at + 8, 4)};
    if (!check(request, what)) return false;
    if (what.count > left) return request.fail(senses::kInvalidParameter), false;
    left -= what.count;
    if (what.count != 0)
      ranges.push_back({what.block * options_.logical_block, what.count * options_.logical_block});
  }
  return true;
}

void ScsiUnit::unmap(ScsiRequest& request) {
  constexpr std::uint8_t kAnchor = 1;
  if ((request.cdb[1] & kAnchor) != 0) return request.fail(senses::kInvalidField);
  if (!check_writable(request)) return;
  std::vector<Range> ranges;
  if (!take_ranges(request, ranges)) return;
  int failure = 0;
  for (const Range& range : ranges) {
    trace_blocks("unmap", range.offset / options_.logical_block, range.size);
    failure = medium_->discard(range.offset, range.size);
    if (failure != 0) break;
  }
  finish_write(request, failure, false);
}

int ScsiUnit::fill(const Extent& what, std::span<const std::byte> pattern) {
  const std::uint64_t offset = what.block * options_.logical_block;
  const std::uint64_t bytes = what.count * options_.logical_block;
  const bool is_zero =
      std::all_of(pattern.begin(), pattern.end(), [](std::byte one) { return one == std::byte{0}; });
  if (is_zero) return medium_->write_zeroes(offset, bytes);
  constexpr std::uint64_t kAtOnce = 64 << 10;
  std::vector<std::byte> copies(
      std::min<std::uint64_t>(std::max<std::uint64_t>(kAtOnce, pattern.size()), bytes));
  for (std::size_t at = 0; at < copies.size(); at += pattern.size())
    std::memcpy(copies.data() + at, pattern.data(), pattern.size());
  for (std::uint64_t done = 0; done < bytes; done += copies.size()) {
    const std::uint64_t size = std::min<std::uint64_t>(copies.size(), bytes - done);
    if (const int failure = medium_->write(offset + done, std::span(copies).first(size))) return failure;
  }
  return 0;
}

/// With UNMAP, too: what unmapped blocks read as is not said, so what the pattern says is written.
void ScsiUnit::write_same(ScsiRequest& request) {
  constexpr std::uint8_t kAnchor = 0x10, kNoData = 0x01;
  const Extent what = extent(request);
  const bool is_long = group_of(request) == kSixteenByteGroup;
  const std::uint8_t flags = request.cdb[1];
  const bool has_no_data = is_long && (flags & kNoData) != 0;
  if ((flags & (kProtectMask | kAnchor)) != 0 || what.count == 0 || what.count > kScsiMaxWriteSameBlocks)
    return request.fail(senses::kInvalidField);
  if (!check(request, what) || !check_writable(request)) return;
  std::vector<std::byte> pattern(options_.logical_block);
  if (!has_no_data && !request.take({reinterpret_cast<std::uint8_t*>(pattern.data()), pattern.size()}))
    return;
  trace_blocks("write same", what.block, what.count * options_.logical_block);
  finish_write(request, fill(what, pattern), false);
}

}  // namespace gstage::hw
