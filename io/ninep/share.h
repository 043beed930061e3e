// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <sys/statfs.h>

#include "softmmu/base/result.h"
#include "io/ninep/descriptor.h"
#include "io/ninep/mapping.h"

namespace gstage::ninep {

/// How owners, modes and special files of the guest are kept on the host.
enum class SecurityModel : std::uint8_t {
  kNone,         ///< as they are, and an owner that cannot be set does not matter
  kPassthrough,  ///< as they are
  kMappedXattr,  ///< in extended attributes of files that belong to who runs the machine
  kMappedFile,   ///< likewise, in files beside them
};

/// `-fsdev local`.
struct ShareOptions {
  std::string id;
  std::string path;
  SecurityModel model = SecurityModel::kNone;
  bool is_read_only = false;
  std::uint32_t file_mode = 0600;       ///< of files on the host, where modes are mapped
  std::uint32_t directory_mode = 0700;  ///< likewise of directories
};

/// Who makes a file, and its mode.
struct Maker {
  static constexpr std::uint32_t kNobody = ~0u;  ///< an id that is not to be set
  std::uint32_t mode = 0;
  std::uint32_t uid = kNobody;
  std::uint32_t gid = kNobody;
};

/// What setattr changes (P9_SETATTR_*).
struct Changes {
  enum Valid : std::uint32_t {
    kMode = 1,
    kUid = 2,
    kGid = 4,
    kSize = 8,
    kAtime = 0x10,
    kMtime = 0x20,
    kCtime = 0x40,
    kAtimeSet = 0x80,
    kMtimeSet = 0x100,
  };
  std::uint32_t valid = 0;
  std::uint32_t mode = 0;
  std::uint32_t uid = Maker::kNobody;
  std::uint32_t gid = Maker::kNobody;
  std::uint64_t size = 0;
  timespec atime{};
  timespec mtime{};
};

/// A folder of the host that a guest may use as its file system, and nothing outside it. A file is found by
/// one name in a folder that is open: no symbolic link is followed, "." and ".." are no names, and a
/// descriptor cannot be exchanged for another file behind our back. What is no regular file and no folder is
/// never opened. One thread at a time; all calls answer 0 or an errno.
class Share {
 public:
  /// Refuses with a sentence what cannot be shared. Before the sandbox closes.
  static Result<std::shared_ptr<Share>> open(const ShareOptions& options);
  ~Share();
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  [[nodiscard]] const ShareOptions& options() const { return options_; }
  [[nodiscard]] const Node& root() const { return root_; }
  [[nodiscard]] bool is_mapped() const { return mapping_ != nullptr; }
  /// How many descriptors are open, and may be.
  [[nodiscard]] unsigned descriptors() const { return count_; }
  void set_most_descriptors(unsigned most) { most_ = most; }

  /// 0, or why it is no name of an entry.
  [[nodiscard]] int check_name(const std::string& name) const;
  int look_up(const Descriptor& folder, const std::string& name, Node& node);
  /// Opens the file or folder itself, with flags of open(2) of which only access, O_TRUNC and the
  /// synchronous ones count.
  int open_node(const Descriptor& node, int flags, Descriptor& file);
  int attributes(const Descriptor& node, struct stat& status) const;
  int change(const Descriptor& node, const Changes& changes);
  int read_link(const Descriptor& node, std::string& target);
  int statistics(const Descriptor& node, struct statfs& to) const;

  // These make and remove names:

  int create(const Descriptor& folder, const std::string& name, int flags, const Maker& maker, Node& node,
             Descriptor& file);
  int make_folder(const Descriptor& folder, const std::string& name, const Maker& maker, Node& node);
  int make_special(const Descriptor& folder, const std::string& name, std::uint64_t device,
                   const Maker& maker, Node& node);
  int make_symlink(const Descriptor& folder, const std::string& name, const std::string& target,
                   const Maker& maker, Node& node);
  int link(const Descriptor& node, const Descriptor& folder, const std::string& name);
  int rename(const Descriptor& from, const std::string& old_name, const Descriptor& to,
             const std::string& new_name);
  int remove(const Descriptor& folder, const std::string& name, bool is_folder);

  // Extended attributes:

  static constexpr std::size_t kMostAttributeBytes = 65536;  ///< XATTR_SIZE_MAX, XATTR_LIST_MAX
  int get_attribute(const Descriptor& node, const std::string& name, std::vector<std::uint8_t>& value) const;
  int list_attributes(const Descriptor& node, std::vector<std::uint8_t>& names) const;
  int set_attribute(const Descriptor& node, const std::string& name, std::span<const std::uint8_t> value,
                    int flags) const;
  int remove_attribute(const Descriptor& node, const std::string& name) const;

  // Where a node is now, whatever was renamed meanwhile:

  /// The path from the root of the share; empty: the root itself.
  int locate(const Descriptor& node, std::string& path) const;
  int find(const std::string& path, Node& node) const;
  /// The folder and name by which the node can be reached. The root has none.
  int parent_of(const Descriptor& node, Node& folder, std::string& name) const;

 private:
  Share(const ShareOptions& options, int root, int links);
  int adopt(int fd, Node& node) const;
  int open_counted(int folder, const std::string& name, int flags, std::uint32_t mode) const;
  int set_owner_and_mode(const Descriptor& node, const Maker& maker);
  int finish(const Descriptor& folder, const std::string& name, const Maker& maker, bool is_folder,
             Node& node);
  int open_existing(const Descriptor& folder, const std::string& name, int flags, Node& node,
                    Descriptor& file);
  int set_size(const Descriptor& node, std::uint64_t size);
  int set_owner(const Descriptor& node, std::uint32_t uid, std::uint32_t gid);
  int set_mode(const Descriptor& node, std::uint32_t mode);
  [[nodiscard]] bool may_use_attribute(const std::string& name) const;

  const ShareOptions options_;
  const int links_;  ///< /proc/self/fd: the way from an O_PATH descriptor to its file
  mutable unsigned count_ = 0;
  unsigned most_;
  Node root_;
  std::unique_ptr<Mapping> mapping_;  ///< null: attributes are the host's
};

/// Opens what has the name in a folder, and nothing elsewhere: no link is followed. A descriptor or a negated
/// errno.
int open_entry(int folder, const std::string& name, int flags, std::uint32_t mode);
/// The path of a descriptor's file for calls that take no descriptor: the kernel goes to the file itself.
std::string path_of(const Descriptor& node);

}  // namespace gstage::ninep
