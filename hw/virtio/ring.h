// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "softmmu/mem/address_space.h"
#include "hw/virtio/chain.h"

namespace gstage::hw {

class Visitor;

/// What the driver configures of a queue.
struct QueueSetup {
  std::uint16_t size = 0;
  std::uint64_t descriptors = 0;  ///< guest physical addresses of the three areas
  std::uint64_t driver_area = 0;
  std::uint64_t device_area = 0;
};

/// What driver and device agreed on about rings.
struct RingFeatures {
  bool has_indirect = false;
  bool has_event_idx = false;
};

/// The device's side of the rings of one queue in one of the layouts of Virtio 1.3, 2.7 and 2.8. It trusts
/// nothing that the driver wrote. Functions that may fail return null, or what is wrong.
class Ring {
 public:
  virtual ~Ring() = default;
  /// Locates the areas in guest memory.
  virtual const char* start() = 0;
  /// The driver offers a buffer that was not taken yet.
  [[nodiscard]] virtual bool has_next() const = 0;
  /// Takes the next buffer; there is one. `chain` is empty.
  virtual const char* take(Chain& chain) = 0;
  /// Gives back the buffer that was taken last.
  virtual void put_back(const Chain& chain) = 0;
  /// Writes down that the buffer was used, for the driver to see with the next `publish`.
  virtual void stage(const Chain& chain, std::uint32_t written) = 0;
  virtual void publish() = 0;
  /// Whether the driver is to tell of buffers that it offers.
  virtual void ask_for_notifications(bool is_wanted) = 0;
  /// Whether the driver wants an interrupt for what was published since the last call.
  virtual bool must_interrupt() = 0;
  /// Where in the rings the device is.
  virtual void visit(Visitor& visitor) = 0;

 protected:
  Ring(AddressSpace& memory, const QueueSetup& setup, RingFeatures features)
      : memory_(memory), setup_(setup), features_(features) {}

  /// A part of an area whose address is a multiple of `align`; null and `wrong` set if it is not in RAM.
  std::byte* locate(std::uint64_t address, std::uint64_t size, std::uint64_t align, const char*& wrong) const;
  /// An indirect table (both layouts: 16 bytes a descriptor) and the number of its descriptors.
  const char* locate_table(std::uint64_t address, std::uint32_t length, const std::byte*& table) const;

  static constexpr unsigned kDescriptorBytes = 16;
  enum DescriptorFlag : std::uint16_t { kNext = 1, kWrite = 2, kIndirect = 4 };

  AddressSpace& memory_;
  const QueueSetup setup_;
  const RingFeatures features_;
};

/// A field that the driver writes, ordered before all that is read afterwards.
inline std::uint16_t load_acquire(const std::byte* at) {
  return __atomic_load_n(reinterpret_cast<const std::uint16_t*>(at), __ATOMIC_ACQUIRE);
}
/// A field that the driver reads, ordered behind all that was written before.
inline void store_release(std::byte* at, std::uint16_t value) {
  __atomic_store_n(reinterpret_cast<std::uint16_t*>(at), value, __ATOMIC_RELEASE);
}

}  // namespace gstage::hw
