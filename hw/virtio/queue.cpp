// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/queue.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

namespace gstage::hw {
namespace {

enum DescriptorFlag : std::uint16_t { kNext = 1, kWrite = 2, kIndirect = 4 };
constexpr std::uint16_t kNoInterrupt = 1;
constexpr unsigned kDescriptorBytes = 16;
constexpr unsigned kUsedElementBytes = 8;
/// Offsets within the driver and the device area; the event field follows the ring.
constexpr unsigned kIndexOffset = 2;
constexpr unsigned kRingOffset = 4;
/// More descriptors than a sensible driver chains; bounds the work of one pop.
constexpr unsigned kMaxElements = 1024;
constexpr std::uint64_t kMaxChainBytes = std::uint64_t{1} << 32;

template <class T>
T load_acquire(const std::byte* at) {
  return __atomic_load_n(reinterpret_cast<const T*>(at), __ATOMIC_ACQUIRE);
}

}  // namespace

std::uint64_t total_bytes(const BufferElements& elements) {
  std::uint64_t sum = 0;
  for (const BufferElement& element : elements) sum += element.size;
  return sum;
}

BufferElements slice(const BufferElements& elements, std::uint64_t skip, std::uint64_t count) {
  BufferElements result;
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
  return result;
}

std::size_t copy_from(const BufferElements& elements, std::span<std::uint8_t> to) {
  std::size_t done = 0;
  for (const BufferElement& element : elements) {
    const std::size_t part = std::min<std::size_t>(element.size, to.size() - done);
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

const char* Queue::start(AddressSpace& memory, bool has_event_idx, bool has_indirect) {
  if (!std::has_single_bit(setup.size)) return "the queue's size is not a power of two";
  constexpr std::uint64_t kAlign[] = {16, 2, 4};  // Virtio 1.3, 2.7
  const std::uint64_t addresses[] = {setup.descriptors, setup.driver_area, setup.device_area};
  for (unsigned i = 0; i < 3; ++i)
    if (addresses[i] % kAlign[i] != 0) return "an area of the queue is not aligned";
  const std::uint64_t event = has_event_idx ? 2 : 0;
  const std::uint64_t size = setup.size;
  descriptors_ = memory.dma(Paddr{setup.descriptors}, size * kDescriptorBytes);
  driver_area_ = memory.dma(Paddr{setup.driver_area}, kRingOffset + size * 2 + event);
  device_area_ = memory.dma(Paddr{setup.device_area}, kRingOffset + size * kUsedElementBytes + event);
  if (descriptors_ == nullptr || driver_area_ == nullptr || device_area_ == nullptr)
    return "an area of the queue is not in RAM";
  memory_ = &memory;
  has_event_idx_ = has_event_idx;
  has_indirect_ = has_indirect;
  next_available_ = 0;
  next_used_ = 0;
  signalled_used_ = 0;
  why_ = nullptr;
  return nullptr;
}

void Queue::reset() { *this = Queue{}; }

Queue::Next Queue::broken(const char* why) {
  why_ = why;
  return Next::kBroken;
}

std::uint16_t Queue::available(unsigned half) const {
  return load_acquire<std::uint16_t>(driver_area_ + half);
}

void Queue::set_used(unsigned offset, const void* from, unsigned size) {
  std::memcpy(device_area_ + offset, from, size);
  memory_->dirty(Paddr{setup.device_area + offset}, size);
}

Queue::Next Queue::pop(Chain& chain) {
  if (why_ != nullptr) return Next::kBroken;
  if (available(kIndexOffset) == next_available_) {
    if (!has_event_idx_) return Next::kEmpty;
    // Ask for a notification, then look again: the driver may have added a buffer before it saw that.
    set_used(kRingOffset + setup.size * kUsedElementBytes, &next_available_, sizeof next_available_);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (available(kIndexOffset) == next_available_) return Next::kEmpty;
  }
  if (static_cast<std::uint16_t>(available(kIndexOffset) - next_available_) > setup.size)
    return broken("the available index is ahead by more than the queue's size");
  chain = Chain{};
  chain.head = available(kRingOffset + next_available_ % setup.size * 2);
  const char* wrong = walk({descriptors_, setup.size}, chain.head, false, chain);
  if (wrong == nullptr && total_bytes(chain.readable) + total_bytes(chain.writable) > kMaxChainBytes)
    wrong = "a descriptor chain is longer than 4 GiB";
  if (wrong != nullptr) return broken(wrong);
  ++next_available_;
  return Next::kChain;
}

const char* Queue::walk(Table table, std::uint16_t index, bool is_indirect, Chain& chain) {
  for (std::uint32_t steps = 0;; ++steps) {
    if (steps >= table.count) return "a descriptor chain is a loop";
    if (index >= table.count) return "a descriptor's index is beyond the table";
    Descriptor descriptor{};
    std::memcpy(&descriptor, table.host + std::size_t{index} * kDescriptorBytes, sizeof descriptor);
    if ((descriptor.flags & kIndirect) != 0) {
      if (!has_indirect_) return "an indirect descriptor without the feature";
      if (is_indirect) return "an indirect descriptor within an indirect table";
      if ((descriptor.flags & kNext) != 0) return "an indirect descriptor with a successor";
      if (descriptor.length == 0 || descriptor.length % kDescriptorBytes != 0)
        return "an indirect table of odd size";
      const std::byte* host = memory_->dma(Paddr{descriptor.address}, descriptor.length);
      if (host == nullptr) return "an indirect table is not in RAM";
      return walk({host, descriptor.length / kDescriptorBytes}, 0, true, chain);
    }
    if (const char* wrong = add_element(descriptor, chain)) return wrong;
    if ((descriptor.flags & kNext) == 0) return nullptr;
    index = descriptor.next;
  }
}

const char* Queue::add_element(const Descriptor& descriptor, Chain& chain) const {
  if (chain.readable.size() + chain.writable.size() >= kMaxElements) return "a descriptor chain is too long";
  if (descriptor.length == 0) return "a descriptor of length zero";
  const bool is_writable = (descriptor.flags & kWrite) != 0;
  if (!is_writable && !chain.writable.empty()) return "a device-readable descriptor after a writable one";
  std::byte* host = memory_->dma(Paddr{descriptor.address}, descriptor.length);
  if (host == nullptr) return "a buffer is not in RAM";
  (is_writable ? chain.writable : chain.readable)
      .push_back({host, descriptor.length, Paddr{descriptor.address}});
  return nullptr;
}

void Queue::push(const Chain& chain, std::uint32_t written) {
  const std::uint32_t element[2] = {chain.head, written};
  set_used(kRingOffset + next_used_ % setup.size * kUsedElementBytes, element, sizeof element);
  ++next_used_;
  // The element must be visible before the index.
  __atomic_store_n(reinterpret_cast<std::uint16_t*>(device_area_ + kIndexOffset), next_used_,
                   __ATOMIC_RELEASE);
  memory_->dirty(Paddr{setup.device_area + kIndexOffset}, sizeof next_used_);
}

bool Queue::must_interrupt() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::uint16_t before = signalled_used_;
  signalled_used_ = next_used_;
  if (before == next_used_) return false;
  if (!has_event_idx_) return (available(0) & kNoInterrupt) == 0;
  // Whether used_event lies among the entries written since (Virtio 1.3, 2.7.7.2).
  const std::uint16_t event = available(kRingOffset + setup.size * 2);
  return static_cast<std::uint16_t>(next_used_ - event - 1) < static_cast<std::uint16_t>(next_used_ - before);
}

}  // namespace gstage::hw
