// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <unordered_set>

namespace gstage::qcow2 {

/// Which clusters of the file hold header and tables: no guest's data may be written there, whatever the
/// tables say.
class MetadataMap {
 public:
  /// False: some of them hold other tables already.
  bool add(std::uint64_t cluster, std::uint64_t count = 1) {
    bool is_new = true;
    for (std::uint64_t i = 0; i < count; ++i) is_new &= clusters_.insert(cluster + i).second;
    return is_new;
  }
  void remove(std::uint64_t cluster, std::uint64_t count = 1) {
    for (std::uint64_t i = 0; i < count; ++i) clusters_.erase(cluster + i);
  }
  [[nodiscard]] bool contains(std::uint64_t cluster) const { return clusters_.count(cluster) != 0; }

 private:
  std::unordered_set<std::uint64_t> clusters_;
};

}  // namespace gstage::qcow2
