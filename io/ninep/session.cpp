// SPDX-License-Identifier: Apache-2.0
// The session: its beginning, fids, and what becomes of a request.
#include "io/ninep/session.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>

namespace gstage::ninep {

namespace {

constexpr const char* kVersion = "9P2000.L";
/// walk(5): MAXWELEM.
constexpr unsigned kMostWalked = 16;

}  // namespace

std::span<const Session::Operation> Session::operations() {
  using S = Session;
  static constexpr Operation kTable[] = {
      {kTstatfs, &S::statfs},
      {kTlopen, &S::lopen},
      {kTlcreate, &S::lcreate, true},
      {kTsymlink, &S::symlink, true},
      {kTmknod, &S::mknod, true},
      {kTrename, &S::rename, true},
      {kTreadlink, &S::readlink},
      {kTgetattr, &S::getattr},
      {kTsetattr, &S::setattr, true},
      {kTxattrwalk, &S::xattrwalk},
      {kTxattrcreate, &S::xattrcreate, true},
      {kTreaddir, &S::readdir},
      {kTfsync, &S::fsync},
      {kTlock, &S::lock},
      {kTgetlock, &S::getlock},
      {kTlink, &S::link, true},
      {kTmkdir, &S::mkdir, true},
      {kTrenameat, &S::renameat, true},
      {kTunlinkat, &S::unlinkat, true},
      {kTversion, &S::version},
      {kTauth, &S::auth},
      {kTattach, &S::attach},
      {kTflush, &S::flush},
      {kTwalk, &S::walk},
      {kTread, &S::read},
      {kTwrite, &S::write, true},
      {kTclunk, &S::clunk},
      {kTremove, &S::remove},  // clunks the fid in any case
  };
  return kTable;
}

std::size_t Session::answer(std::span<const std::uint8_t> request, std::span<std::uint8_t> reply) {
  constexpr std::size_t kErrorBytes = kHeaderBytes + 4;
  Reader in(request);
  const auto size = in.take<std::uint32_t>();
  const auto type = in.take<std::uint8_t>();
  const auto tag = in.take<std::uint16_t>();
  if (!in.is_whole() || size < kHeaderBytes || size > request.size() || reply.size() < kErrorBytes) return 0;
  Reader body(request.subspan(kHeaderBytes, size - kHeaderBytes));
  const std::size_t most = most_message_ == 0 ? kLeastMessage : most_message_;
  Writer out(reply.first(std::min(reply.size(), most)));
  out.take(kHeaderBytes);
  const auto all = operations();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Operation& operation) { return operation.type == type; });
  int failure = 0;
  if (found == all.end())
    failure = EOPNOTSUPP;
  else if (most_message_ == 0 && type != kTversion)
    failure = EPROTO;
  else if (size > most)
    failure = EMSGSIZE;
  else if (found->changes && share_->options().is_read_only)
    failure = EROFS;
  else
    failure = (this->*found->handler)(body, out);
  if (failure == 0 && !out.is_whole()) failure = EMSGSIZE;
  if (failure != 0) {
    out.rewind(kHeaderBytes);
    out.put(static_cast<std::uint32_t>(failure));
  }
  out.put_at(0, static_cast<std::uint32_t>(out.size()));
  out.put_at(4, static_cast<std::uint8_t>(failure != 0 ? kRlerror : type + 1));
  out.put_at(5, tag);
  return out.size();
}

void Session::reset() {
  fids_.clear();
  held_bytes_ = 0;
  most_message_ = 0;
}

Session::Fid* Session::find(std::uint32_t number) {
  const auto found = fids_.find(number);
  return found == fids_.end() ? nullptr : &found->second;
}

Session::Fid* Session::find_node(std::uint32_t number) {
  Fid* const fid = find(number);
  return fid != nullptr && fid->kind == Kind::kFile && fid->node != nullptr ? fid : nullptr;
}

Session::Fid* Session::find_open(std::uint32_t number) {
  Fid* const fid = find_node(number);
  return fid != nullptr && fid->file.is_open() ? fid : nullptr;
}

int Session::add(std::uint32_t number, Fid fid) {
  constexpr std::uint32_t kNoFid = ~0u;
  if (number == kNoFid || fids_.count(number) != 0) return EINVAL;
  if (fids_.size() >= kMostFids) return ENFILE;
  fids_.emplace(number, std::move(fid));
  return 0;
}

Qids::Qids(const Descriptor& root) {
  struct stat status {};
  if (fstat(root.get(), &status) == 0) root_device_ = status.st_dev;
}

Qid Qids::of(const struct stat& status) const {
  Qid qid;
  qid.type = S_ISDIR(status.st_mode) ? Qid::kFolder : S_ISLNK(status.st_mode) ? Qid::kLink : Qid::kFile;
  // Changes whenever the contents do, as far as the host's clock shows it.
  qid.version = static_cast<std::uint32_t>(status.st_mtim.tv_sec * 1'000'000'007 + status.st_mtim.tv_nsec) ^
                static_cast<std::uint32_t>(status.st_size << 8);
  qid.path = status.st_ino;
  // Another file system below the folder: numbers of inodes may be the same there.
  if (status.st_dev != root_device_) qid.path ^= (status.st_dev + 1) * 0x9e37'79b9'7f4a'7c15u;
  return qid;
}

int Session::put_qid(const Descriptor& node, Writer& out) const {
  struct stat status {};
  const int failure = share_->attributes(node, status);
  if (failure == 0) out.put(qids_.of(status));
  return failure;
}

int Session::version(Reader& in, Writer& out) {
  const auto most = in.take<std::uint32_t>();
  const std::string name = in.text();
  if (!in.is_whole()) return EPROTO;
  // version(5): the session begins anew, whatever was open.
  reset();
  if (most < kLeastMessage) return EMSGSIZE;
  const std::uint32_t agreed = std::min(most, kMostMessage);
  const bool is_known = name == kVersion;
  if (is_known) most_message_ = agreed;
  out.put(agreed);
  out.text(is_known ? kVersion : "unknown");
  return 0;
}

/// Nobody has to prove who he is: the folder is the guest's.
int Session::auth(Reader&, Writer&) { return EOPNOTSUPP; }

int Session::attach(Reader& in, Writer& out) {
  const auto number = in.take<std::uint32_t>();
  in.take<std::uint32_t>();  // afid
  in.text();                 // uname
  in.text();                 // aname: there is one tree
  const auto uid = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  Fid fid;
  fid.node = share_->root();
  fid.uid = uid;
  if (const int failure = add(number, std::move(fid)); failure != 0) return failure;
  return put_qid(*share_->root(), out);
}

/// Requests are answered one after the other, so the one that is meant has its answer (flush(5)).
int Session::flush(Reader& in, Writer&) {
  in.take<std::uint16_t>();
  return in.is_whole() ? 0 : EPROTO;
}

int Session::walk(Reader& in, Writer& out) {
  const auto number = in.take<std::uint32_t>();
  const auto new_number = in.take<std::uint32_t>();
  const auto count = in.take<std::uint16_t>();
  if (!in.is_whole()) return EPROTO;
  if (count > kMostWalked) return EINVAL;
  Fid* const from = find_node(number);
  if (from == nullptr) return EBADF;
  if (new_number != number && find(new_number) != nullptr) return EINVAL;
  Node node = from->node;
  const std::size_t count_at = out.size();
  out.put(count);
  std::uint16_t done = 0;
  int failure = 0;
  for (; done < count && failure == 0; ++done) {
    Node next;
    const std::string name = in.text();
    failure = in.is_whole() ? share_->look_up(*node, name, next) : EPROTO;
    if (failure == 0) failure = put_qid(*next, out);
    if (failure != 0) break;
    node = std::move(next);
  }
  // walk(5): an error counts when it is that of the first name; else the answer says how far it went.
  if (failure != 0 && (done == 0 || failure == EPROTO)) return failure;
  if (done < count) return out.put_at(count_at, done), 0;
  if (!out.is_whole()) return EMSGSIZE;
  Fid made;
  made.node = std::move(node);
  made.uid = from->uid;
  if (new_number != number) return add(new_number, std::move(made));
  *from = std::move(made);
  return 0;
}

int Session::clunk(Reader& in, Writer&) {
  const auto number = in.take<std::uint32_t>();
  if (!in.is_whole()) return EPROTO;
  const auto found = fids_.find(number);
  if (found == fids_.end()) return EBADF;
  const int failure = finish_attribute(found->second);
  held_bytes_ -= found->second.size;
  fids_.erase(found);
  return failure;
}

namespace {

template <class T>
void append(std::vector<std::uint8_t>& to, T value) {
  for (unsigned i = 0; i < sizeof value; ++i)
    to.push_back(static_cast<std::uint8_t>(std::uint64_t{value} >> (8 * i)));
}
void append_text(std::vector<std::uint8_t>& to, const std::string& text) {
  append(to, static_cast<std::uint16_t>(text.size()));
  for (const char letter : text) to.push_back(static_cast<std::uint8_t>(letter));
}

/// In place of the path of what has none any more.
constexpr const char* kGone = "/";

}  // namespace

std::vector<std::uint8_t> Session::save() const {
  std::vector<std::uint8_t> saved;
  append(saved, most_message_);
  std::vector<std::uint32_t> numbers;
  for (const auto& [number, fid] : fids_) numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  for (const std::uint32_t number : numbers) {
    const Fid& fid = fids_.at(number);
    std::string path = kGone;
    if (fid.node != nullptr && share_->locate(*fid.node, path) == 0 && !path.empty()) {
      // What was removed has a path, at which there may be another file.
      Node folder;
      std::string name;
      if (share_->parent_of(*fid.node, folder, name) != 0) path = kGone;
    }
    append(saved, number);
    append(saved, fid.uid);
    append(saved, static_cast<std::uint8_t>(fid.kind));
    append(saved, static_cast<std::uint8_t>(fid.file.is_open()));
    append(saved, fid.flags);
    append(saved, fid.set_flags);
    append_text(saved, path);
    append_text(saved, fid.name);
    append(saved, static_cast<std::uint32_t>(fid.size));
    append(saved, static_cast<std::uint32_t>(fid.value.size()));
    for (const std::uint8_t byte : fid.value) saved.push_back(byte);
  }
  return saved;
}

void Session::load(std::span<const std::uint8_t> saved) {
  reset();
  Reader in(saved);
  most_message_ = in.take<std::uint32_t>();
  if (most_message_ < kLeastMessage || most_message_ > kMostMessage) most_message_ = 0;
  for (;;) {
    Fid fid;
    const auto number = in.take<std::uint32_t>();
    fid.uid = in.take<std::uint32_t>();
    const auto kind = in.take<std::uint8_t>();
    const bool is_open = in.take<std::uint8_t>() != 0;
    fid.flags = in.take<std::uint32_t>();
    fid.set_flags = in.take<std::uint32_t>();
    const std::string path = in.text();
    fid.name = in.text();
    fid.size = in.take<std::uint32_t>();
    const auto value = in.data(in.take<std::uint32_t>());
    const bool is_sound = in.is_whole() && kind <= static_cast<std::uint8_t>(Kind::kAttributeWrite) &&
                          fid.size <= Share::kMostAttributeBytes && value.size() <= fid.size &&
                          held_bytes_ + fid.size <= kMostHeldBytes;
    if (!is_sound) return;
    fid.kind = static_cast<Kind>(kind);
    fid.value.assign(value.begin(), value.end());
    if (path != kGone && share_->find(path, fid.node) != 0) fid.node = nullptr;
    if (is_open && fid.node != nullptr)
      static_cast<void>(share_->open_node(*fid.node, static_cast<int>(fid.flags) & ~O_TRUNC, fid.file));
    held_bytes_ += fid.size;
    if (add(number, std::move(fid)) != 0) return;
  }
}

}  // namespace gstage::ninep
