// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "softmmu/base/result.h"
#include "io/block/failures.h"
#include "io/block/options.h"
#include "io/block/throttle.h"

namespace gstage {

/// A disk's bytes. Synchronous and thread-safe; a device that wants it asynchronous calls it from its own
/// worker. A failed call returns an errno value, 0 is success.
class BlockBackend {
 public:
  virtual ~BlockBackend() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;  ///< bytes
  [[nodiscard]] virtual bool is_read_only() const = 0;
  virtual int read(std::uint64_t offset, std::span<std::byte> to) = 0;
  /// The same, or EAGAIN where that would wait for the host.
  virtual int read_at_once(std::uint64_t /*offset*/, std::span<std::byte> /*to*/) { return EAGAIN; }
  virtual int write(std::uint64_t offset, std::span<const std::byte> from) = 0;
  virtual int discard(std::uint64_t offset, std::uint64_t size) = 0;
  virtual int write_zeroes(std::uint64_t offset, std::uint64_t size) = 0;
  /// When it returns 0, everything written before survives the death of the process and of the host.
  virtual int flush() = 0;
  /// While it is on, requests that wait for nothing but their turn (throttle.h) do not: somebody waits for
  /// them. One call with false follows each with true.
  virtual void hurry(bool /*is_on*/) {}
};

/// What `-drive` says of one disk.
struct DriveOptions {
  std::string id;
  std::string file;
  std::string format;                ///< empty: by the image's first bytes
  std::string interface = "virtio";  ///< if=
  std::optional<unsigned> unit{};    ///< its number among those of the interface; none: the next one
  bool is_read_only = false;
  bool is_snapshot = false;  ///< writes go to a temporary file that is thrown away
  FailureActions failures;   ///< werror=, rerror=
  ThrottleLimits limits;
  std::string throttle_group;  ///< whose limits these are; empty: those of the disk alone
  BlockOptions node;           ///< the rest; driver, file and read-only are those above
};

/// Opens the image of a drive that names no other nodes; refuses what it cannot honour with a sentence.
Result<std::shared_ptr<BlockBackend>> open_drive(const DriveOptions& options);

}  // namespace gstage
