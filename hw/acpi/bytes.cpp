// SPDX-License-Identifier: Apache-2.0
#include "hw/acpi/bytes.h"

#include "softmmu/base/check.h"

namespace gstage::hw::acpi {

Bytes& Bytes::number(std::uint64_t value, unsigned size) {
  bytes_.resize(bytes_.size() + size);
  patch(bytes_.size() - size, value, size);
  return *this;
}

Bytes& Bytes::text(std::string_view text, std::size_t width, char fill) {
  for (std::size_t i = 0; i < width; ++i)
    bytes_.push_back(static_cast<std::uint8_t>(i < text.size() ? text[i] : fill));
  return *this;
}

Bytes& Bytes::zeroes(std::size_t count) {
  bytes_.resize(bytes_.size() + count);
  return *this;
}

Bytes& Bytes::append(const Bytes& more) {
  bytes_.insert(bytes_.end(), more.bytes_.begin(), more.bytes_.end());
  return *this;
}

void Bytes::patch(std::size_t offset, std::uint64_t value, unsigned size) {
  CHECK(offset + size <= bytes_.size());
  for (unsigned i = 0; i < size; ++i) bytes_[offset + i] = static_cast<std::uint8_t>(value >> (i * 8));
}

}  // namespace gstage::hw::acpi
