// SPDX-License-Identifier: Apache-2.0
#include "softmmu/mem/address_space.h"

#include <algorithm>
#include <cstring>

#include "softmmu/base/bits.h"
#include "softmmu/base/log.h"

namespace gstage {

namespace {

/// Calls `access(T{})` with the unsigned type of the size. False: there is none.
template <class Access>
bool with_type_of(unsigned size, Access&& access) {
  switch (size) {
    case 1: access(std::uint8_t{}); return true;
    case 2: access(std::uint16_t{}); return true;
    case 4: access(std::uint32_t{}); return true;
    case 8: access(std::uint64_t{}); return true;
    default: return false;
  }
}

/// One access, single-copy atomic when aligned, as the guest's memory model wants it.
bool load_host(const std::byte* from, unsigned size, std::uint64_t& value) {
  return with_type_of(size, [&]<class T>(T v) {
    if (is_aligned(reinterpret_cast<std::uintptr_t>(from), sizeof(T)))
      v = __atomic_load_n(reinterpret_cast<const T*>(from), __ATOMIC_ACQUIRE);
    else
      std::memcpy(&v, from, sizeof(T));
    value = v;
  });
}

bool store_host(std::byte* to, unsigned size, std::uint64_t value) {
  return with_type_of(size, [&]<class T>(T v) {
    v = static_cast<T>(value);
    if (is_aligned(reinterpret_cast<std::uintptr_t>(to), sizeof(T)))
      __atomic_store_n(reinterpret_cast<T*>(to), v, __ATOMIC_RELEASE);
    else
      std::memcpy(to, &v, sizeof(T));
  });
}

bool is_access_size(unsigned size) { return size == 1 || size == 2 || size == 4 || size == 8; }

/// Bytes from `paddr` to the range's end.
std::uint64_t room(const BusRange& range, Paddr paddr) { return range.size - (paddr - range.base); }

/// Calls `visit(range, offset, done, bytes)` for each part of the range once it is known that all of it is
/// memory that `is_allowed` accepts; else answers false and has called nothing.
template <class Allowed, class Visit>
bool for_memory(const AddressSpace& space, Paddr paddr, std::uint64_t size, Allowed&& is_allowed,
                Visit&& visit) {
  for (const bool is_check : {true, false}) {
    std::uint64_t done = 0;
    while (done < size) {
      const Paddr at = paddr + done;
      if (at < paddr) return false;  // beyond the end of the address space
      const BusRange* const range = space.find(at);
      if (range == nullptr || !is_allowed(*range)) return false;
      const std::uint64_t bytes = std::min(size - done, room(*range, at));
      if (!is_check) visit(*range, at - range->base, done, bytes);
      done += bytes;
    }
  }
  return true;
}

/// A load from a device. Unaligned ones fail, but where harts can execute: there, compilers put constants,
/// and the load is one of bytes.
bool load_device(const BusRange& range, std::uint64_t offset, unsigned size, std::uint64_t& value) {
  if (is_aligned(offset, size)) return range.device->mmio_read(offset, size, value);
  if (range.device_code == nullptr || range.size - offset < size) return false;
  value = 0;
  for (unsigned i = 0; i < size; ++i) {
    std::uint64_t byte = 0;
    if (!range.device->mmio_read(offset + i, 1, byte)) return false;
    value |= (byte & 0xff) << (8 * i);
  }
  return true;
}

bool readable_memory(const BusRange& range) { return range.code() != nullptr; }
bool any_memory(const BusRange& range) { return range.is_memory(); }
bool writable_memory(const BusRange& range) { return range.is_memory() && range.is_writable; }

}  // namespace

AddressSpace::AddressSpace() = default;

AddressSpace::~AddressSpace() = default;

Status AddressSpace::add(BusRange range, std::vector<RamPart> parts) {
  if (range.size == 0 || !is_aligned(range.base.value, kPageSize) || !is_aligned(range.size, kPageSize) ||
      range.base.value + (range.size - 1) < range.base.value)
    return error("%s: base 0x%llx and size 0x%llx must be multiples of 4 KiB within the address space",
                 range.name.c_str(), static_cast<unsigned long long>(range.base.value),
                 static_cast<unsigned long long>(range.size));
  const auto next = std::find_if(ranges_.begin(), ranges_.end(),
                                 [&](const BusRange& other) { return other.base > range.base; });
  const BusRange* overlap = nullptr;
  if (next != ranges_.end() && next->base - range.base < range.size) overlap = &*next;
  if (next != ranges_.begin() && std::prev(next)->contains(range.base)) overlap = &*std::prev(next);
  if (overlap != nullptr)
    return error("%s at 0x%llx overlaps %s at 0x%llx: move or shrink one of them", range.name.c_str(),
                 static_cast<unsigned long long>(range.base.value), overlap->name.c_str(),
                 static_cast<unsigned long long>(overlap->base.value));
  if (!parts.empty()) {
    auto ram = HostRam::map(range.name, std::move(parts));
    if (!ram.ok()) return ram.error();
    range.host = (*ram)->host();
    rams_.push_back(std::move(*ram));
  }
  const bool can_change = range.device != nullptr || range.is_writable;
  if (range.code() != nullptr && can_change) code_pages_.add_range(range.base, range.size, range.code());
  ranges_.insert(next, std::move(range));
  return Ok{};
}

Status AddressSpace::add_ram(const std::string& name, Paddr base, std::uint64_t size) {
  return add_ram(name, base, {RamPart{size}});
}

Status AddressSpace::add_ram(const std::string& name, Paddr base, std::vector<RamPart> parts) {
  CHECK(!is_sealed_ && !parts.empty());
  BusRange range{name, base};
  for (const RamPart& part : parts) range.size += part.size;
  return add(std::move(range), std::move(parts));
}

Status AddressSpace::add_rom(const std::string& name, Paddr base, std::uint64_t size) {
  CHECK(!is_sealed_);
  BusRange range{name, base, size};
  range.is_writable = false;
  return add(std::move(range), {RamPart{size}});
}

Status AddressSpace::add_mmio(const std::string& name, Paddr base, std::uint64_t size, MmioHandler& device,
                              const std::byte* code) {
  CHECK(!is_sealed_);
  BusRange range{name, base, size};
  range.device = &device;
  range.device_code = code;
  return add(std::move(range), {});
}

void AddressSpace::watch(Paddr base, std::uint64_t size, StoreWatcher& watcher) {
  CHECK(!is_sealed_ && size != 0);
  watches_.push_back({base, size, &watcher});
}

void AddressSpace::stored(Paddr paddr, std::uint64_t size) {
  code_pages_.written(paddr, size);
  for (const Watch& watch : watches_)
    if (paddr < watch.base + watch.size && watch.base < paddr + size) watch.watcher->stored(paddr, size);
}

void AddressSpace::look_at_watched() const {
  for (const Watch& watch : watches_) watch.watcher->stored(watch.base, watch.size);
}

void AddressSpace::seal() {
  is_sealed_ = true;
  for (const BusRange& range : ranges_)
    if (range.is_memory() && (main_memory_ == nullptr || range.size > main_memory_->size))
      main_memory_ = &range;
}

const BusRange* AddressSpace::search(Paddr paddr) const {
  // The first range beyond the address; the one before it is the only candidate.
  const BusRange* first = ranges_.data();
  std::size_t count = ranges_.size();
  while (count > 0) {
    const std::size_t half = count / 2;
    if (first[half].base <= paddr) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  if (first == ranges_.data()) return nullptr;
  --first;
  return first->contains(paddr) ? first : nullptr;
}

std::byte* AddressSpace::host(Paddr paddr) const {
  const BusRange* const range = find(paddr);
  return range != nullptr && range->is_memory() ? range->host + (paddr - range->base) : nullptr;
}

bool AddressSpace::load(Paddr paddr, unsigned size, std::uint64_t& value) const {
  const BusRange* const range = find(paddr);
  if (range == nullptr || !is_access_size(size)) {
    log_line(Log::kGuestErrors, "bus: load of %u bytes at 0x%llx, where nothing is", size,
             static_cast<unsigned long long>(paddr.value));
    return false;
  }
  const std::uint64_t offset = paddr - range->base;
  if (range->is_memory()) {
    if (room(*range, paddr) >= size) return load_host(range->host + offset, size, value);
    value = 0;
    return read(paddr, &value, size);
  }
  if (!load_device(*range, offset, size, value)) {
    log_line(Log::kGuestErrors, "%s: bad load of %u bytes at offset 0x%llx", range->name.c_str(), size,
             static_cast<unsigned long long>(offset));
    return false;
  }
  if (size < 8) value &= (std::uint64_t{1} << (8 * size)) - 1;
  return true;
}

bool AddressSpace::store(Paddr paddr, unsigned size, std::uint64_t value) {
  const BusRange* const range = find(paddr);
  if (range == nullptr || !is_access_size(size)) {
    log_line(Log::kGuestErrors, "bus: store of %u bytes at 0x%llx, where nothing is", size,
             static_cast<unsigned long long>(paddr.value));
    return false;
  }
  const std::uint64_t offset = paddr - range->base;
  if (range->is_memory()) {
    if (room(*range, paddr) < size) return write(paddr, &value, size);
    if (!range->is_writable) return false;
    store_host(range->host + offset, size, value);
    stored(paddr, size);
    return true;
  }
  if (size < 8) value &= (std::uint64_t{1} << (8 * size)) - 1;
  if (!is_aligned(offset, size) || !range->device->mmio_write(offset, size, value)) {
    log_line(Log::kGuestErrors, "%s: bad store of %u bytes at offset 0x%llx", range->name.c_str(), size,
             static_cast<unsigned long long>(offset));
    return false;
  }
  return true;
}

bool AddressSpace::read(Paddr paddr, void* to, std::uint64_t size) const {
  return for_memory(
      *this, paddr, size, readable_memory,
      [&](const BusRange& range, std::uint64_t offset, std::uint64_t done, std::uint64_t bytes) {
        std::memcpy(static_cast<std::byte*>(to) + done, range.code() + offset, bytes);
      });
}

bool AddressSpace::write(Paddr paddr, const void* from, std::uint64_t size) {
  const bool is_done =
      for_memory(*this, paddr, size, writable_memory,
                 [&](const BusRange& range, std::uint64_t offset, std::uint64_t done, std::uint64_t bytes) {
                   std::memcpy(range.host + offset, static_cast<const std::byte*>(from) + done, bytes);
                 });
  if (is_done) stored(paddr, size);
  return is_done;
}

bool AddressSpace::write_image(Paddr paddr, const void* from, std::uint64_t size) {
  const bool is_done =
      for_memory(*this, paddr, size, any_memory,
                 [&](const BusRange& range, std::uint64_t offset, std::uint64_t done, std::uint64_t bytes) {
                   std::memcpy(range.host + offset, static_cast<const std::byte*>(from) + done, bytes);
                 });
  if (is_done) code_pages_.written(paddr, size);
  return is_done;
}

std::byte* AddressSpace::dma(Paddr paddr, std::uint64_t size) const {
  const BusRange* const range = find(paddr);
  if (range == nullptr || !range->is_memory() || !range->is_writable || room(*range, paddr) < size)
    return nullptr;
  return range->host + (paddr - range->base);
}

bool AddressSpace::discard(Paddr paddr, std::uint64_t size) {
  const std::byte* const host = dma(paddr, size);
  const auto ram = std::find_if(rams_.begin(), rams_.end(), [host](const auto& candidate) {
    return host >= candidate->host() && host < candidate->host() + candidate->size();
  });
  if (host == nullptr || ram == rams_.end()) return false;
  if (!(*ram)->discard(static_cast<std::uint64_t>(host - (*ram)->host()), size)) return false;
  dirty(paddr, size);
  return true;
}

void AddressSpace::dirty(Paddr paddr, std::uint64_t size) { code_pages_.written(paddr, size); }

}  // namespace gstage
