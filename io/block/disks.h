// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "io/block/block.h"
#include "io/block/file.h"
#include "io/block/throttle.h"

namespace gstage {

/// Which bytes of a file are a raw disk.
struct RawWindow {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  ///< bytes; what lies beyond the file's end reads as zeros
  bool is_read_only = false;
};

/// A raw image: byte N of the disk is byte N of the file, from the window's offset on.
std::shared_ptr<BlockBackend> make_raw_disk(std::shared_ptr<BlockFile> file, const RawWindow& window);

/// `base` with all writes in `overlay`, which is empty. Nothing of it is meant to last, so a flush does
/// nothing.
std::shared_ptr<BlockBackend> make_snapshot(std::shared_ptr<BlockBackend> base,
                                            std::shared_ptr<BlockFile> overlay);

/// What a disk does with what is written, between the device and the image.
struct WritePolicy {
  bool is_writethrough = false;  ///< each write is flushed before it is done
  bool finds_zeroes = false;     ///< a write of zeros is done as such
  bool unmaps_zeroes = false;    ///< and the image may give back the space

  [[nodiscard]] bool is_plain() const { return !is_writethrough && !finds_zeroes; }
};

/// `disk` under the policy.
std::shared_ptr<BlockBackend> make_policy_filter(std::shared_ptr<BlockBackend> disk,
                                                 const WritePolicy& policy);

/// `disk` within the limits of the group.
std::shared_ptr<BlockBackend> make_throttled_disk(std::shared_ptr<BlockBackend> disk,
                                                  std::shared_ptr<ThrottleGroup> group);
/// The same for what a format lies on.
std::shared_ptr<BlockFile> make_throttled_file(std::shared_ptr<BlockFile> file,
                                               std::shared_ptr<ThrottleGroup> group);

}  // namespace gstage
