// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "io/ninep/message.h"
#include "io/ninep/share.h"

namespace gstage::ninep {

/// Tells files apart.
class Qids {
 public:
  explicit Qids(const Descriptor& root);
  [[nodiscard]] Qid of(const struct stat& status) const;

 private:
  dev_t root_device_ = 0;
};

/// Answers the 9P2000.L requests of one guest for one shared folder. It knows neither queue nor thread: a
/// request comes in as bytes, and its answer is there when the call returns. One call at a time.
class Session {
 public:
  static constexpr std::uint32_t kLeastMessage = 4096;
  static constexpr std::uint32_t kMostMessage = 1 << 20;
  static constexpr std::size_t kMostFids = 1 << 16;
  /// Of the extended attributes that fids hold, all together.
  static constexpr std::size_t kMostHeldBytes = 4 << 20;

  explicit Session(std::shared_ptr<Share> share) : share_(std::move(share)), qids_(*share_->root()) {}

  /// Writes the answer and says how long it is; 0: the request is none, or there is no room for any answer.
  std::size_t answer(std::span<const std::uint8_t> request, std::span<std::uint8_t> reply);
  /// As at the beginning: no fid is open.
  void reset();
  [[nodiscard]] std::size_t fids() const { return fids_.size(); }

  /// What the guest knows, for a saved state: fids by their paths.
  [[nodiscard]] std::vector<std::uint8_t> save() const;
  /// Files are found and opened anew; of one that is not there any more only the fid is left.
  void load(std::span<const std::uint8_t> saved);

 private:
  enum class Kind : std::uint8_t { kFile, kAttributeRead, kAttributeWrite };
  struct Fid {
    Node node;
    Descriptor file{};  ///< once it is opened
    std::uint32_t flags = 0;
    std::uint32_t uid = Maker::kNobody;
    Kind kind = Kind::kFile;
    // Of extended attributes:
    std::string name{};
    std::vector<std::uint8_t> value{};
    std::size_t size = 0;  ///< bytes that it holds, or is going to
    std::uint32_t set_flags = 0;
  };
  using Handler = int (Session::*)(Reader& in, Writer& out);
  struct Operation {
    std::uint8_t type;
    Handler handler;
    bool changes = false;  ///< refused where the share is read-only
  };
  static std::span<const Operation> operations();

  // The operations: 0, or the errno of an Rlerror.
  int version(Reader& in, Writer& out);
  int auth(Reader& in, Writer& out);
  int attach(Reader& in, Writer& out);
  int flush(Reader& in, Writer& out);
  int walk(Reader& in, Writer& out);
  int clunk(Reader& in, Writer& out);
  int statfs(Reader& in, Writer& out);
  int getattr(Reader& in, Writer& out);
  int setattr(Reader& in, Writer& out);
  int lopen(Reader& in, Writer& out);
  int lcreate(Reader& in, Writer& out);
  int read(Reader& in, Writer& out);
  int write(Reader& in, Writer& out);
  int readdir(Reader& in, Writer& out);
  int fsync(Reader& in, Writer& out);
  int lock(Reader& in, Writer& out);
  int getlock(Reader& in, Writer& out);
  int readlink(Reader& in, Writer& out);
  int symlink(Reader& in, Writer& out);
  int mknod(Reader& in, Writer& out);
  int mkdir(Reader& in, Writer& out);
  int link(Reader& in, Writer& out);
  int rename(Reader& in, Writer& out);
  int renameat(Reader& in, Writer& out);
  int unlinkat(Reader& in, Writer& out);
  int remove(Reader& in, Writer& out);
  int xattrwalk(Reader& in, Writer& out);
  int xattrcreate(Reader& in, Writer& out);

  /// Null: there is none.
  Fid* find(std::uint32_t number);
  /// Adds one; 0, or why not.
  int add(std::uint32_t number, Fid fid);
  int put_qid(const Descriptor& node, Writer& out) const;
  int finish_attribute(const Fid& fid);
  /// The fid that is open as a file of the host; null: there is none.
  Fid* find_open(std::uint32_t number);
  /// The fid that a file is, open or not; null: there is none.
  Fid* find_node(std::uint32_t number);

  const std::shared_ptr<Share> share_;
  const Qids qids_;
  std::uint32_t most_message_ = 0;  ///< agreed on, bytes; 0: nothing is yet
  std::unordered_map<std::uint32_t, Fid> fids_;
  std::size_t held_bytes_ = 0;
};

}  // namespace gstage::ninep
