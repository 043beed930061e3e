// SPDX-License-Identifier: Apache-2.0
#include "hw/pci/pci_msi.h"

#include <algorithm>
#include <bit>

#include "softmmu/base/check.h"
#include "softmmu/base/trace.h"
#include "hw/core/visitor.h"
#include "hw/pci/pci_registers.h"

namespace gstage::hw {
namespace {

enum : std::uint16_t {
  kControl = 2,
  kAddress = 4,
  kAddressHigh = 8,
  kData = 0xc,
  kMask = 0x10,
  kPending = 0x14,
};
enum : std::uint32_t { kEnable = 1, kAllowed = 7 << 4, k64Bit = 1 << 7, kHasMasks = 1 << 8 };
constexpr unsigned kCapableShift = 1;
constexpr unsigned kAllowedShift = 4;

std::uint32_t bits_below(unsigned count) { return count >= 32 ? ~0u : (1u << count) - 1; }

}  // namespace

PciMsi::PciMsi(PciConfig& config, unsigned vectors, MsiSink& sink)
    : vectors_(vectors), offset_(config.add_capability(pci::kCapMsi, kSize)), sink_(sink) {
  CHECK(std::has_single_bit(vectors) && vectors <= kMaxVectors);
  const std::uint32_t capable = static_cast<std::uint32_t>(std::countr_zero(vectors)) << kCapableShift;
  const PciConfigRow rows[] = {
      {kControl, 2, "message control", capable | k64Bit | kHasMasks, kEnable | kAllowed},
      {kAddress, 4, "message address", 0, ~3u},
      {kAddressHigh, 4, "message upper address", 0, ~0u},
      {kData, 2, "message data", 0, 0xffff},
      {kMask, 4, "mask bits", 0, bits_below(vectors)},
      {kPending, 4, "pending bits"},
  };
  config.add_rows(rows, offset_);
}

bool PciMsi::is_enabled() const {
  const std::lock_guard lock(mutex_);
  return is_enabled_;
}

void PciMsi::send(unsigned vector) {
  // The low bits of the data tell messages apart.
  trace(TraceEvent::pci_msi, address_, (data_ & ~(allowed_ - 1)) | vector);
  sink_.send(address_, (data_ & ~(allowed_ - 1)) | vector);
}

void PciMsi::notify(unsigned vector) {
  const std::lock_guard lock(mutex_);
  if (!is_enabled_ || vector >= vectors_) return;
  if (vector >= allowed_) vector = 0;
  if ((masks_ >> vector & 1) != 0)
    pending_ |= 1u << vector;
  else
    send(vector);
}

void PciMsi::take_registers(const PciConfig& config) {
  const std::lock_guard lock(mutex_);
  const std::uint32_t control = config.read(offset_ + kControl, 2);
  is_enabled_ = (control & kEnable) != 0;
  allowed_ = std::min(1u << ((control & kAllowed) >> kAllowedShift), vectors_);
  address_ = std::uint64_t{config.read(offset_ + kAddressHigh, 4)} << 32 | config.read(offset_ + kAddress, 4);
  data_ = config.read(offset_ + kData, 2);
  masks_ = config.read(offset_ + kMask, 4);
  if (!is_enabled_) return;
  for (unsigned vector = 0; vector < vectors_; ++vector) {
    const std::uint32_t bit = 1u << vector;
    if ((pending_ & ~masks_ & bit) == 0) continue;
    pending_ &= ~bit;
    send(vector < allowed_ ? vector : 0);
  }
}

void PciMsi::show_pending(PciConfig& config) const {
  const std::lock_guard lock(mutex_);
  config.set(offset_ + kPending, 4, pending_);
}

void PciMsi::visit(Visitor& visitor) {
  const std::lock_guard lock(mutex_);
  visitor.field("msi-pending", pending_);
}

void PciMsi::reset() {
  const std::lock_guard lock(mutex_);
  is_enabled_ = false;
  pending_ = masks_ = 0;
}

}  // namespace gstage::hw
