// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "softmmu/base/result.h"
#include "softmmu/property.h"

namespace gstage {

/// Splits "a=1,b,c=x,,y" into properties; ",," is a comma of the value. A first item without "=" is the value
/// of `implied` (may be empty: none). Refuses empty names.
Result<std::vector<Property>> parse_properties(const std::string& option, const std::string& text,
                                               const std::string& implied);

/// The same where the first item must be a word: "virtio-blk-device,drive=d0".
Result<DeviceOptions> parse_device(const std::string& option, const std::string& text,
                                   const std::string& implied);

/// A size in bytes: a number, which may have a fraction, and K, M, G or T in either case. A number alone
/// counts `unit` bytes.
Result<std::uint64_t> parse_size(const std::string& option, const std::string& text, std::uint64_t unit);

/// A decimal or 0x number within the bounds, both included.
Result<std::uint64_t> parse_number(const std::string& option, const std::string& text, std::uint64_t least,
                                   std::uint64_t most);

/// on, off, true, false, yes, no.
Result<bool> parse_switch(const std::string& option, const Property& property);

}  // namespace gstage
