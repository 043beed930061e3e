// SPDX-License-Identifier: Apache-2.0
#include "io/block/qcow2/mapping.h"

#include <algorithm>
#include <cstring>

namespace gstage::qcow2 {

Mapped decode(const Header& header, std::uint64_t entry) {
  Mapped mapped;
  if ((entry & kIsCompressed) != 0) {
    const unsigned split = 62 - (header.cluster_bits - 8);
    const std::uint64_t sectors = (entry >> split & ((std::uint64_t{1} << (62 - split)) - 1)) + 1;
    mapped.kind = Mapped::Kind::kCompressed;
    mapped.host = entry & ((std::uint64_t{1} << split) - 1) & (kOffsetBits | 0x1ff);
    mapped.bytes = sectors * 512 - mapped.host % 512;
    return mapped;
  }
  mapped.host = entry & kOffsetBits;
  mapped.is_own = (entry & kOwn) != 0 && mapped.host != 0;
  if (mapped.host % header.cluster_size() != 0) {
    mapped.kind = Mapped::Kind::kDamaged;
  } else if (header.version >= 3 && (entry & kReadsAsZero) != 0) {
    mapped.kind = Mapped::Kind::kZero;
  } else if (mapped.host != 0) {
    mapped.kind = Mapped::Kind::kData;
  }
  return mapped;
}

Mapping::Mapping(BlockFile& file, const Header& header, MetadataMap& metadata, std::size_t most_bytes)
    : file_(file), header_(header), metadata_(metadata), tables_(file, header.cluster_size(), most_bytes) {}

Status Mapping::load(const std::string& name) {
  std::vector<std::byte> bytes(std::size_t{header_.l1_entries} * 8);
  if (const int failure = file_.read(header_.l1_offset, bytes); failure != 0)
    return error("cannot read '%s': %s", name.c_str(), std::strerror(failure));
  l1_.resize(header_.l1_entries);
  for (std::size_t i = 0; i < l1_.size(); ++i) {
    l1_[i] = load_be<std::uint64_t>(bytes.data() + i * 8);
    if ((l1_[i] & kOffsetBits) % header_.cluster_size() != 0)
      return error("'%s' is damaged: its L1 table points to no cluster; qemu-img check says more",
                   name.c_str());
  }
  return Ok{};
}

bool Mapping::mark_metadata() {
  bool is_apart = l1_.empty() || metadata_.add(header_.l1_offset >> header_.cluster_bits,
                                               header_.clusters_of(l1_.size() * 8));
  for (const std::uint64_t entry : l1_)
    if ((entry & kOffsetBits) != 0) is_apart &= metadata_.add((entry & kOffsetBits) >> header_.cluster_bits);
  return is_apart;
}

bool Mapping::peek(std::uint64_t cluster, Mapped& to) {
  const std::uint64_t offset = l1_offset(cluster);
  if (offset == 0) {
    to = {};
    return true;
  }
  const Table* const table = tables_.find(offset);
  if (table == nullptr) return false;
  to = decode(header_, table->entry(index_in_table(cluster)));
  return true;
}

int Mapping::load_table(std::uint64_t cluster) {
  Table* table = nullptr;
  const std::uint64_t offset = l1_offset(cluster);
  return offset == 0 ? 0 : tables_.load(offset, table);
}

int Mapping::table_for_write(std::uint64_t cluster, Refcounts& refcounts, std::vector<std::uint64_t>& freed,
                             Table*& to) {
  const std::uint64_t index = cluster / header_.l2_entries();
  const std::uint64_t old = l1_[index] & kOffsetBits;
  if (old != 0 && (l1_[index] & kOwn) != 0) return tables_.load(old, to);
  Table* from = nullptr;
  if (old != 0)
    if (const int failure = tables_.load(old, from); failure != 0) return failure;
  std::vector<std::byte> bytes = from == nullptr ? std::vector<std::byte>() : from->bytes;
  Allocation made;
  if (const int failure = refcounts.allocate(made); failure != 0) return failure;
  metadata_.add(made.cluster);
  to = &tables_.add(made.cluster << header_.cluster_bits);
  // A snapshot has the old one too: its clusters stay referred to by both.
  if (!bytes.empty()) to->bytes = std::move(bytes);
  set_l1(index, made.cluster << header_.cluster_bits | kOwn);
  if (old != 0) freed.push_back(old >> header_.cluster_bits);
  return 0;
}

void Mapping::set_l1(std::uint64_t index, std::uint64_t entry) {
  l1_[index] = entry;
  dirty_from_ = is_l1_dirty() ? std::min<std::size_t>(dirty_from_, index) : index;
  dirty_to_ = std::max<std::size_t>(dirty_to_, index + 1);
}

int Mapping::write_l1() {
  if (!is_l1_dirty()) return 0;
  std::vector<std::byte> bytes((dirty_to_ - dirty_from_) * 8);
  for (std::size_t i = 0; i < bytes.size() / 8; ++i) store_be(bytes.data() + i * 8, l1_[dirty_from_ + i]);
  if (const int failure = file_.write(header_.l1_offset + dirty_from_ * 8, bytes); failure != 0)
    return failure;
  dirty_from_ = dirty_to_ = 0;
  return 0;
}

}  // namespace gstage::qcow2
