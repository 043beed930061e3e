// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "hw/nvme/nvme_spec.h"

namespace gstage::hw {
namespace {

constexpr std::uint64_t kEntryBytes = 8;

/// Adds memory to what there is, as part of the last element where it follows.
bool add(const AddressSpace& memory, BufferElements& to, std::uint64_t address, std::uint64_t bytes) {
  std::byte* const host = memory.dma(Paddr{address}, bytes);
  if (host == nullptr) return false;
  if (!to.empty()) {
    BufferElement& last = to.back();
    if (last.paddr + last.size == Paddr{address} && last.host + last.size == host) {
      last.size += static_cast<std::uint32_t>(bytes);
      return true;
    }
  }
  to.push_back({host, static_cast<std::uint32_t>(bytes), Paddr{address}});
  return true;
}

/// Follows the lists from `list` on. One that goes on elsewhere has the next list's address in its page's
/// last entry, and only the first may begin within a page: so that each has its share of the data.
NvmeStatus map_list(const NvmeTransfer& transfer, BufferElements& to, std::uint64_t list,
                    std::uint64_t bytes) {
  const std::uint64_t page = transfer.page_bytes;
  if (list % kEntryBytes != 0) return NvmeStatus::kInvalidPrpOffset;
  while (bytes != 0) {
    const std::uint64_t needed = (bytes + page - 1) / page;
    const std::uint64_t room = (page - list % page) / kEntryBytes;
    const bool has_next = needed > room;
    const std::uint64_t count = has_next ? room - 1 : needed;
    const std::byte* const entries =
        transfer.memory.dma(Paddr{list}, (count + (has_next ? 1 : 0)) * kEntryBytes);
    if (entries == nullptr) return NvmeStatus::kDataTransfer;
    std::uint64_t entry = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      std::memcpy(&entry, entries + i * kEntryBytes, kEntryBytes);
      if (entry % page != 0) return NvmeStatus::kInvalidPrpOffset;
      const std::uint64_t size = std::min(bytes, page);
      if (!add(transfer.memory, to, entry, size)) return NvmeStatus::kDataTransfer;
      bytes -= size;
    }
    if (!has_next) break;
    std::memcpy(&list, entries + count * kEntryBytes, kEntryBytes);
    if (list % page != 0) return NvmeStatus::kInvalidPrpOffset;
  }
  return NvmeStatus::kSuccess;
}

}  // namespace

NvmeStatus map_data(const NvmeTransfer& transfer, NvmeRequest& request, std::uint64_t bytes) {
  constexpr std::uint8_t kNoPrps = 0xc0;
  const NvmeCommand& command = request.command;
  request.data.clear();
  if ((command.flags & kNoPrps) != 0 || bytes > transfer.max_bytes) return NvmeStatus::kInvalidField;
  const std::uint64_t page = transfer.page_bytes;
  const std::uint64_t first = command.prp[0];
  if (bytes == 0) return NvmeStatus::kSuccess;
  if (first % 4 != 0) return NvmeStatus::kInvalidPrpOffset;
  const std::uint64_t size = std::min(bytes, page - first % page);
  if (!add(transfer.memory, request.data, first, size)) return NvmeStatus::kDataTransfer;
  bytes -= size;
  if (bytes == 0) return NvmeStatus::kSuccess;
  const std::uint64_t second = command.prp[1];
  if (bytes > page) return map_list(transfer, request.data, second, bytes);
  if (second % page != 0) return NvmeStatus::kInvalidPrpOffset;
  return add(transfer.memory, request.data, second, bytes) ? NvmeStatus::kSuccess : NvmeStatus::kDataTransfer;
}

}  // namespace gstage::hw
