// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/mem/address_space.h"
#include "hw/core/loadable.h"
#include "hw/riscv/elf.h"
#include "hw/riscv/image_file.h"

namespace gstage::hw {

/// One range of guest memory and the bytes that it begins with.
struct LoadedImage {
  std::string name;                 ///< for messages
  std::uint64_t base = 0;           ///< physical address
  std::uint64_t size = 0;           ///< bytes written: what the source does not give is zero
  std::uint64_t reserved = 0;       ///< bytes that no other image may use; at least `size`
  std::shared_ptr<ImageFile> file;  ///< the source, or null:
  std::uint64_t file_offset = 0;
  std::uint64_t file_bytes = 0;
  std::vector<std::byte> bytes{};  ///< the source when there is no file
};

/// What of an ELF file the machine's memory takes.
struct ElfFit {
  std::vector<LoadedImage> images;
  std::uint64_t low = 0;   ///< the lowest address of what goes into RAM; when none does, of all
  std::uint64_t high = 0;  ///< the end of the highest
  std::string left_out;    ///< names the first range that lies where there is no memory; empty: there is none
  unsigned more_left_out = 0;  ///< how many others there are
};

/// All that was loaded into the machine's memory. Reset writes it again.
class LoadedImages {
 public:
  /// `memory` and `devices` outlive the object.
  LoadedImages(AddressSpace& memory, std::vector<LoadablePlace> devices)
      : memory_(memory), devices_(std::move(devices)) {}

  /// Adds a range. An error when it is not in memory, or overlaps another: a sentence that names both.
  Status add(LoadedImage image);
  Status add_file(const std::shared_ptr<ImageFile>& file, std::uint64_t base, std::uint64_t reserved = 0);
  Status add_bytes(const std::string& name, std::uint64_t base, std::vector<std::byte> bytes,
                   std::uint64_t reserved = 0);

  /// The parts of the segments for which there is memory. An error when there is none for all of them, or
  /// when RAM ends within the file's image: the remedy is more RAM.
  Result<ElfFit> fit(const std::shared_ptr<ImageFile>& file, const ElfImage& elf) const;
  /// Adds what fits, and warns of what does not.
  Status add_elf(const std::shared_ptr<ImageFile>& file, ElfFit fit);

  /// Whether an image is there. Harts can execute from all memory that is loaded.
  [[nodiscard]] bool holds_code(std::uint64_t address) const;
  /// Replaces the bytes of an image that `add_bytes` added under this name.
  void replace_bytes(const std::string& name, std::vector<std::byte> bytes);
  /// Writes everything. The first time RAM is known to be zero, and stays untouched where it shall be.
  Status load();

 private:
  /// A range of the bus that can be loaded.
  struct Place {
    std::string name;
    std::uint64_t base = 0;
    std::uint64_t last = 0;  ///< the last byte's address
    bool is_ram = false;
    Loadable* device = nullptr;  ///< null: RAM or ROM
  };

  /// All of them, by address.
  [[nodiscard]] std::vector<Place> places() const;
  [[nodiscard]] const LoadedImage* overlapping(const LoadedImage& image) const;
  Status load_one(const LoadedImage& image);
  void zero(const LoadedImage& image, std::uint64_t offset);
  void write(const LoadedImage& image, std::uint64_t offset, std::span<const std::byte> bytes);
  [[nodiscard]] const LoadablePlace* device_at(std::uint64_t address) const;

  AddressSpace& memory_;
  std::vector<LoadablePlace> devices_;
  std::map<std::uint64_t, LoadedImage> images_;  ///< by base
  bool is_first_load_ = true;
};

}  // namespace gstage::hw
