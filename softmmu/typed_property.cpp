// SPDX-License-Identifier: Apache-2.0
#include "softmmu/typed_property.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cinttypes>
#include <cstdlib>
#include <iterator>

#include "softmmu/base/check.h"
#include "softmmu/base/format.h"

namespace gstage {

namespace {

/// log2 of the unit that a number's suffix names, or -1.
int suffix_shift(const char* suffix) {
  if (*suffix == '\0') return 0;
  if (suffix[1] != '\0') return -1;
  switch (std::tolower(static_cast<unsigned char>(*suffix))) {
    case 'k': return 10;
    case 'm': return 20;
    case 'g': return 30;
    case 't': return 40;
    default: return -1;
  }
}

/// What a value of the row has to be, for a message.
std::string wanted(const PropertyRow& row) {
  if (row.most != 0) return format("a number from %" PRIu64 " to %" PRIu64, row.least, row.most);
  return std::string("of the form ") + row.value;
}

}  // namespace

Result<std::uint64_t> parse_property_number(const std::string& text) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0])) == 0)
    return error("'%s' is not a number", text.c_str());
  // A leading zero is not octal: addresses and sizes are often padded.
  const bool is_hex = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  char* end = nullptr;
  errno = 0;
  const std::uint64_t value = std::strtoull(text.c_str(), &end, is_hex ? 16 : 10);
  const int shift = suffix_shift(end);
  if (errno != 0 || shift < 0) return error("'%s' is not a number", text.c_str());
  if (value > (UINT64_MAX >> shift)) return error("'%s' does not fit into 64 bits", text.c_str());
  return value << shift;
}

bool parse_bounded(const std::string& text, const PropertyRow& row, std::uint64_t& to) {
  auto value = parse_property_number(text);
  if (!value.ok() || *value < row.least || *value > row.most) return false;
  to = *value;
  return true;
}

bool PropertyCodec<bool>::parse(const std::string& text, const PropertyRow& /*row*/, bool& to) {
  static constexpr const char* kOn[] = {"on", "true", "yes", "y"};
  static constexpr const char* kOff[] = {"off", "false", "no", "n"};
  const auto is_among = [&text](const auto& words) {
    return std::any_of(std::begin(words), std::end(words),
                       [&text](const char* word) { return text == word; });
  };
  if (!is_among(kOn) && !is_among(kOff)) return false;
  to = is_among(kOn);
  return true;
}

bool PropertyCodec<OnOffAuto>::parse(const std::string& text, const PropertyRow& row, OnOffAuto& to) {
  bool is_on = false;
  if (text == "auto")
    to = OnOffAuto::kAuto;
  else if (PropertyCodec<bool>::parse(text, row, is_on))
    to = is_on ? OnOffAuto::kOn : OnOffAuto::kOff;
  else
    return false;
  return true;
}

std::string PropertyCodec<OnOffAuto>::show(OnOffAuto value) {
  if (value == OnOffAuto::kAuto) return "auto";
  return value == OnOffAuto::kOn ? "on" : "off";
}

bool PropertyCodec<std::string>::parse(const std::string& text, const PropertyRow& /*row*/, std::string& to) {
  to = text;
  return true;
}

Status read_properties_into(const std::string& what, PropertyRows rows, const DeviceOptions& given,
                            void* options, const void* type) {
  for (const PropertyRow& row : rows) {
    if (row.set == nullptr) continue;
    CHECK(row.options_type == type);
    const std::string* const text = given.find(row.name);
    if (text == nullptr || row.set(row, *text, options)) continue;
    return error("%s: %s=%s is not %s", what.c_str(), row.name, text->c_str(), wanted(row).c_str());
  }
  return Ok{};
}

}  // namespace gstage
