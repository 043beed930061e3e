// SPDX-License-Identifier: Apache-2.0
#include "hw/riscv/loaded_images.h"

#include <algorithm>
#include <cinttypes>

#include "softmmu/base/format.h"
#include "softmmu/base/log.h"

namespace gstage::hw {
namespace {

constexpr std::uint64_t kChunk = 1 << 20;
/// Segments that follow one another within this distance are one image: Linux aligns its sections to it.
constexpr std::uint64_t kSectionAlign = 2 << 20;

std::string describe(const LoadedImage& image) {
  return format("%s (0x%" PRIx64 "–0x%" PRIx64 ")", image.name.c_str(), image.base,
                image.base + image.reserved - 1);
}

/// The part of a segment from `first` to `last`.
LoadedImage part_of(const std::shared_ptr<ImageFile>& file, const ElfImage::Segment& segment,
                    std::uint64_t first, std::uint64_t last) {
  const std::uint64_t skipped = first - segment.paddr;
  const std::uint64_t size = last - first + 1;
  const std::uint64_t file_bytes = skipped < segment.file_bytes ? segment.file_bytes - skipped : 0;
  return {file->name(), first, size, size, file, segment.offset + skipped, std::min(file_bytes, size), {}};
}

void leave_out(ElfFit& fit, std::uint64_t first, std::uint64_t last) {
  if (fit.left_out.empty())
    fit.left_out = format("0x%" PRIx64 "–0x%" PRIx64, first, last);
  else
    ++fit.more_left_out;
}

}  // namespace

const LoadablePlace* LoadedImages::device_at(std::uint64_t address) const {
  const auto found = std::find_if(devices_.begin(), devices_.end(), [address](const LoadablePlace& place) {
    return address - place.base < place.size;
  });
  return found == devices_.end() ? nullptr : &*found;
}

std::vector<LoadedImages::Place> LoadedImages::places() const {
  std::vector<Place> all;
  for (const LoadablePlace& place : devices_)
    all.push_back({place.name, place.base, place.base + (place.size - 1), false, place.device});
  for (const BusRange& range : memory_.ranges())
    if (range.is_memory())
      all.push_back({range.name, range.base.value, range.base.value + (range.size - 1), range.is_writable});
  std::sort(all.begin(), all.end(), [](const Place& a, const Place& b) { return a.base < b.base; });
  return all;
}

const LoadedImage* LoadedImages::overlapping(const LoadedImage& image) const {
  auto next = images_.upper_bound(image.base);
  if (next != images_.end() && next->first - image.base < image.reserved) return &next->second;
  if (next == images_.begin()) return nullptr;
  --next;
  return image.base - next->first < next->second.reserved ? &next->second : nullptr;
}

Status LoadedImages::add(LoadedImage image) {
  image.reserved = std::max(image.reserved, image.size);
  if (image.reserved == 0) return Ok{};
  const std::vector<Place> all = places();
  const auto place = std::find_if(all.begin(), all.end(), [&](const Place& candidate) {
    return candidate.base <= image.base && image.base <= candidate.last;
  });
  if (place == all.end())
    return error("%s is to be loaded at 0x%" PRIx64
                 ", where there is no RAM; choose another address or a larger -m",
                 image.name.c_str(), image.base);
  const std::uint64_t room = place->last - image.base + 1;
  if (image.reserved > room)
    return error("%s is too large: it needs %" PRIu64 " KiB at 0x%" PRIx64 ", but %s ends after %" PRIu64
                 " KiB; choose a larger -m",
                 image.name.c_str(), image.reserved >> 10, image.base, place->name.c_str(), room >> 10);
  if (const LoadedImage* other = overlapping(image))
    return error("%s and %s overlap; move one of them, or choose a larger -m", describe(*other).c_str(),
                 describe(image).c_str());
  images_.emplace(image.base, std::move(image));
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

Result<ElfFit> LoadedImages::fit(const std::shared_ptr<ImageFile>& file, const ElfImage& elf) const {
  ElfFit fit;
  std::uint64_t ram_end = 0;  // of what went into RAM
  const std::vector<Place> all = places();
  for (const ElfImage::Segment& segment : elf.segments) {
    const std::uint64_t segment_last = segment.paddr + (segment.size - 1);
    std::uint64_t first = segment.paddr;  // of what is not dealt with yet
    bool is_done = false;
    for (const Place& place : all) {
      if (place.last < first || place.base > segment_last) continue;
      if (place.base > first) leave_out(fit, first, place.base - 1);
      const LoadedImage part =
          part_of(file, segment, std::max(first, place.base), std::min(segment_last, place.last));
      fit.images.push_back(part);
      if (place.is_ram) {
        if (ram_end == 0) fit.low = part.base;
        fit.high = ram_end = part.base + part.size;
      }
      is_done = segment_last <= place.last;
      first = place.last + 1;
    }
    if (is_done) continue;
    if (ram_end != 0 && first >= ram_end && first - ram_end <= kSectionAlign)
      return error("%s needs RAM at 0x%" PRIx64 "–0x%" PRIx64 ", where there is none; choose a larger -m",
                   file->name().c_str(), first, segment_last);
    leave_out(fit, first, segment_last);
  }
  if (fit.images.empty())
    return error("%s lies at %s, where there is no RAM; link it for another address or choose a larger -m",
                 file->name().c_str(), fit.left_out.c_str());
  if (ram_end == 0) {
    fit.low = fit.images.front().base;
    fit.high = fit.images.back().base + fit.images.back().size;
  }
  return fit;
}

Status LoadedImages::add_elf(const std::shared_ptr<ImageFile>& file, ElfFit fit) {
  const std::string others = fit.more_left_out == 0 ? "" : format(" (and %u more)", fit.more_left_out);
  if (!fit.left_out.empty())
    warn("%s: its segment at %s%s lies where there is no memory and is left out", file->name().c_str(),
         fit.left_out.c_str(), others.c_str());
  for (LoadedImage& image : fit.images)
    if (Status status = add(std::move(image)); !status.ok()) return status;
  return Ok{};
}

bool LoadedImages::holds_code(std::uint64_t address) const {
  auto next = images_.upper_bound(address);
  if (next == images_.begin()) return false;
  --next;
  return address - next->first < next->second.size;
}

void LoadedImages::replace_bytes(const std::string& name, std::vector<std::byte> bytes) {
  for (auto& [base, image] : images_)
    if (image.name == name && image.file == nullptr) image.bytes = std::move(bytes);
}

void LoadedImages::write(const LoadedImage& image, std::uint64_t offset, std::span<const std::byte> bytes) {
  const std::uint64_t address = image.base + offset;
  if (const LoadablePlace* place = device_at(address))
    place->device->load(address - place->base, bytes);
  else
    CHECK(memory_.write_image(Paddr{address}, bytes.data(), bytes.size()));
}

void LoadedImages::zero(const LoadedImage& image, std::uint64_t offset) {
  const std::vector<std::byte> zeroes(std::min(image.size - offset, kChunk));
  for (; offset < image.size; offset += zeroes.size())
    write(image, offset,
          std::span(zeroes).first(std::min<std::uint64_t>(image.size - offset, zeroes.size())));
}

Status LoadedImages::load_one(const LoadedImage& image) {
  if (image.file == nullptr) {
    write(image, 0, image.bytes);
    return Ok{};
  }
  std::vector<std::byte> buffer(std::min(image.file_bytes, kChunk));
  for (std::uint64_t done = 0; done < image.file_bytes;) {
    const std::uint64_t part = std::min<std::uint64_t>(image.file_bytes - done, buffer.size());
    const Status status = image.file->read(image.file_offset + done, {buffer.data(), part});
    if (!status.ok()) return status;
    write(image, done, std::span(buffer).first(part));
    done += part;
  }
  if (!is_first_load_ || device_at(image.base) != nullptr) zero(image, image.file_bytes);
  return Ok{};
}

Status LoadedImages::load() {
  for (const auto& [base, image] : images_)
    if (Status status = load_one(image); !status.ok()) return status;
  for (const auto& [base, image] : images_)
    if (image.file != nullptr) image.file->release();
  is_first_load_ = false;
  return Ok{};
}

}  // namespace gstage::hw
