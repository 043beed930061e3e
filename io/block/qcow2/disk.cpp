// SPDX-License-Identifier: Apache-2.0
#include "io/block/qcow2/disk.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "softmmu/base/log.h"
#include "io/block/qcow2/rebuild.h"
#include "io/block/qcow2/snapshots.h"

namespace gstage::qcow2 {

namespace {

using Kind = Mapped::Kind;

/// Disks are addressed by sectors of this size.
constexpr std::uint64_t kSector = 512;
/// So many clusters wait to be free at most.
constexpr std::size_t kMostFreed = 16384;

/// Of the header (specification, "Header").
constexpr std::uint64_t kAutoclearField = 88;

}  // namespace

Disk::Disk(Setup setup, const Header& header)
    : setup_(std::move(setup)),
      header_(header),
      file_(*setup_.file),
      size_((header.size + kSector - 1) / kSector * kSector),
      mapping_(file_, header_, metadata_, setup_.table_bytes),
      refcounts_(file_, header_, metadata_, setup_.table_bytes / 2),
      decompressor_(file_, header_) {}

Disk::~Disk() {
  if (setup_.is_read_only) return;
  // What became free by the flush is worth a second one.
  if (flush() == 0 && refcounts_.has_dirty()) refcounts_.write();
}

Status Disk::start() {
  if (!decompressor_.is_there())
    return error("'%s' is compressed by zstd, and libzstd.so.1 is not installed: install libzstd1",
                 setup_.name.c_str());
  if (!setup_.is_read_only && (header_.incompatible & kCorrupt) != 0)
    return error("'%s' is marked as corrupt: open it read-only, or mend it by qemu-img check -r all",
                 setup_.name.c_str());
  if (!setup_.is_read_only && (header_.incompatible & kDirty) != 0)
    if (Status mended = rebuild_refcounts(file_, header_, setup_.name); !mended.ok()) return mended;
  if (Status loaded = mapping_.load(setup_.name); !loaded.ok()) return loaded;
  return setup_.is_read_only ? Status(Ok{}) : prepare_for_writing();
}

Status Disk::prepare_for_writing() {
  const unsigned bits = header_.cluster_bits;
  auto snapshots = read_snapshots(file_, header_, setup_.name);
  if (!snapshots.ok()) return snapshots.error();
  bool is_apart = metadata_.add(0) && mapping_.mark_metadata();
  is_apart &= metadata_.add(header_.snapshots_offset >> bits, header_.clusters_of(snapshots->bytes));
  for (const SnapshotTable& table : snapshots->tables)
    is_apart &=
        metadata_.add(table.l1_offset >> bits, header_.clusters_of(std::uint64_t{table.l1_entries} * 8));
  if (!is_apart)
    return error("'%s' is damaged: its tables overlap; open it read-only, or try qemu-img check -r all",
                 setup_.name.c_str());
  if (Status loaded = refcounts_.load(setup_.name); !loaded.ok()) return loaded;
  if (header_.autoclear == 0) return Ok{};
  // What these bits vouch for, bitmaps for one, is not kept up to date here.
  const std::array<std::byte, 8> none{};
  int failure = file_.write(kAutoclearField, none);
  if (failure == 0) failure = file_.sync();
  if (failure != 0) return error("cannot write '%s': %s", setup_.name.c_str(), std::strerror(failure));
  return Ok{};
}

int Disk::check_change(std::uint64_t offset, std::uint64_t size) const {
  if (setup_.is_read_only) return EROFS;
  return is_within(offset, size) ? 0 : EINVAL;
}

bool Disk::is_backed(std::uint64_t cluster) const {
  return setup_.backing != nullptr && cluster << header_.cluster_bits < setup_.backing->size();
}

bool Disk::reads_as_zero(const Mapped& mapped, std::uint64_t cluster) const {
  return mapped.kind == Kind::kZero || (mapped.kind == Kind::kUnallocated && !is_backed(cluster));
}

bool Disk::peek(std::uint64_t offset, std::uint64_t most, Extent& to) {
  const std::uint64_t cluster_size = header_.cluster_size();
  std::uint64_t cluster = offset >> header_.cluster_bits;
  if (!mapping_.peek(cluster, to.mapped)) return false;
  to.bytes = std::min(most, cluster_size - offset % cluster_size);
  std::uint64_t host = to.mapped.host;
  while (to.bytes < most && to.mapped.kind != Kind::kCompressed) {
    Mapped next;
    if (!mapping_.peek(++cluster, next)) break;
    host += cluster_size;
    const bool goes_on = next.kind == to.mapped.kind && next.is_own == to.mapped.is_own &&
                         (next.kind != Kind::kData || next.host == host);
    if (!goes_on) break;
    to.bytes += std::min(most - to.bytes, cluster_size);
  }
  return true;
}

int Disk::load_table(std::uint64_t offset) {
  const std::unique_lock lock(lock_);
  return mapping_.load_table(offset >> header_.cluster_bits);
}

int Disk::read_backing(std::uint64_t offset, std::span<std::byte> to) {
  const std::uint64_t end = setup_.backing == nullptr ? 0 : setup_.backing->size();
  const std::uint64_t there = offset < end ? std::min<std::uint64_t>(end - offset, to.size()) : 0;
  if (there != 0)
    if (const int failure = setup_.backing->read(offset, to.first(there)); failure != 0) return failure;
  if (there != to.size()) std::memset(to.data() + there, 0, to.size() - there);
  return 0;
}

int Disk::read_extent(const Extent& extent, std::uint64_t offset, std::span<std::byte> to) {
  const std::uint64_t in_cluster = offset % header_.cluster_size();
  switch (extent.mapped.kind) {
    case Kind::kUnallocated: return read_backing(offset, to);
    case Kind::kZero: std::memset(to.data(), 0, to.size()); return 0;
    case Kind::kData: return file_.read(extent.mapped.host + in_cluster, to);
    case Kind::kCompressed: return decompressor_.read(extent.mapped, in_cluster, to);
    case Kind::kDamaged: break;
  }
  return EIO;
}

int Disk::read(std::uint64_t offset, std::span<std::byte> to) {
  if (!is_within(offset, to.size())) return EINVAL;
  while (!to.empty()) {
    Extent extent;
    int failure = 0;
    {
      const std::shared_lock lock(lock_);
      if (peek(offset, to.size(), extent)) failure = read_extent(extent, offset, to.first(extent.bytes));
    }
    if (extent.bytes == 0) failure = load_table(offset);
    if (failure != 0) return failure;
    offset += extent.bytes;
    to = to.subspan(extent.bytes);
  }
  return 0;
}

int Disk::read_at_once(std::uint64_t offset, std::span<std::byte> to) {
  if (!is_within(offset, to.size())) return EINVAL;
  const std::shared_lock lock(lock_, std::try_to_lock);
  Extent extent;
  if (!lock.owns_lock() || !peek(offset, to.size(), extent) || extent.bytes != to.size()) return EAGAIN;
  if (extent.mapped.kind != Kind::kData) return EAGAIN;
  return file_.read_at_once(extent.mapped.host + offset % header_.cluster_size(), to);
}

// A table may say that data lies where tables do: such an image is not written any further.
int Disk::write_data(std::uint64_t host, std::span<const std::byte> from) {
  const std::uint64_t last = (host + from.size() - 1) >> header_.cluster_bits;
  for (std::uint64_t cluster = host >> header_.cluster_bits; cluster <= last; ++cluster)
    if (metadata_.contains(cluster)) {
      log_line(Log::kGuestErrors, "qcow2: '%s' is damaged: data and tables overlap", setup_.name.c_str());
      return EIO;
    }
  return file_.write(host, from);
}

/// `done`: how many bytes of the front were written; 0: the first cluster is not to be written in place.
int Disk::write_in_place(std::uint64_t offset, std::span<const std::byte> from, std::uint64_t& done) {
  for (;;) {
    {
      const std::shared_lock lock(lock_);
      Extent extent;
      if (peek(offset, from.size(), extent)) {
        done = extent.mapped.kind == Kind::kData && extent.mapped.is_own ? extent.bytes : 0;
        if (done == 0) return 0;
        return write_data(extent.mapped.host + offset % header_.cluster_size(), from.first(done));
      }
    }
    if (const int failure = load_table(offset); failure != 0) return failure;
  }
}

int Disk::write(std::uint64_t offset, std::span<const std::byte> from) {
  if (const int failure = check_change(offset, from.size()); failure != 0) return failure;
  const std::uint64_t cluster_size = header_.cluster_size();
  while (!from.empty()) {
    std::uint64_t done = 0;
    if (const int failure = write_in_place(offset, from, done); failure != 0) return failure;
    if (done == 0) {
      done = std::min<std::uint64_t>(from.size(), cluster_size - offset % cluster_size);
      const std::unique_lock lock(lock_);
      const Piece piece{offset / cluster_size, offset % cluster_size, from.first(done)};
      if (const int failure = write_piece(piece); failure != 0) return failure;
    }
    offset += done;
    from = from.subspan(done);
  }
  return 0;
}

// Tables and clusters that wait do not grow without bound.
int Disk::make_space() {
  const bool is_much = mapping_.is_crowded() || refcounts_.is_crowded() || freed_data_.size() > kMostFreed;
  return is_much ? commit() : 0;
}

int Disk::find_room(const Mapped& old, Allocation& to) {
  if (old.kind == Kind::kZero && old.is_own) {
    to = {old.host >> header_.cluster_bits, false};
    return 0;
  }
  return refcounts_.allocate(to);
}

int Disk::write_piece(const Piece& piece) {
  if (const int failure = make_space(); failure != 0) return failure;
  if (const int failure = mapping_.load_table(piece.cluster); failure != 0) return failure;
  Mapped old;
  mapping_.peek(piece.cluster, old);
  if (old.kind == Kind::kDamaged) return EIO;
  if (old.kind == Kind::kData && old.is_own) return write_data(old.host + piece.from, piece.bytes);
  Table* table = nullptr;
  if (const int failure = mapping_.table_for_write(piece.cluster, refcounts_, freed_tables_, table);
      failure != 0)
    return failure;
  Allocation to;
  if (const int failure = find_room(old, to); failure != 0) return failure;
  const std::uint64_t host = to.cluster << header_.cluster_bits;
  const bool is_kept = host == old.host && old.kind == Kind::kZero;
  if (const int failure = fill(to, old, piece); failure != 0) {
    if (!is_kept) refcounts_.release(to.cluster);
    return failure;
  }
  table->set_entry(mapping_.index_in_table(piece.cluster), host | kOwn);
  if (!is_kept) free_later(old);
  return 0;
}

// The whole cluster has to be there before a table refers to it.
int Disk::fill(const Allocation& to, const Mapped& old, const Piece& piece) {
  const std::uint64_t host = to.cluster << header_.cluster_bits;
  const std::uint64_t cluster_size = header_.cluster_size();
  const bool is_whole = piece.bytes.size() == cluster_size;
  if (is_whole || (to.is_clean && reads_as_zero(old, piece.cluster)))
    return write_data(host + piece.from, piece.bytes);
  std::vector<std::byte> all(cluster_size);
  if (!reads_as_zero(old, piece.cluster)) {
    const std::uint64_t offset = piece.cluster << header_.cluster_bits;
    if (const int failure = read_extent({old, cluster_size}, offset, all); failure != 0) return failure;
  }
  std::memcpy(all.data() + piece.from, piece.bytes.data(), piece.bytes.size());
  return write_data(host, all);
}

void Disk::free_later(const Mapped& mapped) {
  if (mapped.host == 0) return;
  const bool is_compressed = mapped.kind == Kind::kCompressed;
  const std::uint64_t bytes = is_compressed ? mapped.bytes : header_.cluster_size();
  const std::uint64_t last = (mapped.host + bytes - 1) >> header_.cluster_bits;
  for (std::uint64_t cluster = mapped.host >> header_.cluster_bits; cluster <= last; ++cluster)
    freed_data_.push_back(cluster);
}

int Disk::discard(std::uint64_t offset, std::uint64_t size) {
  if (const int failure = check_change(offset, size); failure != 0) return failure;
  return setup_.can_unmap ? empty_range(offset, size, Emptying::kDiscard) : 0;
}

int Disk::write_zeroes(std::uint64_t offset, std::uint64_t size) {
  if (const int failure = check_change(offset, size); failure != 0) return failure;
  return empty_range(offset, size, Emptying::kZeroes);
}

int Disk::empty_range(std::uint64_t offset, std::uint64_t size, Emptying how) {
  const std::uint64_t cluster_size = header_.cluster_size();
  while (size > 0) {
    const std::uint64_t n = std::min(size, cluster_size - offset % cluster_size);
    const bool is_whole = offset % cluster_size == 0 && (n == cluster_size || offset + n == size_);
    int failure = 0;
    if (is_whole)
      failure = empty_cluster(offset / cluster_size, how);
    else if (how == Emptying::kZeroes)
      failure = zero_part(offset, n);
    if (failure != 0) return failure;
    offset += n;
    size -= n;
  }
  return 0;
}

int Disk::zero_part(std::uint64_t offset, std::uint64_t size) {
  if (const int failure = load_table(offset); failure != 0) return failure;
  {
    const std::shared_lock lock(lock_);
    Mapped mapped;
    const std::uint64_t cluster = offset >> header_.cluster_bits;
    if (mapping_.peek(cluster, mapped) && reads_as_zero(mapped, cluster)) return 0;
  }
  const std::vector<std::byte> zeroes(size);
  return write(offset, zeroes);
}

int Disk::empty_cluster(std::uint64_t cluster, Emptying how) {
  const std::unique_lock lock(lock_);
  if (const int failure = make_space(); failure != 0) return failure;
  if (const int failure = mapping_.load_table(cluster); failure != 0) return failure;
  Mapped old;
  mapping_.peek(cluster, old);
  if (old.kind == Kind::kDamaged) return EIO;
  const bool is_discard = how == Emptying::kDiscard;
  if (is_discard ? old.kind == Kind::kUnallocated : reads_as_zero(old, cluster)) return 0;
  const bool has_zero_bit = header_.version >= 3;
  if (is_backed(cluster) && !has_zero_bit) {
    if (is_discard) return 0;
    const std::uint64_t offset = cluster << header_.cluster_bits;
    const std::vector<std::byte> zeroes(std::min(header_.cluster_size(), size_ - offset));
    return write_piece({cluster, 0, zeroes});
  }
  Table* table = nullptr;
  if (const int failure = mapping_.table_for_write(cluster, refcounts_, freed_tables_, table); failure != 0)
    return failure;
  // Space that is there stays for what is written later, unless it is given back.
  const bool is_kept = !is_discard && has_zero_bit && old.is_own && old.kind == Kind::kData;
  const std::uint64_t zero = has_zero_bit ? kReadsAsZero : 0;
  table->set_entry(mapping_.index_in_table(cluster), is_kept ? old.host | kOwn | zero : zero);
  if (!is_kept) free_later(old);
  return 0;
}

}  // namespace gstage::qcow2
