// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <sys/stat.h>

#include "io/ninep/descriptor.h"

namespace gstage::ninep {

class Share;

/// Owner, mode and device number that the guest gave to a file, which the file of the host does not have.
struct MappedAttributes {
  enum Field : unsigned { kUid = 1, kGid = 2, kMode = 4, kDevice = 8, kAll = 15 };
  unsigned fields = 0;  ///< those that are there
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t mode = 0;  ///< with the type
  std::uint64_t device = 0;

  /// Puts what is there in the place of the host's. The host's type stays, unless it is a regular file: those
  /// stand for links and special files as well.
  void apply(struct stat& status) const;
  /// Takes over the fields that `newer` has.
  void merge(const MappedAttributes& newer);
};

/// Where such attributes are kept. All of it answers 0 or an errno.
class Mapping {
 public:
  virtual ~Mapping() = default;
  /// Of a file without any, none.
  virtual int load(const Descriptor& node, MappedAttributes& to) = 0;
  /// Writes the fields that are there, and leaves the others.
  virtual int store(const Descriptor& node, const MappedAttributes& from) = 0;
  /// Whether the name is the mapping's own, which the guest does not see.
  [[nodiscard]] virtual bool hides(const std::string& /*name*/) const { return false; }
  /// Likewise of an extended attribute.
  [[nodiscard]] virtual bool hides_attribute(const std::string& /*name*/) const { return false; }
  /// A folder that cannot be removed because it is not empty: true when nothing but the mapping's own was in
  /// it, which is gone now.
  virtual bool clear(const Descriptor& /*folder*/) { return false; }
  // What became of names; the attributes go with them.
  virtual void removed(const Descriptor& /*folder*/, const std::string& /*name*/) {}
  virtual void renamed(const Descriptor& /*from*/, const std::string& /*old_name*/, const Descriptor& /*to*/,
                       const std::string& /*new_name*/) {}
};

/// In extended attributes, user.virtfs.*.
std::unique_ptr<Mapping> make_xattr_mapping();
/// In files of a hidden folder beside the file. The share outlives it.
std::unique_ptr<Mapping> make_file_mapping(const Share& share);

}  // namespace gstage::ninep
