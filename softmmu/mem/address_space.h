// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/base/types.h"
#include "softmmu/mem/code_pages.h"
#include "softmmu/mem/host_ram.h"

namespace gstage {

/// What answers loads and stores of a range of the bus. Called from any hart's thread, without a lock: a
/// device takes its own. `size` is 1, 2, 4 or 8 bytes and `offset` is aligned to it (the dispatcher sees to
/// both).
class MmioHandler {
 public:
  virtual ~MmioHandler() = default;
  /// Returns false when the bus must answer with an access fault.
  virtual bool mmio_read(std::uint64_t offset, unsigned size, std::uint64_t& value) = 0;
  virtual bool mmio_write(std::uint64_t offset, unsigned size, std::uint64_t value) = 0;
};

/// Learns of stores to a range of memory (AddressSpace::watch).
class StoreWatcher {
 public:
  virtual ~StoreWatcher() = default;
  /// `size` bytes at `paddr` were stored, or may have been. Any hart's thread, without a lock.
  virtual void stored(Paddr paddr, std::uint64_t size) = 0;
};

/// A range of the bus: host memory (RAM, ROM) or a device.
struct BusRange {
  std::string name;
  Paddr base;
  std::uint64_t size = 0;         ///< bytes, a multiple of 4 KiB
  std::byte* host = nullptr;      ///< RAM and ROM only
  bool is_writable = true;        ///< RAM: true; ROM: false (a store is an access fault)
  MmioHandler* device = nullptr;  ///< devices only
  /// Of a device that harts can execute from: its contents, whatever it answers to loads.
  const std::byte* device_code = nullptr;

  [[nodiscard]] bool is_memory() const { return host != nullptr; }
  /// The bytes that harts fetch; null: they cannot execute from it.
  [[nodiscard]] const std::byte* code() const { return is_memory() ? host : device_code; }
  [[nodiscard]] bool contains(Paddr a) const { return a.value - base.value < size; }
};

/// The machine's bus. Ranges are added while the machine is built; `seal` ends that, and from then on
/// lookups need no lock.
class AddressSpace {
 public:
  AddressSpace();
  ~AddressSpace();
  AddressSpace(const AddressSpace&) = delete;
  AddressSpace& operator=(const AddressSpace&) = delete;

  /// Maps zeroed anonymous memory, not touched until used. Fails when the host refuses or it overlaps.
  Status add_ram(const std::string& name, Paddr base, std::uint64_t size);
  /// The same of these parts, of which there is one at least.
  Status add_ram(const std::string& name, Paddr base, std::vector<RamPart> parts);
  Status add_rom(const std::string& name, Paddr base, std::uint64_t size);
  /// `code`: what harts fetch there, of the same size; null: nothing. Who changes it calls `dirty`
  /// afterwards.
  Status add_mmio(const std::string& name, Paddr base, std::uint64_t size, MmioHandler& device,
                  const std::byte* code = nullptr);
  /// From now on `watcher` is told of each store of a hart that touches the range. Stores to the range's
  /// pages take the slow path; those to other pages cost nothing more. Before `seal`.
  void watch(Paddr base, std::uint64_t size, StoreWatcher& watcher);
  void seal();

  /// The range that holds the address, or null for a hole.
  [[nodiscard]] const BusRange* find(Paddr paddr) const {
    return main_memory_ != nullptr && main_memory_->contains(paddr) ? main_memory_ : search(paddr);
  }
  /// The host address of a byte of RAM or ROM, or null.
  [[nodiscard]] std::byte* host(Paddr paddr) const;

  /// Device accesses (and RAM, for completeness) of 1, 2, 4 or 8 bytes; false is an access fault. Unaligned
  /// device accesses fail, except loads where harts can execute.
  bool load(Paddr paddr, unsigned size, std::uint64_t& value) const;
  bool store(Paddr paddr, unsigned size, std::uint64_t value);

  /// Copies for DMA and loaders; memory only, across adjacent ranges; false when any byte is not memory.
  /// `read` also takes what can be executed in devices. `write` invalidates translated code. `write_image`
  /// also writes ROM (loaders, reset).
  bool read(Paddr paddr, void* to, std::uint64_t size) const;
  bool write(Paddr paddr, const void* from, std::uint64_t size);
  bool write_image(Paddr paddr, const void* from, std::uint64_t size);
  /// Host pointer to `size` contiguous bytes of RAM for DMA, or null. After storing through it call `dirty`.
  std::byte* dma(Paddr paddr, std::uint64_t size) const;
  void dirty(Paddr paddr, std::uint64_t size);
  /// Gives whole pages of RAM back to the host: they read as zero afterwards. False: they are no RAM, or
  /// kept.
  bool discard(Paddr paddr, std::uint64_t size);

  /// Whether stores to the page must take the slow path because some of its bytes are watched.
  [[nodiscard]] bool is_watched(Paddr paddr) const {
    return std::any_of(watches_.begin(), watches_.end(), [&](const Watch& watch) {
      return paddr.page() >= watch.base.page() && paddr.page() <= (watch.base + (watch.size - 1)).page();
    });
  }
  /// Tells all watchers that their range may have been stored to: after stores through a pointer.
  void look_at_watched() const;

  /// Declares one more thread that accesses memory while others may: a hart, a device that does DMA by
  /// itself.
  void add_agent() { ++agents_; }
  /// Whether nobody else can access memory between two accesses of the one who asks.
  [[nodiscard]] bool has_one_agent() const { return agents_ == 1; }

  CodePages& code_pages() { return code_pages_; }
  [[nodiscard]] const std::vector<BusRange>& ranges() const { return ranges_; }

 private:
  struct Watch {
    Paddr base;
    std::uint64_t size;
    StoreWatcher* watcher;
  };
  Status add(BusRange range, std::vector<RamPart> parts);
  /// After bytes of memory were stored.
  void stored(Paddr paddr, std::uint64_t size);
  [[nodiscard]] const BusRange* search(Paddr paddr) const;
  std::vector<BusRange> ranges_;  ///< sorted by base
  std::vector<std::unique_ptr<HostRam>> rams_;
  const BusRange* main_memory_ = nullptr;  ///< the largest RAM, where nearly all lookups end; once sealed
  std::vector<Watch> watches_;             ///< few: most machines have none
  bool is_sealed_ = false;
  unsigned agents_ = 0;
  CodePages code_pages_;
};

}  // namespace gstage
