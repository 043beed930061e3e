// SPDX-License-Identifier: Apache-2.0
#include "hw/pci/pci_bar_map.h"

#include <algorithm>
#include <thread>

#include "softmmu/base/check.h"
#include "softmmu/base/log.h"

namespace gstage::hw {
namespace {

using Place = PciBarMap::Place;

std::uint64_t last(const Place& place) { return place.base + (place.size - 1); }

/// Enters what is left of the place beside those that are there. `sorted` stays so.
void insert(std::vector<Place>& sorted, Place place) {
  std::vector<Place> parts;
  const std::uint64_t end = last(place);
  std::uint64_t from = place.base;
  bool is_done = false;
  const auto take = [&](std::uint64_t to) {
    parts.push_back({from, to - from + 1, place.handler, place.offset + (from - place.base)});
  };
  for (const Place& other : sorted) {
    if (last(other) < from) continue;
    if (other.base > end) break;
    if (other.base > from) take(other.base - 1);
    is_done = last(other) >= end;
    if (is_done) break;
    from = last(other) + 1;
  }
  if (!is_done) take(end);
  sorted.insert(sorted.end(), parts.begin(), parts.end());
  std::sort(sorted.begin(), sorted.end(), [](const Place& a, const Place& b) { return a.base < b.base; });
}

}  // namespace

void PciBarMap::reserve(std::size_t places) {
  // Each place may cut an earlier one's neighbour in two.
  capacity_ = 2 * places + 1;
  cells_ = std::make_unique<Cell[]>(capacity_);
  count_.store(0, std::memory_order_release);
}

void PciBarMap::replace(std::span<const Place> places) {
  std::vector<Place> sorted;
  for (const Place& place : places) insert(sorted, place);
  CHECK(sorted.size() <= capacity_);
  // A reader that sees any of these stores sees the odd version as well, for they are ordered after it.
  const std::uint64_t version = version_.load(std::memory_order_relaxed);
  version_.store(version + 1, std::memory_order_release);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    cells_[i].base.store(sorted[i].base, std::memory_order_release);
    cells_[i].size.store(sorted[i].size, std::memory_order_release);
    cells_[i].handler.store(sorted[i].handler, std::memory_order_release);
    cells_[i].offset.store(sorted[i].offset, std::memory_order_release);
  }
  count_.store(sorted.size(), std::memory_order_release);
  version_.store(version + 2, std::memory_order_release);
}

bool PciBarMap::search(std::uint64_t address, unsigned size, Place& found) const {
  std::size_t first = 0;
  std::size_t count = std::min(count_.load(std::memory_order_acquire), capacity_);
  while (count > 0) {
    const std::size_t half = count / 2;
    if (cells_[first + half].base.load(std::memory_order_acquire) <= address) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  if (first == 0) return false;
  const Cell& cell = cells_[first - 1];
  found = {cell.base.load(std::memory_order_acquire), cell.size.load(std::memory_order_acquire),
           cell.handler.load(std::memory_order_acquire), cell.offset.load(std::memory_order_acquire)};
  const std::uint64_t within = address - found.base;
  return within < found.size && found.size - within >= size;
}

bool PciBarMap::find(std::uint64_t address, unsigned size, Place& found) const {
  for (;;) {
    const std::uint64_t version = version_.load(std::memory_order_acquire);
    if ((version & 1) == 0) {
      const bool is_found = search(address, size, found);
      if (version_.load(std::memory_order_acquire) == version) return is_found;
    }
    std::this_thread::yield();
  }
}

bool PciWindow::mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) {
  const std::uint64_t address = base_ + offset;
  Place place{};
  const bool is_read = map_.find(address, size, place) &&
                       place.handler->mmio_read(place.offset + (address - place.base), size, value);
  if (is_read) return true;
  log_line(Log::kGuestErrors, "pci: load of %u bytes at 0x%llx, which nobody answers", size,
           static_cast<unsigned long long>(address));
  value = ~std::uint64_t{0};
  return true;
}

bool PciWindow::mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) {
  const std::uint64_t address = base_ + offset;
  Place place{};
  const bool is_written = map_.find(address, size, place) &&
                          place.handler->mmio_write(place.offset + (address - place.base), size, value);
  if (!is_written)
    log_line(Log::kGuestErrors, "pci: store of %u bytes at 0x%llx, which nobody answers", size,
             static_cast<unsigned long long>(address));
  return true;
}

}  // namespace gstage::hw
