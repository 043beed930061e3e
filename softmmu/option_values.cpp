// SPDX-License-Identifier: Apache-2.0
#include "softmmu/option_values.h"

#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace gstage {

namespace {

/// The items between single commas, with ",," made ",".
std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> items(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',') {
      items.back() += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == ',') {
      items.back() += ',';
      ++i;
    } else {
      items.emplace_back();
    }
  }
  return items;
}

}  // namespace

Result<std::vector<Property>> parse_properties(const std::string& option, const std::string& text,
                                               const std::string& implied) {
  std::vector<Property> properties;
  bool is_first = true;
  for (const std::string& item : split(text)) {
    const std::size_t equals = item.find('=');
    const bool is_word = equals == std::string::npos;
    Property property{item.substr(0, equals), is_word ? "on" : item.substr(equals + 1)};
    if (is_word && is_first && !implied.empty()) property = Property{implied, item};
    is_first = false;
    if (property.name.empty() || (is_word && item.empty()))
      return error("%s: '%s' has an empty item: write NAME=VALUE between single commas", option.c_str(),
                   text.c_str());
    properties.push_back(std::move(property));
  }
  return properties;
}

Result<DeviceOptions> parse_device(const std::string& option, const std::string& text,
                                   const std::string& implied) {
  if (text.starts_with('{'))
    return error("%s: the JSON form is not supported yet: write %s=NAME,PROP=VALUE", option.c_str(),
                 implied.c_str());
  auto properties = parse_properties(option, text, implied);
  if (!properties) return properties.error();
  DeviceOptions device;
  for (Property& property : *properties) {
    if (property.name == implied)
      device.driver = property.value;
    else
      device.properties.push_back(std::move(property));
  }
  if (device.driver.empty())
    return error("%s: '%s' names nothing: it begins with the %s's name", option.c_str(), text.c_str(),
                 implied.c_str());
  return device;
}

Result<std::uint64_t> parse_size(const std::string& option, const std::string& text, std::uint64_t unit) {
  static constexpr char kSuffixes[] = "bkmgt";
  const Error bad =
      error("%s: '%s' is no size: write a number and K, M, G or T", option.c_str(), text.c_str());
  char* end = nullptr;
  // strtod takes more than sizes: signs, blanks, "inf", hexadecimal.
  if (text.empty() || text.find_first_not_of("0123456789.bBkKmMgGtT") != std::string::npos) return bad;
  const double number = std::strtod(text.c_str(), &end);
  if (end == text.c_str()) return bad;
  if (*end != '\0') {
    const char* const suffix =
        std::char_traits<char>::find(kSuffixes, 5, static_cast<char>(std::tolower(*end)));
    if (suffix == nullptr || end[1] != '\0') return bad;
    unit = std::uint64_t{1} << (10 * (suffix - kSuffixes));
  }
  const double bytes = number * static_cast<double>(unit);
  if (bytes >= 0x1p63) return error("%s: '%s' is more than any machine has", option.c_str(), text.c_str());
  return static_cast<std::uint64_t>(std::llround(bytes));
}

Result<std::uint64_t> parse_number(const std::string& option, const std::string& text, std::uint64_t least,
                                   std::uint64_t most) {
  char* end = nullptr;
  errno = 0;
  const unsigned long long number = std::strtoull(text.c_str(), &end, 0);
  const bool is_number = !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) && *end == '\0';
  if (!is_number)
    return error("%s: '%s' is no number: use %llu to %llu", option.c_str(), text.c_str(),
                 static_cast<unsigned long long>(least), static_cast<unsigned long long>(most));
  if (errno == ERANGE || number < least || number > most)
    return error("%s: %s is out of range: use %llu to %llu", option.c_str(), text.c_str(),
                 static_cast<unsigned long long>(least), static_cast<unsigned long long>(most));
  return static_cast<std::uint64_t>(number);
}

Result<bool> parse_switch(const std::string& option, const Property& property) {
  for (const char* const yes : {"on", "true", "yes", "y"})
    if (property.value == yes) return true;
  for (const char* const no : {"off", "false", "no", "n"})
    if (property.value == no) return false;
  return error("%s: %s=%s: use on or off", option.c_str(), property.name.c_str(), property.value.c_str());
}

}  // namespace gstage
