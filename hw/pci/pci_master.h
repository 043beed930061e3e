// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "softmmu/mem/address_space.h"
#include "hw/core/msi_sink.h"

namespace gstage::hw {

/// What a function does on the bus by itself: DMA and messages. All of it fails while the function or a
/// bridge above it is no bus master. Any thread, with the device's lock held or without.
class PciMaster final : public MsiSink {
 public:
  [[nodiscard]] bool is_enabled() const { return is_enabled_.load(std::memory_order_acquire); }

  /// As `AddressSpace` has them; false and null while this is no bus master.
  bool read(Paddr paddr, void* to, std::uint64_t size) const;
  bool write(Paddr paddr, const void* from, std::uint64_t size) const;
  [[nodiscard]] std::byte* dma(Paddr paddr, std::uint64_t size) const;
  void dirty(Paddr paddr, std::uint64_t size) const;
  /// A message; none is sent, and none later in its place, while this is no bus master.
  void send(std::uint64_t address, std::uint32_t data) override;

  /// The host bridge's part: where it all goes, and whether it may. Once `enable(false)` has returned no
  /// message goes out; an access to memory that another thread has begun may still be under way.
  void connect(AddressSpace& memory, MsiSink& msis);
  void enable(bool is_enabled);

 private:
  std::mutex mutex_;  ///< held while a message is sent; behind those of MSI and MSI-X
  std::atomic<bool> is_enabled_{false};
  AddressSpace* memory_ = nullptr;
  MsiSink* msis_ = nullptr;
};

}  // namespace gstage::hw
