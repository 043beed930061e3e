// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "softmmu/mem/address_space.h"

namespace gstage::hw {

/// Contiguous guest memory that belongs to a buffer.
struct BufferElement {
  std::byte* host;
  std::uint32_t size;  ///< bytes, never 0
  Paddr paddr;
};
using BufferElements = std::vector<BufferElement>;

/// The sum of the sizes, bytes.
std::uint64_t total_bytes(const BufferElements& elements);
/// Makes `result` the part of `elements` that begins `skip` bytes in and is at most `count` bytes long. A
/// vector that is used again and again costs no allocation.
void slice_into(BufferElements& result, const BufferElements& elements, std::uint64_t skip,
                std::uint64_t count);
BufferElements slice(const BufferElements& elements, std::uint64_t skip, std::uint64_t count);
/// Copies from the elements; returns how many bytes there were, at most `to.size()`.
std::size_t copy_from(const BufferElements& elements, std::span<std::uint8_t> to);
/// Copies into the elements and tells `memory`; returns how many bytes had room.
std::size_t copy_to(AddressSpace& memory, const BufferElements& elements, std::span<const std::uint8_t> from);

/// A buffer that the driver offers: what the device reads, then what it writes. It is used again for the next
/// buffer, so that in the long run a buffer costs no allocation.
struct Chain {
  std::uint16_t id = 0;     ///< by which the driver knows the buffer
  std::uint16_t slots = 0;  ///< how many entries of the ring it takes
  BufferElements readable;
  BufferElements writable;

  void clear();
  /// Adds what one descriptor describes. Null, or what is wrong with it.
  const char* add(const AddressSpace& memory, Paddr address, std::uint32_t length, bool is_writable);
};

}  // namespace gstage::hw
