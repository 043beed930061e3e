// SPDX-License-Identifier: Apache-2.0
#include "io/ninep/share.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace gstage::ninep {

namespace {

constexpr unsigned kMostDescriptors = 1 << 17;

/// Lets the process have as many descriptors as it may, and answers how many of them are for a share: half
/// of them, so that a guest never leaves the machine without one.
unsigned descriptors_for_share() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return static_cast<unsigned>(std::min<rlim_t>(limit.rlim_cur / 2, kMostDescriptors));
}

}  // namespace

std::string path_of(const Descriptor& node) { return "/proc/self/fd/" + std::to_string(node.get()); }

Result<std::shared_ptr<Share>> Share::open(const ShareOptions& options) {
  const int root = ::open(options.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0)
    return error("-fsdev %s: path=%s: %s; name a folder that is there", options.id.c_str(),
                 options.path.c_str(), std::strerror(errno));
  const int links = ::open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (links < 0) {
    close(root);
    return error("-fsdev %s: /proc is not mounted, which a shared folder needs", options.id.c_str());
  }
  std::shared_ptr<Share> share(new Share(options, root, links));
  if (options.model != SecurityModel::kMappedXattr || options.is_read_only) return share;
  // Better now than at the guest's first file.
  const ssize_t size = getxattr(path_of(*share->root_).c_str(), "user.virtfs.uid", nullptr, 0);
  if (size >= 0 || errno == ENODATA) return share;
  return error("-fsdev %s: the file system of %s has no extended attributes: use security_model=mapped-file",
               options.id.c_str(), options.path.c_str());
}

Share::Share(const ShareOptions& options, int root, int links)
    : options_(options), links_(links), most_(descriptors_for_share()) {
  root_ = std::make_shared<const Descriptor>(root, count_);
  if (options.model == SecurityModel::kMappedXattr) mapping_ = make_xattr_mapping();
  if (options.model == SecurityModel::kMappedFile) mapping_ = make_file_mapping(*this);
}

Share::~Share() { close(links_); }

int Share::adopt(int fd, Node& node) const {
  if (fd < 0) return -fd;
  node = std::make_shared<const Descriptor>(fd, count_);
  return 0;
}

int open_entry(int folder, const std::string& name, int flags, std::uint32_t mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_NOFOLLOW | O_CLOEXEC);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  // EAGAIN: something was moved while the path was followed.
  constexpr int kAttempts = 64;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const long fd = syscall(SYS_openat2, folder, name.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno != EAGAIN && errno != EINTR) return -errno;
  }
  return -EAGAIN;
}

int Share::open_counted(int folder, const std::string& name, int flags, std::uint32_t mode) const {
  return count_ < most_ ? open_entry(folder, name, flags, mode) : -ENFILE;
}

int Share::check_name(const std::string& name) const {
  if (name.empty()) return ENOENT;
  if (name.size() > NAME_MAX) return ENAMETOOLONG;
  if (name == "." || name == ".." || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos)
    return EINVAL;
  return mapping_ != nullptr && mapping_->hides(name) ? ENOENT : 0;
}

int Share::look_up(const Descriptor& folder, const std::string& name, Node& node) {
  if (const int failure = check_name(name); failure != 0) return failure;
  return adopt(open_counted(folder.get(), name, O_PATH, 0), node);
}

int Share::open_node(const Descriptor& node, int flags, Descriptor& file) {
  struct stat status {};
  if (fstat(node.get(), &status) != 0) return errno;
  // A pipe or a device does something when it is opened; a link cannot be.
  if (S_ISLNK(status.st_mode)) return ELOOP;
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return EACCES;
  if (count_ >= most_) return ENFILE;
  // The guest says where each write goes, so O_APPEND is its own business; it would move the writes of a
  // guest that writes back from its cache.
  const int kept = flags & (O_ACCMODE | O_TRUNC | O_DSYNC | O_SYNC);
  const int fd =
      openat(links_, std::to_string(node.get()).c_str(),
             kept | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (S_ISDIR(status.st_mode) ? O_DIRECTORY : 0));
  if (fd < 0) return errno;
  file = Descriptor(fd, count_);
  return 0;
}

int Share::attributes(const Descriptor& node, struct stat& status) const {
  if (fstat(node.get(), &status) != 0) return errno;
  if (mapping_ == nullptr) return 0;
  MappedAttributes mapped;
  const int failure = mapping_->load(node, mapped);
  if (failure == 0) mapped.apply(status);
  return failure;
}

int Share::statistics(const Descriptor& node, struct statfs& to) const {
  return fstatfs(node.get(), &to) == 0 ? 0 : errno;
}

int Share::set_size(const Descriptor& node, std::uint64_t size) {
  if (size > static_cast<std::uint64_t>(LLONG_MAX)) return EFBIG;
  Descriptor file;
  if (const int failure = open_node(node, O_WRONLY, file); failure != 0) return failure;
  return ftruncate(file.get(), static_cast<off_t>(size)) == 0 ? 0 : errno;
}

int Share::set_owner(const Descriptor& node, std::uint32_t uid, std::uint32_t gid) {
  if (mapping_ != nullptr) {
    MappedAttributes mapped;
    if (uid != Maker::kNobody) mapped.fields |= MappedAttributes::kUid;
    if (gid != Maker::kNobody) mapped.fields |= MappedAttributes::kGid;
    mapped.uid = uid;
    mapped.gid = gid;
    return mapped.fields == 0 ? 0 : mapping_->store(node, mapped);
  }
  if (fchownat(node.get(), "", uid, gid, AT_EMPTY_PATH) == 0) return 0;
  return options_.model == SecurityModel::kNone && errno == EPERM ? 0 : errno;
}

int Share::set_mode(const Descriptor& node, std::uint32_t mode) {
  struct stat status {};
  if (const int failure = attributes(node, status); failure != 0) return failure;
  if (mapping_ != nullptr) {
    MappedAttributes mapped;
    mapped.fields = MappedAttributes::kMode;
    mapped.mode = (mode & 07777) | (status.st_mode & S_IFMT);
    return mapping_->store(node, mapped);
  }
  if (S_ISLNK(status.st_mode)) return EOPNOTSUPP;
  return fchmodat(links_, std::to_string(node.get()).c_str(), mode & 07777, 0) == 0 ? 0 : errno;
}

int Share::change(const Descriptor& node, const Changes& changes) {
  const auto has = [&](std::uint32_t bits) { return (changes.valid & bits) != 0; };
  int failure = has(Changes::kSize) ? set_size(node, changes.size) : 0;
  // The owner before the mode: a change of the owner takes bits of the mode away.
  if (failure == 0 && has(Changes::kUid | Changes::kGid))
    failure = set_owner(node, has(Changes::kUid) ? changes.uid : Maker::kNobody,
                        has(Changes::kGid) ? changes.gid : Maker::kNobody);
  if (failure == 0 && has(Changes::kMode)) failure = set_mode(node, changes.mode);
  if (failure != 0 || !has(Changes::kAtime | Changes::kMtime)) return failure;
  const auto time_of = [&](std::uint32_t bit, std::uint32_t set_bit, timespec given) {
    if (!has(bit)) return timespec{0, UTIME_OMIT};
    return has(set_bit) ? given : timespec{0, UTIME_NOW};
  };
  const timespec times[2] = {time_of(Changes::kAtime, Changes::kAtimeSet, changes.atime),
                             time_of(Changes::kMtime, Changes::kMtimeSet, changes.mtime)};
  return utimensat(node.get(), "", times, AT_EMPTY_PATH) == 0 ? 0 : errno;
}

int Share::read_link(const Descriptor& node, std::string& target) {
  struct stat status {};
  if (const int failure = attributes(node, status); failure != 0) return failure;
  if (!S_ISLNK(status.st_mode)) return EINVAL;
  target.resize(PATH_MAX);
  ssize_t size = readlinkat(node.get(), "", target.data(), target.size());
  if (size < 0 && mapping_ != nullptr) {
    // A link of a mapped share is a file that holds the target.
    Descriptor file;
    if (const int failure = open_node(node, O_RDONLY, file); failure != 0) return failure;
    size = pread(file.get(), target.data(), target.size(), 0);
  }
  if (size < 0) return errno;
  target.resize(static_cast<std::size_t>(size));
  return 0;
}

int Share::locate(const Descriptor& node, std::string& path) const {
  const auto path_now = [&](const Descriptor& of, std::string& to) {
    to.resize(PATH_MAX);
    const ssize_t size = readlinkat(links_, std::to_string(of.get()).c_str(), to.data(), to.size());
    if (size < 0 || static_cast<std::size_t>(size) == to.size()) return size < 0 ? errno : ENAMETOOLONG;
    to.resize(static_cast<std::size_t>(size));
    return 0;
  };
  std::string root;
  if (const int failure = path_now(*root_, root); failure != 0) return failure;
  if (const int failure = path_now(node, path); failure != 0) return failure;
  if (path == root) return path.clear(), 0;
  if (root != "/") root += '/';
  if (!path.starts_with(root)) return ESTALE;
  path.erase(0, root.size());
  return 0;
}

int Share::find(const std::string& path, Node& node) const {
  if (path.empty()) return node = root_, 0;
  return adopt(open_counted(root_->get(), path, O_PATH, 0), node);
}

int Share::parent_of(const Descriptor& node, Node& folder, std::string& name) const {
  std::string path;
  if (const int failure = locate(node, path); failure != 0) return failure;
  if (path.empty()) return EBUSY;
  const std::size_t slash = path.rfind('/');
  name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  const int failure = find(slash == std::string::npos ? "" : path.substr(0, slash), folder);
  if (failure != 0) return failure;
  // The path is a text: what is there now must be the node.
  struct stat there {};
  struct stat here {};
  const bool is_same = fstatat(folder->get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
                       fstat(node.get(), &here) == 0 && there.st_dev == here.st_dev &&
                       there.st_ino == here.st_ino;
  return is_same ? 0 : ESTALE;
}

bool Share::may_use_attribute(const std::string& name) const {
  if (name.empty() || name.find('\0') != std::string::npos) return false;
  if (mapping_ == nullptr) return true;
  // Of a mapped share only what says nothing of owners and rights can be the host's.
  return name.starts_with("user.") && !mapping_->hides_attribute(name);
}

int Share::get_attribute(const Descriptor& node, const std::string& name,
                         std::vector<std::uint8_t>& value) const {
  if (!may_use_attribute(name)) return mapping_ != nullptr ? ENODATA : EINVAL;
  std::uint8_t most[kMostAttributeBytes];
  const ssize_t size = getxattr(path_of(node).c_str(), name.c_str(), most, sizeof most);
  if (size < 0) return errno;
  value.assign(most, most + size);
  return 0;
}

int Share::list_attributes(const Descriptor& node, std::vector<std::uint8_t>& names) const {
  char most[kMostAttributeBytes];
  const ssize_t size = listxattr(path_of(node).c_str(), most, sizeof most);
  if (size < 0) return errno;
  names.clear();
  for (const char* name = most; name < most + size; name += std::strlen(name) + 1)
    if (may_use_attribute(name)) names.insert(names.end(), name, name + std::strlen(name) + 1);
  return 0;
}

int Share::set_attribute(const Descriptor& node, const std::string& name, std::span<const std::uint8_t> value,
                         int flags) const {
  if (!may_use_attribute(name)) return EOPNOTSUPP;
  return setxattr(path_of(node).c_str(), name.c_str(), value.data(), value.size(), flags) == 0 ? 0 : errno;
}

int Share::remove_attribute(const Descriptor& node, const std::string& name) const {
  if (!may_use_attribute(name)) return EOPNOTSUPP;
  return removexattr(path_of(node).c_str(), name.c_str()) == 0 ? 0 : errno;
}

}  // namespace gstage::ninep
