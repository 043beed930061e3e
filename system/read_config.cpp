// SPDX-License-Identifier: Apache-2.0
#include "system/read_config.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "softmmu/property.h"

namespace gstage {

namespace {

/// A section and the option that it is.
struct SectionRow {
  const char* section;
  const char* word;
};
constexpr SectionRow kSections[] = {
    {"accel", "accel"},     {"boot-opts", "boot"},
    {"chardev", "chardev"}, {"device", "device"},
    {"drive", "drive"},     {"global", "global"},
    {"machine", "machine"}, {"memory", "m"},
    {"mon", "mon"},         {"name", "name"},
    {"net", "net"},         {"netdev", "netdev"},
    {"object", "object"},   {"rtc", "rtc"},
    {"sandbox", "sandbox"}, {"semihosting-config", "semihosting-config"},
    {"smp-opts", "smp"},
};

struct Section {
  const SectionRow* row = nullptr;
  std::vector<Property> properties;
};

std::string trimmed(const std::string& text) {
  const auto is_blank = [](unsigned char c) { return std::isspace(c) != 0; };
  const auto begin = std::find_if_not(text.begin(), text.end(), is_blank);
  const auto end = std::find_if_not(text.rbegin(), text.rend(), is_blank).base();
  return begin < end ? std::string(begin, end) : "";
}

/// What stands in `"..."`; false if the text is nothing of the kind.
bool unquote(const std::string& text, std::string& value) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
  value = text.substr(1, text.size() - 2);
  return value.find('"') == std::string::npos;
}

/// "[SECTION]" and "[SECTION "ID"]".
Result<Section> parse_heading(const std::string& line) {
  const Error bad = error("'%s' is no heading: write [SECTION] or [SECTION \"ID\"]", line.c_str());
  if (line.back() != ']') return bad;
  const std::string inner = trimmed(line.substr(1, line.size() - 2));
  const std::size_t blank = std::min(inner.find_first_of(" \t"), inner.size());
  const std::string name = inner.substr(0, blank);
  const std::string rest = trimmed(inner.substr(blank));
  Section section;
  std::string id;
  if (!rest.empty() && (!unquote(rest, id) || id.empty())) return bad;
  if (!id.empty()) section.properties.push_back({"id", id});
  for (const SectionRow& row : kSections)
    if (name == row.section) section.row = &row;
  if (section.row == nullptr)
    return error("the section [%s] is not supported yet: say it on the command line, if there is an option",
                 name.c_str());
  return section;
}

Result<Property> parse_line(const std::string& line) {
  const std::size_t equals = std::min(line.find('='), line.size());
  Property property{trimmed(line.substr(0, equals)), ""};
  const bool is_name = !property.name.empty() && property.name.find_first_of(" \t,\"") == std::string::npos;
  if (equals == line.size() || !is_name || !unquote(trimmed(line.substr(equals + 1)), property.value))
    return error("'%s' is no property: write NAME = \"VALUE\"", line.c_str());
  return property;
}

/// A comma in a value is written twice on a command line.
std::string escaped(const std::string& value) {
  std::string text;
  for (const char c : value) text.append(c == ',' ? 2 : 1, c);
  return text;
}

/// -global alone is no list of properties.
std::string global_argument(const std::vector<Property>& properties) {
  const DeviceOptions all{"", properties};
  const auto text = [&](const char* name) {
    const std::string* const value = all.find(name);
    return value == nullptr ? std::string() : *value;
  };
  return text("driver") + "." + text("property") + "=" + text("value");
}

ConfiguredOption option_of(const Section& section) {
  ConfiguredOption option{section.row->word, ""};
  if (option.word == "global") {
    option.argument = global_argument(section.properties);
    return option;
  }
  for (const Property& property : section.properties)
    option.argument += (option.argument.empty() ? "" : ",") + property.name + "=" + escaped(property.value);
  return option;
}

}  // namespace

Result<std::vector<ConfiguredOption>> parse_config(const std::string& text, const std::string& name) {
  std::vector<Section> sections;
  std::istringstream lines(text);
  unsigned number = 0;
  const auto wrong = [&](const Error& failure) {
    return error("-readconfig: %s:%u: %s", name.c_str(), number, failure.message.c_str());
  };
  for (std::string raw; std::getline(lines, raw);) {
    ++number;
    const std::string line = trimmed(raw);
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      auto section = parse_heading(line);
      if (!section) return wrong(section.error());
      sections.push_back(std::move(*section));
      continue;
    }
    auto property = parse_line(line);
    if (!property) return wrong(property.error());
    if (sections.empty()) return wrong(error("a property before the first section: write [SECTION] before"));
    sections.back().properties.push_back(std::move(*property));
  }
  std::vector<ConfiguredOption> options;
  for (const Section& section : sections)
    if (!section.properties.empty()) options.push_back(option_of(section));
  return options;
}

}  // namespace gstage
