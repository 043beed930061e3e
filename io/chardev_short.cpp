// SPDX-License-Identifier: Apache-2.0
// The short forms of back ends, as -serial and -monitor take them.
#include <array>

#include "softmmu/option_values.h"
#include "io/chardev_kinds.h"

namespace gstage {

namespace {

/// "HOST:PORT" with the host in brackets if it has colons itself; adds the two under these names.
Status split_host(const std::string& what, const std::string& text, std::array<const char*, 2> names,
                  std::vector<Property>& to) {
  const bool has_brackets = text.starts_with("[") && text.find("]:") != std::string::npos;
  const std::size_t colon = has_brackets ? text.find("]:") + 1 : text.find(':');
  if (colon == std::string::npos)
    return error("%s: '%s' is no HOST:PORT: write both", what.c_str(), text.c_str());
  const std::string host = has_brackets ? text.substr(1, colon - 2) : text.substr(0, colon);
  const std::string port = text.substr(colon + 1);
  if (!host.empty()) to.push_back({names[0], host});
  if (!port.empty()) to.push_back({names[1], port});
  return Ok{};
}

struct SocketForm {
  const char* prefix;
  const char* extra;  ///< a property that it switches on, or null
};
constexpr SocketForm kSocketForms[] = {
    {"tcp:", nullptr}, {"telnet:", "telnet"}, {"websocket:", "websocket"}, {"tn3270:", "tn3270"}};

/// "HOST:PORT,server,nowait" and "PATH,server=on".
Result<DeviceOptions> parse_socket(const std::string& what, const std::string& text, bool is_path,
                                   const char* extra) {
  DeviceOptions options{"socket", {}};
  auto properties = parse_properties(what, (is_path ? "path=" : "address=") + text, "");
  if (!properties) return properties.error();
  for (Property& property : *properties) {
    if (property.name != "address") {
      options.properties.push_back(std::move(property));
      continue;
    }
    const Status status = split_host(what, property.value, {"host", "port"}, options.properties);
    if (!status.ok()) return status.error();
  }
  if (extra != nullptr) options.properties.push_back({extra, "on"});
  return options;
}

/// "[HOST]:PORT[@[LOCAL-HOST]:LOCAL-PORT]".
Result<DeviceOptions> parse_udp(const std::string& what, const std::string& text) {
  DeviceOptions options{"udp", {}};
  const std::size_t at = text.find('@');
  if (Status status = split_host(what, text.substr(0, at), {"host", "port"}, options.properties);
      !status.ok())
    return status.error();
  if (at == std::string::npos) return options;
  if (Status status = split_host(what, text.substr(at + 1), {"localaddr", "localport"}, options.properties);
      !status.ok())
    return status.error();
  return options;
}

/// Kinds of which all that follows the colon is a path.
constexpr std::array kPathForms{"file", "pipe", "pty", "serial", "tty"};

}  // namespace

Result<DeviceOptions> parse_chardev(const std::string& what, const std::string& text) {
  if (text.starts_with("mon:")) {
    auto options = parse_chardev(what, text.substr(4));
    if (options.ok()) options->properties.push_back({"mux", "on"});
    return options;
  }
  if (text == "none") return DeviceOptions{"null", {}};
  if (text.starts_with("/dev/parport")) return DeviceOptions{"parport", {}};
  if (text.starts_with("/dev/")) return DeviceOptions{"serial", {{"path", text}}};
  for (const SocketForm& form : kSocketForms)
    if (text.starts_with(form.prefix))
      return parse_socket(what, text.substr(std::string_view(form.prefix).size()), false, form.extra);
  if (text.starts_with("unix:")) return parse_socket(what, text.substr(5), true, nullptr);
  if (text.starts_with("udp:")) return parse_udp(what, text.substr(4));
  const std::size_t colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  // A size of the window in characters or pixels; there is no window.
  if (kind == "vc") return DeviceOptions{"vc", {}};
  if (colon != std::string::npos)
    for (const char* const form : kPathForms)
      if (kind == form) return DeviceOptions{kind, {{"path", text.substr(colon + 1)}}};
  return parse_device(what, text, "backend");
}

}  // namespace gstage
