// SPDX-License-Identifier: Apache-2.0
#include "hw/core/properties.h"

#include <cinttypes>

#include "softmmu/base/check.h"
#include "softmmu/typed_property.h"

namespace gstage::hw {

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
  bool is_on = false;
  if (PropertyCodec<bool>::parse(*value, *find_property(rows_, name), is_on)) return is_on;
  fail(gstage::error("%s: %s=%s is neither on nor off", what_.c_str(), name.c_str(), value->c_str()));
  return fallback;
}

std::uint64_t PropertyReader::number(const std::string& name, std::uint64_t fallback, std::uint64_t limit) {
  const std::string* value = take(name);
  if (value == nullptr) return fallback;
  auto parsed = parse_property_number(*value);
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
