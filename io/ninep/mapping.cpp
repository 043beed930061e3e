// SPDX-License-Identifier: Apache-2.0
#include "io/ninep/mapping.h"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <iterator>

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "softmmu/base/format.h"
#include "io/ninep/share.h"

namespace gstage::ninep {

void MappedAttributes::apply(struct stat& status) const {
  if ((fields & kUid) != 0) status.st_uid = uid;
  if ((fields & kGid) != 0) status.st_gid = gid;
  if ((fields & kDevice) != 0) status.st_rdev = device;
  if ((fields & kMode) == 0) return;
  const std::uint32_t type = mode & S_IFMT;
  const bool has_type = S_ISREG(status.st_mode) && type != 0 && type != S_IFDIR;
  status.st_mode = (mode & 07777) | (has_type ? type : status.st_mode & S_IFMT);
}

void MappedAttributes::merge(const MappedAttributes& newer) {
  fields |= newer.fields;
  if ((newer.fields & kUid) != 0) uid = newer.uid;
  if ((newer.fields & kGid) != 0) gid = newer.gid;
  if ((newer.fields & kMode) != 0) mode = newer.mode;
  if ((newer.fields & kDevice) != 0) device = newer.device;
}

namespace {

/// One field, under the names that it has in each mapping.
struct FieldRow {
  MappedAttributes::Field field;
  const char* attribute;
  const char* key;
};
constexpr FieldRow kFields[] = {
    {MappedAttributes::kUid, "user.virtfs.uid", "virtfs.uid"},
    {MappedAttributes::kGid, "user.virtfs.gid", "virtfs.gid"},
    {MappedAttributes::kMode, "user.virtfs.mode", "virtfs.mode"},
    {MappedAttributes::kDevice, "user.virtfs.rdev", "virtfs.rdev"},
};

std::uint64_t value_of(const MappedAttributes& from, MappedAttributes::Field field) {
  switch (field) {
    case MappedAttributes::kUid: return from.uid;
    case MappedAttributes::kGid: return from.gid;
    case MappedAttributes::kMode: return from.mode;
    default: return from.device;
  }
}

void set_value(MappedAttributes& to, MappedAttributes::Field field, std::uint64_t value) {
  to.fields |= field;
  const auto narrow = static_cast<std::uint32_t>(value);
  switch (field) {
    case MappedAttributes::kUid: to.uid = narrow; break;
    case MappedAttributes::kGid: to.gid = narrow; break;
    case MappedAttributes::kMode: to.mode = narrow; break;
    default: to.device = value; break;
  }
}

/// Little-endian numbers of 4 bytes, the device's of 8, as other emulators have them.
class XattrMapping final : public Mapping {
 public:
  int load(const Descriptor& node, MappedAttributes& to) override {
    const std::string path = path_of(node);
    for (const FieldRow& row : kFields) {
      std::uint64_t value = 0;
      const ssize_t size = getxattr(path.c_str(), row.attribute, &value, sizeof value);
      // A special file of the host has none, and cannot have any.
      if (size < 0 && errno != ENODATA && errno != EOPNOTSUPP && errno != EPERM) return errno;
      if (size == bytes_of(row)) set_value(to, row.field, value);
    }
    return 0;
  }
  int store(const Descriptor& node, const MappedAttributes& from) override {
    const std::string path = path_of(node);
    for (const FieldRow& row : kFields) {
      if ((from.fields & row.field) == 0) continue;
      const std::uint64_t value = value_of(from, row.field);
      if (setxattr(path.c_str(), row.attribute, &value, static_cast<std::size_t>(bytes_of(row)), 0) != 0)
        return errno;
    }
    return 0;
  }
  [[nodiscard]] bool hides_attribute(const std::string& name) const override {
    return name.starts_with("user.virtfs.");
  }

 private:
  static ssize_t bytes_of(const FieldRow& row) { return row.field == MappedAttributes::kDevice ? 8 : 4; }
};

constexpr const char* kFolder = ".virtfs_metadata";
constexpr const char* kRootFile = ".virtfs_metadata_root";

/// A descriptor for a moment.
struct Handle {
  explicit Handle(int opened) : fd(opened) {}
  ~Handle() {
    if (fd >= 0) close(fd);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  const int fd;
};

/// A line a field in a file of the same name, in a folder of its own.
class FileMapping final : public Mapping {
 public:
  explicit FileMapping(const Share& share) : share_(share) {}

  int load(const Descriptor& node, MappedAttributes& to) override {
    const Place place = find(node, false);
    // Of a file that has no name any more, none.
    if (place.failure != 0) return place.failure == ENOENT || place.failure == ESTALE ? 0 : place.failure;
    const Handle file(place.open(O_RDONLY));
    if (file.fd < 0) return file.fd == -ENOENT ? 0 : -file.fd;
    read(file.fd, to);
    return 0;
  }
  int store(const Descriptor& node, const MappedAttributes& from) override {
    const Place place = find(node, true);
    if (place.failure != 0) return place.failure;
    const Handle file(place.open(O_RDWR | O_CREAT));
    if (file.fd < 0) return -file.fd;
    MappedAttributes all;
    read(file.fd, all);
    all.merge(from);
    std::string text;
    for (const FieldRow& row : kFields)
      if ((all.fields & row.field) != 0)
        text += format("%s=%" PRIu64 "\n", row.key, value_of(all, row.field));
    const bool is_written = pwrite(file.fd, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
    return is_written && ftruncate(file.fd, static_cast<off_t>(text.size())) == 0 ? 0 : EIO;
  }
  [[nodiscard]] bool hides(const std::string& name) const override {
    return name == kFolder || name == kRootFile;
  }
  bool clear(const Descriptor& folder) override {
    const Handle all(open_entry(folder.get(), kFolder, O_RDONLY | O_DIRECTORY, 0));
    if (all.fd < 0 || !has_nothing_else(folder)) return false;
    for_each_name(all.fd, [&](const char* name) { return unlinkat(all.fd, name, 0) == 0; });
    return unlinkat(folder.get(), kFolder, AT_REMOVEDIR) == 0;
  }
  void removed(const Descriptor& folder, const std::string& name) override {
    const Handle all(open_entry(folder.get(), kFolder, O_PATH | O_DIRECTORY, 0));
    if (all.fd >= 0) unlinkat(all.fd, name.c_str(), 0);
  }
  void renamed(const Descriptor& from, const std::string& old_name, const Descriptor& to,
               const std::string& new_name) override {
    const Handle source(open_entry(from.get(), kFolder, O_PATH | O_DIRECTORY, 0));
    if (source.fd < 0) return removed(to, new_name);
    const Handle target(open_folder(to, true));
    const bool is_moved =
        target.fd >= 0 && renameat(source.fd, old_name.c_str(), target.fd, new_name.c_str()) == 0;
    // Attributes of what had the name before are not those of what has it now.
    if (!is_moved && target.fd >= 0) unlinkat(target.fd, new_name.c_str(), 0);
  }

 private:
  /// The file of a node's attributes.
  struct Place {
    int failure = 0;
    Node folder{};  ///< for as long as `holder` is needed
    std::unique_ptr<Handle> holder{};
    std::string name{};
    [[nodiscard]] int open(int flags) const {
      return open_entry(holder == nullptr ? folder->get() : holder->fd, name, flags, 0600);
    }
  };

  static int open_folder(const Descriptor& in, bool makes) {
    if (makes && mkdirat(in.get(), kFolder, 0700) != 0 && errno != EEXIST) return -errno;
    return open_entry(in.get(), kFolder, O_PATH | O_DIRECTORY, 0);
  }
  Place find(const Descriptor& node, bool makes) const {
    Place place;
    place.failure = share_.parent_of(node, place.folder, place.name);
    if (place.failure == EBUSY) return {0, share_.root(), nullptr, kRootFile};
    if (place.failure != 0) return place;
    place.holder = std::make_unique<Handle>(open_folder(*place.folder, makes));
    if (place.holder->fd < 0) place.failure = -place.holder->fd;
    return place;
  }
  static void read(int fd, MappedAttributes& to) {
    char text[512] = {};
    if (pread(fd, text, sizeof text - 1, 0) < 0) return;
    for (const FieldRow& row : kFields) {
      const char* const at = std::strstr(text, row.key);
      std::uint64_t value = 0;
      if (at != nullptr && std::sscanf(at + std::strlen(row.key), "=%" SCNu64, &value) == 1)
        set_value(to, row.field, value);
    }
  }
  /// Until `use` answers false.
  template <class Use>
  static void for_each_name(int fd, Use&& use) {
    alignas(dirent64) char buffer[4096];
    lseek(fd, 0, SEEK_SET);
    for (;;) {
      const long size = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
      if (size <= 0) return;
      for (long at = 0; at < size;) {
        const auto* const entry = reinterpret_cast<const dirent64*>(buffer + at);
        at += entry->d_reclen;
        const bool is_itself = std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0;
        if (!is_itself && !use(entry->d_name)) return;
      }
    }
  }
  static bool has_nothing_else(const Descriptor& folder) {
    const Handle list(openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (list.fd < 0) return false;
    bool is_alone = true;
    for_each_name(list.fd, [&](const char* name) { return is_alone = std::strcmp(name, kFolder) == 0; });
    return is_alone;
  }

  const Share& share_;
};

}  // namespace

std::unique_ptr<Mapping> make_xattr_mapping() { return std::make_unique<XattrMapping>(); }
std::unique_ptr<Mapping> make_file_mapping(const Share& share) {
  return std::make_unique<FileMapping>(share);
}

}  // namespace gstage::ninep
