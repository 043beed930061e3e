// SPDX-License-Identifier: Apache-2.0
#include "softmmu/property_rows.h"

#include <algorithm>

#include "softmmu/base/format.h"

namespace gstage {

namespace {

constexpr std::size_t kWidth = 100;

/// The names of all rows of a use, in lines behind a heading; nothing where there are none.
std::string names_of(PropertyRows rows, PropertyUse use, const char* heading) {
  std::string text;
  std::string line = heading;
  bool is_empty = true;
  for (const PropertyRow& row : rows) {
    if (row.use != use) continue;
    const std::string word = std::string(is_empty ? " " : ", ") + row.name;
    is_empty = false;
    if (line.size() + word.size() < kWidth) {
      line += word;
      continue;
    }
    text += line + ",\n";
    line = std::string("   ") + word.substr(1);
  }
  return is_empty ? "" : text + line + "\n";
}

}  // namespace

const std::string* DeviceOptions::find(const std::string& name) const {
  const auto found =
      std::find_if(properties.rbegin(), properties.rend(), [&](const Property& p) { return p.name == name; });
  return found == properties.rend() ? nullptr : &found->value;
}

const PropertyRow* find_property(PropertyRows rows, const std::string& name) {
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const PropertyRow& candidate) { return name == candidate.name; });
  return row == rows.end() ? nullptr : &*row;
}

Status check_property(const std::string& what, PropertyRows rows, const Property& property) {
  const PropertyRow* const row = find_property(rows, property.name);
  if (row != nullptr && row->use != PropertyUse::kMissing) return Ok{};
  if (row != nullptr) return error("%s: %s= is not supported yet: leave it out", what.c_str(), row->name);
  std::string known;
  for (const PropertyRow& candidate : rows)
    if (candidate.use == PropertyUse::kRead)
      known += (known.empty() ? "" : ", ") + std::string(candidate.name);
  return error("%s has no property '%s'; it has: %s", what.c_str(), property.name.c_str(),
               known.empty() ? "none" : known.c_str());
}

std::string properties_help(const std::string& title, PropertyRows rows) {
  constexpr int kColumn = 30;
  std::string text = title + "\n";
  for (const PropertyRow& row : rows) {
    if (row.use != PropertyUse::kRead) continue;
    const std::string left = format("  %s=%s", row.name, row.value);
    const bool fits = left.size() < kColumn;
    text += fits ? format("%-*s%s\n", kColumn, left.c_str(), row.help)
                 : format("%s\n%*s%s\n", left.c_str(), kColumn, "", row.help);
  }
  text += names_of(rows, PropertyUse::kIgnored, "  accepted, without effect:");
  return text + names_of(rows, PropertyUse::kMissing, "  not supported yet:");
}

bool is_help(const std::string& text) { return text == "help" || text == "?"; }

bool asks_for_help(const std::vector<Property>& properties) {
  return std::any_of(properties.begin(), properties.end(), [](const Property& property) {
    return is_help(property.name) && property.value == "on";
  });
}

}  // namespace gstage
