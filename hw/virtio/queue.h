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
/// The part of `elements` that begins `skip` bytes in and is at most `count` bytes long.
BufferElements slice(const BufferElements& elements, std::uint64_t skip, std::uint64_t count);
/// Copies from the elements; returns how many bytes there were, at most `to.size()`.
std::size_t copy_from(const BufferElements& elements, std::span<std::uint8_t> to);
/// Copies into the elements and tells `memory`; returns how many bytes had room.
std::size_t copy_to(AddressSpace& memory, const BufferElements& elements, std::span<const std::uint8_t> from);

/// A buffer that the driver offers: what the device reads, then what it writes.
struct Chain {
  std::uint16_t head = 0;
  BufferElements readable;
  BufferElements writable;
};

/// The device's side of one split virtqueue (Virtio 1.3, 2.7). It trusts nothing that the driver wrote: what
/// makes no sense is reported once as "broken", and from then on the queue is not touched until its reset.
class Queue {
 public:
  /// What the driver configures.
  struct Setup {
    std::uint16_t size = 0;
    bool is_ready = false;
    std::uint64_t descriptors = 0;  ///< guest physical addresses of the three areas
    std::uint64_t driver_area = 0;
    std::uint64_t device_area = 0;
  };
  enum class Next : std::uint8_t { kEmpty, kChain, kBroken };

  Setup setup;

  /// Locates the rings in guest memory. Null, or what is wrong with the setup.
  const char* start(AddressSpace& memory, bool has_event_idx, bool has_indirect);
  /// Back to the state after reset.
  void reset();
  [[nodiscard]] bool is_started() const { return memory_ != nullptr; }

  /// Takes the next buffer. `kEmpty` also asks the driver for a notification of the next one. After
  /// `kBroken` `why()` says what was wrong.
  Next pop(Chain& chain);
  /// Undoes the last pop.
  void unpop() { --next_available_; }
  /// Returns a buffer into which the device wrote `written` bytes.
  void push(const Chain& chain, std::uint32_t written);
  /// Whether the driver wants an interrupt for what was pushed since the last call.
  bool must_interrupt();
  [[nodiscard]] const char* why() const { return why_; }

 private:
  struct Descriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t flags;
    std::uint16_t next;
  };
  struct Table {
    const std::byte* host;
    std::uint32_t count;
  };

  Next broken(const char* why);
  [[nodiscard]] std::uint16_t available(unsigned half) const;
  void set_used(unsigned offset, const void* from, unsigned size);
  /// Adds what the descriptors from `index` on describe. Null, or what is wrong.
  const char* walk(Table table, std::uint16_t index, bool is_indirect, Chain& chain);
  const char* add_element(const Descriptor& descriptor, Chain& chain) const;

  AddressSpace* memory_ = nullptr;
  bool has_event_idx_ = false;
  bool has_indirect_ = false;
  const std::byte* descriptors_ = nullptr;
  const std::byte* driver_area_ = nullptr;
  std::byte* device_area_ = nullptr;
  std::uint16_t next_available_ = 0;
  std::uint16_t next_used_ = 0;
  std::uint16_t signalled_used_ = 0;
  const char* why_ = nullptr;
};

}  // namespace gstage::hw
