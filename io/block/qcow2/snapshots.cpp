// SPDX-License-Identifier: Apache-2.0
#include "io/block/qcow2/snapshots.h"

#include <array>
#include <cstring>

#include "io/block/qcow2/big_endian.h"

namespace gstage::qcow2 {

namespace {

constexpr std::size_t kEntryBytes = 40;
constexpr std::uint32_t kMostL1Entries = (32 << 20) / 8;
constexpr std::uint64_t kMostDirectoryBytes = 64 << 20;

}  // namespace

Result<Snapshots> read_snapshots(BlockFile& file, const Header& header, const std::string& name) {
  const auto damaged = [&] {
    return error("'%s' is damaged: its snapshots are wrong; qemu-img check says more", name.c_str());
  };
  Snapshots snapshots;
  const std::uint64_t file_size = file.size();
  for (std::uint32_t i = 0; i < header.snapshot_count; ++i) {
    std::array<std::byte, kEntryBytes> entry{};
    const std::uint64_t at = header.snapshots_offset + snapshots.bytes;
    if (at > file_size || snapshots.bytes > kMostDirectoryBytes) return damaged();
    if (const int failure = file.read(at, entry); failure != 0)
      return error("cannot read '%s': %s", name.c_str(), std::strerror(failure));
    SnapshotTable table;
    table.l1_offset = load_be<std::uint64_t>(entry.data());
    table.l1_entries = load_be<std::uint32_t>(entry.data() + 8);
    const std::uint64_t names =
        load_be<std::uint16_t>(entry.data() + 12) + load_be<std::uint16_t>(entry.data() + 14);
    const std::uint64_t extra = load_be<std::uint32_t>(entry.data() + 36);
    const bool is_there = table.l1_offset % header.cluster_size() == 0 && table.l1_offset <= file_size &&
                          table.l1_entries <= kMostL1Entries &&
                          std::uint64_t{table.l1_entries} * 8 <= file_size - table.l1_offset;
    if (!is_there) return damaged();
    snapshots.bytes += (kEntryBytes + extra + names + 7) / 8 * 8;
    snapshots.tables.push_back(table);
  }
  return snapshots;
}

}  // namespace gstage::qcow2
