// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "softmmu/base/result.h"
#include "softmmu/property.h"

namespace gstage {

/// What becomes of a property that somebody gives.
enum class PropertyUse : std::uint8_t {
  kRead,
  kIgnored,  ///< accepted: it changes nothing here
  kMissing,  ///< users of other emulators know it: refused by name
};

/// A property of an option, device or board. `help`, the check of names and their refusals follow from the
/// row.
struct PropertyRow {
  const char* name;
  const char* value = "";  ///< what it takes, as help shows it: "on|off", "FILE"
  const char* help = "";
  PropertyUse use = PropertyUse::kRead;

  // Of a row that a member of an options type holds (typed_property.h); null or 0 elsewhere.
  bool (*set)(const PropertyRow& row, const std::string& text, void* options) = nullptr;
  std::string (*show)(const void* options) = nullptr;
  const void* options_type = nullptr;  ///< tells the types of options apart
  std::uint64_t least = 0;             ///< bounds of a number
  std::uint64_t most = 0;
};
using PropertyRows = std::span<const PropertyRow>;

/// Rows of names that are nothing but accepted, or refused.
constexpr PropertyRow ignored_property(const char* name) { return {name, "", "", PropertyUse::kIgnored}; }
/// Likewise.
constexpr PropertyRow missing_property(const char* name) { return {name, "", "", PropertyUse::kMissing}; }

/// The row of that name, or null.
const PropertyRow* find_property(PropertyRows rows, const std::string& name);

/// Refuses a property that has no row or is missing. `what` is for the message: "-device loader".
Status check_property(const std::string& what, PropertyRows rows, const Property& property);

/// Text for the user: `title` and what the rows say, at most 100 columns.
std::string properties_help(const std::string& title, PropertyRows rows);

/// Whether the user asks for help instead of naming something.
bool is_help(const std::string& text);
/// Whether one of the properties is the word help.
bool asks_for_help(const std::vector<Property>& properties);

}  // namespace gstage
