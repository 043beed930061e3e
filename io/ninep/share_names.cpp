// SPDX-License-Identifier: Apache-2.0
// What makes and removes names in a shared folder.
#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "io/ninep/share.h"

namespace gstage::ninep {

int Share::set_owner_and_mode(const Descriptor& node, const Maker& maker) {
  if (mapping_ != nullptr) {
    MappedAttributes mapped;
    mapped.fields = MappedAttributes::kMode;
    if (maker.uid != Maker::kNobody) mapped.fields |= MappedAttributes::kUid;
    if (maker.gid != Maker::kNobody) mapped.fields |= MappedAttributes::kGid;
    mapped.uid = maker.uid;
    mapped.gid = maker.gid;
    mapped.mode = maker.mode;
    return mapping_->store(node, mapped);
  }
  struct stat status {};
  if (fstat(node.get(), &status) != 0) return errno;
  const bool has_owner = (maker.uid == Maker::kNobody || maker.uid == status.st_uid) &&
                         (maker.gid == Maker::kNobody || maker.gid == status.st_gid);
  if (!has_owner) {
    if (const int failure = set_owner(node, maker.uid, maker.gid); failure != 0) return failure;
    // A change of the owner takes bits away.
    if (fstat(node.get(), &status) != 0) return errno;
  }
  // Our own umask is none of the guest's business.
  if (S_ISLNK(status.st_mode) || (status.st_mode & 07777) == (maker.mode & 07777)) return 0;
  return set_mode(node, maker.mode);
}

/// What was just made under the name gets its owner and mode, or is gone again.
int Share::finish(const Descriptor& folder, const std::string& name, const Maker& maker, bool is_folder,
                  Node& node) {
  int failure = look_up(folder, name, node);
  if (failure == 0) failure = set_owner_and_mode(*node, maker);
  if (failure == 0) return 0;
  unlinkat(folder.get(), name.c_str(), is_folder ? AT_REMOVEDIR : 0);
  node = nullptr;
  return failure;
}

int Share::open_existing(const Descriptor& folder, const std::string& name, int flags, Node& node,
                         Descriptor& file) {
  if (const int failure = look_up(folder, name, node); failure != 0) return failure;
  struct stat status {};
  if (fstat(node->get(), &status) != 0) return errno;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  return open_node(*node, flags, file);
}

int Share::create(const Descriptor& folder, const std::string& name, int flags, const Maker& maker,
                  Node& node, Descriptor& file) {
  if (const int failure = check_name(name); failure != 0) return failure;
  const std::uint32_t mode = is_mapped() ? options_.file_mode : maker.mode & 0777;
  const int kept = flags & (O_ACCMODE | O_DSYNC | O_SYNC);
  const int fd = open_counted(folder.get(), name, kept | O_CREAT | O_EXCL | O_NOCTTY, mode);
  // What is there already may be a device, which is never opened by its name.
  if (fd == -EEXIST && (flags & O_EXCL) == 0) return open_existing(folder, name, flags, node, file);
  if (fd < 0) return -fd;
  file = Descriptor(fd, count_);
  Maker of_file = maker;
  of_file.mode = (maker.mode & 07777) | S_IFREG;
  const int failure = finish(folder, name, of_file, false, node);
  if (failure != 0) file.reset();
  return failure;
}

int Share::make_folder(const Descriptor& folder, const std::string& name, const Maker& maker, Node& node) {
  if (const int failure = check_name(name); failure != 0) return failure;
  const std::uint32_t mode = is_mapped() ? options_.directory_mode : maker.mode & 0777;
  if (mkdirat(folder.get(), name.c_str(), mode) != 0) return errno;
  Maker of_folder = maker;
  of_folder.mode = (maker.mode & 07777) | S_IFDIR;
  return finish(folder, name, of_folder, true, node);
}

int Share::make_special(const Descriptor& folder, const std::string& name, std::uint64_t device,
                        const Maker& maker, Node& node) {
  if (const int failure = check_name(name); failure != 0) return failure;
  const std::uint32_t type = maker.mode & S_IFMT;
  if (type != S_IFREG && type != S_IFIFO && type != S_IFSOCK && type != S_IFCHR && type != S_IFBLK)
    return EINVAL;
  if (is_mapped()) {
    const int fd = open_counted(folder.get(), name, O_WRONLY | O_CREAT | O_EXCL, options_.file_mode);
    if (fd < 0) return -fd;
    close(fd);
    if (const int failure = finish(folder, name, maker, false, node); failure != 0) return failure;
    MappedAttributes mapped;
    mapped.fields = MappedAttributes::kDevice;
    mapped.device = device;
    return type == S_IFCHR || type == S_IFBLK ? mapping_->store(*node, mapped) : 0;
  }
  // A device of the host's is not for a guest to make.
  if (type == S_IFCHR || type == S_IFBLK) return EPERM;
  if (mknodat(folder.get(), name.c_str(), type | (maker.mode & 0777), 0) != 0) return errno;
  return finish(folder, name, maker, false, node);
}

int Share::make_symlink(const Descriptor& folder, const std::string& name, const std::string& target,
                        const Maker& maker, Node& node) {
  if (const int failure = check_name(name); failure != 0) return failure;
  if (target.find('\0') != std::string::npos) return EINVAL;
  if (target.empty()) return ENOENT;
  if (target.size() >= PATH_MAX) return ENAMETOOLONG;
  Maker of_link = maker;
  of_link.mode = S_IFLNK | 0777;
  if (is_mapped()) {
    const int fd = open_counted(folder.get(), name, O_WRONLY | O_CREAT | O_EXCL, options_.file_mode);
    if (fd < 0) return -fd;
    const bool is_written = write(fd, target.data(), target.size()) == static_cast<ssize_t>(target.size());
    close(fd);
    if (is_written) return finish(folder, name, of_link, false, node);
    unlinkat(folder.get(), name.c_str(), 0);
    return ENOSPC;
  }
  if (symlinkat(target.c_str(), folder.get(), name.c_str()) != 0) return errno;
  return finish(folder, name, of_link, false, node);
}

int Share::link(const Descriptor& node, const Descriptor& folder, const std::string& name) {
  if (const int failure = check_name(name); failure != 0) return failure;
  MappedAttributes mapped;
  const bool is_beside = options_.model == SecurityModel::kMappedFile;
  if (is_beside)
    if (const int failure = mapping_->load(node, mapped); failure != 0) return failure;
  if (linkat(links_, std::to_string(node.get()).c_str(), folder.get(), name.c_str(), AT_SYMLINK_FOLLOW) != 0)
    return errno;
  if (!is_beside) return 0;
  Node made;
  const int failure = look_up(folder, name, made);
  return failure != 0 ? failure : mapping_->store(*made, mapped);
}

int Share::rename(const Descriptor& from, const std::string& old_name, const Descriptor& to,
                  const std::string& new_name) {
  if (const int failure = check_name(old_name); failure != 0) return failure;
  if (const int failure = check_name(new_name); failure != 0) return failure;
  if (renameat(from.get(), old_name.c_str(), to.get(), new_name.c_str()) != 0) return errno;
  if (mapping_ != nullptr) mapping_->renamed(from, old_name, to, new_name);
  return 0;
}

int Share::remove(const Descriptor& folder, const std::string& name, bool is_folder) {
  if (const int failure = check_name(name); failure != 0) return failure;
  const auto try_it = [&] {
    return unlinkat(folder.get(), name.c_str(), is_folder ? AT_REMOVEDIR : 0) == 0 ? 0 : errno;
  };
  int failure = try_it();
  if (failure == ENOTEMPTY && mapping_ != nullptr) {
    Node removed;
    if (look_up(folder, name, removed) == 0 && mapping_->clear(*removed)) failure = try_it();
  }
  if (failure == 0 && mapping_ != nullptr) mapping_->removed(folder, name);
  return failure;
}

}  // namespace gstage::ninep
