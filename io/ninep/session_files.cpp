// SPDX-License-Identifier: Apache-2.0
// Operations on what a fid stands for.
#include <algorithm>
#include <cerrno>
#include <climits>

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/ninep/session.h"

namespace gstage::ninep {

namespace {

/// Of P9_GETATTR_*: all that stat(2) knows.
constexpr std::uint64_t kBasicAttributes = 0x7ff;

/// open(2)'s flags as the protocol has them, which are those of x86 (P9_DOTL_*).
constexpr std::uint32_t kAccess = 3, kTruncate = 01000, kDirectory = 0200000;
constexpr std::uint32_t kOpenFlags = kAccess | kTruncate | 010000 /* DSYNC */ | 04000000 /* SYNC */;
static_assert(O_ACCMODE == kAccess && O_TRUNC == kTruncate && O_EXCL == 0200 && O_DSYNC == 010000 &&
              (O_SYNC & ~O_DSYNC) == 04000000);

void put_time(Writer& out, const timespec& time) {
  out.put(static_cast<std::uint64_t>(time.tv_sec));
  out.put(static_cast<std::uint64_t>(time.tv_nsec));
}

timespec take_time(Reader& in) {
  const auto seconds = in.take<std::uint64_t>();
  const auto nanoseconds = in.take<std::uint64_t>();
  return {static_cast<time_t>(seconds), static_cast<long>(nanoseconds % 1'000'000'000)};
}

/// An entry of an open folder on its way into an answer.
struct EntryWriter {
  const Share& share;
  const Qids& qids;
  const struct stat& folder;
  bool is_root;
  std::size_t most;  ///< where the answer has to end
  Writer& out;

  /// False: it has no room.
  bool put(const dirent64& entry) const {
    constexpr std::size_t kFixedBytes = 13 + 8 + 1 + 2;
    const std::string_view name = entry.d_name;
    const bool is_dots = name == "." || name == "..";
    if (!is_dots && share.check_name(std::string(name)) != 0) return true;
    if (out.size() + kFixedBytes + name.size() > most) return false;
    struct stat status {};
    status.st_dev = folder.st_dev;
    // What is above the root is no business of the guest's.
    status.st_ino = is_dots && is_root ? folder.st_ino : entry.d_ino;
    status.st_mode = DTTOIF(entry.d_type);
    out.put(qids.of(status));
    out.put(static_cast<std::uint64_t>(entry.d_off));
    // A file of a mapped share may stand for something else.
    const bool is_certain = !share.is_mapped() || entry.d_type != DT_REG;
    out.put(is_certain ? entry.d_type : std::uint8_t{DT_UNKNOWN});
    out.text(name);
    return true;
  }
};

}  // namespace

int Session::statfs(Reader& in, Writer& out) {
  const auto number = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  const Fid* const fid = find_node(number);
  if (fid == nullptr) return EBADF;
  struct statfs status {};
  if (const int failure = share_->statistics(*fid->node, status); failure != 0) return failure;
  std::uint64_t id = 0;
  static_assert(sizeof status.f_fsid == sizeof id);
  std::memcpy(&id, &status.f_fsid, sizeof id);
  out.put(static_cast<std::uint32_t>(status.f_type));
  out.put(static_cast<std::uint32_t>(status.f_bsize));
  for (const std::uint64_t value :
       {std::uint64_t{status.f_blocks}, std::uint64_t{status.f_bfree}, std::uint64_t{status.f_bavail},
        std::uint64_t{status.f_files}, std::uint64_t{status.f_ffree}, id})
    out.put(value);
  out.put(static_cast<std::uint32_t>(status.f_namelen));
  return 0;
}

int Session::getattr(Reader& in, Writer& out) {
  const auto number = in.take<std::uint32_t>();
  in.take<std::uint64_t>();  // what is asked for: all of it costs the same
  if (!in.is_whole()) return EPROTO;
  const Fid* const fid = find_node(number);
  if (fid == nullptr) return EBADF;
  struct stat status {};
  if (const int failure = share_->attributes(*fid->node, status); failure != 0) return failure;
  out.put(kBasicAttributes);
  out.put(qids_.of(status));
  for (const std::uint32_t value : {status.st_mode, status.st_uid, status.st_gid}) out.put(value);
  for (const std::uint64_t value :
       {std::uint64_t{status.st_nlink}, std::uint64_t{status.st_rdev},
        static_cast<std::uint64_t>(status.st_size), static_cast<std::uint64_t>(status.st_blksize),
        static_cast<std::uint64_t>(status.st_blocks)})
    out.put(value);
  put_time(out, status.st_atim);
  put_time(out, status.st_mtim);
  put_time(out, status.st_ctim);
  // Birth, generation and version of the data are not said.
  for (int i = 0; i < 4; ++i) out.put(std::uint64_t{0});
  return 0;
}

int Session::setattr(Reader& in, Writer&) {
  const auto number = in.take<std::uint32_t>();
  Changes changes;
  changes.valid = in.take<std::uint32_t>();
  changes.mode = in.take<std::uint32_t>();
  changes.uid = in.take<std::uint32_t>();
  changes.gid = in.take<std::uint32_t>();
  changes.size = in.take<std::uint64_t>();
  changes.atime = take_time(in);
  changes.mtime = take_time(in);
  if (!in.is_whole()) return EPROTO;
  const Fid* const fid = find_node(number);
  return fid == nullptr ? EBADF : share_->change(*fid->node, changes);
}

int Session::lopen(Reader& in, Writer& out) {
  const auto number = in.take<std::uint32_t>();
  const auto flags = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  Fid* const fid = find_node(number);
  if (fid == nullptr) return EBADF;
  if (fid->file.is_open() || (flags & kAccess) == kAccess) return EINVAL;
  const bool changes = (flags & kAccess) != O_RDONLY || (flags & kTruncate) != 0;
  if (changes && share_->options().is_read_only) return EROFS;
  struct stat status {};
  if (const int failure = share_->attributes(*fid->node, status); failure != 0) return failure;
  if ((flags & kDirectory) != 0 && !S_ISDIR(status.st_mode)) return ENOTDIR;
  const int failure = share_->open_node(*fid->node, static_cast<int>(flags & kOpenFlags), fid->file);
  if (failure != 0) return failure;
  fid->flags = flags & kOpenFlags;
  out.put(qids_.of(status));
  out.put(std::uint32_t{0});  // iounit: as much as a message holds
  return 0;
}

int Session::lcreate(Reader& in, Writer& out) {
  const auto number = in.take<std::uint32_t>();
  const std::string name = in.text();
  const auto flags = in.take<std::uint32_t>();
  Maker maker;
  maker.mode = in.take<std::uint32_t>();
  maker.gid = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  Fid* const fid = find_node(number);
  if (fid == nullptr) return EBADF;
  if (fid->file.is_open() || (flags & kAccess) == kAccess) return EINVAL;
  maker.uid = fid->uid;
  Node node;
  Descriptor file;
  const int failure =
      share_->create(*fid->node, name, static_cast<int>(flags & (kOpenFlags | O_EXCL)), maker, node, file);
  if (failure != 0) return failure;
  fid->node = std::move(node);
  fid->file = std::move(file);
  fid->flags = flags & kOpenFlags;
  if (const int unknown = put_qid(*fid->node, out); unknown != 0) return unknown;
  out.put(std::uint32_t{0});
  return 0;
}

int Session::read(Reader& in, Writer& out) {
  const auto number = in.take<std::uint32_t>();
  const auto offset = in.take<std::uint64_t>();
  const auto count = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  const Fid* const fid = find(number);
  if (fid == nullptr) return EBADF;
  if (out.room() < sizeof count) return EMSGSIZE;
  const std::size_t count_at = out.size();
  out.put(std::uint32_t{0});
  const std::size_t wanted = std::min<std::size_t>(count, out.room());
  const auto room = out.take(wanted);
  std::size_t got = 0;
  if (fid->kind == Kind::kAttributeRead) {
    const std::size_t from = std::min<std::uint64_t>(offset, fid->value.size());
    got = std::min(wanted, fid->value.size() - from);
    std::copy_n(fid->value.begin() + static_cast<std::ptrdiff_t>(from), got, room.begin());
  } else {
    if (find_open(number) == nullptr) return EBADF;
    if (offset > static_cast<std::uint64_t>(LLONG_MAX)) return EINVAL;
    const ssize_t done = pread(fid->file.get(), room.data(), wanted, static_cast<off_t>(offset));
    if (done < 0) return errno;
    got = static_cast<std::size_t>(done);
  }
  out.put_at(count_at, static_cast<std::uint32_t>(got));
  out.rewind(count_at + sizeof count + got);
  return 0;
}

int Session::write(Reader& in, Writer& out) {
  const auto number = in.take<std::uint32_t>();
  const auto offset = in.take<std::uint64_t>();
  const auto bytes = in.data(in.take<std::uint32_t>());
  if (!in.is_whole()) return EPROTO;
  Fid* const fid = find(number);
  if (fid == nullptr) return EBADF;
  std::size_t done = 0;
  if (fid->kind == Kind::kAttributeWrite) {
    if (offset != fid->value.size() || bytes.size() > fid->size - fid->value.size()) return ENOSPC;
    fid->value.insert(fid->value.end(), bytes.begin(), bytes.end());
    done = bytes.size();
  } else {
    if (find_open(number) == nullptr) return EBADF;
    if (offset > static_cast<std::uint64_t>(LLONG_MAX) - bytes.size()) return EFBIG;
    const ssize_t written = pwrite(fid->file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0) return errno;
    done = static_cast<std::size_t>(written);
  }
  out.put(static_cast<std::uint32_t>(done));
  return 0;
}

int Session::readdir(Reader& in, Writer& out) {
  const auto number = in.take<std::uint32_t>();
  const auto offset = in.take<std::uint64_t>();
  const auto count = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  const Fid* const fid = find_open(number);
  if (fid == nullptr) return EBADF;
  struct stat status {};
  if (fstat(fid->file.get(), &status) != 0) return errno;
  if (!S_ISDIR(status.st_mode)) return ENOTDIR;
  if (lseek(fid->file.get(), static_cast<off_t>(offset), SEEK_SET) < 0) return errno;
  const std::size_t count_at = out.size();
  out.put(std::uint32_t{0});
  const std::size_t most = count_at + sizeof count + std::min<std::size_t>(count, out.room());
  alignas(dirent64) char entries[32 << 10];
  const EntryWriter writer{*share_, qids_, status, fid->node == share_->root(), most, out};
  bool is_full = false;
  while (!is_full) {
    const long size = syscall(SYS_getdents64, fid->file.get(), entries, sizeof entries);
    if (size < 0 && out.size() == count_at + sizeof count) return errno;
    if (size <= 0) break;
    for (long at = 0; at < size && !is_full;) {
      const auto& entry = *reinterpret_cast<const dirent64*>(entries + at);
      is_full = !writer.put(entry);
      at += entry.d_reclen;
    }
  }
  const std::size_t bytes = out.size() - count_at - sizeof count;
  if (is_full && bytes == 0) return EINVAL;
  out.put_at(count_at, static_cast<std::uint32_t>(bytes));
  return 0;
}

int Session::fsync(Reader& in, Writer&) {
  const auto number = in.take<std::uint32_t>();
  const auto is_data_only = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  const Fid* const fid = find_open(number);
  if (fid == nullptr) return EBADF;
  const int result = is_data_only != 0 ? fdatasync(fid->file.get()) : ::fsync(fid->file.get());
  return result == 0 ? 0 : errno;
}

/// The guest's kernel keeps the locks of its programs among themselves, and the folder is its own.
int Session::lock(Reader& in, Writer& out) {
  constexpr std::uint8_t kMostType = 2, kGranted = 0;
  const auto number = in.take<std::uint32_t>();
  const auto type = in.take<std::uint8_t>();
  in.take<std::uint32_t>();  // flags
  in.take<std::uint64_t>();  // start
  in.take<std::uint64_t>();  // length
  in.take<std::uint32_t>();  // the process
  in.text();                 // the client
  if (!in.is_whole()) return EPROTO;
  if (find_open(number) == nullptr) return EBADF;
  if (type > kMostType) return EINVAL;
  out.put(kGranted);
  return 0;
}

int Session::getlock(Reader& in, Writer& out) {
  constexpr std::uint8_t kUnlocked = 2;
  const auto number = in.take<std::uint32_t>();
  in.take<std::uint8_t>();
  const auto start = in.take<std::uint64_t>();
  const auto length = in.take<std::uint64_t>();
  const auto process = in.take<std::uint32_t>();
  const std::string client = in.text();
  if (!in.is_whole()) return EPROTO;
  if (find_open(number) == nullptr) return EBADF;
  out.put(kUnlocked);
  out.put(start);
  out.put(length);
  out.put(process);
  out.text(client);
  return 0;
}

}  // namespace gstage::ninep
