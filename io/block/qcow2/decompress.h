// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "io/block/file.h"
#include "io/block/qcow2/mapping.h"
#include "io/block/qcow2/qcow2.h"

namespace gstage::qcow2 {

/// Reads compressed clusters, and keeps the last ones: a guest reads a cluster piece by piece. Any thread.
class Decompressor {
 public:
  Decompressor(BlockFile& file, const Header& header) : file_(file), header_(header) {}

  /// Whether the image's method can be undone on this host: its library is opened by then.
  [[nodiscard]] bool is_there() const;
  /// The part of the cluster that begins at byte `from`. An errno value, 0 is success.
  int read(const Mapped& mapped, std::uint64_t from, std::span<std::byte> to);

 private:
  struct Slot {
    std::mutex mutex;
    std::uint64_t host = 0;  ///< where the compressed bytes are; 0: nothing is kept
    std::vector<std::byte> bytes;
  };
  int unpack(const Mapped& mapped, std::vector<std::byte>& to);

  BlockFile& file_;
  const Header& header_;
  std::array<Slot, 16> slots_;
};

}  // namespace gstage::qcow2
