// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/chain.h"

#include <algorithm>
#include <cstring>

namespace gstage::hw {
namespace {

/// More descriptors than a sensible driver chains; bounds the work of one buffer.
constexpr unsigned kMaxElements = 1024;

}  // namespace

std::uint64_t total_bytes(const BufferElements& elements) {
  std::uint64_t sum = 0;
  for (const BufferElement& element : elements) sum += element.size;
  return sum;
}

void slice_into(BufferElements& result, const BufferElements& elements, std::uint64_t skip,
                std::uint64_t count) {
  result.clear();
  for (const BufferElement& element : elements) {
    if (count == 0) break;
    if (skip >= element.size) {
      skip -= element.size;
      continue;
    }
    const auto size = static_cast<std::uint32_t>(std::min<std::uint64_t>(element.size - skip, count));
    result.push_back({element.host + skip, size, element.paddr + skip});
    count -= size;
    skip = 0;
  }
}

BufferElements slice(const BufferElements& elements, std::uint64_t skip, std::uint64_t count) {
  BufferElements result;
  slice_into(result, elements, skip, count);
  return result;
}

std::size_t copy_from(const BufferElements& elements, std::span<std::uint8_t> to) {
  std::size_t done = 0;
  for (const BufferElement& element : elements) {
    const std::size_t part = std::min<std::size_t>(element.size, to.size() - done);
    if (part == 0) break;
    std::memcpy(to.data() + done, element.host, part);
    done += part;
  }
  return done;
}

std::size_t copy_to(AddressSpace& memory, const BufferElements& elements,
                    std::span<const std::uint8_t> from) {
  std::size_t done = 0;
  for (const BufferElement& element : elements) {
    const std::size_t part = std::min<std::size_t>(element.size, from.size() - done);
    if (part == 0) break;
    std::memcpy(element.host, from.data() + done, part);
    memory.dirty(element.paddr, part);
    done += part;
  }
  return done;
}

void Chain::clear() {
  id = 0;
  slots = 0;
  readable.clear();
  writable.clear();
}

const char* Chain::add(const AddressSpace& memory, Paddr address, std::uint32_t length, bool is_writable) {
  if (readable.size() + writable.size() >= kMaxElements) return "a descriptor chain is too long";
  if (length == 0) return "a descriptor of length zero";
  if (!is_writable && !writable.empty()) return "a device-readable descriptor after a writable one";
  std::byte* const host = memory.dma(address, length);
  if (host == nullptr) return "a buffer is not in RAM";
  (is_writable ? writable : readable).push_back({host, length, address});
  return nullptr;
}

}  // namespace gstage::hw
