// SPDX-License-Identifier: Apache-2.0
// Extended attributes: a fid that is read or written like a file stands for one of them, or for their list.
#include <cerrno>

#include "io/ninep/session.h"

namespace gstage::ninep {

int Session::xattrwalk(Reader& in, Writer& out) {
  const auto number = in.take<std::uint32_t>();
  const auto new_number = in.take<std::uint32_t>();
  Fid made;
  made.name = in.text();
  if (!in.is_whole()) return EPROTO;
  const Fid* const fid = find_node(number);
  if (fid == nullptr) return EBADF;
  const int failure = made.name.empty() ? share_->list_attributes(*fid->node, made.value)
                                        : share_->get_attribute(*fid->node, made.name, made.value);
  if (failure != 0) return failure;
  if (held_bytes_ + made.value.size() > kMostHeldBytes) return ENOMEM;
  made.kind = Kind::kAttributeRead;
  made.node = fid->node;
  made.uid = fid->uid;
  made.size = made.value.size();
  const std::uint64_t size = made.size;
  if (const int refused = add(new_number, std::move(made)); refused != 0) return refused;
  held_bytes_ += size;
  out.put(size);
  return 0;
}

int Session::xattrcreate(Reader& in, Writer&) {
  const auto number = in.take<std::uint32_t>();
  std::string name = in.text();
  const auto size = in.take<std::uint64_t>();
  const auto flags = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  Fid* const fid = find_node(number);
  if (fid == nullptr || fid->file.is_open()) return EBADF;
  if (size > Share::kMostAttributeBytes) return E2BIG;
  if (held_bytes_ + size > kMostHeldBytes) return ENOMEM;
  fid->kind = Kind::kAttributeWrite;
  fid->name = std::move(name);
  fid->size = size;
  fid->set_flags = flags;
  held_bytes_ += size;
  return 0;
}

/// What was written becomes the attribute when the fid goes; nothing at all removes it.
int Session::finish_attribute(const Fid& fid) {
  if (fid.kind != Kind::kAttributeWrite) return 0;
  if (fid.value.size() != fid.size) return EINVAL;
  if (fid.node == nullptr) return ESTALE;
  if (fid.size == 0) return share_->remove_attribute(*fid.node, fid.name);
  return share_->set_attribute(*fid.node, fid.name, fid.value, static_cast<int>(fid.set_flags));
}

}  // namespace gstage::ninep
