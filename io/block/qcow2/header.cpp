// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "softmmu/base/format.h"
#include "io/block/qcow2/big_endian.h"
#include "io/block/qcow2/qcow2.h"

namespace gstage::qcow2 {

namespace {

constexpr std::uint32_t kMagic = 0x514649fb;
constexpr std::size_t kVersion2Bytes = 72;
constexpr std::size_t kVersion3Bytes = 104;
/// The specification names these as limits of the field.
constexpr std::uint64_t kMostL1Bytes = 32 << 20;
constexpr std::uint64_t kMostRefcountTableBytes = 8 << 20;
constexpr std::uint32_t kMostBackingName = 1023;
constexpr std::uint32_t kMostSnapshots = 65536;

enum Extension : std::uint32_t {
  kEnd = 0,
  kBackingFormat = 0xe2792aca,
  kFeatureNames = 0x6803f857,
  kBitmaps = 0x23852875,
};
enum Refused : std::uint64_t { kExternalData = 4, kExtendedL2 = 16 };

/// The image's first bytes: its first cluster, as far as the file goes.
struct Head {
  std::vector<std::byte> bytes;
  std::string name;

  template <class T>
  [[nodiscard]] T at(std::size_t offset) const {
    return load_be<T>(bytes.data() + offset);
  }
  [[nodiscard]] std::string text(std::size_t offset, std::size_t size) const {
    return {reinterpret_cast<const char*>(bytes.data()) + offset, size};
  }
  [[nodiscard]] Error damaged(const char* what) const {
    return gstage::error("'%s' is damaged: %s; qemu-img check says more", name.c_str(), what);
  }
};

struct ExtensionPlace {
  std::size_t offset = 0;
  std::size_t size = 0;
};

/// Where the data of the extension of that type is; size 0: nowhere.
Result<ExtensionPlace> find_extension(const Head& head, std::size_t at, std::uint32_t wanted) {
  while (at + 8 <= head.bytes.size()) {
    const auto type = head.at<std::uint32_t>(at);
    const auto size = head.at<std::uint32_t>(at + 4);
    if (type == kEnd) break;
    if (size > head.bytes.size() - at - 8)
      return head.damaged("a header extension is longer than the header");
    if (type == wanted) return ExtensionPlace{at + 8, size};
    at += 8 + (std::size_t{size} + 7) / 8 * 8;
  }
  return ExtensionPlace{};
}

/// What the image calls its incompatible feature number `bit`.
std::string feature_name(const Head& head, std::size_t extensions, unsigned bit) {
  constexpr std::size_t kEntry = 48;
  const std::string number = format("number %u", bit);
  auto names = find_extension(head, extensions, kFeatureNames);
  if (!names.ok()) return number;
  for (std::size_t at = 0; at + kEntry <= names->size; at += kEntry) {
    const std::byte* const entry = head.bytes.data() + names->offset + at;
    if (entry[0] != std::byte{0} || entry[1] != static_cast<std::byte>(bit)) continue;
    const std::string text = head.text(names->offset + at + 2, kEntry - 2);
    return "'" + text.substr(0, text.find('\0')) + "'";
  }
  return number;
}

Status check_features(const Head& head, const Header& header, std::size_t extensions) {
  const char* const name = head.name.c_str();
  if ((header.incompatible & kExternalData) != 0)
    return error(
        "'%s' keeps its data in another file, which is not supported yet: qemu-img convert makes one file",
        name);
  if ((header.incompatible & kExtendedL2) != 0)
    return error(
        "'%s' has extended L2 entries (subclusters), which are not supported yet: qemu-img convert "
        "without extended_l2=on makes an image without them",
        name);
  const std::uint64_t unknown = header.incompatible & ~std::uint64_t{kDirty | kCorrupt | kCompression};
  for (unsigned bit = 0; bit < 64; ++bit)
    if ((unknown >> bit & 1) != 0)
      return error("'%s' has the feature %s, which is not supported: convert it (qemu-img convert)", name,
                   feature_name(head, extensions, bit).c_str());
  const bool is_other_compression = (header.incompatible & kCompression) != 0;
  if (header.compression > 1)
    return error("'%s' is compressed by method %u, which is not supported: convert it (qemu-img convert)",
                 name, header.compression);
  if (is_other_compression != (header.compression != 0))
    return head.damaged("it does not agree on its compression");
  return Ok{};
}

/// Sizes and places, of which everything else is computed.
Status check_places(const Head& head, const Header& header, std::uint64_t file_size) {
  const std::uint64_t cluster = header.cluster_size();
  const auto is_there = [&](std::uint64_t offset, std::uint64_t bytes) {
    return offset % cluster == 0 && offset != 0 && offset <= file_size && bytes <= file_size - offset;
  };
  // As many L1 entries as the disk has L2 tables.
  const std::uint64_t per_entry = cluster * header.l2_entries();
  const std::uint64_t needed = header.size / per_entry + (header.size % per_entry != 0 ? 1 : 0);
  if (std::uint64_t{header.l1_entries} * 8 > kMostL1Bytes)
    return head.damaged("its L1 table is larger than the 32 MiB that there may be");
  if (header.l1_entries < needed) return head.damaged("its L1 table is too small for the size of the disk");
  if (header.l1_entries != 0 && !is_there(header.l1_offset, std::uint64_t{header.l1_entries} * 8))
    return head.damaged("its L1 table is not in the file");
  const std::uint64_t table = std::uint64_t{header.refcount_table_clusters} << header.cluster_bits;
  if (table == 0 || table > kMostRefcountTableBytes)
    return head.damaged("its refcount table is empty or larger than the 8 MiB that there may be");
  if (!is_there(header.refcount_table_offset, 1))
    return head.damaged("its refcount table is not in the file");
  if (header.snapshot_count > kMostSnapshots) return head.damaged("it has more than 65536 snapshots");
  if (header.snapshot_count != 0 && !is_there(header.snapshots_offset, 1))
    return head.damaged("its snapshots are not in the file");
  return Ok{};
}

Status read_backing(const Head& head, Header& header, std::size_t extensions) {
  const auto offset = head.at<std::uint64_t>(8);
  const auto size = head.at<std::uint32_t>(16);
  if (offset == 0) return Ok{};
  if (size > kMostBackingName || offset > head.bytes.size() || size > head.bytes.size() - offset)
    return head.damaged("the name of its backing file is not in the header");
  header.backing_name = head.text(offset, size);
  if (header.backing_name.find('\0') != std::string::npos)
    return head.damaged("the name of its backing file is none");
  auto format = find_extension(head, extensions, kBackingFormat);
  if (!format.ok()) return format.error();
  header.backing_format = head.text(format->offset, format->size);
  return Ok{};
}

/// The fields of version 3; those of version 2 are what they are there by definition.
Result<std::size_t> read_version3(const Head& head, Header& header) {
  if (header.version == 2) return kVersion2Bytes;
  header.incompatible = head.at<std::uint64_t>(72);
  header.autoclear = head.at<std::uint64_t>(88);
  header.refcount_order = head.at<std::uint32_t>(96);
  const auto bytes = head.at<std::uint32_t>(100);
  if (bytes < kVersion3Bytes || bytes % 8 != 0 || bytes > head.bytes.size())
    return head.damaged("its header's length is wrong");
  if (header.refcount_order > 6) return head.damaged("its refcounts are wider than 64 bits");
  if (bytes > kVersion3Bytes) header.compression = head.at<std::uint8_t>(kVersion3Bytes);
  return std::size_t{bytes};
}

}  // namespace

Result<Header> read_header(BlockFile& file, const std::string& name) {
  Head head{std::vector<std::byte>(kVersion3Bytes), name};
  const char* const text = name.c_str();
  if (const int failure = file.read(0, head.bytes); failure != 0)
    return error("cannot read '%s': %s", text, std::strerror(failure));
  if (head.at<std::uint32_t>(0) != kMagic)
    return error("'%s' is no qcow2 image: say format=raw if it is a raw one", text);
  Header header;
  header.version = head.at<std::uint32_t>(4);
  if (header.version != 2 && header.version != 3)
    return error("'%s' is a qcow2 image of version %u: there are 2 and 3; convert it (qemu-img convert)",
                 text, header.version);
  header.cluster_bits = head.at<std::uint32_t>(20);
  if (header.cluster_bits < 9 || header.cluster_bits > 21)
    return head.damaged("its clusters are not of 512 bytes to 2 MiB");
  head.bytes.resize(header.cluster_size());
  if (const int failure = file.read(0, head.bytes); failure != 0)
    return error("cannot read '%s': %s", text, std::strerror(failure));
  header.size = head.at<std::uint64_t>(24);
  if (head.at<std::uint32_t>(32) != 0)
    return error("'%s' is encrypted, which is not supported yet: qemu-img convert makes an image that is not",
                 text);
  header.l1_entries = head.at<std::uint32_t>(36);
  header.l1_offset = head.at<std::uint64_t>(40);
  header.refcount_table_offset = head.at<std::uint64_t>(48);
  header.refcount_table_clusters = head.at<std::uint32_t>(56);
  header.snapshot_count = head.at<std::uint32_t>(60);
  header.snapshots_offset = head.at<std::uint64_t>(64);
  auto extensions = read_version3(head, header);
  if (!extensions.ok()) return extensions.error();
  if (Status status = check_features(head, header, *extensions); !status.ok()) return status.error();
  if (Status status = check_places(head, header, file.size()); !status.ok()) return status.error();
  if (Status status = read_backing(head, header, *extensions); !status.ok()) return status.error();
  auto bitmaps = find_extension(head, *extensions, kBitmaps);
  if (!bitmaps.ok()) return bitmaps.error();
  header.has_foreign_clusters = bitmaps->size != 0;
  return header;
}

}  // namespace gstage::qcow2
