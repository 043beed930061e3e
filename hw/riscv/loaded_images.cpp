// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/loaded_images.h"

#include <algorithm>
#include <cinttypes>

#include "softmmu/base/format.h"

namespace gstage::hw {
namespace {

constexpr std::uint64_t kChunk = 1 << 20;

std::string describe(const LoadedImage& image) {
  return format("%s (0x%" PRIx64 "–0x%" PRIx64 ")", image.name.c_str(), image.base,
                image.base + image.reserved - 1);
}

}  // namespace

Status LoadedImages::add(LoadedImage image) {
  image.reserved = std::max(image.reserved, image.size);
  if (image.reserved == 0) return Ok{};
  const Region* region = memory_.find(Paddr{image.base});
  if (region == nullptr || !region->is_memory())
    return error("%s is to be loaded at 0x%" PRIx64
                 ", where there is no RAM; choose another address or a larger -m",
                 image.name.c_str(), image.base);
  const std::uint64_t room = region->size - (image.base - region->base.value);
  if (image.reserved > room)
    return error("%s is too large: it needs %" PRIu64 " KiB at 0x%" PRIx64 ", but %s ends after %" PRIu64
                 " KiB; choose a larger -m",
                 image.name.c_str(), image.reserved >> 10, image.base, region->name.c_str(), room >> 10);
  for (const LoadedImage& other : images_) {
    if (image.base >= other.base + other.reserved || other.base >= image.base + image.reserved) continue;
    return error("%s and %s overlap; move one of them, or choose a larger -m", describe(other).c_str(),
                 describe(image).c_str());
  }
  images_.push_back(std::move(image));
  return Ok{};
}

Status LoadedImages::add_file(const std::shared_ptr<ImageFile>& file, std::uint64_t base,
                              std::uint64_t reserved) {
  return add({file->name(), base, file->size(), reserved, file, 0, file->size(), {}});
}

Status LoadedImages::add_bytes(const std::string& name, std::uint64_t base, std::vector<std::byte> bytes,
                               std::uint64_t reserved) {
  const std::uint64_t size = bytes.size();
  return add({name, base, size, reserved, nullptr, 0, 0, std::move(bytes)});
}

Status LoadedImages::add_elf(const std::shared_ptr<ImageFile>& file, const ElfImage& elf) {
  for (const ElfImage::Segment& segment : elf.segments) {
    Status status =
        add({file->name(), segment.paddr, segment.size, 0, file, segment.offset, segment.file_bytes, {}});
    if (!status.ok()) return status;
  }
  return Ok{};
}

void LoadedImages::replace_bytes(const std::string& name, std::vector<std::byte> bytes) {
  for (LoadedImage& image : images_)
    if (image.name == name && image.file == nullptr) image.bytes = std::move(bytes);
}

Status LoadedImages::zero(std::uint64_t from, std::uint64_t size) {
  const std::vector<std::byte> zeroes(std::min(size, kChunk));
  for (std::uint64_t done = 0; done < size;) {
    const std::uint64_t part = std::min<std::uint64_t>(size - done, zeroes.size());
    CHECK(memory_.write_image(Paddr{from + done}, zeroes.data(), part));
    done += part;
  }
  return Ok{};
}

Status LoadedImages::load_one(const LoadedImage& image) {
  if (image.file == nullptr) {
    CHECK(memory_.write_image(Paddr{image.base}, image.bytes.data(), image.bytes.size()));
    return Ok{};
  }
  std::vector<std::byte> buffer(std::min(image.file_bytes, kChunk));
  for (std::uint64_t done = 0; done < image.file_bytes;) {
    const std::uint64_t part = std::min<std::uint64_t>(image.file_bytes - done, buffer.size());
    const Status status = image.file->read(image.file_offset + done, {buffer.data(), part});
    if (!status.ok()) return status;
    CHECK(memory_.write_image(Paddr{image.base + done}, buffer.data(), part));
    done += part;
  }
  if (is_first_load_) return Ok{};
  return zero(image.base + image.file_bytes, image.size - image.file_bytes);
}

Status LoadedImages::load() {
  for (const LoadedImage& image : images_) {
    Status status = load_one(image);
    if (!status.ok()) return status;
  }
  for (const LoadedImage& image : images_)
    if (image.file != nullptr) image.file->release();
  is_first_load_ = false;
  return Ok{};
}

}  // namespace gstage::hw
