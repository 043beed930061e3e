// SPDX-License-Identifier: Apache-2.0
#include "hw/pci/pci_msix.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "softmmu/base/check.h"
#include "softmmu/base/trace.h"
#include "hw/core/visitor.h"

namespace gstage::hw {
namespace {

/// The least half of a BAR that table and pending bits share.
constexpr std::uint32_t kLeastHalf = 2048;
constexpr unsigned kEntryBytes = 16;

}  // namespace

PciMsix::PciMsix(unsigned vectors, MsiSink& sink)
    : vectors_(vectors), sink_(sink), table_(kWords * vectors), pending_((vectors + 63) / 64 * 2) {
  CHECK(vectors >= 1 && vectors <= kMaxVectors);
  reset();
}

std::uint32_t PciMsix::pending_offset() const {
  return std::max(kLeastHalf, static_cast<std::uint32_t>(std::bit_ceil(vectors_ * kEntryBytes)));
}

void PciMsix::reset() {
  const std::lock_guard lock(mutex_);
  std::fill(pending_.begin(), pending_.end(), 0);
  std::fill(table_.begin(), table_.end(), 0);
  for (unsigned vector = 0; vector < vectors_; ++vector) table_[vector * kWords + kControl] = kMasked;
  is_enabled_ = is_masked_ = false;
}

void PciMsix::visit(Visitor& visitor) {
  const std::lock_guard lock(mutex_);
  for (auto& [name, words] : {std::pair{"msix-table", &table_}, std::pair{"msix-pending", &pending_}}) {
    std::vector<std::uint32_t> saved = *words;
    visitor.list(name, saved, saved.size());
    // What was saved of another number of vectors is not this function's.
    if (saved.size() == words->size()) *words = std::move(saved);
  }
}

bool PciMsix::is_enabled() const {
  const std::lock_guard lock(mutex_);
  return is_enabled_;
}

bool PciMsix::can_send(unsigned vector) const {
  return is_enabled_ && !is_masked_ && (table_[vector * kWords + kControl] & kMasked) == 0;
}

void PciMsix::send(unsigned vector) {
  const std::uint32_t* const entry = &table_[vector * kWords];
  const std::uint64_t address = std::uint64_t{entry[kAddressHigh]} << 32 | entry[kAddress];
  trace(TraceEvent::pci_msi, address, entry[kData]);
  sink_.send(address, entry[kData]);
}

void PciMsix::notify(unsigned vector) {
  const std::lock_guard lock(mutex_);
  if (!is_enabled_ || vector >= vectors_) return;
  if (can_send(vector))
    send(vector);
  else
    pending_[vector / 32] |= 1u << (vector % 32);
}

void PciMsix::settle(unsigned vector) {
  const std::uint32_t bit = 1u << (vector % 32);
  if ((pending_[vector / 32] & bit) == 0 || !can_send(vector)) return;
  pending_[vector / 32] &= ~bit;
  send(vector);
}

void PciMsix::control(bool is_enabled, bool is_masked) {
  const std::lock_guard lock(mutex_);
  is_enabled_ = is_enabled;
  is_masked_ = is_masked;
  for (unsigned vector = 0; vector < vectors_; ++vector) settle(vector);
}

std::uint32_t PciMsix::word(std::uint64_t offset) const {
  if (offset < table_.size() * 4) return table_[offset / 4];
  const std::uint64_t pending = offset - pending_offset();
  return offset >= pending_offset() && pending < pending_.size() * 4 ? pending_[pending / 4] : 0;
}

void PciMsix::set_word(std::uint64_t offset, std::uint32_t value) {
  // Pending bits are read-only.
  if (offset >= table_.size() * 4) return;
  const auto index = static_cast<unsigned>(offset / 4);
  switch (index % kWords) {
    case kAddress: value &= ~3u; break;
    case kControl: value &= kMasked; break;
    default: break;
  }
  table_[index] = value;
  settle(index / kWords);
}

bool PciMsix::mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) {
  if (size < 4) return false;
  const std::lock_guard lock(mutex_);
  value = word(offset);
  if (size == 8) value |= std::uint64_t{word(offset + 4)} << 32;
  return true;
}

bool PciMsix::mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) {
  if (size < 4) return false;
  const std::lock_guard lock(mutex_);
  set_word(offset, static_cast<std::uint32_t>(value));
  if (size == 8) set_word(offset + 4, static_cast<std::uint32_t>(value >> 32));
  return true;
}

}  // namespace gstage::hw
