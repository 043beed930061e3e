// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "softmmu/mem/address_space.h"

namespace gstage::hw {

/// Who answers which addresses of one of PCI's address spaces: a sorted table that a bar's move replaces as a
/// whole. Harts read it without a lock and again if it changed meanwhile (docs/adr/0007). It keeps nothing
/// that could dangle: handlers live as long as the machine's harts run.
class PciBarMap {
 public:
  /// `size` addresses from `base`, answered by `handler` from `offset` on.
  struct Place {
    std::uint64_t base;
    std::uint64_t size;
    MmioHandler* handler;
    std::uint64_t offset;
  };

  /// Makes room for so many places; they may overlap. While no hart runs.
  void reserve(std::size_t places);
  /// Where places overlap the first has the addresses. One caller at a time; any thread.
  void replace(std::span<const Place> places);
  /// Who has all the bytes of the access; false: nobody. Any thread.
  [[nodiscard]] bool find(std::uint64_t address, unsigned size, Place& found) const;

 private:
  struct Cell {
    std::atomic<std::uint64_t> base{0};
    std::atomic<std::uint64_t> size{0};
    std::atomic<MmioHandler*> handler{nullptr};
    std::atomic<std::uint64_t> offset{0};
  };
  [[nodiscard]] bool search(std::uint64_t address, unsigned size, Place& found) const;

  std::unique_ptr<Cell[]> cells_;
  std::size_t capacity_ = 0;
  std::atomic<std::size_t> count_{0};
  std::atomic<std::uint64_t> version_{0};  ///< odd: a change is under way
};

/// A part of the machine's bus through which harts reach one of PCI's address spaces. Where nobody answers
/// loads have all bits set and stores go nowhere, as a host bridge has it.
class PciWindow final : public MmioHandler {
 public:
  /// The window's first byte is the PCI address `base`.
  PciWindow(const PciBarMap& map, std::uint64_t base) : map_(map), base_(base) {}

  bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) override;
  bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) override;

 private:
  const PciBarMap& map_;
  const std::uint64_t base_;
};

}  // namespace gstage::hw
