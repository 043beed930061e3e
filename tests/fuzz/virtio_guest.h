// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "softmmu/mem/address_space.h"
#include "hw/virtio/virtio_mmio.h"

#include "tests/fuzz/input.h"

namespace gstage::fuzz {

/// A guest whose driver does what an input says: a machine of little RAM and one virtio-mmio slot. The input
/// begins with the features; then queues 0 to `queues` − 1 are set up as a good driver would, and what
/// follows are steps: descriptors, buffers offered, bytes in RAM, registers.
class VirtioGuest {
 public:
  static constexpr std::uint64_t kRam = 0x8000'0000;
  static constexpr std::uint64_t kRamSize = 64 << 10;
  /// What else may happen to the device: a step of its own.
  using Other = std::function<void(Input& input)>;

  /// Without `threads` a notification is served before it returns, and the same input does the same each
  /// time.
  VirtioGuest(std::unique_ptr<hw::VirtioDevice> device, unsigned queues, Other other = nullptr,
              unsigned threads = 0);

  /// Reset, set-up and steps until the input ends, and reset again, so that nothing is under way afterwards.
  void run(Input& input);
  hw::VirtioMmio& slot() { return *slot_; }

 private:
  static constexpr unsigned kQueueSize = 8;
  static constexpr std::uint64_t kAreaBytes = 0x400;  ///< of a queue's rings
  enum Flag : std::uint16_t { kNext = 1, kWrite = 2, kIndirect = 4 };

  void set_up(Input& input);
  void step(Input& input);
  void put_descriptor(Input& input);
  void offer(Input& input);
  void write_ram(Input& input);
  void set(std::uint64_t offset, std::uint64_t value);
  [[nodiscard]] std::uint64_t area(unsigned queue) const { return kRam + queue * kAreaBytes; }

  AddressSpace memory_;
  hw::WorkerPool workers_;
  unsigned queues_;
  Other other_;
  std::unique_ptr<hw::VirtioMmio> slot_;
};

}  // namespace gstage::fuzz
