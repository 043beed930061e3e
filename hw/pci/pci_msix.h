// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "softmmu/mem/address_space.h"
#include "hw/core/msi_sink.h"

namespace gstage::hw {

class Visitor;

/// MSI-X of one function (PCI Local Bus 3.0, section 6.8.2): the table and the array of pending bits behind a
/// BAR, and the notification of vectors. A message is sent under the lock that a write to the table takes:
/// once a guest has masked a vector or changed its message, none goes out by the old entry.
class PciMsix final : public MmioHandler {
 public:
  static constexpr unsigned kMaxVectors = 2048;

  /// `vectors` from 1 to kMaxVectors. `sink` outlives this.
  PciMsix(unsigned vectors, MsiSink& sink);

  /// The event behind the vector happened: sends its message, or keeps it pending while it is masked. Ignored
  /// while MSI-X is off (the function then uses its pin) and for vectors that are not there (0xffff of
  /// virtio). Any thread.
  void notify(unsigned vector);
  [[nodiscard]] bool is_enabled() const;
  [[nodiscard]] unsigned vectors() const { return vectors_; }

  /// Where table and pending bits lie in a BAR of their own, and its size.
  [[nodiscard]] std::uint32_t pending_offset() const;
  [[nodiscard]] std::uint64_t bar_size() const { return std::uint64_t{pending_offset()} * 2; }

  /// The table and the pending bits at their offsets in the BAR; 4 or 8 bytes.
  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override;
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override;

  /// The function's part: the bits of message control.
  void control(bool is_enabled, bool is_masked);
  void reset();
  void visit(Visitor& visitor);

 private:
  /// Words of a table's entry.
  enum : unsigned { kAddress, kAddressHigh, kData, kControl, kWords };
  static constexpr std::uint32_t kMasked = 1;

  [[nodiscard]] std::uint32_t word(std::uint64_t offset) const;
  void set_word(std::uint64_t offset, std::uint32_t value);
  [[nodiscard]] bool can_send(unsigned vector) const;
  void send(unsigned vector);
  /// Sends what is pending of the vector if it may.
  void settle(unsigned vector);

  const unsigned vectors_;
  MsiSink& sink_;
  mutable std::mutex mutex_;
  std::vector<std::uint32_t> table_;    ///< kWords a vector
  std::vector<std::uint32_t> pending_;  ///< a bit a vector; whole 64-bit words
  bool is_enabled_ = false;
  bool is_masked_ = false;  ///< all vectors
};

}  // namespace gstage::hw
