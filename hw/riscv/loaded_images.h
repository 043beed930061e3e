// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/mem/address_space.h"
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

/// All that was loaded into the machine's memory. Reset writes it again.
class LoadedImages {
 public:
  explicit LoadedImages(AddressSpace& memory) : memory_(memory) {}

  /// Adds a range. An error when it is not in memory, or overlaps another: a sentence that names both.
  Status add(LoadedImage image);
  Status add_file(const std::shared_ptr<ImageFile>& file, std::uint64_t base, std::uint64_t reserved = 0);
  Status add_bytes(const std::string& name, std::uint64_t base, std::vector<std::byte> bytes,
                   std::uint64_t reserved = 0);
  Status add_elf(const std::shared_ptr<ImageFile>& file, const ElfImage& elf);

  /// Replaces the bytes of an image that `add_bytes` added under this name.
  void replace_bytes(const std::string& name, std::vector<std::byte> bytes);
  /// Writes everything. The first time memory is known to be zero, and stays untouched where it shall be.
  Status load();

 private:
  Status load_one(const LoadedImage& image);
  Status zero(std::uint64_t from, std::uint64_t size);

  AddressSpace& memory_;
  std::vector<LoadedImage> images_;
  bool is_first_load_ = true;
};

}  // namespace gstage::hw
