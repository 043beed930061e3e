// SPDX-License-Identifier: Apache-2.0
#include "hw/virtio/queue.h"

#include <atomic>

#include "hw/virtio/features.h"
#include "hw/virtio/packed_ring.h"
#include "hw/virtio/split_ring.h"

namespace gstage::hw {
namespace {

constexpr std::uint64_t kMaxChainBytes = std::uint64_t{1} << 32;

}  // namespace

std::byte* Ring::locate(std::uint64_t address, std::uint64_t size, std::uint64_t align,
                        const char*& wrong) const {
  std::byte* const host = memory_.dma(Paddr{address}, size);
  if (host == nullptr) wrong = "an area of the queue is not in RAM";
  if (address % align != 0) wrong = "an area of the queue is not aligned";
  return host;
}

const char* Ring::locate_table(std::uint64_t address, std::uint32_t length, const std::byte*& table) const {
  if (length == 0 || length % kDescriptorBytes != 0) return "an indirect table of odd size";
  table = memory_.dma(Paddr{address}, length);
  return table == nullptr ? "an indirect table is not in RAM" : nullptr;
}

const char* Queue::start(AddressSpace& memory, const QueueSetup& setup, std::uint64_t features) {
  const RingFeatures ring{(features & kIndirectDescriptors) != 0, (features & kEventIdx) != 0};
  if ((features & kRingPacked) != 0)
    ring_ = std::make_unique<PackedRing>(memory, setup, ring);
  else
    ring_ = std::make_unique<SplitRing>(memory, setup, ring);
  why_ = ring_->start();
  if (why_ != nullptr) ring_ = nullptr;
  return why_;
}

void Queue::stop() {
  ring_ = nullptr;
  why_ = nullptr;
}

Queue::Next Queue::broken(const char* why) {
  why_ = why;
  return Next::kBroken;
}

Queue::Next Queue::pop(Chain& chain) {
  if (why_ != nullptr) return Next::kBroken;
  if (!ring_->has_next()) return Next::kEmpty;
  chain.clear();
  if (const char* wrong = ring_->take(chain)) return broken(wrong);
  if (total_bytes(chain.readable) + total_bytes(chain.writable) > kMaxChainBytes)
    return broken("a descriptor chain is longer than 4 GiB");
  return Next::kChain;
}

void Queue::unpop(const Chain& chain) { ring_->put_back(chain); }

void Queue::push(const Chain& chain, std::uint32_t written) {
  ring_->stage(chain, written);
  ring_->publish();
}

void Queue::stage(const Chain& chain, std::uint32_t written) { ring_->stage(chain, written); }

void Queue::publish() { ring_->publish(); }

void Queue::disable_notifications() { ring_->ask_for_notifications(false); }

bool Queue::enable_notifications() {
  if (why_ != nullptr) return false;
  ring_->ask_for_notifications(true);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return ring_->has_next();
}

bool Queue::must_interrupt() { return ring_->must_interrupt(); }

}  // namespace gstage::hw
