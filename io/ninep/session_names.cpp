// SPDX-License-Identifier: Apache-2.0
// Operations that make, move and remove names.
#include <cerrno>

#include <fcntl.h>
#include <sys/sysmacros.h>

#include "io/ninep/session.h"

namespace gstage::ninep {

int Session::readlink(Reader& in, Writer& out) {
  const auto number = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  const Fid* const fid = find_node(number);
  if (fid == nullptr) return EBADF;
  std::string target;
  const int failure = share_->read_link(*fid->node, target);
  if (failure == 0) out.text(target);
  return failure;
}

int Session::symlink(Reader& in, Writer& out) {
  const auto number = in.take<std::uint32_t>();
  const std::string name = in.text();
  const std::string target = in.text();
  const auto gid = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  const Fid* const fid = find_node(number);
  if (fid == nullptr) return EBADF;
  Node node;
  const int failure = share_->make_symlink(*fid->node, name, target, {0, fid->uid, gid}, node);
  return failure != 0 ? failure : put_qid(*node, out);
}

int Session::mknod(Reader& in, Writer& out) {
  const auto number = in.take<std::uint32_t>();
  const std::string name = in.text();
  const auto mode = in.take<std::uint32_t>();
  const auto major_number = in.take<std::uint32_t>();
  const auto minor_number = in.take<std::uint32_t>();
  const auto gid = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  const Fid* const fid = find_node(number);
  if (fid == nullptr) return EBADF;
  Node node;
  const int failure = share_->make_special(*fid->node, name, makedev(major_number, minor_number),
                                           {mode, fid->uid, gid}, node);
  return failure != 0 ? failure : put_qid(*node, out);
}

int Session::mkdir(Reader& in, Writer& out) {
  const auto number = in.take<std::uint32_t>();
  const std::string name = in.text();
  const auto mode = in.take<std::uint32_t>();
  const auto gid = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  const Fid* const fid = find_node(number);
  if (fid == nullptr) return EBADF;
  Node node;
  const int failure = share_->make_folder(*fid->node, name, {mode, fid->uid, gid}, node);
  return failure != 0 ? failure : put_qid(*node, out);
}

int Session::link(Reader& in, Writer&) {
  const auto folder_number = in.take<std::uint32_t>();
  const auto number = in.take<std::uint32_t>();
  const std::string name = in.text();
  if (!in.is_whole()) return EPROTO;
  const Fid* const folder = find_node(folder_number);
  const Fid* const fid = find_node(number);
  if (folder == nullptr || fid == nullptr) return EBADF;
  return share_->link(*fid->node, *folder->node, name);
}

int Session::rename(Reader& in, Writer&) {
  const auto number = in.take<std::uint32_t>();
  const auto folder_number = in.take<std::uint32_t>();
  const std::string name = in.text();
  if (!in.is_whole()) return EPROTO;
  const Fid* const fid = find_node(number);
  const Fid* const folder = find_node(folder_number);
  if (folder == nullptr || fid == nullptr) return EBADF;
  Node old_folder;
  std::string old_name;
  const int failure = share_->parent_of(*fid->node, old_folder, old_name);
  return failure != 0 ? failure : share_->rename(*old_folder, old_name, *folder->node, name);
}

int Session::renameat(Reader& in, Writer&) {
  const auto from_number = in.take<std::uint32_t>();
  const std::string old_name = in.text();
  const auto to_number = in.take<std::uint32_t>();
  const std::string new_name = in.text();
  if (!in.is_whole()) return EPROTO;
  const Fid* const from = find_node(from_number);
  const Fid* const to = find_node(to_number);
  if (from == nullptr || to == nullptr) return EBADF;
  return share_->rename(*from->node, old_name, *to->node, new_name);
}

int Session::unlinkat(Reader& in, Writer&) {
  constexpr std::uint32_t kRemoveFolder = 0x200;  // P9_DOTL_AT_REMOVEDIR
  const auto number = in.take<std::uint32_t>();
  const std::string name = in.text();
  const auto flags = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  const Fid* const fid = find_node(number);
  if (fid == nullptr) return EBADF;
  if ((flags & ~kRemoveFolder) != 0) return EINVAL;
  return share_->remove(*fid->node, name, (flags & kRemoveFolder) != 0);
}

int Session::remove(Reader& in, Writer&) {
  const auto number = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  if (find(number) == nullptr) return EBADF;
  int failure = EBADF;
  if (const Fid* const fid = find_node(number); fid != nullptr) {
    Node folder;
    std::string name;
    struct stat status {};
    failure = share_->options().is_read_only ? EROFS : share_->parent_of(*fid->node, folder, name);
    if (failure == 0) failure = fstat(fid->node->get(), &status) == 0 ? 0 : errno;
    if (failure == 0) failure = share_->remove(*folder, name, S_ISDIR(status.st_mode));
  }
  // remove(5): the fid is gone whatever comes of it.
  const auto found = fids_.find(number);
  held_bytes_ -= found->second.size;
  fids_.erase(found);
  return failure;
}

}  // namespace gstage::ninep
