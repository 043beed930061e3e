// SPDX-License-Identifier: Apache-2.0
#include "hw/pci/pci_config.h"

#include <algorithm>

#include "softmmu/base/check.h"
#include "hw/core/visitor.h"
#include "hw/pci/pci_registers.h"

namespace gstage::hw {

std::uint32_t PciConfig::get(const Bytes& bytes, unsigned offset, unsigned size) {
  CHECK(offset + size <= kSize);
  std::uint32_t value = 0;
  for (unsigned i = 0; i < size; ++i) value |= static_cast<std::uint32_t>(bytes[offset + i]) << (8 * i);
  return value;
}

void PciConfig::put(Bytes& bytes, unsigned offset, unsigned size, std::uint32_t value) {
  CHECK(offset + size <= kSize);
  for (unsigned i = 0; i < size; ++i) bytes[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

void PciConfig::add_row(const PciConfigRow& row, unsigned base) {
  const unsigned offset = base + row.offset;
  set_fixed(offset, row.width, row.value);
  put(writable_, offset, row.width, row.writable);
  put(clears_, offset, row.width, row.clears);
}

void PciConfig::add_rows(std::span<const PciConfigRow> rows, unsigned base) {
  for (const PciConfigRow& row : rows) add_row(row, base);
}

unsigned PciConfig::add_capability(std::uint8_t id, unsigned size) {
  const unsigned offset = next_capability_;
  next_capability_ += (size + 3) & ~3u;
  CHECK(size >= 2 && next_capability_ <= kConventionalSize);
  unsigned link = pci::kCapabilityPointer;
  while (values_[link] != 0) link = values_[link] + 1u;
  set_fixed(link, 1, offset);
  set_fixed(offset, 1, id);
  const std::uint32_t status = get(at_reset_, pci::kStatus, 2);
  set_fixed(pci::kStatus, 2, status | pci::kStatusCapabilities);
  return offset;
}

void PciConfig::remove_capability(unsigned offset) {
  unsigned link = pci::kCapabilityPointer;
  while (values_[link] != offset) {
    CHECK(values_[link] != 0);
    link = values_[link] + 1u;
  }
  const std::uint8_t next = values_[offset + 1];
  set_fixed(link, 1, next);
  unsigned end = kConventionalSize;
  for (unsigned at = values_[pci::kCapabilityPointer]; at != 0; at = values_[at + 1])
    if (at > offset) end = std::min(end, at);
  for (unsigned at = offset; at < std::min(end, next_capability_); ++at) add_row({0, 1, "", 0, 0, 0}, at);
}

unsigned PciConfig::find_capability(std::uint8_t id) const {
  unsigned at = values_[pci::kCapabilityPointer];
  while (at != 0 && values_[at] != id) at = values_[at + 1];
  return at;
}

std::uint32_t PciConfig::read(unsigned offset, unsigned size) const { return get(values_, offset, size); }

void PciConfig::write(unsigned offset, unsigned size, std::uint32_t value) {
  const std::uint32_t writable = get(writable_, offset, size);
  const std::uint32_t clears = get(clears_, offset, size) & value;
  const std::uint32_t old = get(values_, offset, size);
  put(values_, offset, size, ((old & ~writable) | (value & writable)) & ~clears);
}

void PciConfig::set(unsigned offset, unsigned size, std::uint32_t value) {
  put(values_, offset, size, value);
}

void PciConfig::set_fixed(unsigned offset, unsigned size, std::uint32_t value) {
  put(values_, offset, size, value);
  put(at_reset_, offset, size, value);
}

void PciConfig::visit(Visitor& visitor) { visitor.field("config", values_); }

void PciConfig::reset() { values_ = at_reset_; }

}  // namespace gstage::hw
