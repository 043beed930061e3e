// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/qcow2_image.h"

#include <cstdio>

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"

namespace gstage::qcow2 {

namespace {

constexpr std::uint64_t kOffset = 0x00ff'ffff'ffff'fe00;

/// The fields that lead to everything else.
struct Fields {
  explicit Fields(const std::vector<std::byte>& bytes)
      : version(number_at(bytes, 4, 4)),
        bits(number_at(bytes, 20, 4)),
        l1_entries(number_at(bytes, 36, 4)),
        l1(number_at(bytes, 40, 8)),
        table(number_at(bytes, 48, 8)),
        table_clusters(number_at(bytes, 56, 4)),
        order(version >= 3 ? number_at(bytes, 96, 4) : 4) {}
  std::uint64_t version, bits, l1_entries, l1, table, table_clusters, order;
};

std::uint64_t count_of(const std::vector<std::byte>& bytes, const Fields& f, std::uint64_t cluster) {
  const std::uint64_t per_block = (8ull << f.bits) >> f.order;
  if (cluster / per_block >= (f.table_clusters << f.bits) / 8) return 0;
  const std::uint64_t block = number_at(bytes, f.table + cluster / per_block * 8, 8);
  if (block == 0) return 0;
  const std::uint64_t i = cluster % per_block;
  if (f.order >= 3) return number_at(bytes, block + (i << f.order) / 8, 1u << (f.order - 3));
  const std::uint64_t bit = i << f.order;
  return number_at(bytes, block + bit / 8, 1) >> bit % 8 & ((1u << (1u << f.order)) - 1);
}

/// Counts all clusters that the refcount table reaches as in use, but for a few at the end; counts of 64
/// bits.
void fill_up(std::vector<std::byte>& bytes) {
  constexpr std::uint64_t kFree = 20;
  const Fields f(bytes);
  CHECK(f.order == 6);
  const std::uint64_t per_block = (1ull << f.bits) / 8;
  const std::uint64_t clusters = (f.table_clusters << f.bits) / 8 * per_block;
  bytes.resize(clusters << f.bits);
  for (std::uint64_t c = 0; c < clusters - kFree; ++c) {
    const std::uint64_t t = c / per_block;
    if (t != 0) put_number(bytes, f.table + t * 8, 8, t * per_block << f.bits);
    put_number(bytes, number_at(bytes, f.table + t * 8, 8) + c % per_block * 8, 8, 1);
  }
}

struct Checker {
  const std::vector<std::byte>& bytes;
  Fields f{bytes};
  std::map<std::uint64_t, std::uint64_t> references{};
  std::vector<std::uint64_t> owned{};  ///< clusters whose entries say that they are referred to once
  std::string damage{};

  void refer(std::uint64_t offset, std::uint64_t size, const char* what) {
    if (offset >> 56 != 0) damage = std::string(what) + " out of reach";
    for (std::uint64_t c = offset >> f.bits; size != 0 && c <= (offset + size - 1) >> f.bits; ++c)
      ++references[c];
  }
  void table_at(std::uint64_t entry, const char* what) {
    const std::uint64_t offset = entry & kOffset;
    if (offset % (1ull << f.bits) != 0 || offset + (1ull << f.bits) > bytes.size())
      damage = format("%s at %llx is not in the file", what, static_cast<unsigned long long>(offset));
  }
  void walk_l2(std::uint64_t table) {
    for (std::uint64_t i = 0; i < (1ull << f.bits) / 8; ++i) {
      const std::uint64_t entry = number_at(bytes, table + i * 8, 8);
      if ((entry >> 62 & 1) != 0) {
        const std::uint64_t split = 62 - (f.bits - 8);
        const std::uint64_t host = entry & ((1ull << split) - 1);
        const std::uint64_t sectors = (entry >> split & ((1ull << (62 - split)) - 1)) + 1;
        refer(host, sectors * 512 - host % 512, "compressed data");
      } else if ((entry & kOffset) != 0) {
        refer(entry & kOffset, 1ull << f.bits, "data");
        if ((entry >> 63) != 0) owned.push_back((entry & kOffset) >> f.bits);
      }
    }
  }
  void walk() {
    refer(0, 1, "the header");
    refer(f.l1, f.l1_entries * 8, "the L1 table");
    refer(f.table, f.table_clusters << f.bits, "the refcount table");
    for (std::uint64_t i = 0; i < (f.table_clusters << f.bits) / 8; ++i)
      if (const std::uint64_t block = number_at(bytes, f.table + i * 8, 8); block != 0) {
        table_at(block, "a refcount block");
        refer(block, 1ull << f.bits, "a refcount block");
      }
    for (std::uint64_t i = 0; damage.empty() && i < f.l1_entries; ++i) {
      const std::uint64_t entry = number_at(bytes, f.l1 + i * 8, 8);
      if ((entry & kOffset) == 0) continue;
      table_at(entry, "an L2 table");
      if (!damage.empty()) break;
      refer(entry & kOffset, 1ull << f.bits, "an L2 table");
      if ((entry >> 63) != 0) owned.push_back((entry & kOffset) >> f.bits);
      walk_l2(entry & kOffset);
    }
  }
};

}  // namespace

std::uint64_t number_at(const std::vector<std::byte>& bytes, std::uint64_t offset, unsigned size) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < size; ++i)
    value = value << 8 | (offset + i < bytes.size() ? static_cast<std::uint64_t>(bytes[offset + i]) : 0);
  return value;
}

void put_number(std::vector<std::byte>& bytes, std::uint64_t offset, unsigned size, std::uint64_t value) {
  if (bytes.size() < offset + size) bytes.resize(offset + size);
  for (unsigned i = 0; i < size; ++i) bytes[offset + i] = static_cast<std::byte>(value >> 8 * (size - 1 - i));
}

void add_count(std::vector<std::byte>& bytes, std::uint64_t cluster, int more) {
  const Fields f(bytes);
  CHECK(f.order == 4);
  const std::uint64_t per_block = (8ull << f.bits) >> 4;
  const std::uint64_t block = number_at(bytes, f.table + cluster / per_block * 8, 8);
  CHECK(block != 0);
  const std::uint64_t place = block + cluster % per_block * 2;
  put_number(bytes, place, 2, number_at(bytes, place, 2) + static_cast<std::uint64_t>(more));
}

std::uint64_t l2_entry_place(const std::vector<std::byte>& bytes, std::uint64_t disk_offset) {
  const Fields f(bytes);
  const std::uint64_t cluster = disk_offset >> f.bits;
  const std::uint64_t per_table = (1ull << f.bits) / 8;
  const std::uint64_t table = number_at(bytes, f.l1 + cluster / per_table * 8, 8) & kOffset;
  CHECK(table != 0);
  return table + cluster % per_table * 8;
}

std::vector<std::byte> make_image(const ImageShape& shape) {
  const std::uint64_t cluster = 1ull << shape.cluster_bits;
  const std::uint64_t per_l1 = cluster * (cluster / 8);
  const std::uint64_t l1_entries = (shape.size + per_l1 - 1) / per_l1;
  const std::uint64_t l1_clusters = (l1_entries * 8 + cluster - 1) / cluster;
  // The header, the refcount table, one block, the L1 table.
  std::vector<std::byte> bytes((3 + l1_clusters) * cluster);
  put_number(bytes, 0, 4, 0x514649fb);
  put_number(bytes, 4, 4, shape.version);
  put_number(bytes, 20, 4, shape.cluster_bits);
  put_number(bytes, 24, 8, shape.size);
  put_number(bytes, 36, 4, l1_entries);
  put_number(bytes, 40, 8, 3 * cluster);
  put_number(bytes, 48, 8, cluster);
  put_number(bytes, 56, 4, 1);
  std::uint64_t end = 72;
  if (shape.version >= 3) {
    end = 112;
    put_number(bytes, 72, 8, shape.compression != 0 ? 8 : 0);
    put_number(bytes, 96, 4, shape.refcount_order);
    put_number(bytes, 100, 4, end);
    put_number(bytes, 104, 1, shape.compression);
  }
  const auto put_text = [&](std::uint64_t at, const std::string& text) {
    for (std::size_t i = 0; i < text.size(); ++i) bytes[at + i] = static_cast<std::byte>(text[i]);
  };
  if (!shape.backing_format.empty()) {
    put_number(bytes, end, 4, 0xe2792aca);
    put_number(bytes, end + 4, 4, shape.backing_format.size());
    put_text(end + 8, shape.backing_format);
    end += 8 + (shape.backing_format.size() + 7) / 8 * 8;
  }
  end += 8;  // the end of the extensions
  if (!shape.backing_name.empty()) {
    put_number(bytes, 8, 8, end);
    put_number(bytes, 16, 4, shape.backing_name.size());
    put_text(end, shape.backing_name);
  }
  put_number(bytes, cluster, 8, 2 * cluster);
  const unsigned order = shape.version >= 3 ? shape.refcount_order : 4;
  for (std::uint64_t c = 0; c < 3 + l1_clusters; ++c) {
    const std::uint64_t bit = c << order;
    if (order >= 3)
      put_number(bytes, 2 * cluster + bit / 8, 1u << (order - 3), 1);
    else
      bytes[2 * cluster + bit / 8] |= static_cast<std::byte>(1u << bit % 8);
  }
  if (shape.is_almost_full) fill_up(bytes);
  return bytes;
}

ImageCheck check_image(const std::vector<std::byte>& bytes) {
  Checker checker{bytes};
  checker.walk();
  ImageCheck check;
  check.damage = checker.damage;
  for (const auto& [cluster, references] : checker.references)
    if (const std::uint64_t count = count_of(bytes, checker.f, cluster); count < references)
      check.damage =
          format("cluster %llu is referred to %llu times and counted %llu times",
                 static_cast<unsigned long long>(cluster), static_cast<unsigned long long>(references),
                 static_cast<unsigned long long>(count));
  for (const std::uint64_t cluster : checker.owned)
    if (checker.references[cluster] != 1)
      check.damage =
          format("cluster %llu is said to be referred to once", static_cast<unsigned long long>(cluster));
  check.used = checker.references.size();
  for (std::uint64_t c = 0; c < (bytes.size() >> checker.f.bits) + 1; ++c) {
    const auto found = checker.references.find(c);
    check.leaks +=
        count_of(bytes, checker.f, c) > (found == checker.references.end() ? 0 : found->second) ? 1 : 0;
  }
  return check;
}

std::shared_ptr<BlockBackend> open_image_as(std::shared_ptr<BlockFile> file, const OpenAs& as) {
  auto header = read_header(*file, "test.qcow2");
  Setup setup{"test.qcow2", std::move(file), as.backing, as.is_read_only, true};
  if (as.has_few_tables) setup.table_bytes = 1;
  auto disk =
      header.ok() ? open(std::move(setup), *header) : Result<std::shared_ptr<BlockBackend>>(header.error());
  if (!disk.ok()) std::fprintf(stderr, "refused: %s\n", disk.error().message.c_str());
  return disk.ok() ? *disk : nullptr;
}

std::shared_ptr<BlockBackend> open_image(std::shared_ptr<BlockFile> file,
                                         std::shared_ptr<BlockBackend> backing, bool is_read_only) {
  return open_image_as(std::move(file), {std::move(backing), is_read_only});
}

std::string refusal_of(std::vector<std::byte> bytes, bool is_read_only) {
  const auto file = std::make_shared<MemoryFile>(std::move(bytes));
  auto header = read_header(*file, "test.qcow2");
  if (!header.ok()) return header.error().message;
  auto disk = open({"test.qcow2", file, nullptr, is_read_only, true}, *header);
  return disk.ok() ? "" : disk.error().message;
}

}  // namespace gstage::qcow2
