// SPDX-License-Identifier: Apache-2.0
#include "hw/core/properties.h"

#include <cctype>
#include <cerrno>
#include <cinttypes>
#include <cstdlib>

#include "softmmu/base/check.h"

namespace gstage::hw {
namespace {

/// log2 of the unit that a size's suffix names, or -1.
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

}  // namespace

Result<std::uint64_t> parse_number(const std::string& text) {
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

PropertyReader::PropertyReader(const char* option, const DeviceOptions& options, PropertyRows rows)
    : what_(std::string(option) + " " + options.driver), options_(options), rows_(rows) {}

const std::string* PropertyReader::take(const std::string& name) {
  CHECK(find_property(rows_, name) != nullptr);
  return options_.find(name);
}

bool PropertyReader::is_given(const std::string& name) const { return options_.find(name) != nullptr; }

std::string PropertyReader::text(const std::string& name, const std::string& fallback) {
  const std::string* value = take(name);
  return value == nullptr ? fallback : *value;
}

bool PropertyReader::flag(const std::string& name, bool fallback) {
  const std::string* value = take(name);
  if (value == nullptr) return fallback;
  for (const char* word : {"on", "true", "yes", "y"})
    if (*value == word) return true;
  for (const char* word : {"off", "false", "no", "n"})
    if (*value == word) return false;
  fail(gstage::error("%s: %s=%s is neither on nor off", what_.c_str(), name.c_str(), value->c_str()));
  return fallback;
}

std::uint64_t PropertyReader::number(const std::string& name, std::uint64_t fallback, std::uint64_t limit) {
  const std::string* value = take(name);
  if (value == nullptr) return fallback;
  auto parsed = parse_number(*value);
  if (!parsed) {
    fail(gstage::error("%s: %s: %s", what_.c_str(), name.c_str(), parsed.error().message.c_str()));
    return fallback;
  }
  if (*parsed > limit) {
    fail(gstage::error("%s: %s=%s is too large; the most is %" PRIu64, what_.c_str(), name.c_str(),
                       value->c_str(), limit));
    return fallback;
  }
  return *parsed;
}

void PropertyReader::fail(Error error) {
  if (error_.empty()) error_ = std::move(error.message);
}

Status PropertyReader::finish() {
  if (!error_.empty()) return Error{error_};
  for (const Property& property : options_.properties)
    if (Status status = check_property(what_, rows_, property); !status.ok()) return status;
  return Ok{};
}

}  // namespace gstage::hw
