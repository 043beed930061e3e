// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "softmmu/base/result.h"
#include "softmmu/property_rows.h"

namespace gstage::hw {

/// Reads the properties of one `-device` or `-machine`, each by a name that has a row. What has no row is
/// refused by `finish`, so that a misspelt property never passes in silence. The first error is kept, so that
/// a reader may read all and look once.
class PropertyReader {
 public:
  /// `option` is for messages: "-device". `rows` live as long as the reader.
  PropertyReader(const char* option, const DeviceOptions& options, PropertyRows rows);

  /// The text, or `fallback` when it is not given.
  std::string text(const std::string& name, const std::string& fallback = "");
  /// on/off/true/false/yes/no.
  bool flag(const std::string& name, bool fallback);
  /// A number, decimal, 0x hexadecimal or with a suffix K, M, G (either case, powers of 1024), at most
  /// `limit`.
  std::uint64_t number(const std::string& name, std::uint64_t fallback, std::uint64_t limit = UINT64_MAX);
  /// A number of any size up to 64 bits, for example an address; `is_given` says whether it was there.
  [[nodiscard]] bool is_given(const std::string& name) const;
  /// Records an error unless there is one already.
  void fail(Error error);

  /// The first error, or one that names a property that is not there.
  Status finish();

 private:
  const std::string* take(const std::string& name);

  std::string what_;  ///< "-device virtio-blk-device"
  const DeviceOptions& options_;
  PropertyRows rows_;
  std::string error_;
};

}  // namespace gstage::hw
