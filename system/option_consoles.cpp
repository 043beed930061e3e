// SPDX-License-Identifier: Apache-2.0
// Handlers of the options that have nothing to choose from.
#include <nlohmann/json.hpp>

#include "softmmu/base/format.h"
#include "softmmu/property_rows.h"
#include "system/option_handlers.h"

namespace gstage {

namespace {

/// An option that has nothing to choose from.
Status none_only(Options& options, const char* option, const std::string& argument) {
  if (argument == "none") return Ok{};
  if (is_help(argument)) {
    options.output = format("%s takes:\n  none\n", option);
    return Ok{};
  }
  return error("%s %s is not supported yet: use %s none, or leave it out", option, argument.c_str(), option);
}

}  // namespace

Status OptionHandlers::display(Options& options, const std::string& argument) {
  options.has_display = true;
  return none_only(options, "-display", argument);
}

Status OptionHandlers::nographic(Options& options, const std::string&) {
  options.is_nographic = true;
  return Ok{};
}

Status NoneHandlers::vga(Options& options, const std::string& a) { return none_only(options, "-vga", a); }
/// "none,id=ID", "driver=none,id=ID" or {"driver": "none", "id": "ID"}.
Status NoneHandlers::audio_device(Options& options, const std::string& argument) {
  if (const auto members = nlohmann::json::parse(argument, nullptr, false); members.is_object()) {
    const auto driver = members.find("driver");
    return none_only(options, "-audiodev",
                     driver != members.end() && driver->is_string() ? driver->get<std::string>() : argument);
  }
  const std::string first = argument.substr(0, argument.find(','));
  return none_only(options, "-audiodev", first == "driver=none" ? "none" : first);
}
Status NoneHandlers::parallel(Options& options, const std::string& a) {
  return none_only(options, "-parallel", a);
}

}  // namespace gstage
