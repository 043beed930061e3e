// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/mutator.h"

#include <algorithm>
#include <cstring>

namespace gstage::fuzz {

Bytes Mutator::next() {
  Bytes bytes = seeds_[below(seeds_.size())];
  for (std::size_t changes = 1 + below(6); changes > 0; --changes) change(bytes);
  bytes.resize(std::min(bytes.size(), kMaxBytes));
  return bytes;
}

void Mutator::change(Bytes& bytes) {
  if (bytes.empty()) return insert(bytes);
  switch (below(8)) {
    case 0: return insert(bytes);
    case 1: return erase(bytes);
    case 2: return splice(bytes);
    case 3:
    case 4: bytes[below(bytes.size())] ^= static_cast<std::uint8_t>(1u << below(8)); return;
    case 5: bytes[below(bytes.size())] = static_cast<std::uint8_t>(random_()); return;
    default: return overwrite(bytes);
  }
}

/// A number at which much turns, of 1, 2, 4 or 8 bytes, in either order.
void Mutator::overwrite(Bytes& bytes) {
  const std::size_t size = std::min(std::size_t{1} << below(4), bytes.size());
  std::uint64_t value = below(2) == 0 ? std::uint64_t{1} << below(64) : below(64);
  if (below(2) == 0) value = ~value;
  if (below(2) == 0) value = __builtin_bswap64(value);
  std::memcpy(bytes.data() + below(bytes.size() - size + 1), &value, size);
}

void Mutator::insert(Bytes& bytes) {
  Bytes more(1 + below(16));
  for (auto& byte : more) byte = static_cast<std::uint8_t>(random_());
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size() + 1)), more.begin(),
               more.end());
}

void Mutator::erase(Bytes& bytes) {
  const std::size_t first = below(bytes.size());
  const std::size_t count = 1 + below(std::min<std::size_t>(bytes.size() - first, 16));
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(first);
  bytes.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
}

/// The end of another input, or of the same once more.
void Mutator::splice(Bytes& bytes) {
  const Bytes& other = seeds_[below(seeds_.size())];
  if (other.empty()) return;
  if (below(2) == 0) bytes.resize(below(bytes.size() + 1));
  bytes.insert(bytes.end(), other.begin() + static_cast<std::ptrdiff_t>(below(other.size())), other.end());
}

}  // namespace gstage::fuzz
