// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "softmmu/base/format.h"
#include "softmmu/mem/address_space.h"
#include "hw/core/register_table.h"

#include "tests/unit/hw_fakes.h"

namespace gstage::hw {

/// Software on a machine. What it does follows from a seed and from what it reads; all that it knows besides
/// lies in RAM, so that its copy on a machine with the same RAM goes on alike. What it reads is kept.
class Guest {
 public:
  Guest(AddressSpace& memory, std::uint64_t seed) : memory(memory), random_(seed) {}

  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  bool one_in(unsigned n) { return below(n) == 0; }
  /// As often of few bits as of many.
  std::uint64_t number(unsigned bits) {
    const std::uint64_t used = below(bits + 1);
    return used >= 64 ? random_() : random_() & ((std::uint64_t{1} << used) - 1);
  }
  template <class T>
  const T& one_of(std::span<const T> all) {
    return all[below(all.size())];
  }

  std::uint64_t load(std::uint64_t at, unsigned size) {
    std::uint64_t value = 0;
    const bool is_done = memory.load(Paddr{at}, size, value);
    seen.push_back(format("0x%llx: %s 0x%llx", static_cast<unsigned long long>(at), is_done ? "" : "fault",
                          static_cast<unsigned long long>(value)));
    return value;
  }
  void store(std::uint64_t at, unsigned size, std::uint64_t value) {
    static_cast<void>(memory.store(Paddr{at}, size, value));
  }
  /// Memory alone.
  template <class T>
  T peek(std::uint64_t at) {
    T value{};
    EXPECT_TRUE(memory.read(Paddr{at}, &value, sizeof value));
    return value;
  }
  template <class T>
  void poke(std::uint64_t at, const T& value) {
    EXPECT_TRUE(memory.write(Paddr{at}, &value, sizeof value));
  }

  AddressSpace& memory;
  FakeChardev* keyboard = nullptr;  ///< of the UART
  std::vector<std::string> seen;

 private:
  std::mt19937_64 random_;
};

/// Reads or writes any register of a table.
template <class Device>
void access_registers(Guest& guest, std::uint64_t base) {
  const Register<Device>& row = guest.one_of(Device::registers());
  unsigned index_bits = 0;
  while ((row.count - 1) >> index_bits != 0) ++index_bits;
  // The first ones are those of harts and sources that are there.
  const unsigned bits = guest.one_in(2) ? std::min(index_bits, 1u) : index_bits;
  const std::uint64_t index = std::min<std::uint64_t>(guest.number(bits), row.count - 1);
  std::vector<unsigned> sizes;
  for (const unsigned size : {1u, 2u, 4u, 8u})
    if ((row.accepted() & size) != 0) sizes.push_back(size);
  const unsigned size = guest.one_of(std::span<const unsigned>(sizes));
  std::uint64_t at = base + row.offset + index * row.step();
  if (!row.is_port && size < row.width) at += guest.below(row.width / size) * size;
  if (row.write == nullptr || (row.read != nullptr && guest.one_in(2)))
    guest.load(at, size);
  else
    guest.store(at, size, guest.number(size * 8));
}

}  // namespace gstage::hw
